//! Owns how what this worker has for the others gets into their mailboxes. What a full mailbox means for this worker's
//! clients is decided by the worker.

use std::sync::Arc;

use broker_core::{PeerMail, ShardId};

use super::mailbox::{Mail, Mailbox};
use crate::handshake::Arrival;

/// The way to the other workers.
#[derive(Debug)]
pub(super) struct Outgoing {
    own: ShardId,
    mailboxes: Arc<[Mailbox]>,
    /// Connections of this turn that go on with other workers, together for each.
    sent_on: Vec<(ShardId, Vec<Arrival>)>,
    /// Workers whose mailboxes were full when something was posted to them last.
    full: Vec<ShardId>,
    /// Whether a worker is on the same thread as this one, by shard; none if nobody is.
    beside: Arc<[bool]>,
    /// Those beside this one that are to look at their mailboxes. They need not be woken: the thread is awake.
    noted: Vec<ShardId>,
}

impl Outgoing {
    pub(super) fn new(own: ShardId, mailboxes: Arc<[Mailbox]>) -> Self {
        let (sent_on, full, beside, noted) = (Vec::new(), Vec::new(), Arc::default(), Vec::new());
        Self { own, mailboxes, sent_on, full, beside, noted }
    }

    /// This worker's own mailbox.
    pub(super) fn own_mailbox(&self) -> &Mailbox {
        self.mailbox(self.own)
    }

    /// Posts everything and tells how many deliveries were dropped.
    pub(super) fn post(&mut self, mail: &mut PeerMail) -> u64 {
        let mut dropped = 0;
        for (shard, batch) in mail.take() {
            let posted = if self.is_beside(shard) {
                let posted = self.mailbox(shard).leave(self.own, batch);
                self.note(shard);
                posted
            } else {
                self.mailbox(shard).post(self.own, batch)
            };
            dropped += posted.dropped;
            if posted.is_full && !self.full.contains(&shard) {
                self.full.push(shard);
            }
        }
        dropped
    }

    /// Has a connection go on with another worker, together with others of this turn.
    pub(super) fn send_on(&mut self, shard: ShardId, arrival: Arrival) {
        match self.sent_on.iter_mut().find(|(target, _)| *target == shard) {
            Some((_, arrivals)) => arrivals.push(arrival),
            None => self.sent_on.push((shard, vec![arrival])),
        }
    }

    /// Posts the connections that go on.
    pub(super) fn post_arrivals(&mut self) {
        while let Some((shard, arrivals)) = self.sent_on.pop() {
            let arrivals = Mail::Arrivals(arrivals);
            if self.is_beside(shard) {
                self.mailbox(shard).lay_down(arrivals);
                self.note(shard);
            } else {
                self.mailbox(shard).put(arrivals);
            }
        }
    }

    /// Whether some worker cannot keep up, so that this one should read no more from its clients.
    pub(super) fn is_held_back(&self) -> bool {
        !self.full.is_empty()
    }

    /// Looks at the full mailboxes again.
    pub(super) fn look_for_room(&mut self) {
        let mailboxes = &self.mailboxes;
        self.full.retain(|shard| !mailboxes[usize::from(shard.0)].has_room());
    }

    /// Tells workers that held back for the sake of this one that there is room again.
    pub(super) fn release(&mut self, held_back: &mut Vec<ShardId>) {
        for shard in held_back.drain(..) {
            if self.is_beside(shard) {
                self.note(shard);
            } else {
                self.mailbox(shard).nudge();
            }
        }
    }

    /// Says which workers are on the same thread, by shard; none if nobody is.
    pub(super) fn set_beside(&mut self, beside: Arc<[bool]>) {
        self.beside = beside;
    }

    /// Which workers of the same thread are to look at their mailboxes.
    pub(super) fn noted(&mut self) -> &mut Vec<ShardId> {
        &mut self.noted
    }

    /// Whether one of them is to look at its mailbox.
    pub(super) fn has_noted(&self) -> bool {
        !self.noted.is_empty()
    }

    fn is_beside(&self, shard: ShardId) -> bool {
        self.beside.get(usize::from(shard.0)).is_some_and(|&is_beside| is_beside)
    }

    /// One that knows already that it is to look does so, if not now.
    fn note(&mut self, shard: ShardId) {
        if self.mailbox(shard).note() {
            self.noted.push(shard);
        }
    }

    fn mailbox(&self, shard: ShardId) -> &Mailbox {
        &self.mailboxes[usize::from(shard.0)]
    }
}
