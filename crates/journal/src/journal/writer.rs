//! Owns the segment that is being written: when a new one begins, and how a batch gets to disk. What is in a batch was
//! decided before.

use std::io;
use std::sync::Arc;

use super::checkpoint::Checkpoint;
use super::state::{Batch, Landing};
use crate::disk::{Disk, DiskFile};
use crate::error::Operation;
use crate::format::{HEADER_BYTES, SegmentHeader, UNFINISHED, segment_name};

/// Up to this size a batch is worth room that was made before.
const SMALL_BYTES: usize = 64 << 10;

/// The least room that is made at once, and the most.
const ROOM_BYTES_MIN: u64 = 64 << 10;
static ZEROS: [u8; 1 << 20] = [0; 1 << 20];

/// What failed, and where.
#[derive(Debug)]
pub(super) struct WriteError {
    pub operation: Operation,
    pub file: String,
    pub error: io::Error,
}

#[derive(Debug)]
pub(super) struct Writer {
    segment_bytes: u64,
    /// Marks the batches of this process.
    pub salt: u64,
    /// Where the last segment begins.
    last: u64,
    /// The one that is appended to. None after an error, and after opening: then a new one begins.
    current: Option<Current>,
}

#[derive(Debug)]
struct Current {
    name: String,
    file: Arc<dyn DiskFile>,
    first: u64,
    end: u64,
    /// The file offset up to which there is room.
    room: u64,
}

impl Writer {
    pub(super) fn new(segment_bytes: u64, salt: u64, last: u64) -> Self {
        Self { segment_bytes, salt, last, current: None }
    }

    /// Ends the segment: the next batch begins a new one.
    pub(super) fn end_segment(&mut self) {
        self.current = None;
    }

    /// Gets a batch to disk; if it begins a segment, its header names the floor. After an error nothing is known of
    /// what is on disk at and behind its position in the segment; that segment is left as it is, and a new one will
    /// begin there.
    pub(super) fn write(
        &mut self,
        disk: &dyn Disk,
        batch: &Batch,
        checkpoint: &Checkpoint,
    ) -> Result<Landing, WriteError> {
        match self.current.take() {
            Some(mut current) if self.has_room(&current, batch) => {
                write_behind(&mut current, batch, self.segment_bytes)?;
                self.current = Some(current);
                Ok(Landing::LastSegment)
            }
            Some(_) | None => {
                self.current = Some(create(disk, self.header(batch, checkpoint), batch)?);
                self.last = batch.position;
                Ok(Landing::NewSegment)
            }
        }
    }

    fn has_room(&self, current: &Current, batch: &Batch) -> bool {
        HEADER_BYTES + (batch.end() - current.first) <= self.segment_bytes
    }

    fn header(&self, batch: &Batch, checkpoint: &Checkpoint) -> SegmentHeader {
        SegmentHeader {
            first: batch.position,
            floor: checkpoint.floor,
            created_unix_ms: batch.time_unix_ms,
            salt: self.salt,
            before: self.last,
            pass_kibibytes: u32::try_from(checkpoint.pass_bytes.div_ceil(1 << 10)).unwrap_or(u32::MAX),
        }
    }
}

/// One write and one sync, and now and then another write, of room for the batches to come.
fn write_behind(current: &mut Current, batch: &Batch, segment_bytes: u64) -> Result<(), WriteError> {
    assert_eq!(current.end, batch.position, "batches follow each other without a gap");
    let offset = HEADER_BYTES + (batch.position - current.first);
    current.file.write_at(offset, &batch.bytes).map_err(failed(Operation::Write, &current.name))?;
    if batch.bytes.len() <= SMALL_BYTES {
        make_room(current, offset + batch.bytes.len() as u64, segment_bytes);
    }
    current.file.sync_data().map_err(failed(Operation::Sync, &current.name))?;
    current.end = batch.end();
    Ok(())
}

/// Writes zeros behind `end`, if what was there is used up. A small batch that is written over zeros is synced in two
/// thirds of the time that one takes that makes the file longer, and in far less when others use the file system: no
/// metadata changes. For large ones the bytes cost more than that. `fallocate` does not help: what it sets aside is
/// marked as unwritten, and to change that is metadata again.
fn make_room(current: &mut Current, end: u64, segment_bytes: u64) {
    // As much as is there already, so that small segments stay small.
    let wanted = end.clamp(ROOM_BYTES_MIN, ZEROS.len() as u64).min(segment_bytes.saturating_sub(end));
    let zeros = usize::try_from(wanted).ok().and_then(|wanted| ZEROS.get(..wanted)).unwrap_or_default();
    // If there is no room, there is none: the batch may fit all the same.
    if end > current.room && !zeros.is_empty() && current.file.write_at(end, zeros).is_ok() {
        current.room = end + wanted;
    }
}

/// A segment gets its name when its header and its first batch are on disk. So no crash leaves one that is empty or
/// torn at its beginning, and where the name stood for an older file there is no instant without either.
fn create(disk: &dyn Disk, header: SegmentHeader, batch: &Batch) -> Result<Current, WriteError> {
    let file = disk.create(UNFINISHED).map_err(failed(Operation::Create, UNFINISHED))?;
    file.write_at(0, &header.encode()).map_err(failed(Operation::Write, UNFINISHED))?;
    file.write_at(HEADER_BYTES, &batch.bytes).map_err(failed(Operation::Write, UNFINISHED))?;
    file.sync_data().map_err(failed(Operation::Sync, UNFINISHED))?;
    let name = segment_name(header.first);
    disk.rename(UNFINISHED, &name).map_err(failed(Operation::Rename, &name))?;
    disk.sync_directory().map_err(failed(Operation::SyncDirectory, &name))?;
    let room = HEADER_BYTES + batch.bytes.len() as u64;
    Ok(Current { name, file, first: header.first, end: batch.end(), room })
}

fn failed(operation: Operation, file: &str) -> impl FnOnce(io::Error) -> WriteError {
    move |error| WriteError { operation, file: file.to_owned(), error }
}
