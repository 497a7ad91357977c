//! Owns how what this worker has for the others gets into their mailboxes. What a full mailbox means for this worker's
//! clients is decided by the worker.

use std::sync::Arc;

use broker_core::{PeerBatch, PeerMail, ShardId};

use super::mailbox::{Batches, Mail, Mailbox};
use crate::handshake::Arrival;

/// That a worker has something for another of the same thread, which is awake and sees to it that this one takes it.
#[derive(Debug)]
pub(super) struct Call {
    pub(super) from: ShardId,
    pub(super) to: ShardId,
    /// What it has to say; none if that is in the other's mailbox.
    pub(super) batch: Option<Box<PeerBatch>>,
}

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
    /// What the thread is to see to.
    calls: Vec<Call>,
    /// Batches that came back.
    spare: Batches,
}

impl Outgoing {
    pub(super) fn new(own: ShardId, mailboxes: Arc<[Mailbox]>) -> Self {
        Self {
            own,
            mailboxes,
            sent_on: Vec::new(),
            full: Vec::new(),
            beside: Arc::default(),
            calls: Vec::new(),
            spare: Vec::new(),
        }
    }

    /// This worker's own mailbox.
    pub(super) fn own_mailbox(&self) -> &Mailbox {
        self.mailbox(self.own)
    }

    /// Posts everything and tells how many deliveries were dropped.
    pub(super) fn post(&mut self, mail: &mut PeerMail) -> u64 {
        mail.take().map(|(shard, batch)| self.post_batch(shard, batch)).sum()
    }

    /// The same at the end of a turn: what is for a worker beside this one need not go into its mailbox.
    pub(super) fn post_or_hand_over(&mut self, mail: &mut PeerMail) -> u64 {
        let mut dropped = 0;
        for (shard, batch) in mail.take() {
            if self.is_beside(shard) {
                let empty = self.spare.pop().unwrap_or_default();
                let batch = Some(std::mem::replace(batch, empty));
                self.calls.push(Call { from: self.own, to: shard, batch });
            } else {
                dropped += self.post_batch(shard, batch);
            }
        }
        dropped
    }

    /// Posts to one worker and tells how many deliveries were dropped.
    fn post_batch(&mut self, shard: ShardId, batch: &mut Box<PeerBatch>) -> u64 {
        let posted = if self.is_beside(shard) {
            let posted = self.mailbox(shard).leave(self.own, batch);
            self.call(shard);
            posted
        } else {
            self.mailbox(shard).post(self.own, batch)
        };
        if posted.is_full && !self.full.contains(&shard) {
            self.full.push(shard);
        }
        posted.dropped
    }

    /// Takes back a batch that was handed over and has been read.
    pub(super) fn take_back(&mut self, batch: Box<PeerBatch>) {
        self.spare.push(batch);
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
                self.call(shard);
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
                self.call(shard);
            } else {
                self.mailbox(shard).nudge();
            }
        }
    }

    /// Says which workers are on the same thread, by shard; none if nobody is.
    pub(super) fn set_beside(&mut self, beside: Arc<[bool]>) {
        self.beside = beside;
    }

    /// What the thread is to see to, to be taken.
    pub(super) fn calls(&mut self) -> &mut Vec<Call> {
        &mut self.calls
    }

    /// Whether a worker beside this one is to take something before more comes.
    pub(super) fn has_calls(&self) -> bool {
        !self.calls.is_empty()
    }

    fn is_beside(&self, shard: ShardId) -> bool {
        self.beside.get(usize::from(shard.0)).is_some_and(|&is_beside| is_beside)
    }

    /// Has a worker beside this one look at its mailbox; one that knows already that it is to look does so, if not now.
    fn call(&mut self, shard: ShardId) {
        if self.mailbox(shard).note() {
            self.calls.push(Call { from: self.own, to: shard, batch: None });
        }
    }

    fn mailbox(&self, shard: ShardId) -> &Mailbox {
        &self.mailboxes[usize::from(shard.0)]
    }
}
