//! Owns what passes between a worker's shard and the journal: when the shard's records are handed over, when
//! it hears that they are on disk, and what is read back. What is recorded is the engine's business, how it
//! gets to the disk the journal's.

use std::time::Duration;

use broker_core::journal::Position;
use broker_core::{Input, SessionId};

use super::{Life, Worker};
use crate::storage::Link;

/// Time between two looks at the disk while nobody is served yet.
const AWAIT_DISK_PAUSE: Duration = Duration::from_millis(1);

impl Worker {
    /// Waits until all that was recorded is on disk, what an earlier process left among it, unless the disk fails:
    /// the first clients would wait for it otherwise.
    pub(super) fn await_disk(&mut self) {
        while self.waits_for_disk() {
            self.flush_journal();
            if let Some(journal) = &self.journal {
                journal.kick();
            }
            self.bed.doze(AWAIT_DISK_PAUSE);
            self.hear_of_durability();
        }
    }

    /// Whether there is something to hand over.
    #[inline]
    pub(super) fn has_to_flush_journal(&self) -> bool {
        self.shard.wants_flush() || self.has_recorded
    }

    /// Hands over what the shard has recorded since the last time, before anybody hears of it.
    pub(super) fn flush_journal(&mut self) {
        if !self.has_to_flush_journal() {
            return;
        }
        if self.shard.wants_flush() {
            let mut effects = self.begin_step();
            self.shard.handle(Input::Flush, self.now, &mut effects);
            self.end_step(effects);
        }
        let Some(journal) = &self.journal else { return };
        if std::mem::take(&mut self.has_recorded) {
            journal.checkpoint_recorded();
        }
        journal.kick();
    }

    /// Tells the shard how far the journal is durable, if something waits for that.
    pub(super) fn hear_of_durability(&mut self) {
        let Some(journal) = &self.journal else { return };
        let durable = journal.durable();
        if self.shard.awaits_durable().is_some_and(|awaited| awaited <= durable) {
            self.step(Input::Durable(durable));
        }
    }

    /// Says what is waited for, before the thread may sleep, and tells whether it has come in the meantime.
    pub(super) fn wait_for_durability(&mut self) -> bool {
        let awaited = self.shard.awaits_durable();
        self.journal.as_mut().is_some_and(|journal| journal.wait_for(awaited))
    }

    /// Looks at whether the disk keeps up.
    #[inline]
    pub(super) fn look_behind(&mut self) {
        if let Some(journal) = &mut self.journal {
            journal.look_behind();
        }
    }

    /// Whether nothing is read from clients: until others, or the disk, have caught up, or any more.
    #[inline]
    pub(super) fn is_held_back(&self) -> bool {
        self.outgoing.is_held_back()
            || self.journal.as_ref().is_some_and(Link::is_behind)
            || self.life == Life::Finishing
    }

    /// Whether somebody hears of something as soon as the disk has it, and it will have it.
    pub(super) fn waits_for_disk(&self) -> bool {
        let works = self.journal.as_ref().is_some_and(|journal| !journal.is_failing());
        works && self.shard.awaits_durable().is_some()
    }

    /// Tells what is still needed of the places that were asked about.
    pub(super) fn surveyed(&self, found: Vec<Position>) {
        if let Some(journal) = &self.journal {
            journal.surveyed(found);
        }
    }

    /// Has messages read for a session.
    pub(super) fn load(&self, session: SessionId, positions: Vec<Position>) {
        let journal = self.journal.as_ref().expect("without a journal nothing is in it");
        journal.load(session, positions);
    }
}
