//! Owns the writer's sleep: how it waits for work without missing any. What the work is it does not know.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use parking_lot::{Condvar, Mutex};

/// A kick is kept until the next sleep, which it ends at once. So it is never missed, whenever it comes.
#[derive(Debug, Default)]
pub(super) struct Wake {
    is_kicked: AtomicBool,
    is_asleep: AtomicBool,
    lock: Mutex<()>,
    condition: Condvar,
}

impl Wake {
    /// Sleeps until kicked, for no longer than it has the patience for.
    pub(super) fn sleep(&self, patience: impl Fn() -> Duration) {
        let mut lock = self.lock.lock();
        // Either the sleeper sees the kick, or who kicks sees the sleeper and waits for the lock until it sleeps.
        self.is_asleep.store(true, Ordering::SeqCst);
        if !self.is_kicked.load(Ordering::SeqCst) {
            self.condition.wait_for(&mut lock, patience());
        }
        self.is_asleep.store(false, Ordering::SeqCst);
        self.is_kicked.swap(false, Ordering::SeqCst);
    }

    /// Sleeps for the whole time, whoever kicks.
    pub(super) fn sleep_out(&self, timeout: Duration) {
        let mut lock = self.lock.lock();
        while !self.condition.wait_for(&mut lock, timeout).timed_out() {}
    }

    pub(super) fn kick(&self) {
        // Not a load alone, though it would be cheaper: what was done before a kick is to be seen by who clears it.
        let is_first = !self.is_kicked.swap(true, Ordering::SeqCst);
        if is_first && self.is_asleep.load(Ordering::SeqCst) {
            drop(self.lock.lock());
            self.condition.notify_one();
        }
    }
}
