//! Owns the packets that the codec is measured with. How they are measured is the benchmarks' business.

use bytes::Bytes;
use mqtt_codec::{
    Packet, PacketId, Properties, Property, PropertyOwner, ProtocolVersion, QoS, ReasonCode, TopicName,
    packet::{Ack, Connect, Delivery, Publish, Will},
};

/// A packet as a program holds it and as the wire carries it.
pub struct Sample {
    /// What a benchmark calls it.
    pub name: &'static str,
    /// The version it is in.
    pub version: ProtocolVersion,
    /// The packet.
    pub packet: Packet,
    /// Its bytes.
    pub bytes: Bytes,
}

/// CONNECT, PUBLISH and PUBACK of 3.1.1 and 5.0, small and with everything that is usual.
#[must_use]
pub fn samples() -> Vec<Sample> {
    use ProtocolVersion::{V5, V311};
    let first = PacketId::FIRST;
    let at_least_once = Delivery::AtLeastOnce { packet_id: first, dup: false };
    let success = Ack::new(first, ReasonCode::Success);
    let unheard = Ack::new(first, ReasonCode::NoMatchingSubscribers);
    [
        ("connect/3.1.1", V311, Packet::Connect(connect(V311))),
        ("connect/5.0", V5, Packet::Connect(connect(V5))),
        ("publish qos 0/3.1.1", V311, publish(Delivery::AtMostOnce, Properties::NONE)),
        ("publish qos 0/5.0", V5, publish(Delivery::AtMostOnce, Properties::NONE)),
        ("publish qos 0 with properties/5.0", V5, publish(Delivery::AtMostOnce, properties())),
        ("publish qos 1/3.1.1", V311, publish(at_least_once, Properties::NONE)),
        ("publish qos 1/5.0", V5, publish(at_least_once, Properties::NONE)),
        ("publish qos 1 with properties/5.0", V5, publish(at_least_once, properties())),
        ("puback/3.1.1", V311, Packet::PubAck(success)),
        ("puback with reason/5.0", V5, Packet::PubAck(unheard)),
    ]
    .map(|(name, version, packet)| {
        let mut bytes = Vec::new();
        packet.encode(version, &mut bytes).expect("the packet is legal");
        Sample { name, version, packet, bytes: Bytes::from(bytes) }
    })
    .into()
}

fn connect(version: ProtocolVersion) -> Connect {
    let expiry = [
        Property::SessionExpiryInterval(3_600),
        Property::ReceiveMaximum(100.try_into().expect("not zero")),
        Property::TopicAliasMaximum(16),
    ];
    let delay = [Property::WillDelayInterval(30)];
    let collected = |owner, properties: &[Property<'_>]| match version {
        ProtocolVersion::V5 => Properties::new(owner, properties.iter().copied()).expect("legal there"),
        ProtocolVersion::V31 | ProtocolVersion::V311 => Properties::NONE,
    };
    Connect {
        version,
        clean_start: false,
        keep_alive_seconds: 60,
        client_id: "sensor-00017".into(),
        will: Some(Will {
            qos: QoS::AtLeastOnce,
            retain: true,
            topic: TopicName::owned("sensors/17/state").expect("a legal topic"),
            payload: Bytes::from_static(b"offline"),
            properties: collected(PropertyOwner::Will, &delay),
        }),
        user_name: Some("sensor".into()),
        password: Some(Bytes::from_static(b"correct horse")),
        properties: collected(PropertyOwner::Connect, &expiry),
    }
}

/// 64 bytes of payload on a topic of 22.
fn publish(delivery: Delivery, properties: Properties) -> Packet {
    Packet::Publish(Publish {
        delivery,
        retain: false,
        topic: Some(TopicName::owned("sensors/17/temperature").expect("a legal topic")),
        properties,
        payload: Bytes::from_static(&[b'x'; 64]),
    })
}

fn properties() -> Properties {
    let properties = [
        Property::MessageExpiryInterval(60),
        Property::ContentType("application/json"),
        Property::UserProperty("unit", "celsius"),
    ];
    Properties::new(PropertyOwner::Publish, properties).expect("legal in a PUBLISH")
}
