//! Owns how tests build packets and read them: one short line each. What is tested is not known here.

use mqtt_codec::{
    Packet, PacketId, Properties, Property, PropertyOwner, ReasonCode, TopicName,
    packet::{
        Ack, ConnAck, Connect, Delivery, Disconnect, Publish, SubAck, Subscribe, UnsubAck, Unsubscribe,
    },
};
use std::fmt::Write;

/// A packet as a line.
pub(crate) fn describe(packet: &Packet) -> String {
    let kind = packet.packet_type();
    match packet {
        Packet::Connect(connect) => describe_connect(connect),
        Packet::Publish(publish) => describe_publish(publish),
        Packet::PubAck(ack) | Packet::PubRec(ack) | Packet::PubRel(ack) | Packet::PubComp(ack) => {
            describe_ack(&kind.to_string(), ack)
        }
        Packet::Subscribe(subscribe) => describe_subscribe(subscribe),
        Packet::Unsubscribe(unsubscribe) => describe_unsubscribe(unsubscribe),
        Packet::Disconnect(disconnect) => describe_disconnect(disconnect),
        Packet::PingReq => kind.to_string(),
        Packet::ConnAck(_) | Packet::SubAck(_) | Packet::UnsubAck(_) | Packet::PingResp | Packet::Auth(_) => {
            format!("{kind}, which no client sends here")
        }
    }
}

fn describe_connect(connect: &Connect) -> String {
    let start = if connect.clean_start { "clean" } else { "resume" };
    format!(
        "CONNECT {} {start} {:?} keep alive {}",
        connect.version, &*connect.client_id, connect.keep_alive_seconds
    )
}

fn describe_publish(publish: &Publish) -> String {
    let mut line = format!("PUBLISH QoS {}", publish.delivery.qos().bits());
    if let Some(packet_id) = publish.delivery.packet_id() {
        write!(line, " #{packet_id}").unwrap();
    }
    if publish.delivery.dup() {
        line.push_str(" DUP");
    }
    if publish.retain {
        line.push_str(" RETAIN");
    }
    if let Some(alias) = publish.properties.topic_alias() {
        write!(line, " alias {}", alias.get()).unwrap();
    }
    let topic = publish.topic.as_ref().map_or("", TopicName::as_str);
    write!(line, " {topic}: {}", String::from_utf8_lossy(&publish.payload)).unwrap();
    line
}

fn describe_ack(kind: &str, ack: &Ack) -> String {
    match ack.reason {
        ReasonCode::Success => format!("{kind} #{}", ack.packet_id),
        reason => format!("{kind} #{} {reason}", ack.packet_id),
    }
}

fn describe_subscribe(subscribe: &Subscribe) -> String {
    let mut line = format!("SUBSCRIBE #{}", subscribe.packet_id);
    if let Some(identifier) = subscribe.properties.subscription_identifier() {
        write!(line, " identifier {identifier}").unwrap();
    }
    for subscription in subscribe.subscriptions() {
        write!(line, " {} QoS {}", subscription.filter, subscription.options.maximum_qos.bits()).unwrap();
    }
    line
}

fn describe_unsubscribe(unsubscribe: &Unsubscribe) -> String {
    let mut line = format!("UNSUBSCRIBE #{}", unsubscribe.packet_id);
    for filter in unsubscribe.filters() {
        write!(line, " {filter}").unwrap();
    }
    line
}

fn describe_disconnect(disconnect: &Disconnect) -> String {
    format!("DISCONNECT {}", disconnect.reason)
}

/// CONNACK with success.
pub(crate) fn connack<const N: usize>(session_present: bool, properties: [Property<'_>; N]) -> Packet {
    let properties = Properties::new(PropertyOwner::ConnAck, properties).unwrap();
    Packet::ConnAck(ConnAck { session_present, reason: ReasonCode::Success, properties })
}

/// CONNACK with an error.
pub(crate) fn refusal(reason: ReasonCode) -> Packet {
    Packet::ConnAck(ConnAck { session_present: false, reason, properties: Properties::NONE })
}

pub(crate) fn id(number: u16) -> PacketId {
    PacketId::new(number).unwrap()
}

pub(crate) fn ack(number: u16, reason: ReasonCode) -> Ack {
    Ack::new(id(number), reason)
}

pub(crate) fn puback(number: u16) -> Packet {
    Packet::PubAck(ack(number, ReasonCode::Success))
}

pub(crate) fn pubrec(number: u16) -> Packet {
    Packet::PubRec(ack(number, ReasonCode::Success))
}

pub(crate) fn pubrel(number: u16) -> Packet {
    Packet::PubRel(ack(number, ReasonCode::Success))
}

pub(crate) fn pubcomp(number: u16) -> Packet {
    Packet::PubComp(ack(number, ReasonCode::Success))
}

pub(crate) fn suback<const N: usize>(number: u16, reasons: [ReasonCode; N]) -> Packet {
    Packet::SubAck(SubAck::new(id(number), Properties::NONE, reasons).unwrap())
}

pub(crate) fn unsuback<const N: usize>(number: u16, reasons: [ReasonCode; N]) -> Packet {
    Packet::UnsubAck(UnsubAck::new(id(number), Properties::NONE, reasons).unwrap())
}

pub(crate) fn disconnect(reason: ReasonCode) -> Packet {
    Packet::Disconnect(Disconnect { reason, properties: Properties::NONE })
}

pub(crate) fn at_least_once(number: u16) -> Delivery {
    Delivery::AtLeastOnce { packet_id: id(number), dup: false }
}

pub(crate) fn exactly_once(number: u16) -> Delivery {
    Delivery::ExactlyOnce { packet_id: id(number), dup: false }
}

/// A PUBLISH of the server.
pub(crate) fn publish(delivery: Delivery, topic: &str, payload: &'static str) -> Packet {
    publish_with(delivery, topic, payload, [])
}

/// A PUBLISH of the server; an empty topic is none.
pub(crate) fn publish_with<const N: usize>(
    delivery: Delivery,
    topic: &str,
    payload: &'static str,
    properties: [Property<'_>; N],
) -> Packet {
    let properties = Properties::new(PropertyOwner::Publish, properties).unwrap();
    let topic = Some(topic).filter(|topic| !topic.is_empty()).map(|topic| TopicName::owned(topic).unwrap());
    Packet::Publish(Publish { delivery, retain: false, topic, properties, payload: payload.into() })
}
