//! Owns the zeros that are written behind the last batch of a segment, for batches to come. What a batch is, and that
//! zeros are none, is known elsewhere.

use crate::disk::{BLOCK_BYTES, DiskFile};

/// Up to this size a batch is worth room that was made before.
const SMALL_BYTES: usize = 64 << 10;

/// The least room that is made at once, and the most.
const ROOM_BYTES_MIN: u64 = 16 << 10;
const ROOM_BYTES_MAX: usize = 1 << 20;

/// Zeros where a disk takes them from.
#[repr(align(4096))]
struct Zeros([u8; ROOM_BYTES_MAX]);

static ZEROS: Zeros = Zeros([0; ROOM_BYTES_MAX]);

/// A small batch that is written over zeros is synced in two thirds of the time that one takes that makes the file
/// longer, and in far less when others use the file system: no metadata changes. For large ones the bytes cost more
/// than that. `fallocate` does not help: what it sets aside is marked as unwritten, and to change that is metadata again.
#[derive(Debug, Default)]
pub(super) struct Room {
    /// The file offset up to which there is room.
    end: u64,
    /// Of the small batches since the last large one.
    small_bytes: u64,
}

impl Room {
    /// A batch was written, up to this offset, of whole blocks. If it and those before it were small, and the room is
    /// used up, as much is made as they have needed.
    pub(super) fn make(&mut self, file: &dyn DiskFile, offset: u64, batch_bytes: usize, segment_bytes: u64) {
        if batch_bytes > SMALL_BYTES {
            self.small_bytes = 0;
            return;
        }
        self.small_bytes += batch_bytes as u64;
        if offset < self.end || self.small_bytes < ROOM_BYTES_MIN {
            return;
        }
        let blocks = |bytes: u64| bytes / BLOCK_BYTES as u64 * BLOCK_BYTES as u64;
        let wanted = blocks(self.small_bytes.min(segment_bytes.saturating_sub(offset)));
        let wanted = usize::try_from(wanted).unwrap_or(ROOM_BYTES_MAX).min(ROOM_BYTES_MAX);
        // If there is no room, there is none: the batch may fit all the same.
        if wanted > 0 && file.write_blocks_at(offset, &ZEROS.0[..wanted]).is_ok() {
            self.end = offset + wanted as u64;
        }
    }
}
