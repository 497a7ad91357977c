//! Owns received messages: alias, duplicate, window, which streams they go to, and their acknowledgement.

use super::{Arrival, Effect, Effects, Protocol, Tickets, UnmatchedStream, subscriptions::SubscriptionKey};
use crate::{
    delivery::Settlement, error::ServerViolation, event::Event, message::Message, protocol::ReceiptKey,
};
use mqtt_codec::{
    Packet, PacketType, QoS, ReasonCode, TopicName,
    flow::{Inbound, Released},
    packet::{Ack, Publish},
};

impl<T: Tickets> Protocol<T> {
    /// The story of a received PUBLISH.
    pub(super) fn received(
        &mut self,
        publish: Publish,
        effects: &mut Effects<T>,
    ) -> Result<(), ServerViolation> {
        let topic = self.resolve_topic(&publish)?;
        match self.receiver.publish(publish.delivery) {
            Inbound::New => self.deliver(topic, publish, effects),
            // [MQTT5-4.3.3-10] [MQTT311-4.3.3-2]
            Inbound::Duplicate => {
                if let Some(packet_id) = publish.delivery.packet_id() {
                    self.receipts.received_again(packet_id);
                }
            }
            // [MQTT5-3.3.4-9]
            Inbound::ReceiveMaximumExceeded => return Err(ServerViolation::ReceiveMaximumExceeded),
        }
        self.acknowledge(effects);
        Ok(())
    }

    /// The topic an alias stands for, on this connection `[MQTT5-3.3.2-7]`.
    fn resolve_topic(&mut self, publish: &Publish) -> Result<TopicName, ServerViolation> {
        let alias = publish.properties.topic_alias();
        if let (Some(topic), None) = (&publish.topic, alias) {
            return Ok(topic.clone());
        }
        let topic = publish.topic.as_ref().map(TopicName::borrow);
        let resolved = self.inbound_aliases.resolve(topic, alias);
        resolved.map(|topic| topic.to_owned()).map_err(ServerViolation::TopicAlias)
    }

    fn deliver(&mut self, topic: TopicName, publish: Publish, effects: &mut Effects<T>) {
        let Publish { delivery, retain, properties, payload, .. } = publish;
        let mut targets = self.subscriptions.targets(&topic, properties.subscription_identifiers());
        let message = Message { topic, payload, qos: delivery.qos(), retain, properties };
        if targets.is_empty() {
            match self.unmatched {
                UnmatchedStream::Open => targets.push(SubscriptionKey::UNMATCHED),
                UnmatchedStream::None => effects.push(Effect::Report(Event::Unmatched(message.clone()))),
            }
        }
        let packet_id = delivery.packet_id();
        // Wanted by nobody, it is acknowledged all the same [MQTT311-4.5.0-2].
        let receipt = packet_id.map(|id| self.receipts.received(id, message.qos, targets.len()));
        let dup = delivery.dup();
        for key in targets {
            effects.push(Effect::Deliver(key, Arrival { message: message.clone(), dup, packet_id, receipt }));
        }
    }

    /// A stream is done with its copy of a message.
    pub(super) fn settled(&mut self, key: ReceiptKey, settlement: Settlement, effects: &mut Effects<T>) {
        self.receipts.settled(key, settlement);
        if self.phase == super::Phase::Connected {
            self.acknowledge(effects);
        }
    }

    /// Sends the acknowledgements whose turn it is, of messages wanted or not `[MQTT5-4.5.0-2]` `[MQTT5-4.3.2-4]`
    /// `[MQTT5-4.3.3-8]` `[MQTT311-4.3.2-2]` `[MQTT311-3.3.4-1]`.
    fn acknowledge(&mut self, effects: &mut Effects<T>) {
        let version = self.options.version;
        while let Some(due) = self.receipts.next_due() {
            // 3.x has no reasons: an exchange that is refused goes on as if it were not.
            let reason = if version.has_properties() { due.reason } else { ReasonCode::Success };
            let ack = Ack::new(due.packet_id, reason);
            if due.qos == QoS::ExactlyOnce {
                effects.send(&Packet::PubRec(ack), version);
                if reason.is_error() {
                    self.receiver.refused(due.packet_id);
                }
            } else {
                effects.send(&Packet::PubAck(ack), version);
                self.receiver.acknowledged();
            }
        }
    }

    /// PUBREL is answered by PUBCOMP `[MQTT5-4.3.3-11]` `[MQTT311-4.3.3-2]`.
    pub(super) fn pubrel(&mut self, ack: &Ack, effects: &mut Effects<T>) -> Result<(), ServerViolation> {
        let packet_id = ack.packet_id;
        if self.receipts.is_unanswered(packet_id) {
            let packet_type = PacketType::PubRel;
            return Err(ServerViolation::AcknowledgementUnexpected { packet_type, packet_id });
        }
        let reason = match self.receiver.release(packet_id) {
            Released::Known => ReasonCode::Success,
            Released::Unknown => ReasonCode::PacketIdentifierNotFound,
        };
        effects.send(&Packet::PubComp(Ack::new(packet_id, reason)), self.options.version);
        Ok(())
    }
}
