//! Owns what a worker sleeps on, and which connections it finds ready when it wakes. What is done with
//! them is decided elsewhere.

use broker_core::{ConnectionId, Timestamp};
use mio::Token;
use mio::event::Event;

use super::{Dirty, Worker};
use crate::bed::NAME_MAX;
use crate::connection::{Connection, Reading, Writing};

/// Connections handled in one turn: each may bring a whole read buffer, and what others wait for, mail and
/// writes, comes behind all of them.
pub(crate) const EVENTS_MAX: usize = 256;

/// What events call the mailbox.
pub(super) const MAIL: Token = Token(NAME_MAX);

impl Worker {
    /// Sleeps until there is something to do, and notes what the system has to say of connections.
    ///
    /// An event comes once, when something changes: what it says is remembered with the connection until it is
    /// read or written. So nothing is ever asked for again, and waiting costs one system call.
    pub(super) fn wait(&mut self) {
        match self.lie_down() {
            Some(due) => {
                self.bed.sleep_until(due, self.now);
                self.rise();
            }
            None => self.bed.look(),
        }
        self.note_events();
    }

    /// Takes what the system has to say of connections, for a thread that knows that there is something, and tells
    /// whether there may be more of it.
    pub(super) fn take_events(&mut self) -> bool {
        self.bed.look();
        self.turn_over();
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
        for event in self.bed.events() {
            count += 1;
            let Some(connection) = self.connections.of_token(event.token()) else {
                // Mail is looked for in every turn: its event only wakes.
                self.doors.note(event.token());
                continue;
            };
            note_event(connection, event, &mut self.ready, &mut self.dirty);
            if let Some(near) = &mut self.near {
                near.draw(connection, self.bed.registry());
            }
        }
        count
    }

    /// Serves every connection that was ready when the turn began. Those that have more to be read than their
    /// share of a turn are served again in the next one, and so are those that are behind when so much has come for
    /// a worker beside this one that it would not stay in the cache until that has its turn.
    pub(super) fn serve_ready(&mut self) {
        let ready = self.ready.len();
        let mut served = 0;
        while served < ready && !self.outgoing.has_calls() {
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

/// Notes what an event says of a connection.
pub(super) fn note_event(
    connection: &mut Connection,
    event: &Event,
    ready: &mut Vec<ConnectionId>,
    dirty: &mut Dirty,
) {
    if event.is_read_closed() || event.is_error() {
        connection.reading = Reading::Ending;
    } else if event.is_readable() && connection.reading == Reading::Blocked {
        connection.reading = Reading::Possible;
    }
    if !std::mem::replace(&mut connection.is_ready, true) {
        ready.push(connection.id);
    }
    if event.is_writable() && connection.writing == Writing::Blocked {
        connection.writing = Writing::Dirty;
        dirty.add(connection.id);
    }
}
