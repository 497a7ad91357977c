//! Owns the table of a worker's connections. What is done with one is the worker's business.

use broker_core::ConnectionId;
use slab::Slab;

use crate::connection::{Connection, Label};
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
    pub(super) fn insert(&mut self, transport: Transport, label: Option<Box<Label>>) -> ConnectionId {
        let entry = self.slots.vacant_entry();
        let slot = entry.key() as u64;
        assert!(slot < 1 << SLOT_BITS, "a process has fewer sockets");
        let id = ConnectionId(self.opened << SLOT_BITS | slot);
        self.opened += 1;
        entry.insert(Connection::new(id, transport, label));
        id
    }

    pub(super) fn get(&self, id: ConnectionId) -> Option<&Connection> {
        self.slots.get(slot(id)).filter(|connection| connection.id == id)
    }

    pub(super) fn get_mut(&mut self, id: ConnectionId) -> Option<&mut Connection> {
        self.slots.get_mut(slot(id)).filter(|connection| connection.id == id)
    }

    /// Takes a connection out; dropped, its socket is closed.
    pub(super) fn remove(&mut self, id: ConnectionId) -> Option<Connection> {
        self.get(id)?;
        self.slots.try_remove(slot(id))
    }

    pub(super) fn is_empty(&self) -> bool {
        self.slots.is_empty()
    }
}

#[allow(clippy::cast_possible_truncation, reason = "masked to 28 bits")]
fn slot(id: ConnectionId) -> usize {
    (id.0 & ((1 << SLOT_BITS) - 1)) as usize
}
