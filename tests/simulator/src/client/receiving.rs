//! Owns what a client makes of the bytes it receives.

use super::{Client, Output, Phase};
use crate::{
    observation::{Delivered, MessageKey},
    truth::SessionKey,
};
use bytes::Bytes;
use mqtt_codec::{
    MAXIMUM_PACKET_BYTES, Packet, ReasonCode,
    flow::Inbound,
    packet::{Ack, Delivery, PacketId, Publish},
};

impl Client {
    /// Bytes arrived on the connection in use. `session` is what it is for, should a CONNACK be among them.
    pub(crate) fn receive(&mut self, bytes: &[u8], session: Option<SessionKey>, output: &mut Output) {
        let Some(connection) = &mut self.connection else { return };
        connection.buffer.extend_from_slice(bytes);
        let input = Bytes::from(std::mem::take(&mut connection.buffer));
        let version = connection.version;
        let mut read = 0;
        while output.complaint.is_none() {
            match Packet::decode_first(&input.slice(read..), version, MAXIMUM_PACKET_BYTES) {
                Ok(None) => break,
                Ok(Some((packet, packet_bytes))) => {
                    read += packet_bytes;
                    self.receive_packet(packet, session, output);
                }
                Err(error) => output.complaint = Some(error.to_string()),
            }
        }
        if let Some(connection) = &mut self.connection {
            connection.buffer = input[read..].to_vec();
        }
    }

    fn receive_packet(&mut self, packet: Packet, session: Option<SessionKey>, output: &mut Output) {
        let Some(connection) = &mut self.connection else { return };
        match (connection.phase, packet) {
            // The end of the connection follows.
            (Phase::AwaitsConnAck, Packet::ConnAck(connack)) if connack.reason.is_error() => {}
            (Phase::AwaitsConnAck, Packet::ConnAck(connack)) => match session {
                Some(session) => self.connected(&connack, session, output),
                None => output.complaint = Some("CONNACK without a session".to_owned()),
            },
            (Phase::AwaitsConnAck, packet) => {
                output.complaint = Some(format!("{} before CONNACK", packet.packet_type()));
            }
            (Phase::Connected, Packet::Publish(publish)) => self.receive_publish(&publish, output),
            (Phase::Connected, Packet::PubRel(ack)) => {
                let _ = self.receiver.release(ack.packet_id);
                output.replies.push(Packet::PubComp(Ack::new(ack.packet_id, ReasonCode::Success)));
            }
            (Phase::Connected, Packet::PubAck(ack)) => self.puback(ack.packet_id, output),
            (Phase::Connected, Packet::PubRec(ack)) => self.pubrec(&ack, output),
            (Phase::Connected, Packet::PubComp(ack)) => self.pubcomp(ack.packet_id, output),
            (Phase::Connected, Packet::SubAck(suback)) => self.answered(suback.packet_id, output),
            (Phase::Connected, Packet::UnsubAck(unsuback)) => self.answered(unsuback.packet_id, output),
            // The end of the connection follows.
            (Phase::Connected, Packet::PingResp | Packet::Disconnect(_)) => {}
            (
                Phase::Connected,
                packet @ (Packet::Connect(_)
                | Packet::ConnAck(_)
                | Packet::Subscribe(_)
                | Packet::Unsubscribe(_)
                | Packet::PingReq
                | Packet::Auth(_)),
            ) => output.complaint = Some(format!("{} is not for a server to send", packet.packet_type())),
        }
    }

    fn receive_publish(&mut self, publish: &Publish, output: &mut Output) {
        let Some(connection) = &mut self.connection else { return };
        let topic = publish.topic.as_ref().map(mqtt_codec::TopicName::as_str);
        let alias = publish.properties.topic_alias().map(mqtt_codec::TopicAlias::get);
        let topic = match connection.inbound_aliases.resolve(topic, alias) {
            Ok(topic) => topic,
            Err(complaint) => return output.complaint = Some(complaint),
        };
        let delivery = publish.delivery;
        let is_new = match delivery {
            Delivery::AtMostOnce => true,
            Delivery::AtLeastOnce { packet_id, .. } => {
                output.replies.push(Packet::PubAck(Ack::new(packet_id, ReasonCode::Success)));
                true
            }
            Delivery::ExactlyOnce { packet_id, .. } => {
                output.replies.push(Packet::PubRec(Ack::new(packet_id, ReasonCode::Success)));
                self.receiver.publish(delivery) == Inbound::New
            }
        };
        if is_new {
            let key = MessageKey::of(&topic, &publish.payload);
            let packet_id = delivery.packet_id().map(PacketId::get);
            output.delivered.push(Delivered { key, qos: delivery.qos(), packet_id });
        }
    }

    fn answered(&mut self, packet_id: PacketId, output: &mut Output) {
        let requests = self.connection.as_mut().map(|connection| &mut connection.requests);
        if !requests.is_some_and(|requests| requests.remove(&packet_id)) {
            output.complaint = Some(format!("an answer for {packet_id}, which was not asked"));
        }
    }
}
