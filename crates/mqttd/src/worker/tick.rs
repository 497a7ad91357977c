//! Owns the task that a worker's turns end with: receive mail, hand records over, post mail, write. It is woken by the
//! first thing there is to do and runs behind the tasks that were woken before, so that one write
//! carries what all of them had to say.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

use broker_core::{Input, ShardId};

use super::arrive::Admitted;
use super::{Life, Mail, SharedWorker, Worker};

/// The task. It ends when the worker has ended.
pub(super) struct Tick {
    worker: SharedWorker,
    // Kept from turn to turn.
    mail: Vec<Mail>,
    held_back: Vec<ShardId>,
    admitted: Vec<Admitted>,
}

impl Tick {
    pub(super) fn new(worker: SharedWorker) -> Self {
        Self { worker, mail: Vec::new(), held_back: Vec::new(), admitted: Vec::new() }
    }
}

impl Future for Tick {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        let Self { worker: shared, mail, held_back, admitted } = &mut *self;
        let mut worker = shared.borrow_mut();
        worker.begin_turn();
        worker.keep_tick(context);
        worker.take_mail(mail, held_back);
        for mail in mail.drain(..) {
            admitted.extend(worker.receive_mail(mail));
        }
        worker.hear_of_durability();
        // Before anybody hears of it: what another worker records because of our mail is then behind it.
        worker.flush_journal();
        worker.go_down();
        worker.post();
        worker.let_go();
        worker.flush();
        worker.report_outboxes();
        worker.wait_for_durability();
        worker.end_turn();
        let has_ended = worker.has_ended();
        drop(worker);
        for admitted in admitted.drain(..) {
            admitted.serve(shared);
        }
        if has_ended { Poll::Ready(()) } else { Poll::Pending }
    }
}

impl Worker {
    fn keep_tick(&mut self, context: &Context<'_>) {
        if !self.tick.as_ref().is_some_and(|tick| tick.will_wake(context.waker())) {
            self.tick = Some(context.waker().clone());
            self.outgoing.own_mailbox().set_reader(context.waker().clone());
        }
    }

    fn take_mail(&mut self, mail: &mut Vec<Mail>, held_back: &mut Vec<ShardId>) {
        let mailbox = self.outgoing.own_mailbox();
        if mailbox.has_mail() {
            mailbox.take(mail, held_back);
            self.outgoing.release(held_back);
        }
    }

    fn receive_mail(&mut self, mail: Mail) -> Option<Admitted> {
        match mail {
            Mail::Peer(message) => {
                self.step(Input::Peer(message));
                None
            }
            Mail::Arrival(arrival) => self.admit(*arrival),
            Mail::Loaded { session, messages } => {
                self.step(Input::Loaded { session, messages });
                None
            }
            Mail::Checkpoint => {
                self.step(Input::Checkpoint);
                None
            }
            Mail::Survey { from, to } => {
                self.step(Input::Survey { from, to });
                None
            }
            Mail::Copied(copies) => {
                self.step(Input::Copied(copies));
                None
            }
            Mail::Shutdown => {
                self.life = Life::Finishing;
                None
            }
        }
    }

    /// Tells the clients that the broker goes down, once they have heard all that the disk was waited for.
    fn go_down(&mut self) {
        if self.life == Life::Finishing && !self.waits_for_disk() {
            self.life = Life::Ending;
            self.step(Input::Shutdown);
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
    fn let_go(&mut self) {
        if self.outgoing.is_held_back() {
            self.outgoing.look_for_room();
        }
        if self.is_held_back() {
            return;
        }
        for id in self.held_back.drain(..) {
            if let Some(connection) = self.connections.get_mut(id) {
                connection.is_held_back = false;
                connection.wake();
            }
        }
    }

    /// Whether the worker has told its clients that it ends, and they have gone or had their time.
    fn has_ended(&self) -> bool {
        self.life == Life::Ending && self.connections.is_empty() && !self.has_to_flush_journal()
    }
}
