//! Owns the segment that is being written: when a new one begins, and how a batch gets to disk. What is in a batch was
//! decided before.

use std::io;
use std::sync::Arc;

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
    /// The one that is appended to. None after an error, and after opening: then a new one begins.
    current: Option<Current>,
}

#[derive(Debug)]
struct Current {
    name: String,
    file: Arc<dyn DiskFile>,
    first: u64,
    end: u64,
}

impl Writer {
    pub(super) fn new(segment_bytes: u64, salt: u64) -> Self {
        Self { segment_bytes, salt, current: None }
    }

    /// Ends the segment: the next batch begins a new one.
    pub(super) fn end_segment(&mut self) {
        self.current = None;
    }

    /// Gets a batch to disk; if it begins a segment, its header names this floor. After an error nothing is known of what is on disk at and behind its position in the
    /// segment; that segment is left as it is, and a new one will begin there.
    pub(super) fn write(
        &mut self,
        disk: &dyn Disk,
        batch: &Batch,
        floor: u64,
    ) -> Result<Landing, WriteError> {
        match self.current.take() {
            Some(mut current) if self.has_room(&current, batch) => {
                write_behind(&mut current, batch)?;
                self.current = Some(current);
                Ok(Landing::LastSegment)
            }
            Some(_) | None => {
                self.current = Some(create(disk, self.header(batch, floor), batch)?);
                Ok(Landing::NewSegment)
            }
        }
    }

    fn has_room(&self, current: &Current, batch: &Batch) -> bool {
        HEADER_BYTES + (batch.end() - current.first) <= self.segment_bytes
    }

    fn header(&self, batch: &Batch, floor: u64) -> SegmentHeader {
        SegmentHeader { first: batch.position, floor, created_unix_ms: batch.time_unix_ms, salt: self.salt }
    }
}

/// One write and one sync.
fn write_behind(current: &mut Current, batch: &Batch) -> Result<(), WriteError> {
    assert_eq!(current.end, batch.position, "batches follow each other without a gap");
    let offset = HEADER_BYTES + (batch.position - current.first);
    current.file.write_at(offset, &batch.bytes).map_err(failed(Operation::Write, &current.name))?;
    current.file.sync_data().map_err(failed(Operation::Sync, &current.name))?;
    current.end = batch.end();
    Ok(())
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
    Ok(Current { name, file, first: header.first, end: batch.end() })
}

fn failed(operation: Operation, file: &str) -> impl FnOnce(io::Error) -> WriteError {
    move |error| WriteError { operation, file: file.to_owned(), error }
}
