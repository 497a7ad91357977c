//! Owns the table of a worker's connections. What is done with one is the worker's business.

use broker_core::ConnectionId;
use mio::Token;
use slab::Slab;

use crate::connection::{Connection, Phase};
use crate::transport::Transport;

/// Bits of an id that are the connection's place in the table; the others count connections, so that
/// no id is used twice and none needs hashing.
const SLOT_BITS: u32 = 28;

/// The connections of one worker.
#[derive(Debug, Default)]
pub(super) struct Connections {
    slots: Slab<Connection>,
    opened: u64,
}

impl Connections {
    /// Adds a connection and gives it an id that no other has or had.
    pub(super) fn insert(&mut self, transport: Transport) -> &mut Connection {
        let entry = self.slots.vacant_entry();
        let slot = entry.key() as u64;
        assert!(slot < 1 << SLOT_BITS, "a process has fewer sockets");
        let id = ConnectionId(self.opened << SLOT_BITS | slot);
        self.opened += 1;
        entry.insert(Connection::new(id, transport))
    }

    pub(super) fn get(&self, id: ConnectionId) -> Option<&Connection> {
        self.slots.get(slot(token(id).0)).filter(|connection| connection.id == id)
    }

    pub(super) fn get_mut(&mut self, id: ConnectionId) -> Option<&mut Connection> {
        self.slots.get_mut(slot(token(id).0)).filter(|connection| connection.id == id)
    }

    /// Whether a connection is there and in this phase.
    pub(super) fn is_in(&self, id: ConnectionId, phase: Phase) -> bool {
        self.get(id).is_some_and(|connection| connection.phase == phase)
    }

    /// The connection that an event is about, unless it has gone.
    pub(super) fn of_token(&mut self, token: Token) -> Option<&mut Connection> {
        self.slots.get_mut(slot(token.0)).filter(|connection| self::token(connection.id) == token)
    }

    /// Takes a connection out; dropped, its socket is closed.
    pub(super) fn remove(&mut self, id: ConnectionId) -> Option<Connection> {
        self.get(id)?;
        self.slots.try_remove(slot(token(id).0))
    }

    pub(super) fn is_empty(&self) -> bool {
        self.slots.is_empty()
    }
}

/// What events call a connection. Where it is shorter than the id, an event that came too late may be taken
/// for one about another connection, which is then read in vain.
#[allow(clippy::cast_possible_truncation, reason = "the slot is in the low bits")]
pub(super) fn token(id: ConnectionId) -> Token {
    Token(id.0 as usize)
}

fn slot(bits: usize) -> usize {
    bits & ((1 << SLOT_BITS) - 1)
}
