//! Owns when the shard, or a closing connection, is due. What is due then is theirs.

use broker_core::{Input, Timestamp};

use super::Worker;

impl Worker {
    /// Gives the shard its time, and ends the connections whose peers have had theirs.
    pub(super) fn do_what_is_due(&mut self) {
        if self.shard.next_deadline().is_some_and(|due| due <= self.now) {
            self.step(Input::Tick);
        }
        self.close_overdue();
    }

    /// When something is due next, [`Timestamp::NEVER`] if nothing is.
    pub(super) fn next_deadline(&self) -> Timestamp {
        let due = [self.shard.next_deadline(), self.closing.next_deadline()];
        due.into_iter().flatten().min().unwrap_or(Timestamp::NEVER)
    }

    /// Does what came due while no process ran, before anybody could find it undone: all that is due up to
    /// `settled`.
    pub(super) fn catch_up(&mut self, settled: Timestamp) {
        while self.next_deadline() <= settled {
            self.sleep(Some(self.next_deadline().since(self.clock.now())));
            self.now = self.clock.now();
            self.do_what_is_due();
        }
    }
}
