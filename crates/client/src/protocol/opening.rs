//! Owns the way from a transport connection to an accepted one: CONNECT, CONNACK, and what becomes of the session.

use super::{Effect, Effects, Phase, Protocol, Tickets, keep_alive::KeepAlive};
use crate::{
    error::{ConnectionError, ServerViolation},
    event::Connected,
    options::{Options, SessionStart},
};
use mqtt_codec::{
    MAXIMUM_PACKET_BYTES, Packet, ProtocolVersion, QoS,
    flow::{InboundAliases, OutboundAliases, Receiver},
    packet::ConnAck,
};
use std::{
    num::{NonZeroU16, NonZeroU32},
    sync::Arc,
    time::Instant,
};

impl<T: Tickets> Protocol<T> {
    /// The first packet of a connection is CONNECT `[MQTT5-3.1.0-1]` `[MQTT311-3.1.0-1]`.
    pub(super) fn opened(&mut self, now: Instant, effects: &mut Effects<T>) {
        let start = if self.connected.is_some() { SessionStart::Resume } else { SessionStart::First };
        let connect = match self.options.connect(start, &self.client_id) {
            Ok(connect) => connect,
            Err(error) => return self.close(ConnectionError::Options(error), effects),
        };
        let clean_start = connect.clean_start;
        let packet = Packet::Connect(connect);
        let version = self.options.version;
        match effects.try_send(MAXIMUM_PACKET_BYTES, |output| packet.encode(version, output)) {
            Ok(()) => {
                self.phase = Phase::Connecting { deadline: now + self.options.connect_timeout, clean_start };
            }
            Err(super::effect::NotSent::Encode(error)) => {
                self.close(ConnectionError::Options(error), effects);
            }
            Err(super::effect::NotSent::TooLarge { .. }) => {
                let error = mqtt_codec::EncodeError::PacketTooLarge;
                self.close(ConnectionError::Options(error), effects);
            }
        }
    }

    /// CONNACK was received, for the first time on this connection.
    pub(super) fn answered(
        &mut self,
        connack: ConnAck,
        clean_start: bool,
        now: Instant,
        effects: &mut Effects<T>,
    ) {
        if connack.reason.is_error() {
            let (reason, properties) = (connack.reason, connack.properties);
            return self.close(ConnectionError::Refused { reason, properties }, effects);
        }
        // [MQTT5-3.2.2-4]: after a clean start there is no session that could be present. Without one, whoever set
        // the options knows of a session, of an earlier process perhaps.
        if connack.session_present && clean_start {
            return self.violated(ServerViolation::SessionPresentAfterCleanStart, effects);
        }
        let session_present = connack.session_present;
        let connected = Arc::new(connected(connack, &self.options, &self.client_id));
        self.client_id.clone_from(&connected.client_id);
        self.phase = Phase::Connected;
        self.progress_at = Some(now);
        // [MQTT5-3.2.2-21] [MQTT5-3.1.2-21]
        self.keep_alive = KeepAlive::start(connected.keep_alive_seconds, self.options.ping_timeout, now);
        self.inbound_aliases = InboundAliases::new(self.options.topic_alias_maximum);
        // [MQTT5-3.2.2-17] [MQTT5-3.2.2-18]
        let aliases = self.options.outbound_topic_alias_maximum.min(connected.topic_alias_maximum);
        self.outbound.aliases = OutboundAliases::new(aliases);
        self.connected = Some(Arc::clone(&connected));
        // Told before what the session then brings about.
        effects.push(Effect::Connected(connected));
        if session_present {
            self.resume(effects);
        } else if self.options.version == ProtocolVersion::V31 && !clean_start {
            self.assume_session(effects);
        } else {
            self.start_over(effects);
        }
    }

    /// The server continues the session `[MQTT5-4.4.0-1]` `[MQTT311-4.4.0-1]`.
    fn resume(&mut self, effects: &mut Effects<T>) {
        let window = self.send_window();
        self.outbound.resume(window, self.packet_bytes_max(), self.options.version, effects);
        self.receiver.reconnect(self.announced_receive_maximum());
        for packet_id in self.receipts.resume() {
            self.receiver.refused(packet_id);
        }
        self.subscribing.resend_unanswered();
    }

    /// MQTT 3.1 has no Session Present: a session that was asked for is taken to go on, so that QoS 2 stays exactly
    /// once, and is subscribed to again in case it does not.
    fn assume_session(&mut self, effects: &mut Effects<T>) {
        self.resume(effects);
        self.subscribing.resubscribe(self.subscriptions.keys());
    }

    /// The server has no session: ours is discarded `[MQTT5-3.2.2-5]`, and what callers still want begins anew.
    fn start_over(&mut self, effects: &mut Effects<T>) {
        let window = self.send_window();
        self.outbound.start_over(window, effects);
        self.receiver = Receiver::new(self.announced_receive_maximum());
        self.receipts.clear();
        self.subscriptions.forget_dropped();
        self.subscribing.resend_unanswered();
        self.subscribing.resubscribe(self.subscriptions.keys());
    }

    /// The send quota does not exceed the server's Receive Maximum `[MQTT5-4.9.0-1]`.
    fn send_window(&self) -> u16 {
        let own = self.options.send_maximum;
        match self.options.version {
            ProtocolVersion::V5 => {
                let announced =
                    self.connected.as_ref().map_or(u16::MAX, |connected| connected.receive_maximum);
                own.get().min(announced)
            }
            ProtocolVersion::V31 | ProtocolVersion::V311 if own == NonZeroU16::MAX => {
                SEND_MAXIMUM_UNANNOUNCED
            }
            ProtocolVersion::V31 | ProtocolVersion::V311 => own.get(),
        }
    }

    /// 3.x announces nothing that a server could exceed.
    fn announced_receive_maximum(&self) -> u16 {
        match self.options.version {
            ProtocolVersion::V5 => self.options.receive_maximum.get(),
            ProtocolVersion::V31 | ProtocolVersion::V311 => u16::MAX,
        }
    }

    /// The largest packet the server takes.
    pub(super) fn packet_bytes_max(&self) -> u32 {
        self.connected.as_ref().map_or(MAXIMUM_PACKET_BYTES, |connected| connected.maximum_packet_size)
    }
}

/// What mosquitto allows a client of 3.x at QoS 2 before it closes the connection.
const SEND_MAXIMUM_UNANNOUNCED: u16 = 20;

/// What a CONNACK says, with the specification's defaults for what it leaves out.
fn connected(connack: ConnAck, options: &Options, client_id: &str) -> Connected {
    let properties = connack.properties;
    let is_available = |answer: Option<bool>| answer.unwrap_or(true);
    let is_v5 = options.version.has_properties();
    Connected {
        session_present: connack.session_present,
        client_id: properties.assigned_client_identifier().unwrap_or(client_id).to_owned(),
        keep_alive_seconds: properties.server_keep_alive().unwrap_or(options.keep_alive_seconds),
        session_expiry_interval: match properties.session_expiry_interval() {
            Some(seconds) => seconds,
            None if is_v5 => options.session_expiry_interval,
            None => 0,
        },
        receive_maximum: properties.receive_maximum().map_or(u16::MAX, NonZeroU16::get),
        maximum_qos: properties.maximum_qos().unwrap_or(QoS::ExactlyOnce),
        retain_available: is_available(properties.retain_available()),
        maximum_packet_size: properties.maximum_packet_size().map_or(MAXIMUM_PACKET_BYTES, NonZeroU32::get),
        topic_alias_maximum: properties.topic_alias_maximum().unwrap_or(0),
        wildcard_subscription_available: is_available(properties.wildcard_subscription_available()),
        subscription_identifier_available: is_v5
            && is_available(properties.subscription_identifier_available()),
        shared_subscription_available: is_available(properties.shared_subscription_available()),
        properties,
    }
}
