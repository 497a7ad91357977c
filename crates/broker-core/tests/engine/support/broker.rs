//! Owns a whole broker in memory: shards, the mail between them, and the time. What its clients say and
//! hear, and what its disk does, has files of its own.

mod disk;
mod effects;
mod hear;
mod talk;

pub(crate) use disk::Disk;

use super::journal::TestJournal;
use broker_core::{
    ConnectionId, Effects, Input, Node, PeerBatch, Shard, ShardId, Timestamp, Totals, config::Config,
    journal::Position,
};
use mqtt_codec::ProtocolVersion;
use std::{
    collections::{BTreeMap, VecDeque},
    sync::Arc,
};

/// A node, its shards and all their clients, single-threaded and stepped by hand.
pub(crate) struct Broker {
    pub(crate) node: Arc<Node>,
    shards: Vec<Shard>,
    /// One message each.
    mail: VecDeque<(ShardId, PeerBatch)>,
    /// Whether what one shard says to another stays on its way, but for what the test lets [`arrive`](Self::arrive).
    pub(crate) holds_mail: bool,
    now: Timestamp,
    effects: Effects,
    wires: BTreeMap<ConnectionId, Wire>,
    encoded_bytes_max: usize,
    pub(crate) journal: Option<Arc<TestJournal>>,
    pub(crate) disk: Disk,
    loads: VecDeque<disk::Load>,
    checkpoints_due: usize,
    surveyed: Vec<Position>,
    floor: Position,
    next_floor: Position,
}

/// One client's connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Client(ConnectionId);

/// The broker's end of a connection.
struct Wire {
    shard: usize,
    version: ProtocolVersion,
    outbox: Vec<u8>,
    is_full: bool,
    is_closed: bool,
    packet_bytes_max: u32,
    next_packet_id: u16,
}

impl Broker {
    pub(crate) fn new(config: Config, shards: usize) -> Self {
        Self::with_journal(config, shards, None)
    }

    /// A broker that keeps what it must in a journal whose disk is as fast as memory.
    pub(crate) fn durable(config: Config, shards: usize) -> Self {
        Self::with_journal(config, shards, Some(Arc::default()))
    }

    fn with_journal(config: Config, shards: usize, journal: Option<Arc<TestJournal>>) -> Self {
        let node = match &journal {
            None => Node::new(config, shards, 0x5EED),
            Some(journal) => Node::with_journal(config, shards, 0x5EED, Arc::clone(journal) as _),
        };
        // Not zero: a time is no flag.
        let now = Timestamp::from_millis(1_000_000);
        let shards = node.shards().map(|id| Shard::new(Arc::clone(&node), id, 7 + u64::from(id.0), now));
        Self {
            shards: shards.collect(),
            node,
            mail: VecDeque::new(),
            holds_mail: false,
            now,
            effects: Effects::new(),
            wires: BTreeMap::new(),
            encoded_bytes_max: 0,
            journal,
            disk: Disk::Immediate,
            loads: VecDeque::new(),
            checkpoints_due: 0,
            surveyed: Vec::new(),
            floor: Position::NONE,
            next_floor: Position::NONE,
        }
    }

    /// Every shard is told to stop.
    pub(crate) fn shut_down(&mut self) {
        for shard in 0..self.shards.len() {
            self.step(shard, Input::Shutdown);
        }
    }

    /// The most bytes that one step encoded, payloads sent by reference not counted.
    pub(crate) fn encoded_bytes_max(&self) -> usize {
        self.encoded_bytes_max
    }

    /// Lets time pass, stepping to each deadline on the way.
    pub(crate) fn advance_millis(&mut self, milliseconds: u64) {
        let until = self.now.plus_millis(milliseconds);
        loop {
            self.settle();
            let next = self.shards.iter().filter_map(Shard::next_deadline).min();
            match next.filter(|&next| next <= until) {
                Some(next) => self.now = self.now.max(next),
                None => break,
            }
        }
        self.now = until;
        self.settle();
    }

    pub(crate) fn advance_seconds(&mut self, seconds: u64) {
        self.advance_millis(seconds * 1000);
    }

    /// Has everything happen that is due.
    pub(crate) fn settle(&mut self) {
        while self.tick_once() {}
    }

    /// Delivers all mail and has each shard that is due do so once. Whether one was.
    pub(crate) fn tick_once(&mut self) -> bool {
        self.deliver_mail();
        let mut was_due = false;
        for shard in 0..self.shards.len() {
            if self.shards[shard].next_deadline().is_some_and(|deadline| deadline <= self.now) {
                was_due = true;
                self.step(shard, Input::Tick);
            }
        }
        was_due
    }

    /// Whether a shard has something to do at once.
    pub(crate) fn is_due(&self) -> bool {
        self.shards.iter().any(|shard| shard.next_deadline().is_some_and(|deadline| deadline <= self.now))
    }

    /// The counters of the whole broker.
    pub(crate) fn totals(&self) -> Totals {
        self.node.stats.totals()
    }

    /// Clients connected, as the shards count them.
    pub(crate) fn connections(&self) -> usize {
        self.shards.iter().map(Shard::connections).sum()
    }

    /// A client identifier of another shard than `client_id`'s, if there is another.
    pub(crate) fn elsewhere(&self, client_id: &str) -> String {
        let home = self.node.shard_of(client_id);
        let is_alone = self.shards.len() == 1;
        (0..)
            .map(|number| format!("elsewhere-{number}"))
            .find(|name| is_alone || self.node.shard_of(name) != home)
            .unwrap()
    }

    fn step(&mut self, shard: usize, input: Input<'_>) {
        self.shards[shard].handle(input, self.now, &mut self.effects);
        self.apply();
        self.end_turn(shard);
        self.deliver_mail();
    }

    fn deliver_mail(&mut self) {
        while !self.holds_mail && self.arrive() {}
    }

    /// The oldest mail arrives, if there is any.
    pub(crate) fn arrive(&mut self) -> bool {
        let Some((shard, letter)) = self.mail.pop_front() else { return false };
        let shard = usize::from(shard.0);
        for message in &letter {
            self.shards[shard].handle(Input::Peer(message), self.now, &mut self.effects);
        }
        self.apply();
        self.end_turn(shard);
        true
    }

    fn wire(&self, client: Client) -> &Wire {
        &self.wires[&client.0]
    }
}

impl std::fmt::Display for Broker {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let storage = if self.journal.is_some() { "a journal" } else { "memory" };
        write!(formatter, "with {} shards and {storage} at {} ms", self.shards.len(), self.now.as_millis())
    }
}
