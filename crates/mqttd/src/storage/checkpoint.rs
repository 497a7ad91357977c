//! Owns the steps of a checkpoint: every worker records what is still true, that becomes durable, and what
//! was before the first of it is no longer needed. What a worker records is the engine's business, what is
//! deleted the journal's.

use std::sync::atomic::Ordering::SeqCst;

use journal::Position;

use super::Shared;
use crate::worker::Mail;

/// How far a checkpoint has come.
///
/// ```text
///          begin()            every worker                    all of that
/// None --------------> Recording ----------> Syncing { end } ----------------> None
///                             has recorded                     is durable: the floor is set
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Checkpoint {
    /// There is none.
    #[default]
    None,
    /// Workers record.
    Recording {
        /// Everything that is still true will stand behind it.
        floor: Position,
    },
    /// The disk is waited for.
    Syncing {
        /// As before.
        floor: Position,
        /// What was recorded stands before it.
        end: Position,
    },
}

impl Checkpoint {
    /// Asks every worker to record, unless one is under way, and tells whether it did.
    pub(super) fn begin(&mut self, shared: &Shared) -> bool {
        if *self != Self::None {
            return false;
        }
        // Before the first worker is told: what is recorded from now on is behind it.
        let floor = shared.journal.begin_checkpoint();
        shared.unrecorded.store(shared.waiting.workers(), SeqCst);
        shared.waiting.tell_all(|| Mail::Checkpoint);
        *self = Self::Recording { floor };
        true
    }

    /// Goes on as far as it can, and tells whether it has come to its end.
    pub(super) fn advance(&mut self, shared: &Shared) -> bool {
        if let Self::Recording { floor } = *self
            && shared.unrecorded.load(SeqCst) == 0
        {
            *self = Self::Syncing { floor, end: shared.journal.end() };
        }
        if let Self::Syncing { floor, end } = *self
            && shared.journal.durable() >= end
        {
            shared.journal.set_floor(floor);
            *self = Self::None;
            return true;
        }
        false
    }
}

#[cfg(test)]
mod tests {
    use super::super::link::Link;
    use super::*;

    #[test]
    fn a_checkpoint_ends_when_every_worker_has_recorded_and_all_of_it_is_durable() {
        let (_directory, shared) = Shared::for_test(2);
        let workers = [0, 1].map(|shard| Link::for_test(&shared, shard));
        let mut checkpoint = Checkpoint::default();
        shared.journal.append(&[b"before"]);
        assert!(!checkpoint.advance(&shared));
        assert!(checkpoint.begin(&shared));
        let floor = shared.journal.end();
        assert_eq!(checkpoint, Checkpoint::Recording { floor });
        for worker in workers {
            shared.journal.append(&[b"still true"]);
            shared.journal.commit(1).expect("room");
            assert!(!checkpoint.advance(&shared), "a worker has not recorded");
            // While one is made, none begins.
            assert!(!checkpoint.begin(&shared));
            worker.checkpoint_recorded();
        }
        shared.journal.append(&[b"of another, and not durable"]);
        assert!(!checkpoint.advance(&shared));
        shared.journal.commit(1).expect("room");
        assert!(checkpoint.advance(&shared));
        assert_eq!(checkpoint, Checkpoint::None);
    }
}
