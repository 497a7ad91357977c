//! Owns what can be seen of the broker from outside, in the order it happens: what it is handed, what it
//! wants done, what clients make of it. The truth and the checkers know nothing else of a run.

use broker_core::{
    CloseCause, ConnectionId, Forwarded, ForwardedRun, Node, PeerMessage, ShardId, journal::Position,
};
use mqtt_codec::{Packet, QoS, packet::Publish};
use std::fmt;

/// One thing that was seen.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Observation<'a> {
    /// A shard is about to take a packet.
    Received { shard: ShardId, connection: ConnectionId, packet: &'a Packet, place: Place },
    /// A shard is about to hear that a connection is gone.
    Lost { connection: ConnectionId },
    /// A shard is about to be told the time.
    Ticked { shard: ShardId },
    /// A shard is about to hear that an outbox is full.
    Congested { connection: ConnectionId },
    /// A shard is about to hear that an outbox has room again.
    Drained { connection: ConnectionId },
    /// A shard is about to read its mailbox.
    Arrived { from: ShardId, to: ShardId, mail: &'a Mail, place: Place },
    /// The broker sent a packet, this many bytes long.
    Sent { connection: ConnectionId, packet: &'a Packet, bytes: usize },
    /// The broker sent bytes that are no packet.
    SentGarbage { connection: ConnectionId, text: &'a str },
    /// The broker closed a connection.
    Closed { connection: ConnectionId, cause: CloseCause },
    /// The broker put something into a mailbox.
    Forwarded { from: ShardId, to: ShardId, mail: &'a Mail },
    /// A shard put a record into the journal in this step.
    Recorded { shard: ShardId, position: Position, record: &'a Record },
    /// A shard is about to put what it did into the journal.
    TurnEnds { shard: ShardId },
    /// A shard has put all that it did up to now into the journal, `last` being the last record there.
    Flushed { shard: ShardId, last: Position },
    /// The disk begins to fail, as far as the broker knows, or has recovered.
    Failing { is_failing: bool },
    /// The journal has everything before a position on disk.
    Committed { durable: Position },
    /// A shard is about to hear what is on disk.
    ToldDurable { shard: ShardId },
    /// A shard is about to get messages that it asked the journal for.
    Loaded { shard: ShardId },
    /// A shard is about to hear that the broker goes down.
    ShutDown { shard: ShardId },
    /// The broker is gone, with all that it had in memory.
    Died,
    /// The broker is there again. What was recorded before `cut` was recovered, and nothing else; the clients that
    /// were connected lost their connections at `died_ms`, as far as the broker knows.
    Restarted { cut: Position, died_ms: u64, node: &'a Node },
    /// A checkpoint was done and nothing is on its way: so much is on disk.
    Stored { files: usize, bytes: usize },
    /// The shard has said all it has to say.
    StepEnded,
    /// A client handed a message to its application.
    Delivered { connection: ConnectionId, delivered: &'a Delivered },
    /// A client received something that it had to refuse.
    Complained { connection: ConnectionId, text: &'a str },
    /// A client did something that no packet tells.
    Acted { client: usize, text: &'a str },
}

impl Observation<'_> {
    /// The connection that something happened to.
    #[must_use]
    pub(crate) fn connection(&self) -> Option<ConnectionId> {
        match *self {
            Self::Received { connection, .. }
            | Self::Lost { connection }
            | Self::Congested { connection }
            | Self::Drained { connection }
            | Self::Sent { connection, .. }
            | Self::Closed { connection, .. } => Some(connection),
            Self::Ticked { .. }
            | Self::Arrived { .. }
            | Self::SentGarbage { .. }
            | Self::Forwarded { .. }
            | Self::Recorded { .. }
            | Self::TurnEnds { .. }
            | Self::Flushed { .. }
            | Self::Failing { .. }
            | Self::Committed { .. }
            | Self::ToldDurable { .. }
            | Self::Loaded { .. }
            | Self::ShutDown { .. }
            | Self::Died
            | Self::Restarted { .. }
            | Self::Stored { .. }
            | Self::StepEnded
            | Self::Delivered { .. }
            | Self::Complained { .. }
            | Self::Acted { .. } => None,
        }
    }
}

/// Where something is among all that a shard takes in one step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Place {
    /// With it the step begins.
    First,
    /// It comes with others before it.
    Behind,
}

impl Place {
    /// The places of so much as there is.
    pub(crate) fn all() -> impl Iterator<Item = Self> {
        std::iter::once(Self::First).chain(std::iter::repeat(Self::Behind))
    }
}

/// What an application got.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Delivered {
    /// Which message.
    pub key: MessageKey,
    /// How.
    pub qos: QoS,
    /// By which packet, at QoS 1 and 2.
    pub packet_id: Option<u16>,
}

/// What goes from shard to shard, as far as it can be told from outside.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Mail {
    /// A message for subscribers of the other shard, and perhaps for members of groups.
    Message(MessageKey),
    /// A message for members of groups alone.
    SharedMessage(MessageKey),
    /// A message of a group that another member has left behind.
    HandedOver,
    /// An acknowledgement need no longer wait.
    Stored,
    /// A checkpoint has begun there.
    CheckpointBegun,
}

impl Mail {
    /// All that a mailbox carries in one piece, at least one.
    pub(crate) fn all_of(message: PeerMessage<'_>) -> Vec<Self> {
        match message {
            PeerMessage::Deliver(Forwarded { message, mut targets, .. }) => {
                let key = MessageKey::of(message.topic.text(), message.payload);
                let is_shared = targets.all(|target| target.group.is_some());
                vec![if is_shared { Self::SharedMessage(key) } else { Self::Message(key) }]
            }
            PeerMessage::DeliverRun(ForwardedRun { run, .. }) => {
                let key = |packet: Publish<_>| MessageKey::of(run.topic.text(), packet.payload);
                run.packets().map(|(_, packet)| Self::Message(key(packet))).collect()
            }
            PeerMessage::HandOver { .. } => vec![Self::HandedOver],
            PeerMessage::Stored(_) => vec![Self::Stored],
            PeerMessage::CheckpointBegun => vec![Self::CheckpointBegun],
        }
    }
}

/// A record of the journal, as far as it can be told from outside.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Record {
    /// A message.
    Message(MessageKey),
    /// A topic has no retained message any more.
    Cleared(String),
    /// Small changes of sessions, in words.
    Operations(String),
    /// Anything else, in words.
    Other(String),
}

/// Tells messages apart by their payload: `publisher:number`, or `publisher!number` of a Will, then padding.
/// An empty payload, which clears what is retained, is told by its topic.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct MessageKey(String);

/// Fills a payload up.
pub(crate) const PADDING: u8 = b'.';

impl MessageKey {
    /// The key of a message.
    #[must_use]
    pub(crate) fn of(topic: &str, payload: &[u8]) -> Self {
        if payload.is_empty() {
            return Self(format!("clear {topic}"));
        }
        let end = payload.iter().position(|&byte| byte == PADDING).unwrap_or(payload.len());
        Self(String::from_utf8_lossy(&payload[..end]).into_owned())
    }

    /// Whether it is a Will's.
    #[must_use]
    pub(crate) fn is_will(&self) -> bool {
        self.0.contains('!')
    }
}

impl fmt::Display for MessageKey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}
