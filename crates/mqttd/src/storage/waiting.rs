//! Owns who waits for the journal: what each worker awaits, and whom the writer wakes. What a worker does
//! then is its business.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::SeqCst};

use broker_core::journal::Position;

use crate::worker::Mailbox;

/// Awaits nothing.
const NOTHING: u64 = u64::MAX;

/// The workers, by shard, as the writer knows them.
///
/// A wake-up is for those that wait alone. A worker says what it awaits, *then* looks at how far the journal
/// is durable; the writer makes it durable, *then* looks who awaits that. In the one order of these accesses
/// whoever comes second sees the first, so nobody sleeps over what it awaits.
#[derive(Debug)]
pub(super) struct Waiting {
    mailboxes: Arc<[Mailbox]>,
    awaited: Vec<AtomicU64>,
}

impl Waiting {
    pub(super) fn new(mailboxes: Arc<[Mailbox]>) -> Self {
        let awaited = mailboxes.iter().map(|_| AtomicU64::new(NOTHING)).collect();
        Self { mailboxes, awaited }
    }

    /// A worker says from where on the journal is to be durable before it is woken.
    pub(super) fn set(&self, shard: usize, awaited: Option<Position>) {
        let awaited = awaited.map_or(NOTHING, Position::get);
        // Only the worker itself writes it: what it wrote before need not be written again.
        if self.awaited[shard].load(SeqCst) != awaited {
            self.awaited[shard].store(awaited, SeqCst);
        }
    }

    /// Wakes the workers whose wait is over now that the journal is durable up to here.
    pub(super) fn wake(&self, durable: Position) {
        for (mailbox, awaited) in self.mailboxes.iter().zip(&self.awaited) {
            if awaited.load(SeqCst) <= durable.get() {
                mailbox.nudge();
            }
        }
    }

    /// Tells every worker something.
    pub(super) fn tell_all(&self, mut mail: impl FnMut() -> crate::worker::Mail) {
        for mailbox in self.mailboxes.iter() {
            mailbox.put(mail());
        }
    }

    /// How many there are.
    pub(super) fn workers(&self) -> usize {
        self.awaited.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_those_whose_wait_is_over_are_woken() {
        let mailboxes: Arc<[Mailbox]> = (0..4).map(|_| Mailbox::default()).collect();
        let waiting = Waiting::new(Arc::clone(&mailboxes));
        for (shard, awaited) in [(0, Some(10)), (1, Some(11)), (3, Some(5))] {
            waiting.set(shard, awaited.map(Position::new));
        }
        waiting.set(3, None);
        waiting.wake(Position::new(10));
        let woken: Vec<bool> = mailboxes.iter().map(Mailbox::has_mail).collect();
        assert_eq!(woken, [true, false, false, false]);
    }
}
