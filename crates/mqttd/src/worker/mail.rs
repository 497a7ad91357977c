//! Owns what a worker does with its mail, and when it posts to others. What is in the mail is the shard's
//! business.

use std::sync::Arc;

use broker_core::{Input, PeerBatch, PeerMail, PeerMessages};

use super::outgoing::{Call, Outgoing};
use super::{Life, Mail, Worker};

/// Why no further message is stepped at the moment.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Stop {
    /// There is none.
    NoMessage,
    /// What the others came to was to be carried out first.
    Due,
}

impl Worker {
    /// Takes what has come since the last turn.
    pub(super) fn receive_mail(&mut self) {
        let mailbox = self.outgoing.own_mailbox();
        if !mailbox.has_mail() {
            return;
        }
        let mut mail = std::mem::take(&mut self.mail);
        let is_from_afar = mailbox.take(&mut mail, &mut self.senders, &mut self.read);
        self.read.clear();
        self.outgoing.release(&mut self.senders);
        // Such a sender's turn may have begun after ours: nothing is to be delivered before it was published.
        if is_from_afar {
            self.now = self.clock.now();
        }
        for mail in mail.drain(..) {
            self.receive(mail);
        }
        self.mail = mail;
    }

    fn receive(&mut self, mail: Mail) {
        match mail {
            Mail::Peers(batch) => self.receive_from_peers(batch),
            Mail::Arrivals(arrivals) => arrivals.into_iter().for_each(|arrival| self.admit(arrival)),
            Mail::Doors(doors) => {
                self.doors = doors;
                self.lend_doors();
            }
            Mail::Loaded { session, messages } => self.step(Input::Loaded { session, messages }),
            Mail::Checkpoint => self.step(Input::Checkpoint),
            Mail::Survey { from, to } => self.step(Input::Survey { from, to }),
            Mail::Copied(copies) => self.step(Input::Copied(copies)),
            Mail::Shutdown => {
                self.life = Life::Finishing;
                self.shut_doors();
            }
        }
    }

    fn receive_from_peers(&mut self, mut batch: Box<PeerBatch>) {
        self.step_batch(&mut batch);
        self.read.push(batch);
    }

    /// Steps what another shard says and empties the batch.
    pub(super) fn step_batch(&mut self, batch: &mut PeerBatch) {
        let mut messages = batch.iter();
        while self.step_messages(&mut messages) == Stop::Due {}
        batch.clear();
    }

    /// Steps messages until what they come to is to be carried out, and does that.
    fn step_messages(&mut self, messages: &mut PeerMessages<'_>) -> Stop {
        let mut effects = self.begin_step();
        let mut stop = Stop::NoMessage;
        for message in messages {
            self.shard.handle(Input::Peer(message), self.now, &mut effects);
            if effects.are_due() {
                stop = Stop::Due;
                break;
            }
        }
        self.end_step(effects);
        self.follow_up();
        stop
    }

    /// Whether something waits for other workers.
    pub(super) fn has_to_post(&mut self) -> bool {
        self.effects.as_deref_mut().is_some_and(|effects| !effects.mail().is_empty())
    }

    /// Whether so much waits for other workers that it is not to wait for the end of the turn.
    #[inline]
    pub(super) fn has_to_post_now(&mut self) -> bool {
        self.effects.as_deref_mut().is_some_and(|effects| effects.mail().is_large())
    }

    /// Posts what waits for other workers.
    pub(super) fn post(&mut self) {
        self.post_by(Outgoing::post);
    }

    /// The same at the end of a turn, when the thread can be handed what is for others of it.
    pub(super) fn post_or_hand_over(&mut self) {
        self.post_by(Outgoing::post_or_hand_over);
    }

    #[inline]
    fn post_by(&mut self, way: impl FnOnce(&mut Outgoing, &mut PeerMail) -> u64) {
        self.outgoing.post_arrivals();
        if self.has_to_post() {
            self.flush_journal();
            let dropped = self.effects.as_deref_mut().map_or(0, |it| way(&mut self.outgoing, it.mail()));
            self.stats().publishes_dropped.add(dropped);
        }
    }

    /// Says which workers are on the same thread, by shard; none if nobody is.
    pub(super) fn set_beside(&mut self, beside: Arc<[bool]>) {
        self.outgoing.set_beside(beside);
    }

    /// What the thread is to see to, to be taken.
    pub(super) fn calls(&mut self) -> &mut Vec<Call> {
        self.outgoing.calls()
    }

    /// Takes back a batch that was handed over and has been read.
    pub(super) fn take_back(&mut self, batch: Box<PeerBatch>) {
        self.outgoing.take_back(batch);
    }

    /// Lets connections go on that other workers or the disk held back, if these have room again.
    pub(super) fn let_go(&mut self) {
        if self.outgoing.is_held_back() {
            self.outgoing.look_for_room();
        }
        if self.is_held_back() {
            return;
        }
        while let Some(id) = self.held_back.pop() {
            if let Some(connection) = self.connections.get_mut(id) {
                connection.is_held_back = false;
                self.make_ready(id);
            }
        }
    }
}
