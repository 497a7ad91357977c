//! Owns what is true of one network connection. Its session is `session`'s business.

use super::{PublicationId, SendId, SessionKey};
use mqtt_codec::{ProtocolVersion, packet::Connect};
use std::collections::{BTreeMap, VecDeque};

/// A connection whose CONNECT was received.
#[derive(Debug)]
pub(crate) struct Connection {
    pub session: SessionKey,
    pub version: ProtocolVersion,
    /// What CONNACK has to say about the session.
    pub session_present: bool,
    /// QoS 1 and 2 publications that the client takes at once.
    pub receive_maximum: u16,
    /// The largest packet that the client takes.
    pub packet_bytes_max: u32,
    /// Aliases that the client allows.
    pub topic_alias_maximum: u16,
    /// What holds, whoever decided it; 0 for none.
    pub keep_alive_seconds: u16,
    pub last_received_ms: u64,
    pub is_congested: bool,
    /// Whether CONNACK was sent.
    pub is_accepted: bool,
    /// Whether CONNACK promises something: a session, or how long it lasts.
    pub(super) is_promised: bool,
    /// The step of its CONNECT.
    pub step: u64,
    /// Whether the broker still counts on it.
    pub is_open: bool,
    /// Whether another connection of the client took its session.
    pub is_taken_over: bool,
    /// SUBSCRIBE and UNSUBSCRIBE that were not answered.
    pub requests: BTreeMap<u16, Request>,
    /// The client's publications by their identifiers.
    pub published: BTreeMap<u16, PublicationId>,
    /// Aliases that the client defined.
    pub(super) inbound_aliases: BTreeMap<u16, String>,
    /// Aliases that the broker defined.
    pub(super) outbound_aliases: BTreeMap<u16, String>,
    /// What was sent at QoS 1 and 2, by identifier.
    pub(super) sent: BTreeMap<u16, SendId>,
    /// What was sent at QoS 0 and is still on its way.
    pub(super) sent_at_most_once: VecDeque<SendId>,
}

/// A request that awaits its answer.
#[derive(Clone, Debug)]
pub(crate) enum Request {
    Subscribe { step: u64 },
    Unsubscribe { step: u64 },
}

impl Connection {
    pub(super) fn new(connect: &Connect, session: SessionKey, inflight_max: u16, now_ms: u64) -> Self {
        let properties = &connect.properties;
        let receive_maximum = properties.receive_maximum().map_or(u16::MAX, Into::into);
        Self {
            session,
            version: connect.version,
            session_present: false,
            receive_maximum: receive_maximum.min(inflight_max),
            packet_bytes_max: properties.maximum_packet_size().map_or(u32::MAX, Into::into),
            topic_alias_maximum: properties.topic_alias_maximum().unwrap_or(0),
            keep_alive_seconds: connect.keep_alive_seconds,
            last_received_ms: now_ms,
            is_congested: false,
            is_accepted: false,
            is_promised: false,
            step: 0,
            is_open: true,
            is_taken_over: false,
            requests: BTreeMap::new(),
            published: BTreeMap::new(),
            inbound_aliases: BTreeMap::new(),
            outbound_aliases: BTreeMap::new(),
            sent: BTreeMap::new(),
            sent_at_most_once: VecDeque::new(),
        }
    }
}
