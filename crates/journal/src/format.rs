//! Owns the layout of a segment's bytes: names, headers and records, to bytes and back. Which bytes are looked at, and
//! what a flaw means, is decided by recovery and inspection.

mod batch;
mod record;
mod segment;

pub(crate) use batch::BatchHeader;
pub(crate) use record::{Records, checksum, record_at, record_header};
pub(crate) use segment::{SegmentHeader, first_of_name, segment_name};

/// The newest format version that is read, and the one that is written.
pub const FORMAT_VERSION: u16 = 1;

/// Bytes of a segment's header.
pub(crate) const SEGMENT_HEADER_BYTES: usize = 64;

/// The same, as an offset in a file.
pub(crate) const HEADER_BYTES: u64 = SEGMENT_HEADER_BYTES as u64;

/// Bytes of a batch's header.
pub(crate) const BATCH_HEADER_BYTES: usize = 40;

/// Bytes in front of a record's own.
pub(crate) const RECORD_HEADER_BYTES: usize = 8;

/// The most bytes one record may have: 512 MiB. An MQTT packet has at most half of that.
pub const RECORD_BYTES_MAX: usize = 512 << 20;

/// The name of the file a segment is written to before it has its own name.
pub(crate) const UNFINISHED: &str = "segment.new";

/// Eight bytes at `offset` of a header of fixed size.
pub(super) fn u64_at(bytes: &[u8], offset: usize) -> u64 {
    let mut number = [0; 8];
    number.copy_from_slice(&bytes[offset..offset + 8]);
    u64::from_le_bytes(number)
}

/// Four bytes at `offset` of a header of fixed size.
pub(super) fn u32_at(bytes: &[u8], offset: usize) -> u32 {
    let mut number = [0; 4];
    number.copy_from_slice(&bytes[offset..offset + 4]);
    u32::from_le_bytes(number)
}
