//! Owns what is true of one session. When it begins and ends is in `sessions`.

use super::{
    CopyId, GroupKey, PublicationId, RetainedDelivery, SendId,
    durable::{Core, Memento},
    held::Held,
    identifiers::Unnamed,
};
use crate::observation::MessageKey;
use broker_core::{ConnectionId, ShardId};
use bytes::Bytes;
use mqtt_codec::{PacketType, QoS};
use std::collections::{BTreeMap, BTreeSet};

/// A place in [`Truth::sessions`](super::Truth::sessions).
pub(crate) type SessionKey = usize;

/// One session, from its first CONNECT to its end.
#[derive(Debug)]
pub(crate) struct Session {
    pub client_id: String,
    pub shard: ShardId,
    /// None while it is offline.
    pub connection: Option<ConnectionId>,
    pub has_ended: bool,
    /// Seconds it outlives its connection.
    pub expiry_seconds: u32,
    /// When it ends unless the client comes back.
    pub ends_at_ms: Option<u64>,
    pub will: Option<Will>,
    /// When its Will is published unless the client comes back.
    pub will_due_ms: Option<u64>,
    /// Its own subscriptions, by filter.
    pub subscriptions: BTreeMap<String, Subscription>,
    /// The groups it is a member of.
    pub groups: BTreeSet<GroupKey>,
    /// QoS 2 identifiers of the client between PUBLISH and PUBREL.
    pub unreleased: BTreeSet<u16>,
    /// Copies that were never sent, in the order of their publication.
    pub waiting: Vec<CopyId>,
    /// What was sent and not fully acknowledged.
    pub in_flight: BTreeMap<u16, InFlight>,
    /// Retained messages for new subscriptions.
    pub retained: Vec<RetainedDelivery>,
    /// The smallest of the largest packets its connections allowed.
    pub packet_bytes_max: u32,
    /// Whether it is recorded: it was begun as one that outlives its connection.
    pub is_durable: bool,
    /// Whether it was recovered after a crash, so that what it is sent may have been on its way before.
    pub was_restored: bool,
    /// The publications that the identifiers in `unreleased` are of.
    pub(super) receipts: BTreeMap<u16, PublicationId>,
    /// The steps that took identifiers out of `unreleased`.
    pub(super) released: BTreeMap<u16, u64>,
    /// Identifiers that the journal knew to be used and not for what.
    pub(super) unnamed: Vec<Unnamed>,
    /// What is in flight by the books and was not sent.
    pub(super) held: Vec<Held>,
    /// Whether something has happened to it that the journal was not told.
    pub(super) is_touched: bool,
    /// The last step of which something was acknowledged, and by what.
    pub(super) promised: Option<(u64, PacketType)>,
    /// How it was when its Will had just been published, and the step of that, until the journal is told.
    pub(super) without_will: Option<(u64, Core)>,
    /// How it was, at every moment that a crash may take it back to.
    pub(super) mementos: Vec<Memento>,
    /// The last publication sent of each stream.
    pub(super) last_sent: BTreeMap<Stream, PublicationId>,
}

/// Messages of one publisher, topic and QoS, which stay in order.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Stream {
    pub(super) publisher: String,
    pub(super) topic: String,
    pub(super) qos: QoS,
}

/// The options of a subscription.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Subscription {
    pub qos: QoS,
    pub no_local: bool,
    pub retain_as_published: bool,
    /// 0 for none.
    pub identifier: u32,
    /// The step that made it so.
    pub(super) step: u64,
}

impl Subscription {
    /// What a message tells of it.
    pub(super) fn identifiers(&self) -> Vec<u32> {
        (self.identifier != 0).then_some(self.identifier).into_iter().collect()
    }
}

/// A Will that may still be published.
#[derive(Clone, Debug)]
pub(crate) struct Will {
    pub topic: String,
    pub payload: Bytes,
    pub qos: QoS,
    pub retain: bool,
    pub delay_seconds: u32,
    pub expiry_seconds: Option<u32>,
    /// The properties to be forwarded.
    pub properties: Bytes,
}

/// A message that the client has not fully acknowledged.
#[derive(Clone, Debug)]
pub(crate) struct InFlight {
    pub key: MessageKey,
    pub qos: QoS,
    pub source: SendId,
    pub progress: Progress,
    /// The step of its PUBREC.
    pub(super) received_step: u64,
    /// Whether a crash may have made the broker forget it.
    pub is_doubtful: bool,
    /// The connection it was sent on last.
    pub connection: ConnectionId,
}

/// How far the client's acknowledgement has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Progress {
    Published,
    Received,
    Done,
}

/// What becomes of a Will when its connection ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fate {
    Publish,
    Discard,
}

impl Session {
    pub(super) fn new(client_id: &str, shard: ShardId) -> Self {
        Self {
            client_id: client_id.to_owned(),
            shard,
            connection: None,
            has_ended: false,
            expiry_seconds: 0,
            ends_at_ms: None,
            will: None,
            will_due_ms: None,
            subscriptions: BTreeMap::new(),
            groups: BTreeSet::new(),
            unreleased: BTreeSet::new(),
            waiting: Vec::new(),
            in_flight: BTreeMap::new(),
            retained: Vec::new(),
            packet_bytes_max: u32::MAX,
            is_durable: false,
            was_restored: false,
            receipts: BTreeMap::new(),
            released: BTreeMap::new(),
            unnamed: Vec::new(),
            held: Vec::new(),
            is_touched: false,
            promised: None,
            without_will: None,
            mementos: Vec::new(),
            last_sent: BTreeMap::new(),
        }
    }
}
