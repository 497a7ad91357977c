//! Owns the invariant that every request is answered exactly once, in kind, and that nothing is answered that
//! was not asked `[MQTT5-3.8.4-1]` `[MQTT5-3.10.4-4]` `[MQTT5-3.12.4-1]` `[MQTT5-4.3.2-4]` `[MQTT5-4.3.3-8]`.

use super::{Checker, Scene, Verdict, ensure};
use crate::{
    observation::Observation,
    truth::{Progress, Truth},
};
use broker_core::ConnectionId;
use mqtt_codec::{Packet, PacketType, ReasonCode};
use std::collections::BTreeMap;

/// A packet type and an identifier, 0 where there is none.
type Answer = (u8, u16);

#[derive(Debug, Default)]
pub(super) struct Answers {
    /// How often each answer is awaited on each connection.
    awaited: BTreeMap<ConnectionId, BTreeMap<Answer, u32>>,
}

impl Checker for Answers {
    fn name(&self) -> &'static str {
        "answers"
    }

    fn observe(&mut self, scene: &Scene<'_>) -> Verdict {
        match *scene.observation {
            Observation::Received { connection, packet, .. } => {
                if let Some(answer) = answer_to(packet) {
                    *self.awaited.entry(connection).or_default().entry(answer).or_default() += 1;
                }
                Ok(())
            }
            Observation::Sent { connection, packet, .. } => {
                self.check_awaited(connection, packet, scene.truth)?;
                check_reason(connection, packet, scene.truth)
            }
            Observation::Lost { connection } | Observation::Closed { connection, .. } => {
                self.awaited.remove(&connection);
                Ok(())
            }
            Observation::Died => {
                self.awaited.clear();
                Ok(())
            }
            _ => Ok(()),
        }
    }

    fn finish(&mut self, _: &Truth) -> Verdict {
        for (connection, awaited) in &self.awaited {
            if let Some((&(packet_type, packet_id), _)) = awaited.first_key_value() {
                let name =
                    PacketType::from_bits(packet_type).map_or("nothing".to_owned(), |it| it.to_string());
                return Err(format!("#{} was never sent {name} for {packet_id}", connection.0));
            }
        }
        Ok(())
    }
}

impl Answers {
    fn check_awaited(&mut self, connection: ConnectionId, packet: &Packet, truth: &Truth) -> Verdict {
        let Some(answer) = as_answer(packet) else { return Ok(()) };
        let awaited = self.awaited.entry(connection).or_default();
        if let Some(count) = awaited.get_mut(&answer) {
            *count -= 1;
            if *count == 0 {
                awaited.remove(&answer);
            }
            return Ok(());
        }
        // PUBREL goes again by itself on a new connection.
        let session = truth.session_of(connection);
        let in_flight = session.and_then(|session| session.in_flight.get(&answer.1));
        // After a crash also for a QoS 2 message that was in memory alone: its identifier is freed on both ends.
        let is_again = in_flight.is_some_and(|it| it.progress == Progress::Received || it.is_doubtful)
            || truth.may_be_freed(connection, answer.1);
        ensure(is_again && packet.packet_type() == PacketType::PubRel, || {
            format!("#{} was sent {} for {}, unasked", connection.0, packet.packet_type(), answer.1)
        })
    }
}

/// What a client awaits for a packet of its own.
fn answer_to(packet: &Packet) -> Option<Answer> {
    let (answer, packet_id) = match packet {
        Packet::Connect(_) => (PacketType::ConnAck, 0),
        Packet::Publish(publish) => {
            let qos = publish.delivery.qos().bits();
            let answer = if qos == 1 { PacketType::PubAck } else { PacketType::PubRec };
            (answer, publish.delivery.packet_id()?.get())
        }
        Packet::PubRec(ack) if !ack.reason.is_error() => (PacketType::PubRel, ack.packet_id.get()),
        Packet::PubRel(ack) => (PacketType::PubComp, ack.packet_id.get()),
        Packet::Subscribe(subscribe) => (PacketType::SubAck, subscribe.packet_id.get()),
        Packet::Unsubscribe(unsubscribe) => (PacketType::UnsubAck, unsubscribe.packet_id.get()),
        Packet::PingReq => (PacketType::PingResp, 0),
        Packet::PubRec(_)
        | Packet::PubAck(_)
        | Packet::PubComp(_)
        | Packet::Disconnect(_)
        | Packet::Auth(_)
        | Packet::ConnAck(_)
        | Packet::SubAck(_)
        | Packet::UnsubAck(_)
        | Packet::PingResp => return None,
    };
    Some((answer as u8, packet_id))
}

/// What the broker's packet answers.
fn as_answer(packet: &Packet) -> Option<Answer> {
    let packet_id = match packet {
        Packet::ConnAck(_) | Packet::PingResp => 0,
        Packet::PubAck(ack) | Packet::PubRec(ack) | Packet::PubRel(ack) | Packet::PubComp(ack) => {
            ack.packet_id.get()
        }
        Packet::SubAck(suback) => suback.packet_id.get(),
        Packet::UnsubAck(unsuback) => unsuback.packet_id.get(),
        Packet::Publish(_)
        | Packet::Disconnect(_)
        | Packet::Auth(_)
        | Packet::Connect(_)
        | Packet::Subscribe(_)
        | Packet::Unsubscribe(_)
        | Packet::PingReq => return None,
    };
    Some((packet.packet_type() as u8, packet_id))
}

/// Whether an acknowledgement of a publication tells truly if anybody had subscribed.
fn check_reason(connection: ConnectionId, packet: &Packet, truth: &Truth) -> Verdict {
    let (Packet::PubAck(ack) | Packet::PubRec(ack)) = packet else { return Ok(()) };
    let Some(known) = truth.connections.get(&connection) else { return Ok(()) };
    let Some(&publication) = known.published.get(&ack.packet_id.get()) else { return Ok(()) };
    let publication = &truth.publications[publication];
    let expected = match known.version.has_properties() && !publication.has_reached {
        true => ReasonCode::NoMatchingSubscribers,
        false => ReasonCode::Success,
    };
    let is_refused = truth.is_failing && ack.reason == ReasonCode::QuotaExceeded;
    ensure(is_refused || ack.reason == expected, || {
        format!("{} was acknowledged with {}, not with {expected}", publication.key, ack.reason)
    })
}
