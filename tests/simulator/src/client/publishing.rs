//! Owns what a client publishes: its queue, its window, its handshakes.

use super::{Client, Output, Phase};
use crate::scenario::Message;
use bytes::Bytes;
use mqtt_codec::{
    Packet, PayloadFormat, Properties, Property, PropertyOwner, QoS, ReasonCode, TopicName, TopicNameRef,
    flow::{InFlight, Progress, Resend},
    packet::{Ack, Delivery, PacketId, Publish},
};

impl Client {
    /// Publishes, now or when the window has room.
    pub(crate) fn publish(&mut self, messages: impl IntoIterator<Item = Message>, output: &mut Output) {
        self.waiting.extend(messages);
        self.send_waiting(output);
    }

    /// Sends what may be sent: first what an earlier connection left, then what waits.
    pub(super) fn send_waiting(&mut self, output: &mut Output) {
        if self.connection.as_ref().is_none_or(|connection| connection.phase != Phase::Connected) {
            return;
        }
        self.send_again(output);
        while self.sender.has_room()
            && let Some(message) = self.waiting.pop_front()
        {
            let delivery = match message.qos {
                QoS::AtMostOnce => Delivery::AtMostOnce,
                QoS::AtLeastOnce => {
                    Delivery::AtLeastOnce { packet_id: self.take_into_flight(&message), dup: false }
                }
                QoS::ExactlyOnce => {
                    Delivery::ExactlyOnce { packet_id: self.take_into_flight(&message), dup: false }
                }
            };
            let packet = self.publish_packet(&message, delivery);
            output.packets.push(packet);
        }
    }

    fn send_again(&mut self, output: &mut Output) {
        loop {
            let (message, delivery) = match self.sender.next_resend() {
                None => return,
                Some(Resend::PubRel(packet_id)) => {
                    output.packets.push(Packet::PubRel(Ack::new(packet_id, ReasonCode::Success)));
                    continue;
                }
                Some(Resend::Publish(&mut InFlight { packet_id, qos, ref message, .. })) => {
                    let delivery = match qos {
                        QoS::ExactlyOnce => Delivery::ExactlyOnce { packet_id, dup: true },
                        QoS::AtMostOnce | QoS::AtLeastOnce => Delivery::AtLeastOnce { packet_id, dup: true },
                    };
                    (message.clone(), delivery)
                }
            };
            let packet = self.publish_packet(&message, delivery);
            output.packets.push(packet);
        }
    }

    fn take_into_flight(&mut self, message: &Message) -> PacketId {
        let packet_id = self.next_packet_id();
        self.sender.send(packet_id, message.qos, message.clone());
        packet_id
    }

    fn publish_packet(&mut self, message: &Message, delivery: Delivery) -> Packet {
        let (mut topic, mut properties) = (Some(message.topic), Properties::default());
        if let Some(connection) = self.connection.as_mut().filter(|it| it.version.has_properties()) {
            let alias;
            (topic, alias) = connection.outbound_aliases.choose(message.topic);
            let all = [
                alias.map(Property::TopicAlias),
                message.expiry_seconds.map(Property::MessageExpiryInterval),
                message.asks.then_some(Property::UserProperty("dunlin-durability", "?")),
            ];
            let forwarded = if message.has_properties { &forwarded_properties()[..] } else { &[] };
            let all = all.into_iter().flatten().chain(forwarded.iter().copied());
            properties = Properties::new(PropertyOwner::Publish, all).expect("what is short can be encoded");
        }
        Packet::Publish(Publish {
            delivery,
            retain: message.retain,
            topic: topic.map(|topic| TopicName::owned(topic).expect("the topics are legal")),
            properties,
            payload: Bytes::clone(&message.payload),
        })
    }

    pub(super) fn puback(&mut self, packet_id: PacketId, output: &mut Output) {
        if self.sender.puback(packet_id).is_err() {
            output.complaint = Some(format!("PUBACK for {packet_id}, which is not in flight"));
        }
        self.send_waiting(output);
    }

    pub(super) fn pubrec(&mut self, ack: &Ack, output: &mut Output) {
        match self.sender.pubrec(ack.packet_id, ack.reason.is_error(), |_| ()) {
            Ok(Progress::Release) => {
                output.packets.push(Packet::PubRel(Ack::new(ack.packet_id, ReasonCode::Success)));
            }
            Ok(Progress::Done(_)) => {}
            Err(_) => {
                output.complaint = Some(format!("PUBREC for {}, which is not in flight", ack.packet_id));
            }
        }
        self.send_waiting(output);
    }

    pub(super) fn pubcomp(&mut self, packet_id: PacketId, output: &mut Output) {
        if self.sender.pubcomp(packet_id).is_err() {
            output.complaint = Some(format!("PUBCOMP for {packet_id}, which is not in flight"));
        }
        self.send_waiting(output);
    }
}

/// One of each property that is forwarded, User Property twice.
fn forwarded_properties() -> [Property<'static>; 6] {
    [
        Property::UserProperty("first", "1"),
        Property::PayloadFormatIndicator(PayloadFormat::Utf8),
        Property::ContentType("text/plain"),
        Property::ResponseTopic(TopicNameRef::new("answers").expect("it is legal")),
        Property::CorrelationData(b"\0\xFF"),
        Property::UserProperty("first", "2"),
    ]
}
