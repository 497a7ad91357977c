//! Owns when the shard, or a connection whose time is limited, is due. What is due then is theirs.

use broker_core::{Input, Timestamp};

use super::Worker;

impl Worker {
    /// Gives the shard its time, and ends the connections whose peers have had theirs.
    pub(super) fn do_what_is_due(&mut self) {
        if self.now < self.due {
            return;
        }
        if self.shard.next_deadline().is_some_and(|due| due <= self.now) {
            self.step(Input::Tick);
        }
        self.end_overdue();
    }

    /// When something is due next, [`Timestamp::NEVER`] if nothing is. Until then nothing is looked for: what a turn
    /// does makes nothing due within it.
    pub(super) fn note_deadline(&mut self) -> Timestamp {
        self.due = self.next_deadline();
        self.due
    }

    fn next_deadline(&self) -> Timestamp {
        let shard = self.shard.next_deadline().unwrap_or(Timestamp::NEVER);
        let doors = if self.room_for_strangers() > 0 { self.doors.next_deadline() } else { Timestamp::NEVER };
        shard.min(self.deadlines.next()).min(doors)
    }

    /// Does what came due while no process ran, before anybody could find it undone: all that is due up to
    /// `settled`.
    pub(super) fn catch_up(&mut self, settled: Timestamp) {
        while self.next_deadline() <= settled {
            self.bed.sleep_until(self.next_deadline(), self.clock.now());
            self.now = self.clock.now();
            self.do_what_is_due();
        }
    }
}
