//! Owns the state of a session as plain data: what a checkpoint says of it and what recovery makes of the
//! journal. The session itself is in `session`, the records in `record`.

mod decode;
mod encode;

pub(super) use decode::{
    Delivery, SessionPart, SessionParts, read_delivery, read_entry, read_identifier, read_options,
    read_share_name_bytes, read_will,
};
pub(crate) use encode::{QUEUE_PART_MAX, SessionPlace};
pub(super) use encode::{put_delivery, put_entry, put_share_name_bytes, put_will};

use super::Position;
use crate::{
    ids::{SessionId, ShardId},
    time::Timestamp,
};
use mqtt_codec::{
    QoS,
    flow::Step,
    packet::{PacketId, SubscriptionOptions},
};
use std::collections::VecDeque;

/// All of a session that outlives its connection.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct SessionState {
    /// Its key in the process that wrote the last record of it.
    pub(crate) id: SessionId,
    /// Whose it is.
    pub(crate) client_id: Box<str>,
    /// Seconds it outlives its connection; 4,294,967,295 is for ever.
    pub(crate) expiry_seconds: u32,
    /// Whether its client was there.
    pub(crate) connection: ConnectionState,
    /// What is to be published if the client does not come back in time.
    pub(crate) will: Option<WillState>,
    /// What it subscribed to, sorted by the text of the filters when it comes from recovery.
    pub(crate) subscriptions: Vec<SubscriptionState>,
    /// Inbound QoS 2 identifiers between PUBLISH and PUBREL, sorted when it comes from recovery.
    pub(crate) unreleased: Vec<PacketId>,
    /// Outbound publications not fully acknowledged, in the order first sent, no identifier twice when it
    /// comes from recovery.
    pub(crate) in_flight: Vec<InFlightState>,
    /// What waits behind them, oldest first.
    pub(crate) queue: VecDeque<QueuedState>,
}

/// Whether a session had a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ConnectionState {
    /// It had one; if that is read after a crash, it was lost with the process.
    Connected,
    /// It lost the last one then.
    DisconnectedSince(Timestamp),
}

/// A Will that may still be published.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct WillState {
    /// Where it is published.
    pub(crate) topic: Box<str>,
    /// The properties that are forwarded, raw.
    pub(crate) properties: Box<[u8]>,
    /// What is published.
    pub(crate) payload: Box<[u8]>,
    /// With which QoS.
    pub(crate) qos: QoS,
    /// Whether it becomes retained.
    pub(crate) retain: bool,
    /// Seconds between losing the connection and publishing.
    pub(crate) delay_seconds: u32,
    /// Seconds from then until it expires.
    pub(crate) expiry_seconds: Option<u32>,
}

/// A [`WillState`] that lies elsewhere.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct WillRef<'a> {
    /// Where it is published.
    pub(crate) topic: &'a str,
    /// The properties that are forwarded, raw.
    pub(crate) properties: &'a [u8],
    /// What is published.
    pub(crate) payload: &'a [u8],
    /// With which QoS.
    pub(crate) qos: QoS,
    /// Whether it becomes retained.
    pub(crate) retain: bool,
    /// Seconds between losing the connection and publishing.
    pub(crate) delay_seconds: u32,
    /// Seconds from then until it expires.
    pub(crate) expiry_seconds: Option<u32>,
}

impl WillState {
    /// The same Will as a view.
    pub(crate) fn borrow(&self) -> WillRef<'_> {
        WillRef {
            topic: &self.topic,
            properties: &self.properties,
            payload: &self.payload,
            qos: self.qos,
            retain: self.retain,
            delay_seconds: self.delay_seconds,
            expiry_seconds: self.expiry_seconds,
        }
    }
}

impl WillRef<'_> {
    /// The same Will with bytes of its own.
    pub(crate) fn to_state(self) -> WillState {
        WillState {
            topic: Box::from(self.topic),
            properties: Box::from(self.properties),
            payload: Box::from(self.payload),
            qos: self.qos,
            retain: self.retain,
            delay_seconds: self.delay_seconds,
            expiry_seconds: self.expiry_seconds,
        }
    }
}

/// One subscription.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct SubscriptionState {
    /// The whole text of the filter, share prefix included.
    pub(crate) filter: Box<str>,
    /// As granted.
    pub(crate) options: SubscriptionOptions,
    /// The Subscription Identifier, 0 for none.
    pub(crate) identifier: u32,
    /// Bytes of the ShareName of a shared subscription.
    pub(crate) share_name_bytes: Option<usize>,
    /// Which retained messages it still gets.
    pub(crate) retained: RetainedState,
}

/// Retained messages that are still to be delivered.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) enum RetainedState {
    /// None.
    #[default]
    Nothing,
    /// All that match.
    FromStart,
    /// Those behind a place: a cursor of the retained store, opaque here.
    From(Vec<u8>),
}

/// A publication that the client has not fully acknowledged.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct InFlightState {
    /// Its identifier.
    pub(crate) packet_id: PacketId,
    /// 1 or 2.
    pub(crate) qos: QoS,
    /// How far it has come.
    pub(crate) step: Step,
    /// The message; none once PUBREC has come.
    pub(crate) queued: Option<QueuedState>,
}

/// A message for one session: where it is, and what is the session's own about it. There may be millions.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct QueuedState {
    /// The record of the message.
    pub(crate) position: Position,
    /// The record that put it into the queue: the same one, or a later one. [`Position::NONE`] for what a
    /// checkpoint said, and once recovery is done.
    pub(crate) recorded: Position,
    /// When the message expires.
    pub(crate) expires_at: Timestamp,
    /// What few messages have.
    pub(crate) rest: Option<Box<QueuedRest>>,
    /// What the message counts for against limits: topic, properties and payload.
    pub(crate) bytes: u32,
    /// The shard that wrote the record.
    pub(crate) writer: ShardId,
    /// The QoS it is delivered with: 1 or 2.
    pub(crate) qos: QoS,
    /// The RETAIN flag it is delivered with.
    pub(crate) retain: bool,
}

/// What few messages in a queue have.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct QueuedRest {
    /// The Subscription Identifiers that go with it.
    pub(crate) identifiers: Box<[u32]>,
    /// The filter text of the shared subscription it came by, share prefix included.
    pub(crate) group: Option<Box<str>>,
}

/// What tells messages of one record apart that wait in one queue: as a retained message, by a group, or for the
/// session's own subscriptions.
pub(crate) fn mark_of(qos: QoS, retain: bool, identifiers: &[u32], has_group: bool) -> u32 {
    let identifiers = identifiers.iter().fold(0_u32, |mark, &it| mark.wrapping_mul(31).wrapping_add(it));
    let has_group = if has_group { BY_GROUP } else { 0 };
    u32::from(qos.bits()) | u32::from(retain) << 2 | has_group | (identifiers & 0xFFFF) << 4
}

const BY_GROUP: u32 = 1 << 3;

/// Whether [`mark_of`] was told that a message came by a group.
pub(super) fn is_by_group(mark: u32) -> bool {
    mark & BY_GROUP != 0
}

impl QueuedState {
    /// See [`mark_of`].
    pub(crate) fn mark(&self) -> u32 {
        mark_of(self.qos, self.retain, self.identifiers(), self.group().is_some())
    }

    /// The Subscription Identifiers that go with it.
    pub(crate) fn identifiers(&self) -> &[u32] {
        self.rest.as_ref().map_or(&[], |rest| &rest.identifiers)
    }

    /// The filter text of the shared subscription it came by.
    pub(crate) fn group(&self) -> Option<&str> {
        self.rest.as_ref().and_then(|rest| rest.group.as_deref())
    }
}
