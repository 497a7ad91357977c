//! Owns the frame around a record: its length and its checksum. What a record says is its writer's business.

use super::{RECORD_BYTES_MAX, RECORD_HEADER_BYTES, u32_at};
use crate::error::Flaw;

/// Of the length and the bytes of a record. The position is mixed in later: it is not known before the lock is held.
pub(crate) fn checksum(length: u32, parts: &[&[u8]]) -> u32 {
    parts.iter().fold(crc32c::crc32c(&length.to_le_bytes()), |sum, part| crc32c::crc32c_append(sum, part))
}

/// What stands in front of a record at this position.
pub(crate) fn record_header(length: u32, checksum: u32, position: u64) -> [u8; RECORD_HEADER_BYTES] {
    let mut bytes = [0; RECORD_HEADER_BYTES];
    bytes[..4].copy_from_slice(&length.to_le_bytes());
    bytes[4..].copy_from_slice(&(checksum ^ mark(position)).to_le_bytes());
    bytes
}

/// A record that was copied to another place has a wrong checksum there.
fn mark(position: u64) -> u32 {
    (position.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 32) as u32
}

/// The record at the beginning of `bytes`, which may go on behind it.
pub(crate) fn record_at(bytes: &[u8], position: u64) -> Result<&[u8], Flaw> {
    let (header, rest) = bytes.split_at_checked(RECORD_HEADER_BYTES).ok_or(Flaw::RecordLength)?;
    let length = u32_at(header, 0);
    if length as usize > RECORD_BYTES_MAX {
        return Err(Flaw::RecordLength);
    }
    let record = rest.get(..length as usize).ok_or(Flaw::RecordLength)?;
    if checksum(length, &[record]) ^ mark(position) != u32_at(header, 4) {
        return Err(Flaw::RecordChecksum);
    }
    Ok(record)
}

/// The records of a batch, one after another, up to its end or the first flaw.
#[derive(Debug)]
pub(crate) struct Records<'a> {
    bytes: &'a [u8],
    position: u64,
}

impl<'a> Records<'a> {
    /// `bytes` are those behind the batch's header, `position` is theirs.
    pub(crate) fn new(bytes: &'a [u8], position: u64) -> Self {
        Self { bytes, position }
    }

    /// Where the next record is, or the end.
    pub(crate) fn position(&self) -> u64 {
        self.position
    }

    /// The next record and where it is; none at the end. After a flaw it stays where it is.
    pub(crate) fn next(&mut self) -> Result<Option<(u64, &'a [u8])>, Flaw> {
        if self.bytes.is_empty() {
            return Ok(None);
        }
        let record = record_at(self.bytes, self.position)?;
        let position = self.position;
        self.pass(RECORD_HEADER_BYTES + record.len());
        Ok(Some((position, record)))
    }

    /// Goes on behind a record whose bytes are damaged, if its length leads to a good one or to the end.
    pub(crate) fn pass_damaged(&mut self) -> bool {
        let Some(header) = self.bytes.get(..RECORD_HEADER_BYTES) else { return false };
        let total = RECORD_HEADER_BYTES + u32_at(header, 0) as usize;
        let behind = self.position + total as u64;
        let leads_on =
            self.bytes.get(total..).is_some_and(|rest| rest.is_empty() || record_at(rest, behind).is_ok());
        if leads_on {
            self.pass(total);
        }
        leads_on
    }

    fn pass(&mut self, total: usize) {
        self.bytes = &self.bytes[total..];
        self.position += total as u64;
    }
}
