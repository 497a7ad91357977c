//! Owns what a worker sleeps on, and which connections it finds ready when it wakes. What is done with
//! them is decided elsewhere.

use std::io;
use std::time::Duration;

use broker_core::{ConnectionId, Timestamp};
use mio::Token;
use mio::event::Event;

use super::Worker;
use crate::connection::{Connection, Reading, Writing};

/// Connections handled in one turn: each may bring a whole read buffer, and what others wait for, mail and
/// writes, comes behind all of them.
pub(super) const EVENTS_MAX: usize = 256;

/// What events call the mailbox.
pub(super) const MAIL: Token = Token(usize::MAX);

impl Worker {
    /// Sleeps until there is something to do, and notes what the system has to say of connections.
    ///
    /// An event comes once, when something changes: what it says is remembered with the connection until it is
    /// read or written. So nothing is ever asked for again, and waiting costs one system call.
    pub(super) fn wait(&mut self) {
        let patience = self.patience();
        // Only a worker that is going to sleep has to be woken.
        let sleeps = patience != Some(Duration::ZERO) && self.outgoing.own_mailbox().park();
        let patience = if sleeps { patience } else { Some(Duration::ZERO) };
        self.sleep(patience);
        if sleeps {
            self.rise();
        }
        self.note_events();
    }

    /// Takes what the system has to say of connections, for a thread that knows that there is something, and tells
    /// whether there may be more of it.
    pub(super) fn take_events(&mut self) -> bool {
        self.sleep(Some(Duration::ZERO));
        self.note_events() == EVENTS_MAX
    }

    /// The worker is to be woken from here on, unless it has something to do now; then it tells when it has by itself.
    pub(super) fn lie_down(&mut self) -> Option<Timestamp> {
        let has_to_do = self.wait_for_durability() || self.has_more_to_do();
        let due = self.note_deadline();
        (!has_to_do && self.outgoing.own_mailbox().park()).then_some(due)
    }

    /// The worker is awake again.
    pub(super) fn rise(&self) {
        self.outgoing.own_mailbox().unpark();
    }

    /// Notes what came, and tells how much it was.
    fn note_events(&mut self) -> usize {
        let mut count = 0;
        for event in &self.events {
            count += 1;
            let Some(connection) = self.connections.of_token(event.token()) else {
                // Mail is looked for in every turn: its event only wakes.
                self.doors.note(event.token());
                continue;
            };
            note_reading(connection, event);
            if !std::mem::replace(&mut connection.is_ready, true) {
                self.ready.push(connection.id);
            }
            if event.is_writable() && connection.writing == Writing::Blocked {
                connection.writing = Writing::Dirty;
                self.dirty.add(connection.id);
            }
        }
        count
    }

    /// Waits for events, that long at most.
    pub(super) fn sleep(&mut self, patience: Option<Duration>) {
        if let Err(error) = self.poll.poll(&mut self.events, patience) {
            // No other error can come of a poll that exists.
            assert_eq!(error.kind(), io::ErrorKind::Interrupted, "{error}");
        }
    }

    /// How long there is nothing to do by itself; none for ever.
    fn patience(&mut self) -> Option<Duration> {
        let is_durable = self.wait_for_durability();
        let due = self.note_deadline();
        if is_durable || self.has_more_to_do() {
            return Some(Duration::ZERO);
        }
        // From the beginning of this turn, which was short: the clock costs more than it would tell.
        (due < Timestamp::NEVER).then(|| due.since(self.now))
    }

    /// Serves every connection that was ready when the turn began. Those that have more to be read than their
    /// share of a turn are served again in the next one, and so are those that are behind when so much has come for
    /// a worker beside this one that it would not stay in the cache until that has its turn.
    pub(super) fn serve_ready(&mut self) {
        let ready = self.ready.len();
        let mut served = 0;
        while served < ready && !self.outgoing.has_noted() {
            self.serve(self.ready[served]);
            served += 1;
        }
        self.ready.drain(..served);
    }

    /// Has a connection served with the next turn.
    pub(super) fn make_ready(&mut self, id: ConnectionId) {
        let Some(connection) = self.connections.get_mut(id) else { return };
        if !std::mem::replace(&mut connection.is_ready, true) {
            self.ready.push(id);
        }
    }
}

fn note_reading(connection: &mut Connection, event: &Event) {
    if event.is_read_closed() || event.is_error() {
        connection.reading = Reading::Ending;
    } else if event.is_readable() && connection.reading == Reading::Blocked {
        connection.reading = Reading::Possible;
    }
}
