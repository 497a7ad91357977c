//! Owns a PUBLISH that only one receiver gets: its own properties, its own alias, a large payload by
//! reference. What all receivers share is `outgoing`'s business.

use super::{Addressing, Outgoing, Sent, Tail};
use crate::{
    effect::{Effect, Effects, OtherEffect},
    session::Connection,
    time::Timestamp,
};
use bytes::Bytes;
use mqtt_codec::{Property, flow::OutboundAlias};
use std::num::NonZeroU32;

impl<'a> Outgoing<'a> {
    /// Encodes for one receiver alone.
    #[inline(never)]
    pub(super) fn send_individually(
        &mut self,
        connection: &mut Connection,
        addressing: Addressing<'_>,
        now: Timestamp,
        effects: &mut Effects,
    ) -> Sent {
        let mut properties = effects.take_scratch();
        let sent = self.encode_individually(connection, addressing, &mut properties, now, effects);
        effects.put_scratch(properties);
        sent
    }

    /// `first_properties` is an empty buffer.
    fn encode_individually(
        &mut self,
        connection: &mut Connection,
        addressing: Addressing<'_>,
        first_properties: &mut Vec<u8>,
        now: Timestamp,
        effects: &mut Effects,
    ) -> Sent {
        let tail = self.tail(connection.version);
        if connection.version.has_properties() {
            self.put_own_properties(addressing, now, first_properties);
        }
        let parts = self.parts(addressing, self.message.topic.text(), first_properties);
        let size = parts.encoded_len(connection.version).unwrap_or(usize::MAX);
        if size > connection.packet_bytes_max as usize {
            return Sent::TooLarge;
        }
        let topic = self.choose_alias(connection, size, first_properties);
        let (version, id) = (connection.version, connection.id);
        let parts = self.parts(addressing, topic, first_properties);
        if tail == Tail::Nothing {
            let (frame, _) = effects.encode(|out| parts.encode(version, out).is_ok());
            effects.push(Effect::Send { connection: id, frame });
            return Sent::Yes;
        }
        let shared_properties = if tail == Tail::PropertiesAndPayload { parts.properties.len() } else { 0 };
        let (frame, _) = effects.encode(|out| {
            let encoded = parts.encode_head(version, out).is_ok();
            // They come last in the head, and again with the payload.
            out.truncate(out.len() - shared_properties);
            encoded
        });
        let payload = self.shared_tail(tail);
        effects.push_other(OtherEffect::SendShared { connection: id, frame, payload });
        Sent::Yes
    }

    /// The properties that differ from receiver to receiver and moment to moment.
    fn put_own_properties(&self, addressing: Addressing<'_>, now: Timestamp, out: &mut Vec<u8>) {
        if self.message.expires_at != Timestamp::NEVER {
            // What is left of the interval [MQTT5-3.3.2-6].
            let seconds = self.message.expires_at.seconds_left(now);
            put(Property::MessageExpiryInterval(seconds), out);
        }
        for &identifier in addressing.identifiers {
            // [MQTT5-3.3.4-3] [MQTT5-3.3.4-4] [MQTT5-3.3.4-5]
            let identifier = NonZeroU32::new(identifier).expect("0 stands for none and is not listed");
            put(Property::SubscriptionIdentifier(identifier), out);
        }
    }

    /// The topic as it goes on the wire: replaced by an alias where the client allows one
    /// `[MQTT5-3.1.2-26]` `[MQTT5-3.1.2-27]`.
    fn choose_alias(&self, connection: &mut Connection, size: usize, properties: &mut Vec<u8>) -> &'a str {
        // Its own three, and one more where it makes either of the two lengths before it longer.
        const ALIAS_BYTES_MAX: usize = 5;
        let topic = self.message.topic.text();
        // Where the alias' own bytes might not fit any more, the topic goes without.
        let fits = size + ALIAS_BYTES_MAX <= connection.packet_bytes_max as usize;
        if !connection.version.has_properties() || !connection.outbound_aliases.is_enabled() || !fits {
            return topic;
        }
        match connection.outbound_aliases.choose(topic) {
            OutboundAlias::None => topic,
            OutboundAlias::Define(alias) => {
                put(Property::TopicAlias(alias), properties);
                topic
            }
            OutboundAlias::Use(alias) => {
                put(Property::TopicAlias(alias), properties);
                ""
            }
        }
    }

    fn shared_tail(&mut self, tail: Tail) -> Bytes {
        let message = self.shared.get_or_insert_with(|| self.message.share());
        match tail {
            Tail::Nothing => Bytes::new(),
            Tail::Payload => message.payload(),
            Tail::PropertiesAndPayload => message.properties_and_payload(),
        }
    }
}

fn put(property: Property<'_>, out: &mut Vec<u8>) {
    property.encode(out).expect("numbers within their ranges can be encoded");
}
