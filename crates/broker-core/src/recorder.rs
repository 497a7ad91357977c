//! Owns what one shard has to tell the journal, and what may leave only when the journal has it on disk.
//! What is recorded when is decided in `shard`; on which disk, elsewhere.
//!
//! **One rule:** whatever needs something to be durable leaves when everything is durable that its turn
//! recorded. A turn's small operations go to the journal as one record at its end ([`Recorder::flush`]);
//! messages go at once, because what queues them must know where they are.

use crate::{
    held::AcknowledgementToken,
    ids::{ConnectionId, SessionId, ShardId},
    journal::{Journal, Operation, Operations, Position},
};
use hashbrown::HashMap;
use mqtt_codec::{
    ReasonCode,
    packet::{ConnAck, PacketId, UnsubAck},
};
use rustc_hash::FxBuildHasher;
use std::{collections::VecDeque, sync::Arc};

/// What waits for the disk.
#[derive(Debug)]
pub(crate) enum Leaving {
    /// One thing that a held acknowledgement awaits is done.
    Acknowledgement(AcknowledgementToken),
    /// A packet that names a handshake: PUBREC for a message received again, PUBREL, PUBCOMP.
    Handshake { session: SessionId, connection: ConnectionId, packet_id: PacketId, step: Handshake },
    /// The first sending of a message in flight.
    Publish { session: SessionId, connection: ConnectionId, packet_id: PacketId },
    /// Answers, which are rarer and larger.
    Answer { session: SessionId, connection: ConnectionId, answer: Box<Answer> },
}

/// A packet that says no more than how far a QoS 2 handshake is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Handshake {
    /// PUBREC: the message was received.
    Received,
    /// PUBREL: PUBREC was.
    Released,
    /// PUBCOMP: PUBREL was.
    Completed(ReasonCode),
}

/// An answer to a request that changed the session.
#[derive(Debug)]
pub(crate) enum Answer {
    /// To CONNECT; everything else to the client waits for it.
    Connect(ConnAck),
    /// To SUBSCRIBE: a code for each filter, and a text for the first that was refused.
    Subscribe { packet_id: PacketId, codes: Vec<ReasonCode>, refused: Option<String> },
    /// To UNSUBSCRIBE.
    Unsubscribe(UnsubAck),
}

/// The number of a turn.
pub(crate) type Turn = u64;

/// Everything that an earlier process recorded counts as one turn.
pub(crate) const RECOVERED: Turn = 0;

/// What one shard records. Without a journal it does nothing.
#[derive(Debug)]
pub(crate) struct Recorder {
    journal: Option<Arc<dyn Journal>>,
    shard: ShardId,
    operations: Operations,
    /// References given up in this turn.
    released: Vec<Position>,
    /// What leaves, in its order, and how much of it belongs to turns that have ended.
    leaving: VecDeque<Leaving>,
    in_turns: usize,
    /// Up to where the journal must be durable for so many of it.
    turns: VecDeque<(Position, usize)>,
    /// The turns that have ended with something that waits.
    ended_turns: Turn,
    /// Clients whose sessions have begun or ended, in a turn that may not be on disk.
    changed: HashMap<Box<str>, Turn, FxBuildHasher>,
    /// The last of these turns.
    last_change: Turn,
    /// Everything before is on disk.
    durable: Position,
    /// The last record of each shard that has arrived here, see [`Recorder::saw`].
    seen: Vec<Position>,
    // Buffers kept from step to step.
    pub(crate) record: Vec<u8>,
    pub(crate) targets: Vec<u8>,
}

impl Recorder {
    /// For a shard of so many.
    pub(crate) fn new(journal: Option<Arc<dyn Journal>>, shard: ShardId, shards: usize) -> Self {
        Self {
            journal,
            shard,
            operations: Operations::new(shard),
            released: Vec::new(),
            leaving: VecDeque::new(),
            in_turns: 0,
            turns: VecDeque::new(),
            ended_turns: RECOVERED + 1,
            changed: HashMap::default(),
            last_change: RECOVERED,
            durable: Position::NONE,
            seen: vec![Position::NONE; shards],
            record: Vec::new(),
            targets: Vec::new(),
        }
    }

    /// Whose recorder it is.
    pub(crate) fn shard(&self) -> ShardId {
        self.shard
    }

    /// The journal, if there is one.
    pub(crate) fn journal(&self) -> Option<&Arc<dyn Journal>> {
        self.journal.as_ref()
    }

    /// Whether what would have to be durable is to be refused.
    pub(crate) fn is_failing(&self) -> bool {
        self.journal.as_ref().is_some_and(|journal| journal.is_failing())
    }

    /// Notes something small about a session that is recorded, to be appended at the end of the turn.
    #[inline]
    pub(crate) fn note(&mut self, operation: &Operation<'_>) {
        if self.journal.is_some() {
            self.operations.push(operation);
        }
    }

    /// Notes that a session begins: until that is on disk, a crash takes it away.
    pub(crate) fn note_opened(&mut self, session: SessionId, client_id: &str) {
        self.note(&Operation::Opened { session, client_id });
        self.note_changed(client_id);
    }

    /// Notes that a session has ended: until that is on disk, a crash brings it back.
    pub(crate) fn note_ended(&mut self, session: SessionId, client_id: &str) {
        self.note(&Operation::Ended { session });
        self.note_changed(client_id);
    }

    fn note_changed(&mut self, client_id: &str) {
        if self.is_durable(self.last_change) {
            self.changed.clear();
        } else if self.changed.len() == self.changed.capacity() {
            // Clients may come without a pause in which everything is durable.
            let durable_turns = self.durable_turns();
            self.changed.retain(|_, turn| *turn >= durable_turns);
            self.changed.reserve(self.changed.len());
        }
        self.last_change = self.this_turn();
        self.changed.insert(Box::from(client_id), self.last_change);
    }

    /// Whether a crash now may leave a client with another session than it has, or with one and not none: what is
    /// told of it waits. Whose sessions an earlier process changed last is not known; nobody waits for that while
    /// the disk fails.
    pub(crate) fn is_unsettled(&self, client_id: &str) -> bool {
        let changed = self.changed.get(client_id).copied();
        changed.or((!self.is_failing()).then_some(RECOVERED)).is_some_and(|turn| !self.is_durable(turn))
    }

    /// What an earlier process recorded last was there to be read, and may not be on disk: that process was
    /// killed before it had synced it, and a loss of power now would take it away.
    pub(crate) fn await_recovered(&mut self) {
        if let Some(journal) = &self.journal {
            self.turns.push_back((journal.end(), 0));
        }
    }

    /// Appends a record that is already put together, behind what was noted.
    pub(crate) fn append(&mut self, parts: &[&[u8]]) -> Position {
        let position = self.journal.as_ref().map_or(Position::NONE, |journal| journal.append(parts));
        self.appended(position)
    }

    /// The same with so many references to it.
    pub(crate) fn append_referred(&mut self, parts: &[&[u8]], references: u32) -> Position {
        let journal = self.journal.as_ref();
        let position = journal.map_or(Position::NONE, |journal| journal.append_referred(parts, references));
        self.appended(position)
    }

    fn appended(&mut self, position: Position) -> Position {
        self.seen[usize::from(self.shard.0)] = position;
        position
    }

    /// So many references more to a record.
    pub(crate) fn refer(&self, position: Position, count: u32) {
        if let Some(journal) = &self.journal
            && position.is_some()
            && count > 0
        {
            journal.refer(position, count);
        }
    }

    /// A reference is given up.
    #[inline]
    pub(crate) fn release(&mut self, position: Position) {
        if position.is_some() {
            self.released.push(position);
        }
    }

    /// Has something leave when what this turn records is on disk.
    #[inline]
    pub(crate) fn leave(&mut self, leaving: Leaving) {
        self.leaving.push_back(leaving);
    }

    /// Whether the end of the turn has something to do.
    #[inline]
    pub(crate) fn wants_flush(&self) -> bool {
        !self.operations.is_empty() || self.leaving.len() > self.in_turns || !self.released.is_empty()
    }

    /// Appends what was noted. In between turns that is done where another shard's records could otherwise
    /// come before what they rest on.
    pub(crate) fn append_notes(&mut self) -> Option<Position> {
        if self.operations.is_empty() {
            return None;
        }
        let journal = self.journal.as_ref()?;
        let position = journal.append(&[self.operations.bytes()]);
        self.operations.clear();
        Some(self.appended(position))
    }

    /// Ends the turn.
    pub(crate) fn flush(&mut self) {
        self.append_notes();
        let Some(journal) = &self.journal else { return };
        let waiting = self.leaving.len() - self.in_turns;
        // A turn in which a session has begun or ended counts even if nothing waits for it yet.
        if waiting > 0 || self.last_change == self.ended_turns {
            self.turns.push_back((journal.end(), waiting));
            self.in_turns = self.leaving.len();
            self.ended_turns += 1;
        }
        // Behind the records that gave the references up: without them these would be back after a crash.
        if !self.released.is_empty() {
            journal.release(&self.released);
            self.released.clear();
        }
    }

    /// Everything before this position is on disk.
    pub(crate) fn set_durable(&mut self, position: Position) {
        self.durable = self.durable.max(position);
    }

    /// The next that may leave.
    pub(crate) fn next_leaving(&mut self) -> Option<Leaving> {
        while self.turns.front().is_some_and(|&(position, count)| count == 0 && position <= self.durable) {
            self.turns.pop_front();
        }
        let (position, count) = self.turns.front_mut()?;
        if *position > self.durable {
            return None;
        }
        *count -= 1;
        if *count == 0 {
            self.turns.pop_front();
        }
        self.in_turns -= 1;
        self.leaving.pop_front()
    }

    /// The turn that has not ended.
    pub(crate) fn this_turn(&self) -> Turn {
        self.ended_turns
    }

    /// Whether what a turn recorded, and had something wait for, is on disk.
    pub(crate) fn is_durable(&self, turn: Turn) -> bool {
        turn < self.durable_turns()
    }

    fn durable_turns(&self) -> Turn {
        self.ended_turns - self.turns.len() as u64
    }

    /// Up to where the journal must be durable for the next to leave.
    pub(crate) fn awaits_durable(&self) -> Option<Position> {
        self.turns.front().map(|&(position, _)| position)
    }

    /// Another shard's record has arrived here with what it is about. Those of one shard arrive in their order.
    pub(crate) fn saw(&mut self, shard: ShardId, position: Position) {
        let seen = &mut self.seen[usize::from(shard.0)];
        *seen = (*seen).max(position);
    }

    /// The last record of each shard that has arrived here.
    pub(crate) fn seen(&self) -> &[Position] {
        &self.seen
    }
}
