//! Owns the segment that is being written: when a new one begins, and how a batch gets to disk. What is in a batch was
//! decided before.

use std::io;
use std::sync::Arc;

use super::blocks::{Blocks, Tail};
use super::checkpoint::Checkpoint;
use super::room::Room;
use super::state::{Batch, Landing};
use crate::disk::{Disk, DiskFile};
use crate::error::Operation;
use crate::format::{HEADER_BYTES, SegmentHeader, UNFINISHED, segment_name};

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
    blocks: Blocks,
}

#[derive(Debug)]
struct Current {
    name: String,
    file: Arc<dyn DiskFile>,
    first: u64,
    end: u64,
    tail: Tail,
    room: Room,
}

impl Writer {
    pub(super) fn new(segment_bytes: u64, salt: u64, last: u64) -> Self {
        Self { segment_bytes, salt, last, current: None, blocks: Blocks::default() }
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
                self.write_behind(&mut current, batch)?;
                self.current = Some(current);
                Ok(Landing::LastSegment)
            }
            Some(_) | None => {
                self.current = Some(self.create(disk, self.header(batch, checkpoint), batch)?);
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

    /// One write and one sync, and now and then another write, of room for the batches to come.
    fn write_behind(&mut self, current: &mut Current, batch: &Batch) -> Result<(), WriteError> {
        assert_eq!(current.end, batch.position, "batches follow each other without a gap");
        let offset = HEADER_BYTES + (batch.position - current.first);
        let written = self.blocks.write(&*current.file, offset, &current.tail, &[&batch.bytes]);
        let end = written.map_err(failed(Operation::Write, &current.name))?;
        current.room.make(&*current.file, end, batch.bytes.len(), self.segment_bytes);
        current.file.sync_data().map_err(failed(Operation::Sync, &current.name))?;
        current.tail.push(&batch.bytes);
        current.end = batch.end();
        Ok(())
    }

    /// A segment gets its name when its header and its first batch are on disk. So no crash leaves one that is empty
    /// or torn at its beginning, and where the name stood for an older file there is no instant without either.
    fn create(
        &mut self,
        disk: &dyn Disk,
        header: SegmentHeader,
        batch: &Batch,
    ) -> Result<Current, WriteError> {
        let file = disk.create(UNFINISHED).map_err(failed(Operation::Create, UNFINISHED))?;
        let encoded = header.encode();
        let written = self.blocks.write(&*file, 0, &Tail::default(), &[&encoded, &batch.bytes]);
        written.map_err(failed(Operation::Write, UNFINISHED))?;
        file.sync_data().map_err(failed(Operation::Sync, UNFINISHED))?;
        let name = segment_name(header.first);
        disk.rename(UNFINISHED, &name).map_err(failed(Operation::Rename, &name))?;
        disk.sync_directory().map_err(failed(Operation::SyncDirectory, &name))?;
        let mut tail = Tail::default();
        tail.push(&encoded);
        tail.push(&batch.bytes);
        Ok(Current { name, file, first: header.first, end: batch.end(), tail, room: Room::default() })
    }
}

fn failed(operation: Operation, file: &str) -> impl FnOnce(io::Error) -> WriteError {
    move |error| WriteError { operation, file: file.to_owned(), error }
}
