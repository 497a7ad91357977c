//! Owns simulated time and what is to happen when: one queue, ordered by time, then by when it was asked
//! for. What an event does is the world's business.

use broker_core::{ConnectionId, SessionId, ShardId, Timestamp, journal::Position};
use bytes::Bytes;
use mqtt_codec::Packet;
use std::{collections::BTreeMap, sync::Arc};

/// Something that is to happen.
#[derive(Clone, Debug)]
pub(crate) enum Event {
    /// A client decides what to do next.
    Act(usize),
    /// A client sends PINGREQ, if it is still on this connection.
    Ping(usize, ConnectionId),
    /// A client stops being frozen.
    Thaw(ConnectionId),
    /// A client answers something it received a while ago.
    Reply(ConnectionId, Box<Packet>),
    /// Bytes reach the broker.
    ToBroker(ConnectionId, Bytes),
    /// Bytes reach a client.
    ToClient(ConnectionId, Bytes),
    /// The broker learns that a connection is gone.
    BrokerLoses(ConnectionId),
    /// The client learns that its connection is gone.
    ClientLoses(ConnectionId),
    /// The broker writes from the outbox of a connection.
    Flush(ConnectionId),
    /// The next message of a mailbox is read.
    Mailbox(ShardId, ShardId),
    /// A shard's deadline has been reached.
    Tick(ShardId),
    /// A shard puts what it has done into the journal.
    EndTurn(ShardId),
    /// What is in the journal is put on disk.
    Commit,
    /// A shard hears what is on disk.
    Durable(ShardId, Position),
    /// Messages that a shard asked the journal for are there.
    Load(ShardId, SessionId, Vec<Position>),
    /// A checkpoint begins.
    Checkpoint,
    /// A checkpoint begins to go over to copies.
    CheckpointNow,
    /// A shard is asked what it needs between two places.
    Survey(ShardId, Position, Position),
    /// What is needed is copied.
    Relocate,
    /// A shard hears of copies.
    Copied(ShardId, Arc<[(Position, Position)]>),
    /// A shard begins its part of a checkpoint.
    CheckpointOf(ShardId),
    /// The process notes that it is alive.
    Live,
    /// The disk begins to fail.
    DiskFails,
    /// The disk is good again.
    DiskRecovers,
    /// The broker ends.
    Die,
    /// The broker starts again.
    Restart,
}

impl Event {
    /// Whether it belongs to something that was begun and will end. The others go on for ever.
    fn is_work(&self) -> bool {
        !matches!(
            self,
            Self::Act(_)
                | Self::Ping(..)
                | Self::Tick(_)
                | Self::Checkpoint
                | Self::Live
                | Self::DiskFails
                | Self::DiskRecovers
                | Self::Die
        )
    }

    /// Whether it happens in the broker, and not if the broker is gone.
    pub(crate) fn is_of_broker(&self) -> bool {
        match self {
            Self::Flush(_)
            | Self::Mailbox(..)
            | Self::Tick(_)
            | Self::EndTurn(_)
            | Self::Commit
            | Self::Durable(..)
            | Self::Load(..)
            | Self::CheckpointNow
            | Self::CheckpointOf(_)
            | Self::Survey(..)
            | Self::Relocate
            | Self::Copied(..)
            | Self::DiskRecovers => true,
            Self::Act(_)
            | Self::Ping(..)
            | Self::Thaw(_)
            | Self::Reply(..)
            | Self::ToBroker(..)
            | Self::ToClient(..)
            | Self::BrokerLoses(_)
            | Self::ClientLoses(_)
            | Self::Checkpoint
            | Self::Live
            | Self::DiskFails
            | Self::Die
            | Self::Restart => false,
        }
    }
}

/// The queue and the clock.
#[derive(Debug)]
pub(crate) struct Schedule {
    events: BTreeMap<(u64, u64), Event>,
    asked: u64,
    now_ms: u64,
    work: usize,
}

impl Schedule {
    /// Nothing to happen, at a time that is no round number.
    #[must_use]
    pub(crate) fn new() -> Self {
        Self { events: BTreeMap::new(), asked: 0, now_ms: 1_003, work: 0 }
    }

    /// Milliseconds since the clock's origin.
    #[must_use]
    pub(crate) fn now_ms(&self) -> u64 {
        self.now_ms
    }

    /// The time as the engine takes it.
    #[must_use]
    pub(crate) fn now(&self) -> Timestamp {
        Timestamp::from_millis(self.now_ms)
    }

    /// Has something happen at a time, which is now if it has passed.
    pub(crate) fn at(&mut self, at_ms: u64, event: Event) {
        self.work += usize::from(event.is_work());
        self.asked += 1;
        self.events.insert((at_ms.max(self.now_ms), self.asked), event);
    }

    /// Has something happen in so many milliseconds.
    pub(crate) fn after(&mut self, delay_ms: u64, event: Event) {
        self.at(self.now_ms + delay_ms, event);
    }

    /// Goes to the time of the next event and hands it out.
    pub(crate) fn next(&mut self) -> Option<Event> {
        let ((at_ms, _), event) = self.events.pop_first()?;
        self.now_ms = at_ms;
        self.work -= usize::from(event.is_work());
        Some(event)
    }

    /// Takes back what was asked for.
    pub(crate) fn cancel(&mut self, is_cancelled: impl Fn(&Event) -> bool) {
        self.events.retain(|_, event| !is_cancelled(event));
        self.work = self.events.values().filter(|event| event.is_work()).count();
    }

    /// Whether something that was begun has not ended.
    #[must_use]
    pub(crate) fn has_work(&self) -> bool {
        self.work > 0
    }
}
