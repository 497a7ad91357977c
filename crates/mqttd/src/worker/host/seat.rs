//! Owns what a thread knows of one of the workers that it hosts: whether it has something to do, and when it will. What
//! that is, is the worker's business.

use broker_core::{ShardId, Timestamp};
use mio::Token;

use super::{Near, Worker};

use crate::bed::Bed;

/// Milliseconds between two looks at a worker whose events the system has no room to tell of.
const BLIND_PAUSE_MS: u64 = 1;

/// A worker and what its thread knows of it.
pub(super) struct Seat {
    pub(super) worker: Box<Worker>,
    pub(super) shard: ShardId,
    /// Whether it takes part in this round, or the next one.
    pub(super) is_awake: bool,
    /// Whether its bed may have something to tell. Its readiness comes once, when something happens to it, and all
    /// must be taken then; that is so when the list that came was not full.
    pub(super) has_events: bool,
    /// When it has something to do by itself: since ever, while it is awake.
    pub(super) due: Timestamp,
    /// Whether the thread's bed tells of its bed.
    pub(super) is_registered: bool,
    pub(super) has_ended: bool,
}

impl Seat {
    /// That of a worker that may have been told anything on its way.
    pub(super) fn new(worker: Box<Worker>) -> Self {
        Self {
            shard: worker.id,
            worker,
            is_awake: true,
            has_events: true,
            due: Timestamp::ZERO,
            is_registered: false,
            has_ended: false,
        }
    }

    /// What events call it.
    pub(super) fn token(&self) -> Token {
        Token(usize::from(self.shard.0))
    }

    /// It takes part in this round.
    pub(super) fn wake(&mut self) {
        if !std::mem::replace(&mut self.is_awake, true) {
            self.due = Timestamp::ZERO;
            self.worker.rise();
        }
    }

    /// Takes the first half of its turn, if it has something to do.
    pub(super) fn begin_turn(&mut self, now: Timestamp) {
        self.has_events |= !self.is_registered;
        if self.has_events || self.due <= now {
            self.wake();
            if self.has_events {
                self.has_events = self.worker.take_events();
            }
            self.worker.begin_turn(now);
        }
    }

    /// Takes the second half, if it took the first, and lets it sleep then, if it may.
    pub(super) fn end_turn(&mut self, now: Timestamp) {
        if !self.is_awake {
            return;
        }
        self.worker.end_turn();
        self.has_ended = self.worker.has_ended();
        if self.has_events {
            self.worker.note_deadline();
        } else if let Some(due) = self.worker.lie_down() {
            self.is_awake = false;
            self.due = if self.is_registered { due } else { due.min(now.plus_millis(BLIND_PAUSE_MS)) };
        }
    }

    /// The thread hosts one worker or several from here on. One that has the thread for itself sleeps on its own
    /// bed; the thread's would only be told in vain. If the system has no room for it, the thread looks by itself.
    pub(super) fn arrange(&mut self, bed: &Bed, is_one_of_several: bool, workers: usize) {
        match (self.is_registered, is_one_of_several) {
            (false, true) => {
                self.is_registered = bed.watch(&self.worker.bed, self.token()).is_ok();
                // Without room for the descriptor that takes, all goes by the worker's bed.
                let registry = bed.registry().try_clone().ok().filter(|_| self.is_registered);
                if let Some(registry) = registry {
                    self.worker.come_near(Near::new(registry, self.shard, workers));
                }
                self.wake();
                self.has_events = true;
            }
            (true, false) => self.deregister(bed),
            (true, true) | (false, false) => {}
        }
    }

    /// The worker leaves the thread.
    pub(super) fn leave(mut self, bed: &Bed) -> Box<Worker> {
        self.deregister(bed);
        self.worker
    }

    fn deregister(&mut self, bed: &Bed) {
        if std::mem::take(&mut self.is_registered) {
            self.worker.go_away();
            bed.unwatch(&self.worker.bed).expect("what is registered can be taken out");
        }
    }
}
