//! Owns the receiving side of a client: what it is given, what it answers and when, and what it remembers of QoS
//! 2 over a crash. Whether it should have been given it is decided elsewhere.

use super::{Client, LinkState};
use crate::{
    clock::At,
    history::{Delivery as Delivered, Outcome, PublicationIndex},
    payload,
    plan::Manner,
    stage::{Load, Stage},
};
use mqtt_codec::{
    Packet, PacketId, QoS, ReasonCode,
    flow::{Inbound, Released},
    packet::{Ack, Publish},
};

/// A message of QoS 1 or 2 that was received and is not done with.
#[derive(Clone, Debug)]
pub(super) struct InHand {
    /// None if its payload is empty.
    pub(super) publication: Option<PublicationIndex>,
    pub(super) qos: QoS,
    pub(super) read_at: At,
    pub(super) pubrec_sent: bool,
    /// The connection it last came on.
    pub(super) connection: u32,
    /// Where the history has it, if the connection was lost since.
    pub(super) unfinished: Option<usize>,
}

/// An answer to be sent.
#[expect(clippy::enum_variant_names, reason = "the names are the specification's")]
#[derive(Clone, Copy, Debug)]
pub(super) enum Answer {
    PubAck(PacketId),
    PubRec(PacketId),
    PubComp(PacketId, Released),
}

impl Client {
    /// PUBLISH was read.
    pub(super) fn receive(&mut self, packet: &Publish, at: At, stage: &mut Stage) {
        let publication = self.recognise(packet, at, stage);
        if let Some(packet_id) = packet.delivery.packet_id() {
            self.take_in_hand(packet_id, publication, packet, at, stage);
        }
        match (self.receiver.publish(packet.delivery), self.session, publication) {
            (Inbound::New, Some(session), Some(publication)) => stage.history.deliveries.push(Delivered {
                session,
                publication,
                at,
                qos: packet.delivery.qos(),
                dup: packet.delivery.dup(),
                retain: packet.retain,
                identifiers: packet.properties.subscription_identifiers().map(u32::from).collect(),
                expiry_seconds: packet.properties.message_expiry_interval(),
            }),
            (Inbound::New | Inbound::Duplicate, _, _) => {}
            (Inbound::ReceiveMaximumExceeded, _, _) => {
                let text = format!("{} was sent more than its Receive Maximum", self.name());
                stage.history.odd(at, text);
            }
        }
        match (packet.delivery.qos(), packet.delivery.packet_id()) {
            (QoS::AtLeastOnce, Some(packet_id)) => self.answer_later(Answer::PubAck(packet_id), at),
            (QoS::ExactlyOnce, Some(packet_id)) => self.answer_later(Answer::PubRec(packet_id), at),
            (QoS::AtMostOnce, _) | (_, None) => {}
        }
    }

    /// Which message it is; none for an empty payload, and for what nobody published.
    fn recognise(&self, packet: &Publish, at: At, stage: &mut Stage) -> Option<PublicationIndex> {
        if packet.payload.is_empty() {
            return None;
        }
        let found = payload::publication(&packet.payload).filter(|&index| {
            stage.history.publications.get(index).map(|it| &it.topic) == packet.topic.as_ref()
        });
        if found.is_none() {
            let topic = packet.topic.as_ref().map_or("", |topic| topic.as_str());
            let text = format!("{} received on {topic:?} what nobody published there", self.name());
            stage.history.odd(at, text);
        }
        found
    }

    /// Notes what a packet identifier stands for, and whether it continues what was cut off.
    fn take_in_hand(
        &mut self,
        packet_id: PacketId,
        publication: Option<PublicationIndex>,
        packet: &Publish,
        at: At,
        stage: &mut Stage,
    ) {
        let before = self.in_hand.remove(&packet_id);
        match &before {
            Some(InHand { unfinished: Some(unfinished), .. }) => {
                let outcome = Outcome::Published { publication, dup: packet.delivery.dup() };
                stage.history.unfinished[*unfinished].outcome = outcome;
            }
            Some(InHand { connection, .. }) if *connection == self.link.number => {
                let text = format!(
                    "{} received packet identifier {packet_id} again before it had answered",
                    self.name()
                );
                stage.history.odd(at, text);
            }
            Some(_) | None => {}
        }
        let pubrec_sent = before.is_some_and(|before| before.pubrec_sent);
        let qos = packet.delivery.qos();
        let hand = InHand {
            publication,
            qos,
            read_at: at,
            pubrec_sent,
            connection: self.link.number,
            unfinished: None,
        };
        self.in_hand.insert(packet_id, hand);
    }

    /// PUBREL was read.
    pub(super) fn pubrel(&mut self, packet_id: PacketId, at: At, stage: &mut Stage) {
        if let Some(InHand { unfinished: Some(unfinished), .. }) = self.in_hand.remove(&packet_id) {
            stage.history.unfinished[unfinished].outcome = Outcome::Released;
        }
        let released = self.receiver.release(packet_id);
        self.answer_later(Answer::PubComp(packet_id, released), at);
    }

    fn answer_later(&mut self, answer: Answer, at: At) {
        let delay_us = match self.part.manner {
            Manner::Slow { delay_us } => delay_us,
            Manner::Prompt | Manner::Withholding { .. } => 0,
        };
        self.answers.push_back((At(at.0 + delay_us), answer));
    }

    /// Sends the answers that are due; says when the next one is.
    pub(super) fn answer(&mut self, stage: &Stage) -> Option<At> {
        while self.link.state == LinkState::Up {
            let &(due, answer) = self.answers.front()?;
            if !matches!(stage.load, Load::Over | Load::Ended) {
                if matches!(self.part.manner, Manner::Withholding { answers } if self.answered >= answers) {
                    return None;
                }
                if due > stage.clock.now() {
                    return Some(due);
                }
            }
            self.answers.pop_front();
            self.answered += 1;
            self.give(answer);
        }
        None
    }

    fn give(&mut self, answer: Answer) {
        let packet = match answer {
            Answer::PubAck(packet_id) => {
                self.in_hand.remove(&packet_id);
                self.receiver.acknowledged();
                Packet::PubAck(Ack::new(packet_id, ReasonCode::Success))
            }
            Answer::PubRec(packet_id) => {
                if let Some(hand) = self.in_hand.get_mut(&packet_id) {
                    hand.pubrec_sent = true;
                }
                Packet::PubRec(Ack::new(packet_id, ReasonCode::Success))
            }
            Answer::PubComp(packet_id, Released::Known) => {
                Packet::PubComp(Ack::new(packet_id, ReasonCode::Success))
            }
            Answer::PubComp(packet_id, Released::Unknown) => {
                Packet::PubComp(Ack::new(packet_id, ReasonCode::PacketIdentifierNotFound))
            }
        };
        self.send(&packet);
    }
}
