//! Owns publications on their way to the server: the queue, the limits the server announced, and the outcomes. The
//! handshakes themselves are the codec's `flow`.

mod flight;
mod parts;

pub(super) use flight::Outbound;

use super::{Effect, Effects, Protocol, Tickets, effect::NotSent};
use crate::{
    error::{PublishError, ServerViolation},
    message::Message,
};
use flight::{Accepted, Flight, Outgoing, complete, release};
use mqtt_codec::{
    Packet, PacketId, PacketType, QoS, ReasonCode,
    flow::{InFlight, OutboundAlias, Progress, Resend},
    packet::{Ack, Delivery},
};
use parts::{
    Attempt, alias_property, delivery, fits_with_alias, parts, unsupported, without_connection_properties,
};

impl<T: Tickets> Protocol<T> {
    /// A caller publishes: it is queued behind the others.
    pub(super) fn publish(&mut self, message: Message, ticket: T::Publish, effects: &mut Effects<T>) {
        match without_connection_properties(message, self.options.version) {
            Ok(message) => self.outbound.queue.push_back(Outgoing { message, ticket }),
            Err(error) => effects.push(Effect::Published(ticket, Err(error))),
        }
    }

    /// Sends what may be sent: first again what a lost connection left over, then from the queue.
    pub(super) fn send_publications(&mut self, effects: &mut Effects<T>) {
        while effects.has_room() && self.resend_one(effects) {}
        while effects.has_room() && self.send_one(effects) {}
    }

    fn resend_one(&mut self, effects: &mut Effects<T>) -> bool {
        let version = self.options.version;
        match self.outbound.sender.next_resend() {
            None => false,
            Some(Resend::PubRel(packet_id)) => {
                effects.send(&Packet::PubRel(Ack::new(packet_id, ReasonCode::Success)), version);
                true
            }
            // DUP, and the same Packet Identifier [MQTT5-3.3.1-1] [MQTT311-3.3.1-1]; without an alias, since those
            // of the old connection are void.
            Some(Resend::Publish(InFlight { packet_id, qos, message: flight, .. })) => {
                if let Some(message) = &flight.message {
                    let delivery = delivery(*qos, *packet_id, Attempt::Again);
                    let sent = effects.try_send(u32::MAX, |output| {
                        parts(message, delivery, OutboundAlias::None, &[]).encode(version, output).map(drop)
                    });
                    debug_assert_eq!(sent, Ok(()), "it was sent before");
                }
                true
            }
        }
    }

    /// Sends the first of the queue; false if there is none or it has to wait.
    fn send_one(&mut self, effects: &mut Effects<T>) -> bool {
        let Some(Outgoing { message, .. }) = self.outbound.queue.front() else { return false };
        if let Some(error) = self.connected.as_deref().and_then(|server| unsupported(message, server)) {
            return self.give_up_one(error, effects);
        }
        match message.qos {
            QoS::AtMostOnce => self.send_at_most_once(effects),
            qos @ (QoS::AtLeastOnce | QoS::ExactlyOnce) => self.send_acknowledged(qos, effects),
        }
    }

    fn send_at_most_once(&mut self, effects: &mut Effects<T>) -> bool {
        if let Err(error) = self.encode_front(Delivery::AtMostOnce, effects) {
            return self.give_up_one(error, effects);
        }
        if let Some(Outgoing { ticket, .. }) = self.outbound.queue.pop_front() {
            let position = effects.position();
            effects.push(Effect::Written(ticket, position));
        }
        true
    }

    /// Within the server's Receive Maximum `[MQTT5-3.3.4-7]` `[MQTT5-4.9.0-2]`, under a free identifier and without
    /// DUP `[MQTT311-4.3.2-1]`.
    fn send_acknowledged(&mut self, qos: QoS, effects: &mut Effects<T>) -> bool {
        if !self.outbound.sender.has_room() {
            return false;
        }
        let Some(packet_id) = self.allocate_packet_id() else { return false };
        if let Err(error) = self.encode_front(delivery(qos, packet_id, Attempt::First), effects) {
            return self.give_up_one(error, effects);
        }
        if let Some(Outgoing { message, ticket }) = self.outbound.queue.pop_front() {
            self.outbound.sender.send(
                packet_id,
                qos,
                Flight { message: Some(message), ticket, accepted: None },
            );
        }
        true
    }

    fn encode_front(&mut self, delivery: Delivery, effects: &mut Effects<T>) -> Result<(), PublishError> {
        let (version, packet_bytes_max) = (self.options.version, self.packet_bytes_max());
        let Outbound { queue, aliases, .. } = &mut self.outbound;
        let Some(Outgoing { message, .. }) = queue.front() else { return Ok(()) };
        // An alias is defined only by a packet that is sent: the limit is asked before.
        let alias = if aliases.is_enabled() && fits_with_alias(message, delivery, packet_bytes_max)? {
            aliases.choose(message.topic.as_str())
        } else {
            OutboundAlias::None
        };
        let alias_bytes = alias_property(alias);
        let parts =
            parts(message, delivery, alias, alias_bytes.as_ref().map_or(&[], |bytes| bytes.as_slice()));
        let sent = effects.try_send(packet_bytes_max, |output| parts.encode(version, output).map(drop));
        sent.map_err(|error| match error {
            NotSent::Encode(error) => PublishError::Encode(error),
            NotSent::TooLarge { packet_bytes } => {
                PublishError::PacketTooLarge { packet_bytes, maximum_packet_size: packet_bytes_max }
            }
        })
    }

    fn give_up_one(&mut self, error: PublishError, effects: &mut Effects<T>) -> bool {
        if let Some(Outgoing { ticket, .. }) = self.outbound.queue.pop_front() {
            effects.push(Effect::Published(ticket, Err(error)));
        }
        true
    }

    /// PUBACK completes QoS 1.
    pub(super) fn puback(&mut self, ack: Ack, effects: &mut Effects<T>) -> Result<(), ServerViolation> {
        let Ok(done) = self.outbound.sender.puback(ack.packet_id) else {
            return Err(unexpected(PacketType::PubAck, ack.packet_id));
        };
        complete(done, Some(Accepted { reason: ack.reason, properties: ack.properties }), effects);
        Ok(())
    }

    /// PUBREC is answered by PUBREL, at once and so in the order received `[MQTT5-4.6.0-4]` `[MQTT311-4.6.0-4]`,
    /// unless it refuses.
    pub(super) fn pubrec(&mut self, ack: Ack, effects: &mut Effects<T>) -> Result<(), ServerViolation> {
        let packet_id = ack.packet_id;
        let is_known = self.outbound.sender.contains(packet_id);
        let is_refused = ack.reason.is_error();
        let mut accepted = Some(Accepted { reason: ack.reason, properties: ack.properties });
        let progress = self.outbound.sender.pubrec(packet_id, is_refused, |flight| {
            flight.message = None;
            flight.accepted = accepted.take();
        });
        let reason = match progress {
            Ok(Progress::Done(done)) => {
                complete(done, accepted, effects);
                return Ok(());
            }
            Ok(Progress::Release) => ReasonCode::Success,
            Err(_) if is_known => return Err(unexpected(PacketType::PubRec, packet_id)),
            // Forgotten on our side: the server is told, and can forget it too.
            Err(_) => ReasonCode::PacketIdentifierNotFound,
        };
        effects.send(&Packet::PubRel(Ack::new(packet_id, reason)), self.options.version);
        Ok(())
    }

    /// PUBCOMP completes QoS 2, whatever its reason: that the server has forgotten the identifier is completion too.
    pub(super) fn pubcomp(&mut self, ack: &Ack, effects: &mut Effects<T>) -> Result<(), ServerViolation> {
        match self.outbound.sender.pubcomp(ack.packet_id) {
            Ok(done) => {
                release(done, effects);
                Ok(())
            }
            Err(_) if self.outbound.sender.contains(ack.packet_id) => {
                Err(unexpected(PacketType::PubComp, ack.packet_id))
            }
            // The answer to a PUBREL that said so itself.
            Err(_) => Ok(()),
        }
    }
}

fn unexpected(packet_type: PacketType, packet_id: PacketId) -> ServerViolation {
    ServerViolation::AcknowledgementUnexpected { packet_type, packet_id }
}
