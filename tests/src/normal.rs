//! Owns the form in which packets are compared: the order of properties means nothing, except among User Properties,
//! and a Reason String is for people. It judges no packet.

use mqtt_codec::{Packet, Properties, Property, PropertyId, PropertyOwner};

/// The packet with its properties in the order of their identifiers, without Reason String.
pub(crate) fn normal(mut packet: Packet) -> Packet {
    let Some(owner) = packet.packet_type().property_owner() else { return packet };
    if let Some(properties) = properties(&mut packet) {
        *properties = sorted(owner, properties);
    }
    if let Packet::Connect(connect) = &mut packet
        && let Some(will) = &mut connect.will
    {
        will.properties = sorted(PropertyOwner::Will, &will.properties);
    }
    packet
}

fn sorted(owner: PropertyOwner, properties: &Properties) -> Properties {
    let mut sorted: Vec<Property<'_>> =
        properties.iter().filter(|property| property.id() != PropertyId::ReasonString).collect();
    sorted.sort_by_key(Property::id);
    Properties::new(owner, sorted).expect("the same properties are as legal in another order and number")
}

fn properties(packet: &mut Packet) -> Option<&mut Properties> {
    Some(match packet {
        Packet::Connect(packet) => &mut packet.properties,
        Packet::ConnAck(packet) => &mut packet.properties,
        Packet::Publish(packet) => &mut packet.properties,
        Packet::PubAck(packet)
        | Packet::PubRec(packet)
        | Packet::PubRel(packet)
        | Packet::PubComp(packet) => &mut packet.properties,
        Packet::Subscribe(packet) => &mut packet.properties,
        Packet::SubAck(packet) => &mut packet.properties,
        Packet::Unsubscribe(packet) => &mut packet.properties,
        Packet::UnsubAck(packet) => &mut packet.properties,
        Packet::Disconnect(packet) => &mut packet.properties,
        Packet::Auth(packet) => &mut packet.properties,
        Packet::PingReq | Packet::PingResp => return None,
    })
}
