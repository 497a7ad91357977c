//! Owns one client's view of its connection: what a broker may send it at this moment. What the client
//! says is the program's business.

use super::script::Reason;
use broker_core::config::Limits;
use mqtt_codec::{
    Borrowed, MAXIMUM_PACKET_BYTES, Packet, PacketRef, PacketType, PropertyId, ProtocolVersion, QoS,
    ReasonCode,
    packet::{Ack, ConnAck, Connect, Delivery, Disconnect, PacketId, Publish},
};
use std::collections::{BTreeMap, BTreeSet, VecDeque};

/// A client that has sent CONNECT.
pub(crate) struct Client {
    version: ProtocolVersion,
    packet_bytes_max: usize,
    receive_maximum: usize,
    topic_alias_maximum: u16,
    progress: Progress,
    /// Aliases the broker has given a topic.
    aliases: BTreeSet<u16>,
    /// What was received on this connection and is not acknowledged.
    in_flight: BTreeMap<PacketId, InFlight>,
    /// How many answers to what this client said are to come, by type and Packet Identifier.
    awaited: BTreeMap<(PacketType, Option<PacketId>), usize>,
    /// What it has to acknowledge, in order.
    unanswered: VecDeque<(PacketType, PacketId)>,
}

/// ```text
/// Greeting ── CONNACK, accepted ──▶ Connected ── DISCONNECT ──▶ Ended
///     └──────────── CONNACK, refused ────────────────────────────▲
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Progress {
    Greeting,
    Connected,
    Ended,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum InFlight {
    /// PUBACK is to be sent.
    AtLeastOnce,
    /// PUBREC is to be sent.
    ExactlyOnce,
    /// PUBREC was sent, PUBCOMP is to be.
    Received,
    /// Received on an earlier connection: PUBREL came again on this one.
    ReleasedAgain,
}

impl Client {
    pub(crate) fn new(connect: &Connect<Borrowed<'_>>, limits: &Limits) -> Self {
        let properties = &connect.properties;
        let packet_bytes_max = properties.maximum_packet_size().map_or(MAXIMUM_PACKET_BYTES, u32::from);
        let receive_maximum = properties.receive_maximum().map_or(u16::MAX, u16::from);
        Self {
            version: connect.version,
            packet_bytes_max: packet_bytes_max as usize,
            receive_maximum: usize::from(receive_maximum.min(limits.inflight_max)),
            topic_alias_maximum: properties.topic_alias_maximum().unwrap_or(0),
            progress: Progress::Greeting,
            aliases: BTreeSet::new(),
            in_flight: BTreeMap::new(),
            awaited: BTreeMap::new(),
            unanswered: VecDeque::new(),
        }
    }

    pub(crate) fn version(&self) -> ProtocolVersion {
        self.version
    }

    /// Whoever is still there after its CONNECT has been let in.
    pub(crate) fn check_accepted(&self) {
        assert_eq!(self.progress, Progress::Connected, "a CONNECT is answered, a refusal closes");
    }

    /// This client has said something.
    pub(crate) fn said(&mut self, packet: &PacketRef<'_>) {
        match packet {
            Packet::Publish(publish) => match publish.delivery {
                Delivery::AtMostOnce => {}
                Delivery::AtLeastOnce { packet_id, .. } => self.await_one(PacketType::PubAck, packet_id),
                Delivery::ExactlyOnce { packet_id, .. } => self.await_one(PacketType::PubRec, packet_id),
            },
            Packet::PubAck(ack) => self.end(ack.packet_id, &[InFlight::AtLeastOnce]),
            Packet::PubRec(ack) => {
                self.await_one(PacketType::PubRel, ack.packet_id);
                if ack.reason.is_error() {
                    self.end(ack.packet_id, &[InFlight::ExactlyOnce]);
                } else if let Some(state @ InFlight::ExactlyOnce) = self.in_flight.get_mut(&ack.packet_id) {
                    *state = InFlight::Received;
                }
            }
            Packet::PubComp(ack) => self.end(ack.packet_id, &[InFlight::Received, InFlight::ReleasedAgain]),
            Packet::PubRel(ack) => self.await_one(PacketType::PubComp, ack.packet_id),
            Packet::Subscribe(subscribe) => self.await_one(PacketType::SubAck, subscribe.packet_id),
            Packet::Unsubscribe(unsubscribe) => self.await_one(PacketType::UnsubAck, unsubscribe.packet_id),
            Packet::PingReq => *self.awaited.entry((PacketType::PingResp, None)).or_default() += 1,
            Packet::Connect(_)
            | Packet::ConnAck(_)
            | Packet::SubAck(_)
            | Packet::UnsubAck(_)
            | Packet::PingResp
            | Packet::Disconnect(_)
            | Packet::Auth(_) => {}
        }
    }

    /// The next acknowledgement that this client owes, as bytes.
    pub(crate) fn answer(&mut self, reason: Reason) -> Option<Vec<u8>> {
        let (packet_type, packet_id) = self.unanswered.pop_front()?;
        let refusal = match reason {
            Reason::Error if self.version.has_properties() => ReasonCode::UnspecifiedError,
            Reason::Error | Reason::Success => ReasonCode::Success,
        };
        let packet = match packet_type {
            PacketType::PubAck => Packet::PubAck(Ack::new(packet_id, refusal)),
            PacketType::PubRec => Packet::PubRec(Ack::new(packet_id, refusal)),
            _ => <Packet>::PubComp(Ack::new(packet_id, ReasonCode::Success)),
        };
        let mut bytes = Vec::new();
        packet.encode(self.version, &mut bytes).expect("an acknowledgement can be encoded");
        Some(bytes)
    }

    /// Whole packets from the broker: each is one that it may send here and now. Their types.
    pub(crate) fn hear(&mut self, mut bytes: &[u8]) -> Vec<PacketType> {
        let mut types = Vec::new();
        assert!(!bytes.is_empty(), "nothing is sent");
        while !bytes.is_empty() {
            let frame = mqtt_codec::frame(bytes, self.version, MAXIMUM_PACKET_BYTES)
                .unwrap_or_else(|error| panic!("no packet: {error}: {bytes:02x?}"))
                .unwrap_or_else(|| panic!("half a packet: {bytes:02x?}"));
            let packet = PacketRef::decode(frame, self.version)
                .unwrap_or_else(|error| panic!("no packet: {error}: {bytes:02x?}"));
            // [MQTT5-3.1.2-24]
            assert!(frame.bytes.len() <= self.packet_bytes_max, "above the Maximum Packet Size: {packet:?}");
            self.hear_packet(&packet);
            types.push(packet.packet_type());
            bytes = &bytes[frame.bytes.len()..];
        }
        types
    }

    fn hear_packet(&mut self, packet: &PacketRef<'_>) {
        match (self.progress, packet) {
            (Progress::Greeting, Packet::ConnAck(connack)) => return self.hear_connack(connack),
            // [MQTT5-3.2.0-1] [MQTT311-3.2.0-1]
            (Progress::Greeting, _) => panic!("before CONNACK: {packet:?}"),
            // [MQTT5-3.14.4-1]
            (Progress::Ended, _) => panic!("after the last packet: {packet:?}"),
            (Progress::Connected, _) => {}
        }
        match packet {
            Packet::Publish(publish) => self.hear_publish(publish),
            Packet::PubAck(ack) | Packet::PubRec(ack) | Packet::PubComp(ack) => {
                self.expect_awaited(packet.packet_type(), Some(ack.packet_id));
            }
            Packet::PubRel(ack) => self.hear_pubrel(ack.packet_id),
            Packet::SubAck(ack) => self.expect_awaited(PacketType::SubAck, Some(ack.packet_id)),
            Packet::UnsubAck(ack) => self.expect_awaited(PacketType::UnsubAck, Some(ack.packet_id)),
            Packet::PingResp => self.expect_awaited(PacketType::PingResp, None),
            Packet::Disconnect(disconnect) => self.hear_disconnect(disconnect),
            Packet::ConnAck(_)
            | Packet::Connect(_)
            | Packet::Subscribe(_)
            | Packet::Unsubscribe(_)
            | Packet::PingReq
            | Packet::Auth(_) => panic!("not for a server to send now: {packet:?}"),
        }
    }

    fn hear_connack(&mut self, connack: &ConnAck<Borrowed<'_>>) {
        let is_refused = connack.reason.is_error();
        // [MQTT5-3.2.2-6] [MQTT311-3.2.2-4]
        assert!(!(is_refused && connack.session_present), "no session where there is no connection");
        self.progress = if is_refused { Progress::Ended } else { Progress::Connected };
    }

    fn hear_publish(&mut self, publish: &Publish<Borrowed<'_>>) {
        if let Some(alias) = publish.properties.topic_alias() {
            // [MQTT5-3.1.2-26]
            assert!(alias.get() <= self.topic_alias_maximum, "above the Topic Alias Maximum: {publish:?}");
            let is_new = self.aliases.insert(alias.get());
            assert!(!is_new || publish.topic.is_some(), "an alias without a topic: {publish:?}");
        }
        let Some(packet_id) = publish.delivery.packet_id() else { return };
        let (state, answer) = match publish.delivery.qos() {
            QoS::AtMostOnce => return,
            QoS::AtLeastOnce => (InFlight::AtLeastOnce, PacketType::PubAck),
            QoS::ExactlyOnce => (InFlight::ExactlyOnce, PacketType::PubRec),
        };
        // [MQTT5-2.2.1-4] [MQTT311-2.3.1-4]
        let former = self.in_flight.insert(packet_id, state);
        assert_eq!(former, None, "an identifier that is in flight: {publish:?}");
        // [MQTT5-3.3.4-9]
        let count = self.in_flight.values().filter(|&&state| state != InFlight::ReleasedAgain).count();
        assert!(count <= self.receive_maximum, "above the Receive Maximum: {publish:?}");
        self.unanswered.push_back((answer, packet_id));
    }

    /// It answers a PUBREC, or it is sent again, once, on a later connection.
    fn hear_pubrel(&mut self, packet_id: PacketId) {
        if !self.is_awaited(PacketType::PubRel, Some(packet_id)) {
            let former = self.in_flight.insert(packet_id, InFlight::ReleasedAgain);
            assert_eq!(former, None, "PUBREL without PUBREC: {packet_id:?}");
        }
        self.unanswered.push_back((PacketType::PubComp, packet_id));
    }

    fn hear_disconnect(&mut self, disconnect: &Disconnect<Borrowed<'_>>) {
        assert!(self.version.has_properties(), "3.x servers send no DISCONNECT");
        assert_ne!(disconnect.reason, ReasonCode::DisconnectWithWill, "a client's reason");
        // [MQTT5-3.14.2-2]
        let sets_expiry = disconnect.properties.contains(PropertyId::SessionExpiryInterval);
        assert!(!sets_expiry, "a server sets no Session Expiry Interval");
        self.progress = Progress::Ended;
    }

    fn await_one(&mut self, packet_type: PacketType, packet_id: PacketId) {
        *self.awaited.entry((packet_type, Some(packet_id))).or_default() += 1;
    }

    fn expect_awaited(&mut self, packet_type: PacketType, packet_id: Option<PacketId>) {
        assert!(self.is_awaited(packet_type, packet_id), "{packet_type} {packet_id:?} answers nothing");
    }

    fn is_awaited(&mut self, packet_type: PacketType, packet_id: Option<PacketId>) -> bool {
        let count = self.awaited.get_mut(&(packet_type, packet_id)).filter(|count| **count > 0);
        count.map(|count| *count -= 1).is_some()
    }

    fn end(&mut self, packet_id: PacketId, states: &[InFlight]) {
        if self.in_flight.get(&packet_id).is_some_and(|state| states.contains(state)) {
            self.in_flight.remove(&packet_id);
        }
    }
}

/// What is said to a CONNECT that no shard has seen is a CONNACK that refuses.
pub(crate) fn check_refusal(bytes: &[u8]) {
    let is_refusal = [ProtocolVersion::V5, ProtocolVersion::V311].into_iter().any(|version| {
        let frame = mqtt_codec::frame(bytes, version, MAXIMUM_PACKET_BYTES).ok().flatten();
        let packet = frame.map(|frame| (PacketRef::decode(frame, version), frame.bytes.len()));
        matches!(packet, Some((Ok(Packet::ConnAck(connack)), length))
            if connack.reason.is_error() && length == bytes.len())
    });
    assert!(is_refusal, "no refusal: {bytes:02x?}");
}
