//! Owns the handshakes that most tests need on their way to what they are about. Tests about a handshake spell it
//! out themselves.

use super::Wire;
use mqtt_codec::{
    Packet, PacketId, QoS, ReasonCode, TopicName,
    packet::{Delivery, Publish},
};

impl Wire {
    /// An identifier that was not used before on this connection.
    ///
    /// # Panics
    /// After 65,535 of them.
    #[track_caller]
    pub fn next_packet_id(&mut self) -> PacketId {
        self.next_packet_id += 1;
        PacketId::new(self.next_packet_id).expect("fewer than 65,536 packets")
    }

    /// Subscribes to one filter and expects that QoS to be granted.
    ///
    /// # Panics
    /// If it is not.
    #[track_caller]
    pub fn subscribe(&mut self, filter: &str, qos: QoS) {
        self.subscribe_with(filter, "", qos.bits());
    }

    /// Subscribes to one filter with these properties and this byte of options, whose QoS is to be granted.
    ///
    /// # Panics
    /// If it is not.
    #[track_caller]
    pub fn subscribe_with(&mut self, filter: &str, properties: &str, options: u8) {
        let packet_id = self.next_packet_id().get();
        self.send(&format!("82 # {packet_id:04x} ({properties}) '{filter}' {options:02x}"));
        let answer = self.answer(|packet| matches!(packet, Packet::SubAck(_)));
        self.check(answer, &format!("90 # {packet_id:04x} () {:02x}", options & 3));
    }

    /// Unsubscribes from one filter that was subscribed to.
    ///
    /// # Panics
    /// If the broker says that it was not.
    #[track_caller]
    pub fn unsubscribe(&mut self, filter: &str) {
        let packet_id = self.next_packet_id().get();
        self.send(&format!("a2 # {packet_id:04x} () '{filter}'"));
        let answer = self.answer(|packet| matches!(packet, Packet::UnsubAck(_)));
        self.check(answer, &format!("b0 # {packet_id:04x} () [00]"));
    }

    /// Publishes and goes through the whole handshake of its QoS. The reason is what PUBACK or PUBREC said.
    ///
    /// # Panics
    /// If the broker answers with something else.
    #[track_caller]
    pub fn publish(&mut self, topic: &str, qos: QoS, payload: impl AsRef<[u8]>) -> ReasonCode {
        self.publish_with(topic, qos, "", payload)
    }

    /// As [`Self::publish`], for the broker to retain.
    ///
    /// # Panics
    /// If the broker answers with something else.
    #[track_caller]
    pub fn publish_retained(&mut self, topic: &str, qos: QoS, payload: impl AsRef<[u8]>) -> ReasonCode {
        let publication = self.publication(topic, qos, "", payload.as_ref());
        self.hand_over(Publish { retain: true, ..publication })
    }

    /// As [`Self::publish`], with properties in the tests' notation.
    ///
    /// # Panics
    /// If the broker answers with something else.
    #[track_caller]
    pub fn publish_with(
        &mut self,
        topic: &str,
        qos: QoS,
        properties: &str,
        payload: impl AsRef<[u8]>,
    ) -> ReasonCode {
        let publication = self.publication(topic, qos, properties, payload.as_ref());
        self.hand_over(publication)
    }

    fn publication(&mut self, topic: &str, qos: QoS, properties: &str, payload: &[u8]) -> Publish {
        let raw = crate::notation::bytes(properties, mqtt_codec::ProtocolVersion::V5);
        let properties = mqtt_codec::Properties::from_raw(mqtt_codec::PropertyOwner::Publish, raw.into());
        Publish {
            delivery: match qos {
                QoS::AtMostOnce => Delivery::AtMostOnce,
                QoS::AtLeastOnce => Delivery::AtLeastOnce { packet_id: self.next_packet_id(), dup: false },
                QoS::ExactlyOnce => Delivery::ExactlyOnce { packet_id: self.next_packet_id(), dup: false },
            },
            retain: false,
            topic: Some(TopicName::owned(topic).expect("a legal topic")),
            properties: properties.expect("legal properties"),
            payload: bytes::Bytes::copy_from_slice(payload),
        }
    }

    #[track_caller]
    fn hand_over(&mut self, publication: Publish) -> ReasonCode {
        let delivery = publication.delivery;
        self.send_packet(&Packet::Publish(publication));
        match delivery {
            Delivery::AtMostOnce => ReasonCode::Success,
            Delivery::AtLeastOnce { packet_id, .. } => match self.answer(|packet| !is_for_receiver(packet)) {
                Packet::PubAck(ack) if ack.packet_id == packet_id => ack.reason,
                packet => panic!("expected PUBACK {packet_id}, received {packet:?}"),
            },
            Delivery::ExactlyOnce { packet_id, .. } => self.release(packet_id),
        }
    }

    /// The second half of a QoS 2 publication.
    #[track_caller]
    fn release(&mut self, packet_id: PacketId) -> ReasonCode {
        let reason = match self.answer(|packet| !is_for_receiver(packet)) {
            Packet::PubRec(ack) if ack.packet_id == packet_id => ack.reason,
            packet => panic!("expected PUBREC {packet_id}, received {packet:?}"),
        };
        if !reason.is_error() {
            self.send(&format!("62 # {:04x}", packet_id.get()));
            let answer = self.answer(|packet| !is_for_receiver(packet));
            self.check(answer, &format!("70 # {:04x}", packet_id.get()));
        }
        reason
    }

    /// The next packet must be a PUBLISH, which is acknowledged to the end of its handshake.
    ///
    /// # Panics
    /// If it is something else.
    #[track_caller]
    pub fn receive(&mut self) -> Publish {
        let publish = self.receive_unacknowledged();
        match publish.delivery {
            Delivery::AtMostOnce => {}
            Delivery::AtLeastOnce { packet_id, .. } => self.send(&format!("40 # {:04x}", packet_id.get())),
            Delivery::ExactlyOnce { packet_id, .. } => {
                self.send(&format!("50 # {:04x}", packet_id.get()));
                let answer = self.answer(|packet| matches!(packet, Packet::PubRel(_)));
                self.check(answer, &format!("62 # {:04x}", packet_id.get()));
                self.send(&format!("70 # {:04x}", packet_id.get()));
            }
        }
        publish
    }

    /// The next packet must be a PUBLISH.
    ///
    /// # Panics
    /// If it is something else.
    #[track_caller]
    pub fn receive_unacknowledged(&mut self) -> Publish {
        match self.packet() {
            Packet::Publish(publish) => publish,
            packet => panic!("expected PUBLISH, received {packet:?}"),
        }
    }

    /// The next packet must be a PUBLISH with this topic and payload; it is acknowledged.
    ///
    /// # Panics
    /// If it is something else.
    #[track_caller]
    pub fn expect_message(&mut self, topic: &str, payload: &str) {
        let publish = self.receive();
        let received = publish.topic.as_ref().map_or("", TopicName::as_str);
        let text = String::from_utf8_lossy(&publish.payload);
        assert_eq!((received, &*text), (topic, payload), "received (left) what was not expected (right)");
    }

    /// A PINGREQ must be answered before anything else comes: nothing else was on its way on this worker.
    ///
    /// # Panics
    /// If something else comes first.
    #[track_caller]
    pub fn ping(&mut self) {
        self.send("c0 #");
        self.expect("d0 #");
    }

    /// Says good-bye and awaits the close, which is when the broker knows.
    ///
    /// # Panics
    /// If the connection is not closed.
    #[track_caller]
    pub fn disconnect(mut self) {
        self.send("e0 #");
        self.expect_close();
    }
}

/// What belongs to the handshake of a message that the broker sends.
fn is_for_receiver(packet: &Packet) -> bool {
    matches!(packet, Packet::Publish(_) | Packet::PubRel(_))
}
