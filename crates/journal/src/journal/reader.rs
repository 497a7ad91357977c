//! Owns reading records back: from memory while they wait for the disk, from their segment afterwards. What is live
//! and what may be removed is not its business.

use std::io::{self, ErrorKind};
use std::sync::Arc;

use super::recovery::path;
use super::segments::{Extent, Segment};
use super::{Journal, state::State};
use crate::Position;
use crate::disk::DiskFile;
use crate::error::{Damage, Flaw, ReadError};
use crate::format::{HEADER_BYTES, RECORD_BYTES_MAX, RECORD_HEADER_BYTES, record_at, segment_name};
use crate::scan::{Scan, header_of};

/// Bytes read at once by a [`Reader`]: about what a device reads in the time of one seek.
const READ_AHEAD_BYTES: usize = 256 << 10;

/// Bytes read at once for a single record: most records are smaller.
const SINGLE_BYTES: usize = 4 << 10;

/// Reads many records, and is fast when their positions ascend: it reads ahead 256 KiB at a time. It keeps one file
/// open. Many readers may read at once.
#[derive(Debug)]
pub struct Reader<'a> {
    journal: &'a Journal,
    chunk_bytes: usize,
    segment: Option<OpenSegment>,
    /// What was read of it, beginning at `start`.
    chunk: Vec<u8>,
    start: u64,
}

#[derive(Debug)]
struct OpenSegment {
    first: u64,
    /// Where it ended when it was looked up.
    end: u64,
    extent: Extent,
    /// Where its own records end, if that had to be found out: then it was read through, once.
    sound_end: Option<u64>,
    file: Arc<dyn DiskFile>,
}

impl OpenSegment {
    /// Whether a record that is not to be found here was in a segment that followed this one and is gone. What stands
    /// in its place is room, or was given up after an error.
    fn is_behind(&mut self, position: u64) -> io::Result<bool> {
        let end = match (self.extent, self.sound_end) {
            (Extent::Exact, _) => self.end,
            (Extent::AtMost, Some(end)) => end,
            (Extent::AtMost, None) => *self.sound_end.insert(self.find_sound_end()?),
        };
        Ok(position >= end)
    }

    fn find_sound_end(&self) -> io::Result<u64> {
        let Ok(header) = header_of(&*self.file, self.first)? else { return Ok(self.end) };
        Scan::new(Arc::clone(&self.file), header).sound_end(self.end)
    }
}

/// Where a record is.
enum Place {
    Memory(Arc<super::state::Batch>),
    /// It was copied, under the lock.
    Copied(Result<(), Flaw>),
    Segment(Segment),
    Nowhere,
}

impl<'a> Reader<'a> {
    pub(super) fn ahead(journal: &'a Journal) -> Self {
        Self::new(journal, READ_AHEAD_BYTES)
    }

    pub(super) fn single(journal: &'a Journal) -> Self {
        Self::new(journal, SINGLE_BYTES)
    }

    fn new(journal: &'a Journal, chunk_bytes: usize) -> Self {
        Self { journal, chunk_bytes, segment: None, chunk: Vec::new(), start: 0 }
    }

    /// Puts the record at `position` into `out`, in place of what is there.
    ///
    /// # Errors
    /// See [`ReadError`]; then `out` is empty.
    pub fn read(&mut self, position: Position, out: &mut Vec<u8>) -> Result<(), ReadError> {
        out.clear();
        // What this segment held when it was looked up never changes.
        if let Some(segment) = &self.segment
            && (segment.first..segment.end).contains(&position.get())
        {
            return self.read_segment(position, out);
        }
        match place(&self.journal.state.lock(), position.get(), out) {
            Place::Memory(batch) => copy(&batch.bytes, batch.position, position.get(), out),
            Place::Copied(copied) => copied,
            Place::Segment(segment) => {
                self.segment = Some(self.open(position, segment)?);
                self.chunk.clear();
                return self.read_segment(position, out);
            }
            Place::Nowhere => return Err(ReadError::Missing(position)),
        }
        // Memory does not decay: the position is not that of a record.
        .map_err(|_| ReadError::Missing(position))
    }

    fn open(&self, position: Position, segment: Segment) -> Result<OpenSegment, ReadError> {
        let Segment { first, end, extent, .. } = segment;
        let name = segment_name(first);
        match self.journal.disk.open(&name) {
            Ok(file) => Ok(OpenSegment { first, end, extent, sound_end: None, file }),
            // It was reclaimed a moment ago.
            Err(error) if error.kind() == ErrorKind::NotFound => Err(ReadError::Missing(position)),
            Err(error) => Err(ReadError::Disk { file: path(&*self.journal.disk, &name), error }),
        }
    }

    fn read_segment(&mut self, position: Position, out: &mut Vec<u8>) -> Result<(), ReadError> {
        let Some(mut segment) = self.segment.take() else { return Err(ReadError::Missing(position)) };
        let read = match self.read_from(&segment, position.get(), out) {
            Ok(Err(flaw)) => segment.is_behind(position.get()).map(|is_behind| Err((flaw, is_behind))),
            Ok(Ok(())) => Ok(Ok(())),
            Err(error) => Err(error),
        };
        let name = || path(&*self.journal.disk, &segment_name(segment.first));
        let offset = HEADER_BYTES + (position.get() - segment.first);
        let result = match read {
            Ok(Ok(())) => Ok(()),
            Ok(Err((_, true))) => Err(ReadError::Missing(position)),
            Ok(Err((flaw, false))) => Err(ReadError::Corrupt(Damage { file: name(), offset, flaw })),
            Err(error) => Err(ReadError::Disk { file: name(), error }),
        };
        self.segment = Some(segment);
        result
    }

    fn read_from(
        &mut self,
        segment: &OpenSegment,
        position: u64,
        out: &mut Vec<u8>,
    ) -> io::Result<Result<(), Flaw>> {
        let header = self.bytes(segment, position, RECORD_HEADER_BYTES)?;
        let Some(length) = header.first_chunk().map(|length| u32::from_le_bytes(*length) as usize) else {
            return Ok(Err(Flaw::RecordLength));
        };
        let left = segment.end - position;
        if length > RECORD_BYTES_MAX || (RECORD_HEADER_BYTES + length) as u64 > left {
            return Ok(Err(Flaw::RecordLength));
        }
        let bytes = self.bytes(segment, position, RECORD_HEADER_BYTES + length)?;
        Ok(record_at(bytes, position).map(|record| out.extend_from_slice(record)))
    }

    /// Up to `length` bytes at `position`: fewer only at the end of the segment.
    fn bytes(&mut self, segment: &OpenSegment, position: u64, length: usize) -> io::Result<&[u8]> {
        let held = self.start..self.start + self.chunk.len() as u64;
        let wanted_end = (position + length as u64).min(segment.end);
        if !held.contains(&position) || wanted_end > held.end {
            let left = usize::try_from(segment.end - position).unwrap_or(usize::MAX);
            self.chunk.clear();
            self.chunk.resize(length.max(self.chunk_bytes).min(left), 0);
            let read = segment.file.read_at(HEADER_BYTES + (position - segment.first), &mut self.chunk)?;
            self.chunk.truncate(read);
            self.start = position;
        }
        let begin = usize::try_from(position - self.start).unwrap_or(usize::MAX);
        let end = (begin + length).min(self.chunk.len());
        Ok(&self.chunk[begin.min(end)..end])
    }
}

fn place(state: &State, position: u64, out: &mut Vec<u8>) -> Place {
    if position >= state.base {
        return Place::Copied(copy(&state.buffer, state.base, position, out));
    }
    match &state.writing {
        Some(batch) if position >= batch.position => Place::Memory(Arc::clone(batch)),
        Some(_) | None => match state.segments.holding(position) {
            Some(segment) => Place::Segment(*segment),
            None => Place::Nowhere,
        },
    }
}

fn copy(bytes: &[u8], base: u64, position: u64, out: &mut Vec<u8>) -> Result<(), Flaw> {
    let offset = usize::try_from(position - base).unwrap_or(usize::MAX);
    let record = record_at(bytes.get(offset..).ok_or(Flaw::RecordLength)?, position)?;
    out.extend_from_slice(record);
    Ok(())
}
