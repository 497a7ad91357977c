//! The story of a PUBLISH from its receipt to its acknowledgement. Where it goes from there is told in
//! `route`.

use super::Shard;
use crate::{
    config::QueuePolicy,
    effect::Effects,
    held::{Held, HeldAcknowledgement},
    ids::SessionId,
    message::{Addressed, MessageRef, expires_at, part_properties},
    outgoing::Outgoing,
    peers::AcknowledgementToken,
    time::Timestamp,
};
use mqtt_codec::{
    Borrowed, ProtocolVersion, QoS, ReasonCode, TopicName, TopicNameRef,
    flow::Inbound,
    packet::{Delivery, Publish},
};

/// Why a publication is not accepted, and how its client is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Refusal {
    /// By the acknowledgement, where there is one; the connection goes on.
    Acknowledge(ReasonCode, &'static str),
    /// By ending the connection.
    Disconnect(ReasonCode, &'static str),
}

impl Shard {
    /// Receives a PUBLISH: window and duplicates first, then what it is about, then whether it may.
    pub(super) fn publish(
        &mut self,
        id: SessionId,
        publish: &Publish<Borrowed<'_>>,
        now: Timestamp,
        effects: &mut Effects,
    ) {
        self.stats().publishes_received.add(1);
        self.stats().publish_bytes_received.add(publish.payload.len() as u64);
        let Some(session) = self.sessions.get_mut(id) else { return };
        let inbound = session.receiver.publish(publish.delivery);
        let Some(connection) = session.connection.as_deref_mut() else { return };
        let version = connection.version;
        // Out of their places for this step: the message borrows from both.
        let mut aliases = std::mem::take(&mut connection.inbound_aliases);
        let mut scratch = std::mem::take(&mut self.properties);
        let (addressed, properties) = part_properties(&publish.properties, &mut scratch);
        match (inbound, aliases.resolve(publish.topic.as_ref().map(TopicName::borrow), addressed.alias)) {
            // [MQTT5-3.3.4-7]
            (Inbound::ReceiveMaximumExceeded, _) => {
                let text = "more publications are in flight than the Receive Maximum allows";
                self.break_off(id, ReasonCode::ReceiveMaximumExceeded, text, now, effects);
            }
            // [MQTT5-3.3.2-9]
            (Inbound::New, Err(violation)) => {
                let refusal = Refusal::Disconnect(violation.reason(), violation.text());
                self.refuse(id, publish.delivery, refusal, now, effects);
            }
            (Inbound::Duplicate, Err(violation)) => {
                self.break_off(id, violation.reason(), violation.text(), now, effects);
            }
            (Inbound::Duplicate, Ok(_)) => {
                self.acknowledge(id, publish.delivery, ReasonCode::Success, effects);
            }
            (Inbound::New, Ok(topic)) => {
                let message = MessageRef {
                    topic,
                    properties,
                    payload: publish.payload,
                    qos: publish.delivery.qos(),
                    retain: publish.retain,
                    expires_at: expires_at(addressed.expiry_seconds, now),
                    publisher: Some(id),
                };
                match self.check(&message, addressed, version) {
                    Ok(()) => self.accept(id, publish.delivery, message, version, now, effects),
                    Err(refusal) => self.refuse(id, publish.delivery, refusal, now, effects),
                }
            }
        }
        if let Some(connection) = self.connection_mut(id) {
            connection.inbound_aliases = aliases;
        }
        self.properties = scratch;
    }

    /// Whether a message may be published, everything about it being known.
    fn check(
        &self,
        message: &MessageRef<'_>,
        addressed: Addressed,
        version: ProtocolVersion,
    ) -> Result<(), Refusal> {
        let capabilities = &self.node.config.capabilities;
        // [MQTT5-3.3.4-6]: only a server tells which subscriptions matched.
        if addressed.has_subscription_identifier {
            let text = "only the broker says which Subscription Identifiers matched";
            return Err(Refusal::Disconnect(ReasonCode::ProtocolError, text));
        }
        // [MQTT5-3.2.2-11]
        if message.qos > capabilities.maximum_qos {
            let text = "the QoS is above the broker's Maximum QoS";
            return Err(Refusal::Disconnect(ReasonCode::QoSNotSupported, text));
        }
        // [MQTT5-3.2.2-14]
        if message.retain && !capabilities.retain_available {
            let text = "the broker retains no messages";
            return Err(Refusal::Disconnect(ReasonCode::RetainNotSupported, text));
        }
        if !self.allows_topic(message.topic.text()) {
            let text = "the topic has more bytes or levels than the broker allows";
            let can_be_told = version.has_properties() && message.qos > QoS::AtMostOnce;
            let refusal = if can_be_told { Refusal::Acknowledge } else { Refusal::Disconnect };
            return Err(refusal(ReasonCode::TopicNameInvalid, text));
        }
        // What the broker says of itself, nobody else may say.
        if is_reserved(message.topic) {
            let text = "topics below $SYS are the broker's own";
            return Err(Refusal::Acknowledge(ReasonCode::NotAuthorized, text));
        }
        Ok(())
    }

    /// Whether a topic or filter is within the operator's limits.
    pub(super) fn allows_topic(&self, text: &str) -> bool {
        let limits = &self.node.config.limits;
        let levels_max = usize::from(limits.topic_levels_max);
        // A text of fewer bytes than that cannot have more levels: most need no counting.
        text.len() <= usize::from(limits.topic_bytes_max)
            && (text.len() < levels_max || text.bytes().filter(|&byte| byte == b'/').count() < levels_max)
    }

    /// The message is taken over: retain it if asked, route it, acknowledge it.
    fn accept(
        &mut self,
        id: SessionId,
        delivery: Delivery,
        message: MessageRef<'_>,
        version: ProtocolVersion,
        now: Timestamp,
        effects: &mut Effects,
    ) {
        let mut outgoing = Outgoing::received(message);
        let retained = self.retain(&mut outgoing, now);
        // A v5 client can be told that its message could not be retained, and then nobody gets it.
        if retained.is_err() && version.has_properties() && message.qos > QoS::AtMostOnce {
            let text = "the broker retains as many messages as it may";
            let refusal = Refusal::Acknowledge(ReasonCode::QuotaExceeded, text);
            return self.refuse(id, delivery, refusal, now, effects);
        }
        let held = self.hold(id, delivery);
        let reached = self.route(&mut outgoing, held, now, effects);
        let reason = if reached { ReasonCode::Success } else { ReasonCode::NoMatchingSubscribers };
        match held {
            Some(token) => {
                self.held.set_reason(token, reason);
                self.stored(token, effects);
            }
            None => self.acknowledge(id, delivery, reason, effects),
        }
    }

    fn refuse(
        &mut self,
        id: SessionId,
        delivery: Delivery,
        refusal: Refusal,
        now: Timestamp,
        effects: &mut Effects,
    ) {
        match refusal {
            Refusal::Disconnect(reason, text) => {
                self.forget_receipt(id, delivery);
                self.break_off(id, reason, text, now, effects);
            }
            Refusal::Acknowledge(reason, text) => {
                self.stats().publishes_dropped.add(1);
                self.acknowledge_refusal(id, delivery, reason, text, effects);
            }
        }
    }

    /// Where publishers are held back, the acknowledgement waits for every queue the message enters.
    fn hold(&mut self, id: SessionId, delivery: Delivery) -> Option<AcknowledgementToken> {
        if self.node.config.queue_policy != QueuePolicy::HoldPublisher {
            return None;
        }
        let packet_id = delivery.packet_id()?;
        let connection = self.sessions.get(id)?.connection_id()?;
        let (qos, reason) = (delivery.qos(), ReasonCode::Success);
        let acknowledgement = HeldAcknowledgement { session: id, connection, packet_id, qos, reason };
        Some(self.held.open(Held::Client(acknowledgement)))
    }
}

/// Topics that only the broker publishes to `[MQTT5-4.7.2-1]`.
pub(super) fn is_reserved(topic: TopicNameRef<'_>) -> bool {
    topic.text().strip_prefix("$SYS").is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}
