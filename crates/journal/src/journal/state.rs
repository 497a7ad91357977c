//! Owns what the threads that append share with the one that writes: the batch that is being filled, the one that is
//! being written, and the table of segments. Nothing here touches the disk.

use std::ops::Range;
use std::sync::Arc;

use super::segments::{Extent, References, Segment, Segments};
use crate::Position;
use crate::format::{BATCH_HEADER_BYTES, BatchHeader, record_header};

/// An unused buffer above this is given back to the system, unless the last batch needed at least a quarter of it.
const SPARE_BYTES: usize = 4 << 20;

/// A batch that the writer has taken. It is complete, with its header, and stays readable until it is on disk.
#[derive(Debug)]
pub(super) struct Batch {
    pub position: u64,
    pub records: u32,
    pub time_unix_ms: u64,
    pub bytes: Vec<u8>,
}

impl Batch {
    pub(super) fn end(&self) -> u64 {
        self.position + self.bytes.len() as u64
    }
}

#[derive(Debug)]
pub(super) struct State {
    /// Where the batch that is being filled begins.
    pub base: u64,
    /// The batch that is being filled: empty, or room for a header and then records.
    pub buffer: Vec<u8>,
    pub records: u32,
    references: References,
    /// The batch that is not yet on disk.
    pub writing: Option<Arc<Batch>>,
    writing_references: References,
    spare: Vec<u8>,
    pub segments: Segments,
}

impl State {
    pub(super) fn new(base: u64, buffer: Vec<u8>, records: u32, segments: Segments) -> Self {
        Self {
            base,
            buffer,
            records,
            references: References::default(),
            writing: None,
            writing_references: References::default(),
            spare: Vec::new(),
            segments,
        }
    }

    /// Where the log ends.
    pub(super) fn end(&self) -> u64 {
        self.base + self.buffer.len() as u64
    }

    pub(super) fn append(
        &mut self,
        length: u32,
        checksum: u32,
        parts: &[&[u8]],
        references: u32,
    ) -> Position {
        if self.buffer.is_empty() {
            self.buffer.resize(BATCH_HEADER_BYTES, 0);
        }
        let position = Position::new(self.end());
        self.buffer.extend_from_slice(&record_header(length, checksum, position.get()));
        for part in parts {
            self.buffer.extend_from_slice(part);
        }
        self.records = self.records.checked_add(1).expect("memory ends before the count of records does");
        self.references.refer(references.into());
        position
    }

    /// The batch that an earlier commit could not write.
    pub(super) fn unwritten(&self) -> Option<Arc<Batch>> {
        self.writing.clone()
    }

    /// Takes all that was appended, as one batch. An empty one is taken too: it carries a new segment.
    pub(super) fn take(&mut self, salt: u64, time_unix_ms: u64) -> Arc<Batch> {
        assert!(self.writing.is_none(), "a batch is written only after the one before it");
        if self.buffer.is_empty() {
            self.buffer.resize(BATCH_HEADER_BYTES, 0);
        }
        let mut bytes = std::mem::replace(&mut self.buffer, std::mem::take(&mut self.spare));
        let (position, records) = (self.base, std::mem::take(&mut self.records));
        let header = BatchHeader { salt, position, bytes: bytes.len() as u64, time_unix_ms, records };
        bytes[..BATCH_HEADER_BYTES].copy_from_slice(&header.encode());
        let batch = Arc::new(Batch { position, records, time_unix_ms, bytes });
        self.base = batch.end();
        self.writing_references = std::mem::take(&mut self.references);
        self.writing = Some(Arc::clone(&batch));
        batch
    }

    /// The batch is on disk: at the end of the last segment, or as the first of a new one.
    pub(super) fn landed(&mut self, landing: Landing) {
        let batch = self.writing.take().expect("only what was taken lands");
        match landing {
            Landing::NewSegment => self.segments.push(Segment {
                first: batch.position,
                end: batch.end(),
                extent: Extent::Exact,
                references: References::default(),
            }),
            Landing::LastSegment => {}
        }
        let segment = self.segments.last_mut().expect("it landed in a segment");
        segment.end = batch.end();
        segment.references.absorb(std::mem::take(&mut self.writing_references));
        // A reader may still hold it; then the buffer is its to free.
        if let Some(batch) = Arc::into_inner(batch) {
            self.keep_spare(batch.bytes);
        }
    }

    fn keep_spare(&mut self, mut bytes: Vec<u8>) {
        if bytes.capacity() <= SPARE_BYTES || bytes.len() >= bytes.capacity() / 4 {
            bytes.clear();
            self.spare = bytes;
        }
    }

    pub(super) fn references_of(&mut self, position: u64) -> Option<&mut References> {
        self.references_around(position).map(|(references, _)| references)
    }

    /// Those of the segment or batch that holds this position, and which positions these are.
    pub(super) fn references_around(&mut self, position: u64) -> Option<(&mut References, Range<u64>)> {
        if position >= self.base {
            return Some((&mut self.references, self.base..u64::MAX));
        }
        match &self.writing {
            Some(batch) if position >= batch.position => {
                Some((&mut self.writing_references, batch.position..self.base))
            }
            Some(_) | None => {
                let segment = self.segments.holding_mut(position)?;
                Some((&mut segment.references, segment.first..segment.end))
            }
        }
    }
}

/// Where a batch was written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Landing {
    NewSegment,
    LastSegment,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::format::checksum;

    /// Appends a record of so many bytes and has it land.
    fn commit(state: &mut State, bytes: usize) {
        let record = vec![7; bytes];
        let length = u32::try_from(bytes).unwrap();
        state.append(length, checksum(length, &[&record]), &[&record], 0);
        drop(state.take(0, 0));
        state.landed(if state.segments.iter().count() == 0 {
            Landing::NewSegment
        } else {
            Landing::LastSegment
        });
    }

    #[test]
    fn buffers_are_used_again_and_given_back_after_a_burst() {
        let mut state = State::new(0, Vec::new(), 0, Segments::default());
        commit(&mut state, 8 * SPARE_BYTES);
        let burst = state.spare.capacity();
        assert!(burst >= 8 * SPARE_BYTES, "the next batch may be as large");
        (0..5).for_each(|_| commit(&mut state, 100));
        assert!(state.spare.capacity() + state.buffer.capacity() <= 2 * SPARE_BYTES);
        let kept = (state.spare.as_ptr(), state.buffer.as_ptr());
        commit(&mut state, 50);
        commit(&mut state, 50);
        assert_eq!((state.spare.as_ptr(), state.buffer.as_ptr()), kept, "two buffers in turn");
    }
}
