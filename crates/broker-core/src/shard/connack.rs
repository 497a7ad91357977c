//! Owns what CONNACK tells a client: the terms of its connection, what the broker offers, or why it is
//! refused. Who is refused is `connect`'s business.

use super::{Shard, connect::Refused};
use crate::{
    effect::{CloseCause, Effect, Effects, OtherEffect},
    ids::ConnectionId,
};
use mqtt_codec::{
    Borrowed, MAXIMUM_PACKET_BYTES, Packet, Properties, Property, PropertyOwner, ProtocolVersion, QoS,
    ReasonCode, TopicNameRef,
    packet::{ConnAck, Connect},
};
use std::num::{NonZeroU16, NonZeroU32};

/// What was decided about a connection beyond what its CONNECT asked for.
#[derive(Clone, Debug)]
pub(super) struct Terms {
    /// Seconds; 0 is off.
    pub(super) keep_alive_seconds: u16,
    /// Seconds; 4,294,967,295 is for ever.
    pub(super) session_expiry_seconds: u32,
    /// The client's name, where it left that to us.
    pub(super) assigned_client_id: Option<String>,
}

impl Shard {
    /// Decides what the client leaves to us or asks too much of.
    pub(super) fn terms(&mut self, connect: &Connect<Borrowed<'_>>) -> Terms {
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
        let session_expiry_seconds = self.session_expiry_seconds(connect);
        let assigned_client_id = connect.client_id.is_empty().then(|| self.assign_client_id());
        Terms { keep_alive_seconds, session_expiry_seconds, assigned_client_id }
    }

    /// How long a session outlives the connection, in seconds.
    pub(super) fn session_expiry_seconds(&self, connect: &Connect<Borrowed<'_>>) -> u32 {
        let asked = match connect.version {
            ProtocolVersion::V5 => connect.properties.session_expiry_interval().unwrap_or(0),
            ProtocolVersion::V31 | ProtocolVersion::V311 if connect.clean_start => 0,
            ProtocolVersion::V31 | ProtocolVersion::V311 => u32::MAX,
        };
        asked.min(self.node.config.limits.session_expiry_seconds_max)
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

    /// The CONNACK of an accepted connection; without Response Information, or none at all, where the
    /// client would not take it `[MQTT5-3.1.2-24]`.
    pub(super) fn connack(&self, connect: &Connect<Borrowed<'_>>, terms: &Terms) -> Option<ConnAck> {
        let connack = |response_information| {
            let properties = self.connack_properties(connect, terms, response_information);
            ConnAck { session_present: false, reason: ReasonCode::Success, properties }
        };
        let response_information = self.response_information(connect, terms);
        let whole = connack(response_information.as_deref());
        if connect.properties.maximum_packet_size().is_none() {
            return Some(whole);
        }
        [whole, connack(None)].into_iter().find(|connack| encode_within(connect, connack.clone()).is_some())
    }

    /// What differs from what the client asked for or may assume `[MQTT5-3.2.2-9]` `[MQTT5-3.2.2-17]`
    /// `[MQTT5-3.2.2-21]`; no User Property, so that none need be left out `[MQTT5-3.2.2-20]`.
    fn connack_properties(
        &self,
        connect: &Connect<Borrowed<'_>>,
        terms: &Terms,
        response_information: Option<&str>,
    ) -> Properties {
        if !connect.version.has_properties() {
            return Properties::default();
        }
        let (limits, capabilities) = (&self.node.config.limits, &self.node.config.capabilities);
        let asked_expiry = connect.properties.session_expiry_interval().unwrap_or(0);
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
            response_information.map(Property::ResponseInformation),
        ];
        let properties = <Properties>::new(PropertyOwner::ConnAck, properties.into_iter().flatten());
        properties.expect("each is there once and within its range")
    }

    /// Where the client may receive responses, if it asked `[MQTT5-3.1.2-28]`.
    fn response_information(&self, connect: &Connect<Borrowed<'_>>, terms: &Terms) -> Option<String> {
        let prefix = &self.node.config.capabilities.response_information_prefix;
        if prefix.is_empty() || connect.properties.request_response_information() != Some(true) {
            return None;
        }
        let client_id = terms.assigned_client_id.as_deref().unwrap_or(connect.client_id);
        let response_information = format!("{prefix}{client_id}");
        // A client identifier may be what no topic can hold.
        TopicNameRef::new(&response_information).is_ok().then_some(response_information)
    }

    /// Says why not, then closes `[MQTT5-3.1.4-2]` `[MQTT5-3.2.2-7]` `[MQTT311-3.1.3-9]`
    /// `[MQTT311-3.2.2-5]`.
    pub(super) fn refuse_connect(
        &self,
        connection: ConnectionId,
        connect: &Connect<Borrowed<'_>>,
        refused: Refused,
        effects: &mut Effects,
    ) {
        let Refused { reason, text } = refused;
        let explained = <Properties>::new(PropertyOwner::ConnAck, [Property::ReasonString(text)]);
        // A reason string only where it fits [MQTT5-3.2.2-19].
        let connack =
            [explained.unwrap_or_default(), Properties::default()].into_iter().find_map(|properties| {
                encode_within(connect, ConnAck { session_present: false, reason, properties })
            });
        if let Some(bytes) = connack {
            let (frame, ()) = effects.encode(|out| out.extend_from_slice(&bytes));
            effects.push(Effect::Send { connection, frame });
            self.stats.messages_sent.add(1);
        }
        // It has no session: what follows is not processed [MQTT5-3.1.4-6].
        effects.push_other(OtherEffect::Close { connection, cause: CloseCause::Error(reason) });
    }
}

/// The bytes of a CONNACK, if the client takes so many.
fn encode_within(connect: &Connect<Borrowed<'_>>, connack: ConnAck) -> Option<Vec<u8>> {
    let bytes_max = connect.properties.maximum_packet_size().map_or(MAXIMUM_PACKET_BYTES, Into::into);
    let mut bytes = Vec::new();
    let encoded = Packet::ConnAck(connack).encode(connect.version, &mut bytes);
    debug_assert!(encoded.is_ok(), "{encoded:?}");
    (encoded.is_ok() && bytes.len() <= bytes_max as usize).then_some(bytes)
}
