//! Owns what shards say to each other. `batch` carries it; `shard` acts on it.

mod batch;
mod mail;
#[cfg(test)]
mod tests;

pub use batch::{PeerBatch, PeerMessages, Recipients};
pub use mail::PeerMail;

use crate::{
    held::AcknowledgementToken,
    ids::{GroupId, SessionId, ShardId},
    journal::Position,
    message::{Message, MessageRef},
    session::Queued,
};
use mqtt_codec::{QoS, packet::PublishRun};
use std::sync::Arc;

/// What one shard tells another: a view of one item of a [`PeerBatch`].
#[derive(Clone, Copy, Debug)]
pub enum PeerMessage<'a> {
    /// Deliver a message to sessions of the receiving shard.
    Deliver(Forwarded<'a>),
    /// Deliver plain messages, one or several, to the same sessions of the receiving shard.
    DeliverRun(ForwardedRun<'a>),
    /// Messages of shared subscriptions, left behind by a member on another shard, are for members here now.
    HandOver {
        /// All that the record names for the receiving shard.
        messages: &'a [HandedOver],
        /// The record that says so.
        recorded: Option<Recorded>,
    },
    /// What a held acknowledgement waited for is done.
    Stored(AcknowledgementToken),
    /// A shard has begun a checkpoint: what it recorded before has arrived with what came before this.
    CheckpointBegun,
}

/// A message for sessions of another shard.
#[derive(Clone, Copy, Debug)]
pub struct Forwarded<'a> {
    /// The message.
    pub message: MessageRef<'a>,
    /// How it travels.
    pub form: Form<'a>,
    /// Sessions of the receiving shard; one that has gone is passed over.
    pub targets: Recipients<'a>,
    /// The publisher's acknowledgement that waits for this, if one does.
    pub held: Option<AcknowledgementToken>,
    /// The record that has queued it for those of the targets that are recorded.
    pub recorded: Option<Recorded>,
}

/// How a forwarded message travels. Small ones are copied, so that no memory that one thread has asked for is given
/// up by another, and their bytes arrive where the other will look for them.
#[derive(Clone, Copy, Debug)]
pub enum Form<'a> {
    /// Copied.
    Copied,
    /// Copied with the frame it was received in.
    InFrame(ReceivedFrame<'a>),
    /// By reference, because it is large.
    Shared(&'a Arc<Message>),
}

/// The frame that a message was received in and that says no more than it, so that it can go on as it stands. Opaque.
#[derive(Clone, Copy, Debug)]
pub struct ReceivedFrame<'a> {
    pub(crate) bytes: &'a [u8],
    /// To whom it can go.
    pub(crate) class: u8,
    /// Bytes before the topic.
    pub(crate) topic_at: u8,
}

/// One or more messages for sessions of another shard that differ in their payloads only, with the frames they were
/// received in.
#[derive(Clone, Copy, Debug)]
pub struct ForwardedRun<'a> {
    /// The frames.
    pub run: PublishRun<'a>,
    /// Sessions of the receiving shard; one that has gone is passed over.
    pub targets: Recipients<'a>,
    /// To whom the frames can go as they stand.
    pub(crate) class: u8,
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
#[derive(Clone, Debug)]
pub struct HandedOver {
    /// A session of the receiving shard; if it has gone another member is found.
    pub(crate) session: SessionId,
    pub(crate) queued: Queued,
}

/// Who receives a message, and how.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Recipient<'a> {
    /// Who.
    pub session: SessionId,
    /// The QoS granted.
    pub qos: QoS,
    /// Whether RETAIN is delivered as published.
    pub retain_as_published: bool,
    /// The identifiers of the subscriptions that matched.
    pub identifiers: &'a [u32],
    /// The group of the shared subscription that chose this session.
    pub group: Option<GroupId>,
}
