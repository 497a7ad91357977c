//! Owns which sessions there are while the journal is replayed, and under which keys. What happens to a
//! session is `session`'s business.

mod left;

use self::left::Early;
use super::session::Session;
use crate::{
    ids::{SessionId, ShardId},
    journal::{
        Position, SessionState,
        state::{QueuedState, SessionPart},
    },
};
use hashbrown::HashMap;
use mqtt_codec::packet::PacketId;
use rustc_hash::FxBuildHasher;
use slab::Slab;
use std::collections::BTreeMap;

/// The sessions of all shards.
#[derive(Debug, Default)]
pub(super) struct Sessions {
    all: Slab<Session>,
    /// By the keys of the process whose records are replayed.
    by_id: HashMap<SessionId, usize, FxBuildHasher>,
    /// Ordered: strangers choose client identifiers, so no hash of them is to be relied on without a seed.
    by_client_id: BTreeMap<Box<str>, usize>,
    /// What was told of sessions that were not yet told of themselves, or that have ended.
    early: HashMap<SessionId, Early, FxBuildHasher>,
    /// Sessions of which not all parts have come.
    partial: HashMap<SessionId, SessionState, FxBuildHasher>,
    /// Where the process began whose records are replayed, [`Position::NONE`] if that is not in the log.
    epoch: Position,
}

impl Sessions {
    /// A message joins a queue.
    #[inline]
    pub(super) fn enqueue(&mut self, session: SessionId, queued: QueuedState) {
        match self.by_id.get(&session) {
            Some(&index) => self.all[index].enqueue(queued),
            // Whoever appends this record saw the session in the subscription index, which knows it a moment
            // before the log does; or the session began before the floor, and its slice is still to come.
            None => self.early.entry(session).or_default().queue.push_back(queued),
        }
    }

    /// A QoS 2 PUBLISH is received. It may come before the session begins: its record is appended at once, the
    /// session's with all else at the end of the turn.
    pub(super) fn receive(&mut self, session: SessionId, packet_id: PacketId) {
        match self.by_id.get(&session) {
            Some(&index) => self.all[index].receive(packet_id),
            None => self.early.entry(session).or_default().unreleased.push(packet_id),
        }
    }

    /// Does something to a session, if it is there: what only its own shard tells comes after its beginning,
    /// and what comes after its end, or before the slice that already contains it, is of no interest.
    #[inline]
    pub(super) fn with(&mut self, session: SessionId, change: impl FnOnce(&mut Session)) {
        if let Some(session) = self.by_id.get(&session).and_then(|&index| self.all.get_mut(index)) {
            change(session);
        }
    }

    /// A session begins.
    pub(super) fn open(&mut self, id: SessionId, client_id: &str) {
        // A client has one session. One that is still there was recovered, never bound, and given up.
        if let Some(&former) = self.by_client_id.get(client_id) {
            self.remove(former);
        }
        if let Some(&index) = self.by_id.get(&id) {
            self.remove(index);
        }
        self.insert(Session::begin(id, client_id));
        self.absorb_early(id);
    }

    /// A session that was there before the process began has a key of it.
    pub(super) fn bind(&mut self, id: SessionId, client_id: &str) {
        // One that is not known began before the floor: the slice that tells of it has the same key.
        let Some(&index) = self.by_client_id.get(client_id) else { return };
        self.forget_id(index);
        self.all[index].set_id(id);
        self.by_id.insert(id, index);
        self.absorb_early(id);
    }

    /// A message leaves a session's queue, unsent or in flight.
    #[inline]
    pub(super) fn leave_queue(
        &mut self,
        id: SessionId,
        position: Position,
        mark: u32,
        change: impl FnOnce(&mut Session),
    ) {
        match self.by_id.get(&id) {
            Some(&index) => change(&mut self.all[index]),
            None => self.forget_left(id, position, mark),
        }
    }

    /// A session is over, as its shard tells.
    pub(super) fn end(&mut self, id: SessionId, shard: ShardId) {
        let former = self.by_id.get(&id).copied().map(|index| self.remove(index));
        self.leave_behind(id, shard, former);
    }

    /// A process begins: its keys are new ones, and may be equal to older ones by chance. The sessions stay,
    /// under the names of their clients, whether it comes to binding them or not. What was to be told of
    /// others never will be, and a slice that was cut short leaves what was known before it.
    pub(super) fn begin_epoch(&mut self, position: Position) {
        // As it was done when the process began.
        self.give_left();
        self.by_id.clear();
        self.partial.clear();
        self.epoch = position;
    }

    /// A part of a session's state as its shard `writer` told it, having seen so much of the others.
    pub(super) fn slice(&mut self, part: SessionPart, writer: ShardId, seen: &[Position]) {
        let SessionPart { session, first, queue, is_last } = part;
        let partial = self.partial.remove(&session);
        let state = match (first, partial) {
            (Some(first), _) => first,
            (None, Some(mut state)) => {
                state.queue.extend(queue);
                state
            }
            // Its first part is before the floor, so a whole one is behind it.
            (None, None) => return,
        };
        if is_last {
            self.replace(state, writer, seen);
        } else {
            self.partial.insert(session, state);
        }
    }

    /// A slice tells all of a session, so all else is forgotten, but for what other shards had added to its queue
    /// and its own had not yet taken in: their records stand before the slice, and no other tells of it again.
    /// It goes behind the rest, which is where it arrives. Of its own records a shard has always seen all, and of
    /// those of an earlier process, too: they were recovered before it began.
    fn replace(&mut self, state: SessionState, writer: ShardId, seen: &[Position]) {
        let id = state.id;
        let epoch = self.epoch;
        let is_unseen = |queued: &QueuedState| {
            let seen = seen.get(usize::from(queued.writer.0)).copied().unwrap_or(Position::NONE);
            queued.writer != writer && queued.recorded > seen && queued.recorded >= epoch
        };
        let mut unseen = Vec::new();
        if let Some(early) = self.early.remove(&id) {
            unseen.extend(early.queue.into_iter().filter(|queued| is_unseen(queued)));
        }
        if let Some(&index) = self.by_id.get(&id) {
            let former = self.remove(index);
            unseen.extend(former.into_queue().filter(|queued| is_unseen(queued)));
        }
        if let Some(&former) = self.by_client_id.get(&state.client_id) {
            self.remove(former);
        }
        let mut session = Session::from_state(state);
        for queued in unseen {
            session.enqueue(queued);
        }
        self.insert(session);
    }

    fn insert(&mut self, session: Session) {
        let (id, client_id) = (session.id(), Box::from(session.client_id()));
        let index = self.all.insert(session);
        self.by_id.insert(id, index);
        self.by_client_id.insert(client_id, index);
    }

    fn remove(&mut self, index: usize) -> Session {
        self.forget_id(index);
        let session = self.all.remove(index);
        self.by_client_id.remove(session.client_id());
        session
    }

    /// The key of a session may be another's by now.
    fn forget_id(&mut self, index: usize) {
        let id = self.all[index].id();
        if self.by_id.get(&id) == Some(&index) {
            self.by_id.remove(&id);
        }
    }

    fn absorb_early(&mut self, id: SessionId) {
        let Some(early) = self.early.remove(&id) else { return };
        self.with(id, |session| {
            for queued in early.queue {
                session.enqueue(queued);
            }
            for packet_id in early.unreleased {
                session.receive(packet_id);
            }
        });
    }

    /// The sessions that are there, sorted by client identifier.
    pub(super) fn finish(mut self) -> Vec<SessionState> {
        self.give_left();
        let all = std::mem::take(&mut self.by_client_id).into_values();
        all.map(|index| self.all.remove(index).into_state()).collect()
    }
}
