//! Owns how packets that carry no message reach a client: within what it takes, with a text for people
//! where it wants one. What they say is decided elsewhere.

use super::Shard;
use crate::{
    effect::{CloseCause, Effect, Effects},
    ids::SessionId,
    outgoing::Sent,
    time::Timestamp,
};
use mqtt_codec::{
    EncodeError, Packet, PacketType, Properties, Property, PropertyOwner, ProtocolVersion, ReasonCode,
    Storage, packet::Ack,
};

impl Shard {
    /// Writes a packet to a session's connection, unless it is larger than the client takes
    /// `[MQTT5-3.1.2-24]`.
    pub(super) fn send(&mut self, id: SessionId, packet: &Packet, effects: &mut Effects) -> Sent {
        self.send_encoded(id, |version, out| packet.encode(version, out), effects)
    }

    /// Writes one of the four acknowledgements, as [`send`](Self::send) does.
    #[inline(always)]
    pub(super) fn send_ack<S: Storage>(
        &mut self,
        id: SessionId,
        kind: PacketType,
        ack: &Ack<S>,
        effects: &mut Effects,
    ) -> Sent {
        self.send_encoded(id, |version, out| ack.encode(kind, version, out), effects)
    }

    #[inline(always)]
    fn send_encoded(
        &mut self,
        id: SessionId,
        encode: impl FnOnce(ProtocolVersion, &mut Vec<u8>) -> Result<(), EncodeError>,
        effects: &mut Effects,
    ) -> Sent {
        let Some(connection) = self.sessions.get_mut(id).and_then(|it| it.connection.as_deref_mut()) else {
            return Sent::Yes;
        };
        let (frame, encoded) = effects.encode(|out| encode(connection.version, out));
        // What the broker says is within its own limits; a packet that is not would be our fault.
        debug_assert!(encoded.is_ok(), "{encoded:?}");
        if frame.len() > connection.packet_bytes_max as usize || encoded.is_err() {
            return Sent::TooLarge;
        }
        match &mut connection.behind_connack {
            None => effects.push(Effect::Send { connection: connection.id, frame }),
            Some(behind) => behind.extend_from_slice(effects.bytes(frame)),
        }
        self.stats.messages_sent.add(1);
        Sent::Yes
    }

    /// Writes a packet with a Reason String, or without where the client wants none `[MQTT5-3.1.2-29]` or
    /// it does not fit `[MQTT5-3.4.2-2]` `[MQTT5-3.5.2-2]` `[MQTT5-3.9.2-1]` `[MQTT5-3.14.2-3]`. There is
    /// never a User Property that might not fit `[MQTT5-3.4.2-3]` `[MQTT5-3.5.2-3]` `[MQTT5-3.9.2-2]`
    /// `[MQTT5-3.14.2-4]`.
    pub(super) fn send_explained(
        &mut self,
        id: SessionId,
        owner: PropertyOwner,
        text: &str,
        packet: impl Fn(Properties) -> Packet,
        effects: &mut Effects,
    ) -> Sent {
        let Some(connection) = self.connection_ref(id) else { return Sent::Yes };
        let is_wanted = connection.problem_information || owner == PropertyOwner::Disconnect;
        if is_wanted && connection.version.has_properties() {
            let properties = <Properties>::new(owner, [Property::ReasonString(text)]).unwrap_or_default();
            if self.send(id, &packet(properties), effects) == Sent::Yes {
                return Sent::Yes;
            }
        }
        self.send(id, &packet(Properties::default()), effects)
    }

    /// Ends the connection of a client whose answer is larger than it takes: it would wait for ever.
    pub(super) fn unanswerable(&mut self, id: SessionId, now: Timestamp, effects: &mut Effects) {
        let text = "the answer is larger than the client's Maximum Packet Size";
        self.break_off(id, ReasonCode::PacketTooLarge, text, now, effects);
    }

    /// Ends a connection because of what the client did.
    pub(super) fn break_off(
        &mut self,
        id: SessionId,
        reason: ReasonCode,
        text: &str,
        now: Timestamp,
        effects: &mut Effects,
    ) {
        self.end_connection(id, reason, text, CloseCause::Error(reason), now, effects);
    }
}
