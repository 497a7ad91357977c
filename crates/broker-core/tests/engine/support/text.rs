//! Owns packets as people read them in a failed test: one line each, in the order of the wire. Reason
//! Strings are left out, they have tests of their own.

use mqtt_codec::{
    Packet, Properties, Property, PropertyId, ReasonCode,
    packet::{Ack, Delivery, PacketId, Publish},
};

/// The packet in a line: `PUBLISH a/b 'payload' qos1 #7 dup retain {Property(value)}`.
pub(crate) fn show(packet: &Packet) -> String {
    let name = packet.packet_type();
    match packet {
        Packet::Publish(publish) => show_publish(publish),
        Packet::PubAck(ack) | Packet::PubRec(ack) | Packet::PubRel(ack) | Packet::PubComp(ack) => {
            format!("{name} {}", show_ack(ack))
        }
        Packet::ConnAck(connack) => {
            let present = if connack.session_present { " present" } else { "" };
            format!("{name} {}{present}{}", connack.reason, show_properties(&connack.properties))
        }
        Packet::SubAck(suback) => {
            show_codes("SUBACK", suback.packet_id, suback.reason_codes(), &suback.properties)
        }
        Packet::UnsubAck(unsuback) => {
            show_codes("UNSUBACK", unsuback.packet_id, unsuback.reason_codes(), &unsuback.properties)
        }
        Packet::Disconnect(disconnect) => {
            format!("{name} {}{}", disconnect.reason, show_properties(&disconnect.properties))
        }
        Packet::PingReq | Packet::PingResp => name.to_string(),
        Packet::Connect(_) | Packet::Subscribe(_) | Packet::Unsubscribe(_) | Packet::Auth(_) => {
            panic!("a broker sends no {name}")
        }
    }
}

fn show_publish(publish: &Publish) -> String {
    let topic = publish.topic.as_ref().map_or("-", |topic| topic.as_str());
    let payload = match publish.payload.len() {
        0..=40 => format!("'{}'", String::from_utf8_lossy(&publish.payload)),
        bytes => format!("{bytes} bytes"),
    };
    let delivery = match publish.delivery {
        Delivery::AtMostOnce => String::new(),
        Delivery::AtLeastOnce { packet_id, .. } => format!(" qos1 #{packet_id}"),
        Delivery::ExactlyOnce { packet_id, .. } => format!(" qos2 #{packet_id}"),
    };
    let dup = if publish.delivery.dup() { " dup" } else { "" };
    let retain = if publish.retain { " retain" } else { "" };
    format!("PUBLISH {topic} {payload}{delivery}{dup}{retain}{}", show_properties(&publish.properties))
}

fn show_ack(ack: &Ack) -> String {
    let reason = if ack.reason == ReasonCode::Success { String::new() } else { format!(" {}", ack.reason) };
    format!("#{}{reason}{}", ack.packet_id, show_properties(&ack.properties))
}

fn show_codes(
    name: &str,
    packet_id: PacketId,
    codes: impl Iterator<Item = ReasonCode>,
    properties: &Properties,
) -> String {
    let codes: Vec<_> = codes.map(|code| format!("{:X}", code.byte())).collect();
    format!("{name} #{packet_id} [{}]{}", codes.join(" "), show_properties(properties))
}

fn show_properties(properties: &Properties) -> String {
    let is_shown = |property: &Property<'_>| property.id() != PropertyId::ReasonString;
    let shown: Vec<_> = properties.iter().filter(is_shown).map(show_property).collect();
    if shown.is_empty() { String::new() } else { format!(" {{{}}}", shown.join(" ")) }
}

fn show_property(property: Property<'_>) -> String {
    match property {
        Property::TopicAlias(alias) => format!("TopicAlias({})", alias.get()),
        Property::ResponseTopic(topic) => format!("ResponseTopic({topic})"),
        Property::CorrelationData(data) => format!("CorrelationData({})", String::from_utf8_lossy(data)),
        Property::UserProperty(name, value) => format!("{name}={value}"),
        other => format!("{other:?}"),
    }
}
