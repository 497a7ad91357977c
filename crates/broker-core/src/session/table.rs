//! Owns the sessions of one shard and the three ways to find one: by key, client identifier, connection.

use super::Session;
use crate::ids::{ConnectionId, SessionId, ShardId};
use hashbrown::HashMap;
use rustc_hash::{FxBuildHasher, FxSeededState};
use slab::Slab;
use std::cell::Cell;

/// Whether a session is in the journal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Lifetime {
    /// It is not: it ends with its connection, or at the latest with the process.
    Volatile,
    /// It is.
    Recorded,
}

/// All sessions of a shard.
#[derive(Debug)]
pub(crate) struct Sessions {
    shard: ShardId,
    slots: Slab<Session>,
    /// The key of a session is its client's name `[MQTT5-3.1.3-2]`. Seeded: strangers choose these keys.
    by_client_id: HashMap<Box<str>, SessionId, FxSeededState>,
    by_connection: HashMap<ConnectionId, SessionId, FxBuildHasher>,
    /// Of the connection that was asked for last: the packets of one come together.
    last: Cell<Option<(ConnectionId, SessionId)>>,
    next_generation: u32,
}

impl Sessions {
    /// No sessions.
    pub(crate) fn new(shard: ShardId, seed: usize) -> Self {
        Self {
            shard,
            slots: Slab::new(),
            by_client_id: HashMap::with_hasher(FxSeededState::with_seed(seed)),
            by_connection: HashMap::default(),
            last: Cell::new(None),
            next_generation: 0,
        }
    }

    /// Makes a session for a client identifier that has none.
    pub(crate) fn insert(&mut self, client_id: &str, lifetime: Lifetime) -> SessionId {
        let entry = self.slots.vacant_entry();
        let slot = u32::try_from(entry.key()).expect("sessions_max is far below 2^28");
        let id = SessionId::new(self.shard, slot, self.next_generation);
        let id = if lifetime == Lifetime::Recorded { id.durable() } else { id };
        self.next_generation = self.next_generation.wrapping_add(1);
        entry.insert(Session::new(id, client_id));
        let former = self.by_client_id.insert(Box::from(client_id), id);
        debug_assert!(former.is_none(), "{client_id:?} has a session");
        id
    }

    /// Forgets a session.
    pub(crate) fn remove(&mut self, id: SessionId) -> Option<Session> {
        self.get(id)?;
        let session = self.slots.remove(id.slot() as usize);
        self.by_client_id.remove(&session.client_id);
        debug_assert!(session.connection.is_none(), "{id:?} is still connected");
        Some(session)
    }

    /// The session of a key, unless it has ended.
    #[inline]
    pub(crate) fn get(&self, id: SessionId) -> Option<&Session> {
        self.slots.get(id.slot() as usize).filter(|session| session.id == id)
    }

    /// The session of a key, unless it has ended.
    #[inline]
    pub(crate) fn get_mut(&mut self, id: SessionId) -> Option<&mut Session> {
        self.slots.get_mut(id.slot() as usize).filter(|session| session.id == id)
    }

    /// The session of a client identifier, which alone tells whose it is `[MQTT311-3.1.3-2]`.
    pub(crate) fn of_client(&self, client_id: &str) -> Option<SessionId> {
        self.by_client_id.get(client_id).copied()
    }

    /// The session that a connection uses.
    #[inline]
    pub(crate) fn of_connection(&self, connection: ConnectionId) -> Option<SessionId> {
        if let Some((last, id)) = self.last.get()
            && last == connection
        {
            return Some(id);
        }
        let id = self.by_connection.get(&connection).copied()?;
        self.last.set(Some((connection, id)));
        Some(id)
    }

    /// Has `connection` use a session from now on.
    pub(crate) fn connect(&mut self, connection: ConnectionId, id: SessionId) {
        self.last.set(None);
        self.by_connection.insert(connection, id);
    }

    /// Has `connection` use no session any more.
    pub(crate) fn disconnect(&mut self, connection: ConnectionId) {
        self.last.set(None);
        self.by_connection.remove(&connection);
    }

    /// The first session at a place of the table or behind it, and the place behind that.
    pub(crate) fn next_from(&self, place: usize) -> Option<(SessionId, usize)> {
        // The table is dense enough to be walked.
        (place..self.slots.capacity()).find_map(|place| Some((self.slots.get(place)?.id, place + 1)))
    }

    /// The sessions that are connected, in no particular but a repeatable order.
    pub(crate) fn connected(&self) -> Vec<SessionId> {
        self.slots
            .iter()
            .filter(|(_, session)| session.connection.is_some())
            .map(|(_, session)| session.id)
            .collect()
    }

    /// How many connections there are.
    pub(crate) fn connections(&self) -> usize {
        self.by_connection.len()
    }
}
