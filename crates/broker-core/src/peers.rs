//! Owns what shards say to each other. A mailbox carries it; `shard` acts on it.

use crate::{
    ids::{GroupId, SessionId, ShardId},
    journal::Position,
    message::Message,
    session::Queued,
};
use mqtt_codec::QoS;
use std::sync::Arc;

/// What one shard tells another.
#[derive(Debug)]
pub enum PeerMessage {
    /// Deliver a message to sessions of the receiving shard.
    Deliver {
        /// The message, shared.
        message: Arc<Message>,
        /// Sessions of the receiving shard; one that has gone is passed over.
        targets: Vec<PeerTarget>,
        /// The publisher's acknowledgement that waits for this, if one does.
        held: Option<AcknowledgementToken>,
        /// The record that has queued it for those of the targets that are recorded.
        recorded: Option<Recorded>,
    },
    /// Messages of shared subscriptions, left behind by a member on another shard, are for members here now.
    HandOver {
        /// All that the record names for the receiving shard.
        messages: Vec<HandedOver>,
        /// The record that says so.
        recorded: Option<Recorded>,
    },
    /// What a held acknowledgement waited for is done.
    Stored(AcknowledgementToken),
    /// A shard has begun a checkpoint: what it recorded before has arrived with what came before this.
    CheckpointBegun,
}

impl PeerMessage {
    /// The bytes it keeps alive while it waits, for a mailbox that counts.
    #[must_use]
    pub fn bytes(&self) -> usize {
        match self {
            Self::Deliver { message, targets, .. } => message.len() + targets.len() * size_of::<PeerTarget>(),
            Self::HandOver { messages, .. } => size_of::<Self>() + messages.len() * size_of::<HandedOver>(),
            Self::Stored(_) | Self::CheckpointBegun => size_of::<Self>(),
        }
    }

    /// Whether nobody was promised it: a QoS 0 message, which a full mailbox may drop.
    #[must_use]
    pub fn may_be_dropped(&self) -> bool {
        match self {
            Self::Deliver { message, .. } => message.qos == QoS::AtMostOnce,
            Self::HandOver { .. } | Self::Stored(_) | Self::CheckpointBegun => false,
        }
    }
}

/// A record of the shard that forwards. The records of one shard arrive at another in their order, each with all it
/// says for the other at once, so that the other can say in a checkpoint which of them it knows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Recorded {
    /// Whose.
    pub shard: ShardId,
    /// Where.
    pub position: Position,
}

/// A message that goes from one session's queue to another's. Opaque.
#[derive(Debug)]
pub struct HandedOver {
    /// A session of the receiving shard; if it has gone another member is found.
    pub(crate) session: SessionId,
    pub(crate) queued: Queued,
}

/// One receiver of a forwarded message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PeerTarget {
    /// Who.
    pub session: SessionId,
    /// The QoS granted.
    pub qos: QoS,
    /// Whether RETAIN is delivered as published.
    pub retain_as_published: bool,
    /// The identifiers of the subscriptions that matched.
    pub identifiers: Vec<u32>,
    /// The group of the shared subscription that chose this session.
    pub group: Option<GroupId>,
}

/// Names an acknowledgement that a shard holds back until others have stored its message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct AcknowledgementToken {
    /// The shard that holds it.
    pub shard: ShardId,
    /// Its place there.
    pub(crate) slot: u32,
    /// Which user of the place.
    pub(crate) generation: u32,
}
