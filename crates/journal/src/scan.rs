//! Owns walking through the bytes of one segment: a window that reads ahead, and the search for a batch behind a flaw.
//! What a flaw means there is decided by recovery and inspection.

use std::io;
use std::sync::Arc;

use crate::Position;
use crate::disk::DiskFile;
use crate::error::Flaw;
use crate::format::{
    BATCH_HEADER_BYTES, BatchHeader, HEADER_BYTES, Records, SEGMENT_HEADER_BYTES, SegmentHeader,
};

/// Bytes that are read at once, at the least: large enough that system calls do not count, small enough for the
/// processor's cache.
const CHUNK_BYTES: usize = 1 << 18;

/// A segment that is read from its beginning to its end.
#[derive(Debug)]
pub(crate) struct Scan {
    file: Arc<dyn DiskFile>,
    pub header: SegmentHeader,
    /// The file offset of `window[0]`.
    start: u64,
    window: Vec<u8>,
}

/// What is found where a batch should begin.
#[derive(Debug)]
pub(crate) enum Found<'a> {
    /// A valid header, and all the bytes it announces.
    Batch(BatchHeader, &'a [u8]),
    /// A valid header, but the segment ends before the batch does. These bytes of it are there.
    Short(BatchHeader, &'a [u8]),
    /// No valid header.
    Flaw(Flaw),
}

/// The header of a segment that begins at `first`, as its file's name says.
pub(crate) fn header_of(file: &dyn DiskFile, first: u64) -> io::Result<Result<SegmentHeader, Flaw>> {
    let mut bytes = [0; SEGMENT_HEADER_BYTES];
    let length = file.read_at(0, &mut bytes)?;
    Ok(SegmentHeader::decode(&bytes[..length]).and_then(|header| {
        if header.first != first {
            Err(Flaw::Misnamed(Position::new(header.first.min(Position::MAX.get()))))
        } else if header.floor > first {
            Err(Flaw::FloorAhead(Position::new(header.floor.min(Position::MAX.get()))))
        } else {
            Ok(header)
        }
    }))
}

/// Whether all records of a batch are there and intact.
fn is_sound(header: &BatchHeader, bytes: &[u8]) -> bool {
    let mut records = Records::new(&bytes[BATCH_HEADER_BYTES..], header.position + BATCH_HEADER_BYTES as u64);
    let mut count = 0;
    loop {
        match records.next() {
            Ok(Some(_)) => count += 1,
            Ok(None) => return count == header.records,
            Err(_) => return false,
        }
    }
}

impl Scan {
    pub(crate) fn new(file: Arc<dyn DiskFile>, header: SegmentHeader) -> Self {
        Self { file, header, start: HEADER_BYTES, window: Vec::new() }
    }

    /// Where in the file this position is.
    pub(crate) fn offset(&self, position: u64) -> u64 {
        HEADER_BYTES + (position - self.header.first)
    }

    /// What is at `position`; the segment has no bytes at or behind `end`.
    pub(crate) fn batch(&mut self, position: u64, end: u64) -> io::Result<Found<'_>> {
        let (salt, left) = (self.header.salt, end - position);
        let head = self.bytes(position, (BATCH_HEADER_BYTES as u64).min(left))?;
        let Some(header) = BatchHeader::decode(head, salt, position) else {
            return Ok(Found::Flaw(Flaw::BatchHeader));
        };
        let bytes = self.bytes(position, header.bytes.min(left))?;
        Ok(if bytes.len() as u64 == header.bytes {
            Found::Batch(header, bytes)
        } else {
            Found::Short(header, bytes)
        })
    }

    /// Whether a valid batch header is at `position`.
    pub(crate) fn has_batch(&mut self, position: u64) -> io::Result<bool> {
        let salt = self.header.salt;
        let head = self.bytes(position, BATCH_HEADER_BYTES as u64)?;
        Ok(BatchHeader::decode(head, salt, position).is_some())
    }

    /// Where the segment ends if nothing else says it: behind its last batch if that is sound, and before it if it is
    /// not. Then it is what a failed write has left, as at the end of the last segment: a batch that another follows
    /// had been synced, whatever it looks like now, and so had the first, without which no segment has its name.
    pub(crate) fn sound_end(&mut self, end: u64) -> io::Result<u64> {
        let first = self.header.first;
        let (mut position, mut sound) = (first, end);
        loop {
            let behind = match self.batch(position, end)? {
                Found::Batch(header, bytes) => {
                    let behind = position + header.bytes;
                    sound = if position == first || is_sound(&header, bytes) { behind } else { position };
                    Some(behind)
                }
                Found::Short(..) if position > first => return Ok(position),
                Found::Short(..) | Found::Flaw(_) => None,
            };
            position = match behind {
                Some(behind) => behind,
                None => match self.find_batch(position + 1, end)? {
                    Some(next) => next,
                    None => return Ok(sound),
                },
            };
        }
    }

    /// The first valid batch header at or behind `position` and before `end`, wherever it may begin.
    pub(crate) fn find_batch(&mut self, mut position: u64, end: u64) -> io::Result<Option<u64>> {
        let salt = self.header.salt;
        let mark = salt.to_le_bytes();
        while position < end {
            let bytes = self.bytes(position, (CHUNK_BYTES as u64).min(end - position))?;
            if bytes.len() < BATCH_HEADER_BYTES {
                return Ok(None);
            }
            let starts = bytes.len() - BATCH_HEADER_BYTES + 1;
            let found = (0..starts).find(|&start| {
                bytes[start..start + 8] == mark
                    && BatchHeader::decode(&bytes[start..], salt, position + start as u64).is_some()
            });
            if let Some(start) = found {
                return Ok(Some(position + start as u64));
            }
            position += starts as u64;
        }
        Ok(None)
    }

    /// Whether all bytes from `position` up to `end` are zero: room for what was not written.
    pub(crate) fn is_room(&mut self, mut position: u64, end: u64) -> io::Result<bool> {
        while position < end {
            let bytes = self.bytes(position, (CHUNK_BYTES as u64).min(end - position))?;
            if bytes.is_empty() || bytes.iter().any(|&byte| byte != 0) {
                return Ok(bytes.is_empty());
            }
            position += bytes.len() as u64;
        }
        Ok(true)
    }

    /// Whether this flaw is that nothing was ever written at `position`, or the file does not reach so far.
    pub(crate) fn is_end(&mut self, position: u64, flaw: Flaw) -> io::Result<bool> {
        let end = self.end()?;
        Ok(position >= end || flaw == Flaw::BatchHeader && self.is_room(position, end)?)
    }

    /// The position at which the file ends.
    pub(crate) fn end(&self) -> io::Result<u64> {
        Ok(self.header.first + self.file.len()?.saturating_sub(HEADER_BYTES))
    }

    /// Up to `length` bytes at `position`: fewer only at the end of the file.
    fn bytes(&mut self, position: u64, length: u64) -> io::Result<&[u8]> {
        let offset = self.offset(position);
        let length = usize::try_from(length).unwrap_or(usize::MAX);
        let held = self.start + self.window.len() as u64;
        if offset < self.start || offset + length as u64 > held {
            self.fill(offset, length)?;
        }
        let begin = usize::try_from(offset - self.start).unwrap_or(usize::MAX).min(self.window.len());
        let end = begin.saturating_add(length).min(self.window.len());
        Ok(&self.window[begin..end])
    }

    /// Moves the window to `offset`; what it already holds of it is not read again.
    fn fill(&mut self, offset: u64, length: usize) -> io::Result<()> {
        let held = self.start + self.window.len() as u64;
        let kept = if (self.start..held).contains(&offset) {
            let passed = usize::try_from(offset - self.start).unwrap_or(usize::MAX);
            self.window.drain(..passed);
            self.window.len()
        } else {
            self.window.clear();
            0
        };
        self.start = offset;
        // A header may announce more than the file has: that must not cost memory.
        let left = usize::try_from(self.file.len()?.saturating_sub(offset)).unwrap_or(usize::MAX);
        self.window.resize(length.max(CHUNK_BYTES).min(left).max(kept), 0);
        let read = self.file.read_at(offset + kept as u64, &mut self.window[kept..])?;
        self.window.truncate(kept + read);
        Ok(())
    }
}
