//! The story of a PUBLISH from its receipt to its acknowledgement. Where it goes from there is told in
//! `route`.

use super::{
    Shard,
    keep::{Kept, NotKept, Shortage},
};
use crate::{
    config::{Durability, QueuePolicy},
    effect::Effects,
    held::{Acknowledgement, Held, HeldAcknowledgement, Holding},
    ids::SessionId,
    journal::Position,
    message::{Addressed, MessageRef, expires_at, part_properties},
    outgoing::Outgoing,
    recorder::{Handshake, Leaving},
    session::{Route, Session},
    time::Timestamp,
};
use mqtt_codec::{
    Borrowed, PropertiesRef, ProtocolVersion, QoS, ReasonCode, TopicName, TopicNameRef, Violation,
    flow::Inbound,
    packet::{Delivery, PacketId, Publish},
};

/// Why a publication is not accepted, and how its client is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Refusal {
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
        frame: &[u8],
        now: Timestamp,
        effects: &mut Effects,
    ) {
        let stats = &self.stats;
        stats.publishes_received.add(1);
        stats.publish_bytes_received.add(publish.payload.len() as u64);
        let Some(session) = self.sessions.get_mut(id) else { return };
        let inbound = session.receiver.publish(publish.delivery);
        let Some(connection) = session.connection.as_deref_mut() else { return };
        let version = connection.version;
        let publication = Publication { session: id, delivery: publish.delivery, version };
        match &publish.topic {
            // Most say everything themselves.
            Some(topic) if publish.properties.is_empty() => {
                let topic = Ok(topic.borrow());
                let said = Said { topic, addressed: Addressed::default(), properties: &[], frame };
                self.receive_publication(publication, inbound, publish, &said, now, effects);
            }
            Some(_) | None => self.resolve(publication, inbound, publish, now, effects),
        }
    }

    /// Finds out what a PUBLISH says that leaves something to the connection, or to its properties.
    #[inline(never)]
    fn resolve(
        &mut self,
        publication: Publication,
        inbound: Inbound,
        publish: &Publish<Borrowed<'_>>,
        now: Timestamp,
        effects: &mut Effects,
    ) {
        let Some(connection) = self.connection_mut(publication.session) else { return };
        // Out of their places for this step: the message borrows from both.
        let mut aliases = std::mem::take(&mut connection.inbound_aliases);
        let mut scratch = std::mem::take(&mut self.properties);
        let (addressed, properties) = part_properties(&publish.properties, &mut scratch);
        let topic = aliases.resolve(publish.topic.as_ref().map(TopicName::borrow), addressed.alias);
        // As it stands it may say what is not to be forwarded.
        let said = Said { topic, addressed, properties, frame: &[] };
        self.receive_publication(publication, inbound, publish, &said, now, effects);
        if let Some(connection) = self.connection_mut(publication.session) {
            connection.inbound_aliases = aliases;
        }
        self.properties = scratch;
    }

    /// Takes over what is new and may be published.
    #[inline(always)]
    fn receive_publication(
        &mut self,
        publication: Publication,
        inbound: Inbound,
        publish: &Publish<Borrowed<'_>>,
        said: &Said<'_>,
        now: Timestamp,
        effects: &mut Effects,
    ) {
        let Publication { session: id, delivery, version } = publication;
        match (inbound, &said.topic) {
            // [MQTT5-3.3.4-7]
            (Inbound::ReceiveMaximumExceeded, _) => {
                let text = "more publications are in flight than the Receive Maximum allows";
                self.break_off(id, ReasonCode::ReceiveMaximumExceeded, text, now, effects);
            }
            // [MQTT5-3.3.2-9]
            (Inbound::New, Err(violation)) => {
                let refusal = Refusal::Disconnect(violation.reason(), violation.text());
                self.refuse(id, delivery, refusal, now, effects);
            }
            (Inbound::Duplicate, Err(violation)) => {
                self.break_off(id, violation.reason(), violation.text(), now, effects);
            }
            (Inbound::Duplicate, Ok(_)) => self.acknowledge_again(id, delivery, effects),
            (Inbound::New, Ok(topic)) => {
                let message = MessageRef {
                    topic: topic.borrow(),
                    properties: said.properties,
                    payload: publish.payload,
                    qos: delivery.qos(),
                    retain: publish.retain,
                    expires_at: expires_at(said.addressed.expiry_seconds, now),
                    publisher: Some(id),
                    durability: Durability::Disk,
                    position: Position::NONE,
                };
                let mut outgoing = Outgoing::in_frame(message, said.frame, version, delivery);
                if delivery.qos() > QoS::AtMostOnce {
                    outgoing.spare = self.spare.take();
                }
                match self.check(&outgoing.message, said.addressed, version) {
                    Ok(()) => self.accept(publication, &mut outgoing, &publish.properties, now, effects),
                    Err(refusal) => self.refuse(id, delivery, refusal, now, effects),
                }
                if let Some(message) = outgoing.spare {
                    self.spare.give(message);
                }
            }
        }
    }

    /// Whether a message may be published, everything about it being known.
    #[inline(always)]
    pub(super) fn check(
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

    /// The message is taken over: find who gets it, keep it for them, deliver it, acknowledge it.
    #[inline(always)]
    fn accept(
        &mut self,
        publication: Publication,
        outgoing: &mut Outgoing<'_>,
        properties: &PropertiesRef<'_>,
        now: Timestamp,
        effects: &mut Effects,
    ) {
        let Publication { session: id, delivery, version } = publication;
        let (route, kept) = self.find_and_keep(outgoing, publication.receipt(), publication.shortage(), now);
        match kept {
            Ok(kept) => {
                let is_reached = !route.matches.is_empty();
                let acknowledgement = Acknowledgement {
                    reason: if is_reached { ReasonCode::Success } else { ReasonCode::NoMatchingSubscribers },
                    told: asks_for_durability(properties).then(|| self.reached(outgoing, &route)),
                };
                let mut holding = self.hold(publication, kept, acknowledgement);
                self.follow_route(&route, outgoing, &mut holding, now, effects);
                if delivery.qos() > QoS::AtMostOnce && self.held.routed(&holding) {
                    self.acknowledge(id, delivery, acknowledgement, effects);
                }
            }
            Err(why) => self.refuse(id, delivery, refusal(why, version), now, effects),
        }
        self.put_route(Some(id), route);
    }

    /// What was reached of what [`Durability`] promises.
    fn reached(&self, outgoing: &Outgoing<'_>, route: &Route) -> Durability {
        let message = outgoing.message;
        let is_kept = message.retain && !message.payload.is_empty()
            || route.matches.targets().iter().any(|target| target.qos > QoS::AtMostOnce)
            || self.members.iter().any(|member| member.subscriber.qos > QoS::AtMostOnce);
        // What clears a topic is recorded without the message.
        let is_recorded = message.position.is_some()
            || message.retain && message.durability == Durability::Disk && self.recorder.journal().is_some();
        if is_recorded {
            Durability::Disk
        } else if is_kept {
            message.durability.min(Durability::Memory)
        } else {
            Durability::None
        }
    }

    /// A QoS 2 message that was received before `[MQTT5-4.3.3-10]`. What it says was received must be on disk,
    /// and may be only just on its way there.
    fn acknowledge_again(&mut self, session: SessionId, delivery: Delivery, effects: &mut Effects) {
        let connection = self.sessions.get(session).and_then(Session::connection_id);
        match (delivery.packet_id(), connection) {
            (Some(packet_id), Some(connection)) if session.is_durable() => {
                let step = Handshake::Received;
                self.recorder.leave(Leaving::Handshake { session, connection, packet_id, step });
            }
            _ => self.acknowledge(session, delivery, Acknowledgement::SUCCESS, effects),
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
                self.stats.publishes_dropped.add(1);
                self.acknowledge_refusal(id, delivery, reason, text, effects);
            }
        }
    }

    /// An acknowledgement that promises what is not on disk yet waits for it, and those behind it wait as well,
    /// so that they leave in the order of their messages. Where publishers are held back, it waits for every
    /// queue the message enters.
    #[inline(always)]
    fn hold(&mut self, publication: Publication, kept: Kept, acknowledgement: Acknowledgement) -> Holding {
        let Publication { session: id, delivery, .. } = publication;
        let Some(packet_id) = delivery.packet_id() else { return Holding::Nothing };
        let Some(connection) = self.connection_mut(id) else { return Holding::Nothing };
        let waits_for_disk = kept == Kept::Recorded || connection.awaiting_disk > 0;
        connection.awaiting_disk += u32::from(waits_for_disk);
        let (connection, qos) = (connection.id, delivery.qos());
        let due =
            HeldAcknowledgement { session: id, connection, packet_id, qos, acknowledgement, waits_for_disk };
        let mut holding = Holding::IfNeeded(Held::Client(due));
        if waits_for_disk {
            let token = self.held.await_one(&mut holding);
            token.into_iter().for_each(|token| self.recorder.leave(Leaving::Acknowledgement(token)));
        } else if self.node.config.queue_policy != QueuePolicy::HoldPublisher {
            return Holding::Nothing;
        }
        holding
    }
}

/// What a PUBLISH says, whatever it leaves to an alias or to its properties.
struct Said<'a> {
    topic: Result<TopicNameRef<'a>, Violation>,
    addressed: Addressed,
    properties: &'a [u8],
    /// The frame in which it says so; empty where others are not to see it as it stands.
    frame: &'a [u8],
}

/// A PUBLISH that is being accepted.
#[derive(Clone, Copy, Debug)]
struct Publication {
    session: SessionId,
    delivery: Delivery,
    version: ProtocolVersion,
}

impl Publication {
    /// What must be known after a crash, so that the message is not taken for a new one when it comes again.
    fn receipt(&self) -> Option<(SessionId, PacketId)> {
        match self.delivery {
            Delivery::ExactlyOnce { packet_id, .. } if self.session.is_durable() => {
                Some((self.session, packet_id))
            }
            Delivery::AtMostOnce | Delivery::AtLeastOnce { .. } | Delivery::ExactlyOnce { .. } => None,
        }
    }

    /// Whether its client can be told that it is not kept.
    fn shortage(&self) -> Shortage {
        match (self.delivery.qos(), self.version.has_properties()) {
            (QoS::AtMostOnce, _) => Shortage::Deliver,
            (QoS::AtLeastOnce | QoS::ExactlyOnce, true) => Shortage::Refuse,
            (QoS::AtLeastOnce | QoS::ExactlyOnce, false) => Shortage::Disconnect,
        }
    }
}

/// How a client learns that its message could not be kept. 3.x can only be told success: where a crash would
/// lose the message it is disconnected, and keeps it.
fn refusal(why: NotKept, version: ProtocolVersion) -> Refusal {
    let text = match why {
        NotKept::RetainedFull => "the broker retains as many messages as it may",
        NotKept::DiskFailing => "the broker's disk is full or failing",
    };
    let refusal = if version.has_properties() { Refusal::Acknowledge } else { Refusal::Disconnect };
    refusal(ReasonCode::QuotaExceeded, text)
}

/// The User Property by which a publisher asks where its message is once it is acknowledged, and is told.
pub(super) const DURABILITY_PROPERTY: &str = "dunlin-durability";

/// Whether a PUBLISH asks for it, with the value `?`.
#[inline]
fn asks_for_durability(properties: &PropertiesRef<'_>) -> bool {
    !properties.is_empty() && properties.user_properties().any(|pair| pair == (DURABILITY_PROPERTY, "?"))
}

/// Topics that only the broker publishes to `[MQTT5-4.7.2-1]`.
#[inline(always)]
pub(super) fn is_reserved(topic: TopicNameRef<'_>) -> bool {
    topic.text().strip_prefix("$SYS").is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}
