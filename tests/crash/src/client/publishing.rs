//! Owns the publishing side of a client: new messages, their acknowledgements, and what is sent again after a
//! crash. Which topics there are is in the plan.

use super::{Client, LinkState};
use crate::{
    clock::At,
    history::{Origin, Publication, PublicationIndex, Retain},
    payload::payload,
    plan::{TopicKind, TopicPart},
    stage::{Load, Stage},
};
use bytes::Bytes;
use mqtt_codec::{
    Packet, PacketId, Property, PropertyOwner, QoS, ReasonCode, TopicName,
    flow::{Progress, Resend},
    packet::{Ack, Delivery, Publish},
};

/// Bytes of a payload, from and to; one of a hundred has more.
const PAYLOAD_BYTES: (usize, usize) = (8, 1200);
const PAYLOAD_BYTES_LARGE: usize = 40_000;

impl Client {
    /// Publishes what is due while there is load; says when more is.
    pub(super) fn publish(&mut self, stage: &mut Stage) -> Option<At> {
        let publishing = self.part.publishing.as_ref()?;
        let (interval_us, messages_max) = (publishing.interval_us, publishing.messages_max);
        if self.link.state != LinkState::Up || !matches!(stage.load, Load::Since(_)) {
            return None;
        }
        while self.sender.has_room() && self.published < messages_max {
            let now = stage.clock.now();
            if self.publish_at > now {
                return Some(self.publish_at);
            }
            // What was missed during an outage is not made up for.
            self.publish_at = At(self.publish_at.0.max(now.0.saturating_sub(interval_us)) + interval_us);
            self.published += 1;
            self.publish_one(stage);
        }
        None
    }

    fn publish_one(&mut self, stage: &mut Stage) {
        let Some(publishing) = &self.part.publishing else { return };
        let index = self.part.random.count(0, publishing.topics.len() - 1);
        let TopicPart { topic, qos, kind } = publishing.topics[index].clone();
        let (retain, qos) = match kind {
            TopicKind::Plain | TopicKind::Expiring(_) => (Retain::No, qos),
            TopicKind::Kept if self.part.random.chance(20) => (Retain::Clear, qos),
            TopicKind::Kept if self.part.random.chance(20) => (Retain::Set, QoS::AtMostOnce),
            TopicKind::Kept => (Retain::Set, qos),
        };
        let expiry_seconds = match kind {
            TopicKind::Expiring(seconds) => Some(seconds),
            TopicKind::Plain | TopicKind::Kept => None,
        };
        let message = Publication { retain, expiry_seconds, ..self.message(topic, qos, stage) };
        self.publish_message(message, stage);
    }

    /// Publishes the message that ends the round.
    pub(crate) fn publish_end(&mut self, topic: TopicName, stage: &mut Stage) {
        let message = self.message(topic, QoS::AtLeastOnce, stage);
        self.publish_message(message, stage);
    }

    /// A message that is not retained and does not expire.
    fn message(&self, topic: TopicName, qos: QoS, stage: &Stage) -> Publication {
        let now = stage.clock.now();
        Publication {
            peer: self.peer,
            topic,
            qos,
            retain: Retain::No,
            origin: Origin::Publish,
            expiry_seconds: None,
            sent_at: Some(now),
            last_sent_at: Some(now),
            acknowledged_at: None,
        }
    }

    fn publish_message(&mut self, message: Publication, stage: &mut Stage) {
        let qos = message.qos;
        let publication = stage.publication(message);
        let delivery = match qos {
            QoS::AtMostOnce => Delivery::AtMostOnce,
            QoS::AtLeastOnce => Delivery::AtLeastOnce { packet_id: self.packet_id(), dup: false },
            QoS::ExactlyOnce => Delivery::ExactlyOnce { packet_id: self.packet_id(), dup: false },
        };
        if let Some(packet_id) = delivery.packet_id() {
            self.sender.send(packet_id, qos, publication);
        }
        let packet = self.publish_packet(publication, delivery, stage);
        self.send(&Packet::Publish(packet));
    }

    /// The packet of a message, the same each time but for its DUP flag.
    fn publish_packet(&self, index: PublicationIndex, delivery: Delivery, stage: &Stage) -> Publish {
        let publication = &stage.history.publications[index];
        let length = match index % 100 {
            99 => PAYLOAD_BYTES_LARGE,
            _ => PAYLOAD_BYTES.0 + index * 37 % (PAYLOAD_BYTES.1 - PAYLOAD_BYTES.0),
        };
        let payload = match publication.retain {
            Retain::Clear => Bytes::new(),
            Retain::No | Retain::Set => payload(index, length),
        };
        let expiry = publication.expiry_seconds.map(Property::MessageExpiryInterval);
        Publish {
            delivery,
            retain: publication.retain != Retain::No,
            topic: Some(publication.topic.clone()),
            properties: self.properties(PropertyOwner::Publish, expiry.into_iter().collect()),
            payload,
        }
    }

    /// The session goes on: everything in flight is sent again, with the identifiers it had.
    pub(super) fn resume(&mut self, stage: &mut Stage) {
        let window = self.part.publishing.as_ref().map_or(1, |publishing| publishing.window);
        self.sender.reconnect(window);
        self.resend(stage);
    }

    fn resend(&mut self, stage: &mut Stage) {
        loop {
            let (packet_id, qos, publication) = match self.sender.next_resend() {
                None => return,
                Some(Resend::PubRel(packet_id)) => {
                    self.send(&Packet::PubRel(Ack::new(packet_id, ReasonCode::Success)));
                    continue;
                }
                Some(Resend::Publish(in_flight)) => (in_flight.packet_id, in_flight.qos, in_flight.message),
            };
            let delivery = match qos {
                QoS::ExactlyOnce => Delivery::ExactlyOnce { packet_id, dup: true },
                QoS::AtMostOnce | QoS::AtLeastOnce => Delivery::AtLeastOnce { packet_id, dup: true },
            };
            stage.history.publications[publication].last_sent_at = Some(stage.clock.now());
            let packet = self.publish_packet(publication, delivery, stage);
            self.send(&Packet::Publish(packet));
        }
    }

    pub(super) fn puback(&mut self, packet: &Ack, at: At, stage: &mut Stage) {
        match self.sender.puback(packet.packet_id) {
            Ok(in_flight) => self.accepted(in_flight.message, packet.reason, at, stage),
            Err(_) => self.unexpected("PUBACK", packet.packet_id, at, stage),
        }
        self.resend(stage);
    }

    pub(super) fn pubrec(&mut self, packet: &Ack, at: At, stage: &mut Stage) {
        let in_flight = self.sender.iter().find(|in_flight| in_flight.packet_id == packet.packet_id);
        let publication = in_flight.map(|in_flight| in_flight.message);
        match (self.sender.pubrec(packet.packet_id, packet.reason.is_error(), |_| ()), publication) {
            (Ok(progress), Some(publication)) => {
                self.accepted(publication, packet.reason, at, stage);
                if progress == Progress::Release {
                    self.send(&Packet::PubRel(Ack::new(packet.packet_id, ReasonCode::Success)));
                }
            }
            (Ok(_), None) | (Err(_), _) => self.unexpected("PUBREC", packet.packet_id, at, stage),
        }
        self.resend(stage);
    }

    pub(super) fn pubcomp(&mut self, packet: &Ack, at: At, stage: &mut Stage) {
        if self.sender.pubcomp(packet.packet_id).is_err() {
            self.unexpected("PUBCOMP", packet.packet_id, at, stage);
        }
        self.resend(stage);
    }

    fn accepted(&self, publication: PublicationIndex, reason: ReasonCode, at: At, stage: &mut Stage) {
        if reason.is_error() {
            let text = format!("message {publication} of {} was refused: {reason:?}", self.name());
            stage.history.odd(at, text);
        } else {
            stage.acknowledged(publication, at);
        }
    }

    fn unexpected(&self, what: &str, packet_id: PacketId, at: At, stage: &mut Stage) {
        let text =
            format!("{} received {what} for packet identifier {packet_id}, which awaits none", self.name());
        stage.history.odd(at, text);
    }
}
