//! Owns what one worker asks of the journal's threads. When it asks is the worker's business.

use std::sync::Arc;
use std::sync::atomic::Ordering::SeqCst;
use std::sync::mpsc::Sender;

use broker_core::journal::Position;
use broker_core::{SessionId, ShardId};

use super::Shared;
use super::reader::Request;

/// Bytes that wait to be written to the journal beyond which nothing more is read from clients until half
/// of it is written: a disk that is slower than they are slows them down. Worst case this and what each
/// worker takes in within one turn of a connection. More would make no disk faster, and it must fit into the
/// reserve when the disk is full.
pub(super) const PENDING_BYTES_MAX: u64 = 16 * 1024 * 1024;

/// The same while the disk is full or failing. What must be on disk is refused then, and clients are read
/// for the sake of everything else; what they make us remember all the same is small and ends here.
pub(super) const PENDING_BYTES_MAX_WHILE_FAILING: u64 = 4 * PENDING_BYTES_MAX;

/// One worker's end of the journal.
#[derive(Debug)]
pub(crate) struct Link {
    shared: Arc<Shared>,
    requests: Sender<Request>,
    shard: ShardId,
    /// Whether too much waits to be written for more to be read.
    is_behind: bool,
}

impl Link {
    pub(super) fn new(shared: Arc<Shared>, requests: Sender<Request>, shard: ShardId) -> Self {
        Self { shared, requests, shard, is_behind: false }
    }

    /// Everything before it is on disk.
    pub(crate) fn durable(&self) -> Position {
        Position::new(self.shared.journal.durable().get())
    }

    /// Whether the disk is full or failing.
    pub(crate) fn is_failing(&self) -> bool {
        self.shared.journal.is_failing()
    }

    /// Something is to be written.
    pub(crate) fn kick(&self) {
        self.shared.journal.kick();
    }

    /// Says what the worker is to be woken for, before it sleeps, and tells whether it is there already.
    pub(crate) fn wait_for(&mut self, awaited: Option<Position>) -> bool {
        // One that reads nothing looks again after whatever is written.
        let awaited = if self.is_behind { Some(Position::NONE) } else { awaited };
        self.shared.waiting.set(usize::from(self.shard.0), awaited);
        if self.is_behind {
            return !self.look_behind();
        }
        awaited.is_some_and(|awaited| self.durable() >= awaited)
    }

    /// Looks at how much waits to be written, and tells whether nothing more is to be read.
    pub(crate) fn look_behind(&mut self) -> bool {
        let journal = &self.shared.journal;
        let pending = journal.pending_bytes();
        if pending > PENDING_BYTES_MAX / 2 {
            let max = if journal.is_failing() { PENDING_BYTES_MAX_WHILE_FAILING } else { PENDING_BYTES_MAX };
            self.is_behind = pending > if self.is_behind { max / 2 } else { max };
        } else {
            self.is_behind = false;
        }
        self.is_behind
    }

    /// Whether nothing more is to be read, as of the last look.
    #[inline]
    pub(crate) fn is_behind(&self) -> bool {
        self.is_behind
    }

    /// Has records read; they come by mail.
    pub(crate) fn load(&self, session: SessionId, positions: Vec<Position>) {
        let request = Request { shard: self.shard, session, positions };
        self.requests.send(request).expect("the reader outlives the workers");
    }

    /// The worker has said what it still needs of the places that it was asked about.
    pub(crate) fn surveyed(&self, found: Vec<Position>) {
        self.shared.survey.answer(found);
        self.shared.journal.kick();
    }

    /// The worker has recorded its part of the checkpoint.
    pub(crate) fn checkpoint_recorded(&self) {
        self.shared.unrecorded.fetch_sub(1, SeqCst);
        self.shared.journal.kick();
    }
}

#[cfg(test)]
impl Link {
    /// That of a worker that the test plays.
    pub(super) fn for_test(shared: &Arc<Shared>, shard: u16) -> Self {
        Self::new(Arc::clone(shared), super::reader::requests().0, ShardId(shard))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_disk_that_is_behind_stops_the_reading_until_half_is_written() {
        let (_directory, shared) = Shared::for_test(1);
        let (journal, mut link) = (&shared.journal, Link::for_test(&shared, 0));
        let record = vec![0; 1024 * 1024];
        while journal.pending_bytes() + 1024 * 1024 < PENDING_BYTES_MAX {
            journal.append(&[&record]);
            assert!(!link.look_behind(), "{} bytes wait", journal.pending_bytes());
        }
        journal.append(&[&record]);
        assert!(journal.pending_bytes() > PENDING_BYTES_MAX);
        assert!(link.look_behind());
        // It says so, and is woken by whatever is written.
        assert!(!link.wait_for(None));
        assert!(link.is_behind());
        journal.commit(1).expect("room");
        assert!(link.wait_for(None), "all is written");
        assert!(!link.is_behind());
    }

    #[test]
    fn a_worker_that_awaits_what_is_there_already_need_not_sleep() {
        let (_directory, shared) = Shared::for_test(1);
        let (journal, mut link) = (&shared.journal, Link::for_test(&shared, 0));
        journal.append(&[b"record"]);
        let awaited = Position::new(journal.end().get());
        assert!(!link.wait_for(Some(awaited)));
        journal.commit(1).expect("room");
        assert!(link.wait_for(Some(awaited)));
        assert!(!link.wait_for(None));
    }
}
