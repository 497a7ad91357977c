//! Owns CONNECT: who may connect, which session it is, what is told in CONNACK. A CONNECT that is no
//! packet is answered by `handshake`.

use super::{Shard, Timer};
use crate::{
    effect::{CloseCause, Effect, Effects},
    ids::{ConnectionId, SessionId},
    session::{Connection, PendingWill},
    subscriptions::Presence,
    time::Timestamp,
};
use mqtt_codec::{
    Borrowed, Packet, Properties, Property, PropertyOwner, ProtocolVersion, QoS, ReasonCode,
    packet::{ConnAck, Connect, Will},
};
use std::{
    num::{NonZeroU16, NonZeroU32},
    sync::atomic::Ordering::Relaxed,
};

/// Why a CONNECT is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Refused {
    reason: ReasonCode,
    text: &'static str,
}

/// What was decided about a connection beyond what its CONNECT asked for.
#[derive(Clone, Debug)]
struct Terms {
    keep_alive_seconds: u16,
    session_expiry_seconds: u32,
    assigned_client_id: Option<String>,
}

impl Shard {
    /// Receives a CONNECT: refuse it, or give it its session and say what holds.
    pub(super) fn connect(
        &mut self,
        connection: ConnectionId,
        connect: &Connect<Borrowed<'_>>,
        now: Timestamp,
        effects: &mut Effects,
    ) {
        self.stats().connects_received.add(1);
        self.stats().messages_received.add(1);
        if let Err(refused) = self.check_connect(connect) {
            return self.refuse_connect(connection, connect, refused, effects);
        }
        let terms = self.terms(connect);
        let client_id = terms.assigned_client_id.as_deref().unwrap_or(connect.client_id);
        let (id, session_present) = match self.session_for(client_id, connect.clean_start, now, effects) {
            Ok(found) => found,
            Err(refused) => return self.refuse_connect(connection, connect, refused, effects),
        };
        self.attach(id, connection, connect, &terms, now);
        let properties = self.connack_properties(connect, &terms);
        // First of all CONNACK [MQTT5-3.2.0-1] [MQTT311-3.2.0-1].
        let connack = ConnAck { session_present, reason: ReasonCode::Success, properties };
        self.send(id, &Packet::ConnAck(connack), effects);
        self.send_waiting(id, now, effects);
    }

    /// Whether a client may connect at all.
    fn check_connect(&self, connect: &Connect<Borrowed<'_>>) -> Result<(), Refused> {
        let refused = |reason, text| Err(Refused { reason, text });
        let limits = &self.node.config.limits;
        if self.node.connections.load(Relaxed) >= limits.connections_max {
            return refused(ReasonCode::QuotaExceeded, "the broker has as many connections as it may");
        }
        // [MQTT311-3.1.3-8]; MQTT 3.1 asks for 1 to 23 characters.
        let nameless = connect.client_id.is_empty();
        match connect.version {
            ProtocolVersion::V31 if nameless => {
                return refused(ReasonCode::ClientIdentifierNotValid, "MQTT 3.1 needs a client identifier");
            }
            ProtocolVersion::V311 if nameless && !connect.clean_start => {
                let text = "an empty client identifier needs Clean Session";
                return refused(ReasonCode::ClientIdentifierNotValid, text);
            }
            ProtocolVersion::V31 | ProtocolVersion::V311 | ProtocolVersion::V5 => {}
        }
        // [MQTT5-4.12.0-1]
        if connect.properties.authentication_method().is_some() {
            let text = "this broker has no enhanced authentication";
            return refused(ReasonCode::BadAuthenticationMethod, text);
        }
        connect.will.as_ref().map_or(Ok(()), |will| self.check_will(will))
    }

    fn check_will(&self, will: &Will<Borrowed<'_>>) -> Result<(), Refused> {
        let capabilities = &self.node.config.capabilities;
        let refused = |reason, text| Err(Refused { reason, text });
        // [MQTT5-3.2.2-12]
        if will.qos > capabilities.maximum_qos {
            return refused(ReasonCode::QoSNotSupported, "the Will QoS is above the Maximum QoS");
        }
        // [MQTT5-3.2.2-13]
        if will.retain && !capabilities.retain_available {
            return refused(
                ReasonCode::RetainNotSupported,
                "the Will asks for RETAIN, which is not available",
            );
        }
        let topic = will.topic.text();
        if !self.allows_topic(topic) || topic.starts_with("$SYS/") || topic == "$SYS" {
            return refused(ReasonCode::TopicNameInvalid, "the Will topic is not allowed");
        }
        Ok(())
    }

    /// Decides what the client leaves to us or asks too much of.
    fn terms(&mut self, connect: &Connect<Borrowed<'_>>) -> Terms {
        let limits = &self.node.config.limits;
        let ceiling = limits.keep_alive_seconds_max;
        let keep_alive_seconds = match (connect.version, connect.keep_alive_seconds) {
            // A client that cannot be told keeps its own.
            (ProtocolVersion::V31 | ProtocolVersion::V311, asked) => asked,
            // Without a ceiling Keep Alive 0 stays off.
            (ProtocolVersion::V5, 0) if ceiling == u16::MAX => 0,
            (ProtocolVersion::V5, 0) => ceiling,
            (ProtocolVersion::V5, asked) => asked.min(ceiling),
        };
        let asked_expiry_seconds = match connect.version {
            ProtocolVersion::V5 => connect.properties.session_expiry_interval().unwrap_or(0),
            ProtocolVersion::V31 | ProtocolVersion::V311 if connect.clean_start => 0,
            ProtocolVersion::V31 | ProtocolVersion::V311 => u32::MAX,
        };
        let session_expiry_seconds = asked_expiry_seconds.min(limits.session_expiry_seconds_max);
        let assigned_client_id = connect.client_id.is_empty().then(|| self.assign_client_id());
        Terms { keep_alive_seconds, session_expiry_seconds, assigned_client_id }
    }

    /// A client identifier nobody has `[MQTT5-3.1.3-6]` `[MQTT5-3.1.3-7]` `[MQTT5-3.2.2-16]`
    /// `[MQTT311-3.1.3-6]`, and one that belongs to this very shard, so that the connection stays.
    fn assign_client_id(&mut self) -> String {
        loop {
            // An odd constant visits every number before it repeats one, without a visible order.
            self.next_client_number = self.next_client_number.wrapping_add(0x9E37_79B9_7F4A_7C15);
            let mixed = self.next_client_number ^ (self.next_client_number >> 31);
            let candidate = format!("auto-{:016X}", mixed.wrapping_mul(0xBF58_476D_1CE4_E5B9));
            if self.node.shard_of(&candidate) == self.id && self.sessions.of_client(&candidate).is_none() {
                return candidate;
            }
        }
    }

    /// The session of a client identifier: continued, or begun `[MQTT5-3.1.2-4]` `[MQTT5-3.1.2-5]`
    /// `[MQTT5-3.1.2-6]` `[MQTT311-3.1.2-4]` `[MQTT311-3.1.2-6]`. Whether it was there before.
    fn session_for(
        &mut self,
        client_id: &str,
        clean_start: bool,
        now: Timestamp,
        effects: &mut Effects,
    ) -> Result<(SessionId, bool), Refused> {
        if let Some(former) = self.sessions.of_client(client_id) {
            self.take_over(former, now, effects);
            // Its connection may have been all that kept it.
            if self.sessions.get(former).is_some() {
                if !clean_start {
                    return Ok((former, true));
                }
                self.end_session(former, now, effects);
            }
        }
        if self.node.sessions.load(Relaxed) >= self.node.config.limits.sessions_max {
            let text = "the broker has as many sessions as it may";
            return Err(Refused { reason: ReasonCode::QuotaExceeded, text });
        }
        self.node.sessions.fetch_add(1, Relaxed);
        self.stats().sessions.add(1);
        Ok((self.sessions.insert(client_id), false))
    }

    /// Another connection of the same client gives way `[MQTT5-3.1.4-3]` `[MQTT311-3.1.4-2]`.
    fn take_over(&mut self, id: SessionId, now: Timestamp, effects: &mut Effects) {
        if self.connection_ref(id).is_some() {
            let reason = ReasonCode::SessionTakenOver;
            self.end_connection(id, reason, None, CloseCause::Error(reason), now, effects);
        }
    }

    /// Puts a connection on a session, and the session under the terms of this CONNECT.
    fn attach(
        &mut self,
        id: SessionId,
        connection_id: ConnectionId,
        connect: &Connect<Borrowed<'_>>,
        terms: &Terms,
        now: Timestamp,
    ) {
        let limits = &self.node.config.limits;
        let mut connection =
            Box::new(Connection::new(connection_id, connect, terms.keep_alive_seconds, limits, now));
        if let Some(at) = connection.silent_at() {
            connection.keep_alive_timer = Some(self.timers.insert(at, Timer::KeepAlive(id, connection_id)));
        }
        let Some(session) = self.sessions.get_mut(id) else { return };
        session.expiry_seconds = terms.session_expiry_seconds;
        // A Will that still waited for its delay is not published after all [MQTT5-3.1.3-9].
        session.will = connect.will.as_ref().map(|will| Box::new(PendingWill::new(will, id)));
        for timer in [session.will_timer.take(), session.expiry_timer.take()].into_iter().flatten() {
            self.timers.cancel(timer);
        }
        session.outbound.sender.reconnect(connection.receive_maximum);
        session.receiver.reconnect(match connect.version {
            ProtocolVersion::V5 => limits.receive_maximum,
            ProtocolVersion::V31 | ProtocolVersion::V311 => limits.inbound_inflight_max_v3,
        });
        session.connection = Some(connection);
        self.sessions.connect(connection_id, id);
        self.node.subscriptions.set_presence(id, Presence::Online);
        self.node.connections.fetch_add(1, Relaxed);
        self.stats().clients_connected.add(1);
    }

    /// What differs from what the client asked for or may assume `[MQTT5-3.2.2-9]` `[MQTT5-3.2.2-17]`
    /// `[MQTT5-3.2.2-21]`.
    fn connack_properties(&self, connect: &Connect<Borrowed<'_>>, terms: &Terms) -> Properties {
        if !connect.version.has_properties() {
            return Properties::default();
        }
        let (limits, capabilities) = (&self.node.config.limits, &self.node.config.capabilities);
        let asked_expiry = connect.properties.session_expiry_interval().unwrap_or(0);
        let response_information = self.response_information(connect, terms);
        let properties = [
            (terms.session_expiry_seconds != asked_expiry)
                .then_some(Property::SessionExpiryInterval(terms.session_expiry_seconds)),
            NonZeroU16::new(limits.receive_maximum)
                .filter(|maximum| maximum.get() < u16::MAX)
                .map(Property::ReceiveMaximum),
            (capabilities.maximum_qos < QoS::ExactlyOnce)
                .then_some(Property::MaximumQoS(capabilities.maximum_qos)),
            (!capabilities.retain_available).then_some(Property::RetainAvailable(false)),
            NonZeroU32::new(limits.packet_bytes_max)
                .filter(|maximum| maximum.get() < mqtt_codec::MAXIMUM_PACKET_BYTES)
                .map(Property::MaximumPacketSize),
            terms.assigned_client_id.as_deref().map(Property::AssignedClientIdentifier),
            (limits.topic_alias_maximum > 0)
                .then_some(Property::TopicAliasMaximum(limits.topic_alias_maximum)),
            (!capabilities.wildcard_subscription_available)
                .then_some(Property::WildcardSubscriptionAvailable(false)),
            (!capabilities.subscription_identifier_available)
                .then_some(Property::SubscriptionIdentifierAvailable(false)),
            (!capabilities.shared_subscription_available)
                .then_some(Property::SharedSubscriptionAvailable(false)),
            (terms.keep_alive_seconds != connect.keep_alive_seconds)
                .then_some(Property::ServerKeepAlive(terms.keep_alive_seconds)),
            response_information.as_deref().map(Property::ResponseInformation),
        ];
        <Properties>::new(PropertyOwner::ConnAck, properties.into_iter().flatten()).unwrap_or_default()
    }

    /// Where the client may receive responses, if it asked `[MQTT5-3.1.2-28]`.
    fn response_information(&self, connect: &Connect<Borrowed<'_>>, terms: &Terms) -> Option<String> {
        let prefix = &self.node.config.capabilities.response_information_prefix;
        if prefix.is_empty() || connect.properties.request_response_information() != Some(true) {
            return None;
        }
        let client_id = terms.assigned_client_id.as_deref().unwrap_or(connect.client_id);
        Some(format!("{prefix}{client_id}"))
    }

    /// Says why not, then closes `[MQTT5-3.1.4-2]` `[MQTT5-3.2.2-7]` `[MQTT311-3.2.2-5]`.
    fn refuse_connect(
        &self,
        connection: ConnectionId,
        connect: &Connect<Borrowed<'_>>,
        refused: Refused,
        effects: &mut Effects,
    ) {
        let Refused { reason, text } = refused;
        // A reason string only where it fits [MQTT5-3.2.2-19].
        const HEADER_BYTES: usize = 12;
        let maximum = connect.properties.maximum_packet_size().map_or(usize::MAX, |it| it.get() as usize);
        let text = (text.len() + HEADER_BYTES <= maximum).then_some(Property::ReasonString(text));
        let properties = <Properties>::new(PropertyOwner::ConnAck, text).unwrap_or_default();
        let connack: Packet = Packet::ConnAck(ConnAck { session_present: false, reason, properties });
        let (frame, encoded) = effects.encode(|out| connack.encode(connect.version, out));
        debug_assert!(encoded.is_ok(), "{connack:?}: {encoded:?}");
        effects.push(Effect::Send { connection, frame });
        effects.push(Effect::Close { connection, cause: CloseCause::Error(reason) });
        self.stats().messages_sent.add(1);
    }
}
