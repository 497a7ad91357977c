//! Owns a group commit: what is taken, what follows when it is on disk, and what when it is not. How bytes get to the
//! disk is the writer's.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use super::checkpoint::{Checkpoint, OwedSegment};
use super::recovery::path;
use super::state::{Batch, Landing};
use super::writer::{WriteError, Writer};
use super::{Committed, Journal};
use crate::error::{CommitError, Failure};

impl Journal {
    /// Writes all that is pending as one batch: one write, one sync. What an earlier call could not write is a batch of
    /// its own that goes first. Called by one thread; `now_unix_ms` is the time in milliseconds since 1970.
    ///
    /// # Errors
    /// See [`CommitError`]. Nothing is lost; call again, about once a second.
    pub fn commit(&self, now_unix_ms: u64) -> Result<Committed, CommitError> {
        let mut writer = self.writer.lock();
        let mut committed = Committed::default();
        let unwritten = self.state.lock().unwritten();
        if let Some(batch) = unwritten {
            self.write(&mut writer, batch, now_unix_ms, &mut committed)?;
        }
        if self.has_work() {
            let batch = self.take(&writer, now_unix_ms);
            self.write(&mut writer, batch, now_unix_ms, &mut committed)?;
        }
        Ok(committed)
    }

    pub(super) fn has_work(&self) -> bool {
        self.pending_bytes() > 0 || self.checkpoint.lock().owes_segment == OwedSegment::ToNameFloor
    }

    fn take(&self, writer: &Writer, now_unix_ms: u64) -> Arc<Batch> {
        let mut state = self.state.lock();
        let batch = state.take(writer.salt, now_unix_ms);
        // An empty batch takes its place too.
        self.end.store(state.end(), Ordering::Release);
        batch
    }

    fn write(
        &self,
        writer: &mut Writer,
        batch: Arc<Batch>,
        now_unix_ms: u64,
        committed: &mut Committed,
    ) -> Result<(), CommitError> {
        let checkpoint = *self.checkpoint.lock();
        if checkpoint.owes_segment != OwedSegment::None {
            writer.end_segment();
        }
        match writer.write(&*self.disk, &batch, &checkpoint) {
            Ok(Landing::NewSegment) => {
                self.segment_begun(checkpoint);
                self.landed(batch, Landing::NewSegment, now_unix_ms, committed);
            }
            Ok(Landing::LastSegment) => self.landed(batch, Landing::LastSegment, now_unix_ms, committed),
            Err(error) => return Err(self.failed(&error, now_unix_ms)),
        }
        Ok(())
    }

    /// A segment is on disk that was begun with these wishes. Others may have come up since.
    fn segment_begun(&self, wishes: Checkpoint) {
        let mut checkpoint = self.checkpoint.lock();
        checkpoint.durable_floor = wishes.floor;
        if checkpoint.floor == wishes.floor && checkpoint.owes_segment == wishes.owes_segment {
            checkpoint.owes_segment = OwedSegment::None;
        }
    }

    fn landed(&self, batch: Arc<Batch>, landing: Landing, now_unix_ms: u64, committed: &mut Committed) {
        let (end, records) = (batch.end(), batch.records);
        committed.records += u64::from(records);
        committed.bytes += batch.bytes.len() as u64;
        committed.batches += 1;
        drop(batch);
        self.state.lock().landed(landing);
        self.durable.store(end, Ordering::Release);
        if records > 0 {
            self.checkpoint.lock().busy_unix_ms = now_unix_ms;
        }
        if self.is_failing() {
            *self.failure.lock() = None;
            self.is_failing.store(false, Ordering::Release);
        }
    }

    fn failed(&self, error: &WriteError, now_unix_ms: u64) -> CommitError {
        let mut known = self.failure.lock();
        let since = known.as_ref().map_or(now_unix_ms, |failure| failure.since_unix_ms);
        let failure = Failure::new(error.operation, path(&*self.disk, &error.file), &error.error, since);
        *known = Some(failure.clone());
        self.is_failing.store(true, Ordering::Release);
        CommitError::new(failure)
    }
}
