//! Owns the sessions of one shard and the three ways to find one: by key, client identifier, connection.

use super::Session;
use crate::ids::{ConnectionId, SessionId, ShardId};
use hashbrown::HashTable;
use rustc_hash::FxSeededState;
use slab::Slab;
use std::{cell::Cell, fmt, hash::BuildHasher as _};

/// Whether a session is in the journal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Lifetime {
    /// It is not: it ends with its connection, or at the latest with the process.
    Volatile,
    /// It is.
    Recorded,
}

/// All sessions of a shard.
///
/// The tables hold places, and the sessions there the keys: there are many, and half of a table may be empty.
pub(crate) struct Sessions {
    shard: ShardId,
    slots: Slab<Session>,
    /// The key of a session is its client's name `[MQTT5-3.1.3-2]`. Seeded: strangers choose these keys.
    by_client_id: HashTable<u32>,
    client_id_state: FxSeededState,
    by_connection: HashTable<InUse>,
    /// Of the connection that was asked for last: the packets of one come together.
    last: Cell<Option<(ConnectionId, SessionId)>>,
    next_generation: u32,
}

/// That a connection uses a session.
#[derive(Clone, Copy, Debug)]
struct InUse {
    /// Of the connection's key: it is found again when the connection is no more.
    hash: u32,
    /// Place of the session.
    slot: u32,
}

impl InUse {
    /// As the table wants it, which takes the lowest and the highest bits.
    fn spread(&self) -> u64 {
        u64::from(self.hash).wrapping_mul(0x9E37_79B9_7F4A_7C15)
    }
}

impl Sessions {
    /// No sessions.
    pub(crate) fn new(shard: ShardId, seed: usize) -> Self {
        Self {
            shard,
            slots: Slab::new(),
            by_client_id: HashTable::new(),
            client_id_state: FxSeededState::with_seed(seed),
            by_connection: HashTable::new(),
            last: Cell::new(None),
            next_generation: 0,
        }
    }

    /// Makes a session for a client identifier that has none.
    pub(crate) fn insert(&mut self, client_id: &str, lifetime: Lifetime) -> SessionId {
        debug_assert!(self.of_client(client_id).is_none(), "{client_id:?} has a session");
        let entry = self.slots.vacant_entry();
        let slot = u32::try_from(entry.key()).expect("sessions_max is far below 2^28");
        let id = SessionId::new(self.shard, slot, self.next_generation);
        let id = if lifetime == Lifetime::Recorded { id.durable() } else { id };
        self.next_generation = self.next_generation.wrapping_add(1);
        entry.insert(Session::new(id, client_id));
        let (slots, state) = (&self.slots, &self.client_id_state);
        let hash = |slot: &u32| state.hash_one(&*slots[*slot as usize].client_id);
        self.by_client_id.insert_unique(hash(&slot), slot, hash);
        id
    }

    /// Forgets a session.
    pub(crate) fn remove(&mut self, id: SessionId) -> Option<Session> {
        self.get(id)?;
        let session = self.slots.remove(id.slot() as usize);
        let hash = self.client_id_state.hash_one(&*session.client_id);
        if let Ok(entry) = self.by_client_id.find_entry(hash, |slot| *slot == id.slot()) {
            entry.remove();
        }
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
        let hash = self.client_id_state.hash_one(client_id);
        let session = |slot: &u32| &self.slots[*slot as usize];
        self.by_client_id
            .find(hash, |slot| &*session(slot).client_id == client_id)
            .map(|slot| session(slot).id)
    }

    /// The session that a connection uses.
    #[inline]
    pub(crate) fn of_connection(&self, connection: ConnectionId) -> Option<SessionId> {
        if let Some((last, id)) = self.last.get()
            && last == connection
        {
            return Some(id);
        }
        let session = |in_use: &InUse| self.slots.get(in_use.slot as usize);
        let uses_it = |session: &Session| session.connection_id() == Some(connection);
        let hash = in_use(connection, 0).spread();
        let found = self.by_connection.find(hash, |it| session(it).is_some_and(uses_it))?;
        let id = session(found)?.id;
        self.last.set(Some((connection, id)));
        Some(id)
    }

    /// Has a session be found by the connection that it was given.
    pub(crate) fn connect(&mut self, connection: ConnectionId, id: SessionId) {
        self.last.set(None);
        let in_use = in_use(connection, id.slot());
        self.by_connection.insert_unique(in_use.spread(), in_use, InUse::spread);
    }

    /// Has `connection` use its session no more.
    pub(crate) fn disconnect(&mut self, connection: ConnectionId, id: SessionId) {
        self.last.set(None);
        let hash = in_use(connection, id.slot()).spread();
        if let Ok(entry) = self.by_connection.find_entry(hash, |in_use| in_use.slot == id.slot()) {
            entry.remove();
        }
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

#[allow(clippy::cast_possible_truncation, reason = "both halves are in it")]
fn in_use(connection: ConnectionId, slot: u32) -> InUse {
    InUse { hash: (connection.0 ^ connection.0 >> 32) as u32, slot }
}

impl fmt::Debug for Sessions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_map().entries(self.slots.iter()).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::{super::Connection, *};
    use crate::{config::Limits, time::Timestamp};
    use mqtt_codec::{Packet, PacketRef, ProtocolVersion, frame};

    fn connection(id: ConnectionId) -> Box<Connection> {
        let (bytes, version) = (b"\x10\x0c\0\x04MQTT\x04\x02\0\0\0\0", ProtocolVersion::V311);
        let frame = frame(bytes, version, 100).expect("a packet").expect("a whole one");
        let Ok(Packet::Connect(connect)) = PacketRef::decode(frame, version) else { panic!("a CONNECT") };
        Box::new(Connection::new(id, &connect, 0, &Limits::default(), Timestamp::ZERO))
    }

    #[test]
    fn a_session_is_found_by_its_client_and_by_its_connection_until_they_go() {
        let mut sessions = Sessions::new(ShardId(0), 1);
        // Each connection's key hashes like that of another.
        let clients: Vec<(String, ConnectionId)> = (1..500)
            .flat_map(|number: u64| [number, number << 32])
            .map(|number| (format!("client {number}"), ConnectionId(number)))
            .collect();
        for (client_id, connection_id) in &clients {
            let id = sessions.insert(client_id, Lifetime::Volatile);
            sessions.get_mut(id).expect("it is there").connection = Some(connection(*connection_id));
            sessions.connect(*connection_id, id);
        }
        assert_eq!(sessions.connections(), clients.len());
        let mut gone = 0;
        for (place, (client_id, connection_id)) in clients.iter().enumerate() {
            let id = sessions.of_client(client_id).expect("it has a session");
            assert_eq!(sessions.of_connection(*connection_id), Some(id));
            if place % 3 == 0 {
                sessions.get_mut(id).expect("it is there").connection = None;
                sessions.disconnect(*connection_id, id);
                sessions.remove(id);
                gone += 1;
            }
        }
        assert_eq!(sessions.connections(), clients.len() - gone);
        for (place, (client_id, connection_id)) in clients.iter().enumerate() {
            let id = sessions.of_client(client_id);
            assert_eq!((id.is_some(), sessions.of_connection(*connection_id)), (place % 3 != 0, id));
        }
    }
}
