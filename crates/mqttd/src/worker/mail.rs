//! Owns what a worker does with its mail, and when it posts to others. What is in the mail is the shard's
//! business.

use broker_core::Input;

use super::{Life, Mail, Worker};

impl Worker {
    /// Takes what has come since the last turn.
    pub(super) fn receive_mail(&mut self) {
        let mailbox = self.outgoing.own_mailbox();
        if !mailbox.has_mail() {
            return;
        }
        let mut mail = std::mem::take(&mut self.mail);
        mailbox.take(&mut mail, &mut self.senders);
        self.outgoing.release(&mut self.senders);
        // A sender's turn may have begun after ours: nothing is to be delivered before it was published.
        self.now = self.clock.now();
        for mail in mail.drain(..) {
            self.receive(mail);
        }
        self.mail = mail;
    }

    fn receive(&mut self, mail: Mail) {
        match mail {
            Mail::Peer(message) => self.step(Input::Peer(message)),
            Mail::Arrival(arrival) => self.admit(*arrival),
            Mail::Loaded { session, messages } => self.step(Input::Loaded { session, messages }),
            Mail::Checkpoint => self.step(Input::Checkpoint),
            Mail::Survey { from, to } => self.step(Input::Survey { from, to }),
            Mail::Copied(copies) => self.step(Input::Copied(copies)),
            Mail::Shutdown => self.life = Life::Finishing,
        }
    }

    /// Posts what waits for other workers.
    pub(super) fn post(&mut self) {
        if self.outgoing.is_waiting() {
            self.flush_journal();
            let dropped = self.outgoing.post();
            self.stats().publishes_dropped.add(dropped);
        }
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
