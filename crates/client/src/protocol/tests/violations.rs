//! Owns the tests of servers that break the protocol: each is told why, where the version can, and left.

use super::{Session, message, options};
use crate::{
    protocol::Input,
    request::Subscribe,
    testing::{
        ack, at_least_once, connack, disconnect, exactly_once, puback, pubcomp, publish, publish_with,
        pubrec, pubrel, refusal, suback, unsuback,
    },
};
use mqtt_codec::{
    Packet, Properties, Property, ProtocolVersion, QoS, ReasonCode, TopicAlias,
    packet::{Auth, Connect, Delivery},
};
use std::num::NonZeroU16;

/// A session with something of each kind in flight: #1 QoS 1, #2 QoS 2, #3 SUBSCRIBE of two filters.
fn busy(version: ProtocolVersion) -> Session {
    let options = crate::Options {
        receive_maximum: NonZeroU16::new(2).unwrap(),
        topic_alias_maximum: 1,
        ..options().version(version)
    };
    let mut session = Session::connected(options, []);
    session.publish("p", message(QoS::AtLeastOnce, "x"));
    session.publish("q", message(QoS::ExactlyOnce, "x"));
    session.subscribe("s", Subscribe::new("b").unwrap().and("c").unwrap());
    session.lines();
    session
}

fn alias(number: u16) -> [Property<'static>; 1] {
    [Property::TopicAlias(TopicAlias::new(number).unwrap())]
}

fn connect() -> Packet {
    Packet::Connect(Connect {
        version: ProtocolVersion::V5,
        clean_start: true,
        keep_alive_seconds: 0,
        client_id: "x".into(),
        will: None,
        user_name: None,
        password: None,
        properties: Properties::NONE,
    })
}

#[test]
fn each_illegal_packet_is_answered_with_its_reason() {
    // [MQTT5-4.13.2-1]
    let violations = [
        // [MQTT5-3.2.0-2]
        (connack(false, []), "0x82 Protocol Error", "CONNACK must not come from a server now"),
        (connect(), "0x82 Protocol Error", "CONNECT must not come from a server now"),
        (Packet::PingReq, "0x82 Protocol Error", "PINGREQ must not come from a server now"),
        // [MQTT5-4.12.0-6]
        (
            Packet::Auth(Auth { reason: ReasonCode::Success, properties: Properties::NONE }),
            "0x82 Protocol Error",
            "AUTH must not come from a server now",
        ),
        (puback(9), "0x82 Protocol Error", "PUBACK of the Packet Identifier 9, which awaits none"),
        (puback(2), "0x82 Protocol Error", "PUBACK of the Packet Identifier 2, which awaits none"),
        (puback(3), "0x82 Protocol Error", "PUBACK of the Packet Identifier 3, which awaits none"),
        (pubrec(1), "0x82 Protocol Error", "PUBREC of the Packet Identifier 1, which awaits none"),
        (pubcomp(2), "0x82 Protocol Error", "PUBCOMP of the Packet Identifier 2, which awaits none"),
        (
            suback(1, [ReasonCode::Success]),
            "0x82 Protocol Error",
            "SUBACK of the Packet Identifier 1, which awaits none",
        ),
        // [MQTT5-3.8.4-6]
        (suback(3, [ReasonCode::Success]), "0x82 Protocol Error", "SUBACK has 1 reason codes for 2 filters"),
        (
            unsuback(3, [ReasonCode::Success; 2]),
            "0x82 Protocol Error",
            "UNSUBACK of the Packet Identifier 3, which awaits none",
        ),
        // [MQTT5-3.1.2-26]
        (
            publish_with(Delivery::AtMostOnce, "b", "x", alias(2)),
            "0x94 Topic Alias invalid",
            "PUBLISH: the Topic Alias is above the maximum",
        ),
        (
            publish_with(Delivery::AtMostOnce, "", "x", alias(1)),
            "0x82 Protocol Error",
            "PUBLISH: the Topic Alias was never defined",
        ),
    ];
    for (packet, reason, text) in violations {
        let mut session = busy(ProtocolVersion::V5);
        let packet_type = packet.packet_type();
        session.packet(packet);
        let expected =
            [format!("DISCONNECT {reason}"), format!("closed: the server broke the protocol: {text}")];
        assert_eq!(session.lines(), expected, "{packet_type}");
        // Nothing is said after DISCONNECT [MQTT5-3.14.4-1].
        session.publish("r", message(QoS::AtMostOnce, "x"));
        session.check([]);
    }
}

#[test]
fn without_reasons_the_connection_is_closed() {
    // [MQTT311-4.8.0-1] [MQTT311-4.8.0-1]
    for packet in [connack(false, []), Packet::PingReq, disconnect(ReasonCode::Success), puback(9)] {
        let mut session = busy(ProtocolVersion::V311);
        session.packet(packet);
        let lines = session.lines();
        assert!(
            lines.len() == 1 && lines[0].starts_with("closed: the server broke the protocol"),
            "{lines:?}"
        );
    }
}

#[test]
fn more_in_flight_than_our_receive_maximum_is_answered_with_0x93() {
    // [MQTT5-3.3.4-9]
    let mut session = busy(ProtocolVersion::V5);
    session.packet(publish(at_least_once(1), "b", "x"));
    session.packet(publish(exactly_once(2), "c", "x"));
    session.check(["stream 1 gets b: x", "stream 1 gets c: x"]);
    session.packet(publish(at_least_once(3), "b", "x"));
    session.check([
        "DISCONNECT 0x93 Receive Maximum exceeded",
        "closed: the server broke the protocol: more publications are in flight than the Receive Maximum allows",
    ]);
}

#[test]
fn pubrel_before_our_pubrec_is_a_violation() {
    let mut session = busy(ProtocolVersion::V5);
    session.packet(publish(exactly_once(7), "b", "x"));
    session.lines();
    session.packet(pubrel(7));
    session.check([
        "DISCONNECT 0x82 Protocol Error",
        "closed: the server broke the protocol: PUBREL of the Packet Identifier 7, which awaits none",
    ]);
}

#[test]
fn what_is_no_packet_is_answered_with_the_decoders_reason() {
    for (bytes, reason) in [
        // [MQTT5-3.3.1-4]
        (&[0x36, 0x00][..], "0x81 Malformed Packet"),
        // [MQTT5-3.3.2-8]
        (&[0x30, 0x07, 0x00, 0x01, b'a', 0x03, 0x23, 0x00, 0x00][..], "0x94 Topic Alias invalid"),
        // [MQTT5-3.1.2-24]
        (&[0x30, 0x80, 0x01][..], "0x95 Packet too large"),
    ] {
        let mut session = busy(ProtocolVersion::V5);
        let bytes = bytes::Bytes::from_static(bytes);
        let error = Packet::decode_first(&bytes, ProtocolVersion::V5, 100).unwrap_err();
        session.input(Input::Malformed(error));
        assert_eq!(session.packets(), [format!("DISCONNECT {reason}")]);
    }
}

#[test]
fn before_connack_nothing_else_is_accepted() {
    // [MQTT5-3.2.0-1] [MQTT5-3.14.0-1] [MQTT311-3.2.0-1]
    for packet in
        [Packet::PingResp, publish(Delivery::AtMostOnce, "a", "x"), disconnect(ReasonCode::ServerBusy)]
    {
        let mut session = Session::offline(options());
        session.input(Input::Opened);
        session.check(["CONNECT 5.0 clean \"c\" keep alive 0"]);
        let name = packet.packet_type();
        session.packet(packet);
        session.check([
            "DISCONNECT 0x82 Protocol Error",
            &format!("closed: the server broke the protocol: {name} came before CONNACK"),
        ]);
    }
}

#[test]
fn a_session_after_a_clean_start_is_a_violation() {
    // [MQTT5-3.2.2-2] [MQTT5-3.2.2-4] [MQTT311-3.2.2-1]
    let mut session = Session::offline(options());
    session.input(Input::Opened);
    session.lines();
    session.packet(connack(true, []));
    session.check([
        "DISCONNECT 0x82 Protocol Error",
        "closed: the server broke the protocol: CONNACK says Session Present although a clean start was asked for",
    ]);
}

#[test]
fn a_refused_connection_is_closed_without_a_word() {
    let mut session = Session::offline(options());
    session.input(Input::Opened);
    session.lines();
    session.packet(refusal(ReasonCode::NotAuthorized));
    session.check(["closed: the server refused the connection: 0x87 Not authorized"]);
}

#[test]
fn a_servers_disconnect_is_told_with_its_reason() {
    let mut session = busy(ProtocolVersion::V5);
    session.packet(disconnect(ReasonCode::ServerShuttingDown));
    session.check(["closed: the server disconnected: 0x8B Server shutting down"]);
}

#[test]
fn a_refusing_pubrel_completes_all_the_same() {
    let mut session = busy(ProtocolVersion::V5);
    session.packet(Packet::PubRel(ack(9, ReasonCode::PacketIdentifierNotFound)));
    session.check(["PUBCOMP #9 0x92 Packet Identifier not found"]);
}
