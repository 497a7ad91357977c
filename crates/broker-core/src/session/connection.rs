//! Owns what lasts as long as one network connection: what the client allows, aliases, keep alive.

use super::Route;
use crate::{config::Limits, ids::ConnectionId, time::Timestamp, timers::TimerHandle};
use mqtt_codec::{
    Borrowed, MAXIMUM_PACKET_BYTES, ProtocolVersion,
    flow::{InboundAliases, OutboundAliases},
    packet::Connect,
};

/// The client's end of a session.
#[derive(Debug)]
pub(crate) struct Connection {
    /// Its key.
    pub(crate) id: ConnectionId,
    /// What is spoken on it.
    pub(crate) version: ProtocolVersion,
    /// QoS 1 and 2 publications the client takes at once `[MQTT5-3.3.4-9]`.
    pub(crate) receive_maximum: u16,
    /// The largest packet the client takes `[MQTT5-3.1.2-24]`.
    pub(crate) packet_bytes_max: u32,
    /// Aliases the client defines.
    pub(crate) inbound_aliases: InboundAliases,
    /// Aliases we define.
    pub(crate) outbound_aliases: OutboundAliases,
    /// Whether reason strings and user properties may go on any packet `[MQTT5-3.1.2-29]`.
    pub(crate) problem_information: bool,
    /// Milliseconds of silence after which the client is gone; 0 for any.
    pub(crate) silence_ms_max: u32,
    /// When the client was last heard.
    pub(crate) last_received: Timestamp,
    /// When silence is looked at next.
    pub(crate) keep_alive_timer: Option<TimerHandle>,
    /// Whether the outbox is full: QoS 0 is dropped, QoS 1 and 2 wait.
    pub(crate) is_congested: bool,
    /// Where the client's last message went, if it published one.
    pub(crate) route: Option<Box<Route>>,
    /// Acknowledgements that wait for the disk: those behind them wait as well.
    pub(crate) awaiting_disk: u32,
    /// What is to be sent behind CONNACK, while that waits for the disk: seldom, and not for long.
    #[allow(clippy::box_collection, reason = "a connection is to be small")]
    pub(crate) behind_connack: Option<Box<Vec<u8>>>,
}

impl Connection {
    /// The connection that a CONNECT opens. `keep_alive_seconds` is what holds, whoever decided it
    /// `[MQTT5-3.2.2-22]`.
    pub(crate) fn new(
        id: ConnectionId,
        connect: &Connect<Borrowed<'_>>,
        keep_alive_seconds: u16,
        limits: &Limits,
        now: Timestamp,
    ) -> Self {
        let properties = &connect.properties;
        let client_aliases = properties.topic_alias_maximum().unwrap_or(0);
        let receive_maximum = properties.receive_maximum().map_or(u16::MAX, Into::into);
        Self {
            id,
            version: connect.version,
            receive_maximum: receive_maximum.min(limits.inflight_max),
            packet_bytes_max: properties.maximum_packet_size().map_or(MAXIMUM_PACKET_BYTES, Into::into),
            inbound_aliases: InboundAliases::new(limits.topic_alias_maximum),
            outbound_aliases: OutboundAliases::new(client_aliases.min(limits.topic_alias_outbound_max)),
            problem_information: properties.request_problem_information().unwrap_or(true),
            // One and a half times the Keep Alive [MQTT5-3.1.2-22] [MQTT311-3.1.2-24].
            silence_ms_max: u32::from(keep_alive_seconds) * 1500,
            last_received: now,
            keep_alive_timer: None,
            is_congested: false,
            route: None,
            awaiting_disk: 0,
            behind_connack: None,
        }
    }

    /// When the client counts as gone unless it is heard before.
    pub(crate) fn silent_at(&self) -> Option<Timestamp> {
        (self.silence_ms_max > 0).then(|| self.last_received.plus_millis(self.silence_ms_max.into()))
    }
}
