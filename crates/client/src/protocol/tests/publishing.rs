//! Owns the tests of publications on one connection.

use super::{Session, message, options};
use crate::{
    message::Message,
    protocol::UnsubscribeTarget,
    request::Subscribe,
    testing::{ack, puback, pubcomp, pubrec},
};
use mqtt_codec::{Packet, Properties, Property, PropertyOwner, ProtocolVersion, QoS, ReasonCode, TopicAlias};
use std::num::{NonZeroU16, NonZeroU32};

#[test]
fn qos_0_is_written_without_an_identifier() {
    // [MQTT5-2.2.1-2] [MQTT5-4.3.1-1]
    for version in [ProtocolVersion::V31, ProtocolVersion::V311, ProtocolVersion::V5] {
        let mut session = Session::connected(options().version(version), []);
        session.publish("p", message(QoS::AtMostOnce, "x").retained());
        session.check(["PUBLISH QoS 0 RETAIN a: x", "p: written"]);
    }
}

#[test]
fn qos_1_resolves_with_puback() {
    // [MQTT5-4.3.2-1] [MQTT5-4.3.2-2] [MQTT5-3.3.1-1] [MQTT311-4.3.2-1]
    let mut session = Session::connected(options(), []);
    session.publish("p", message(QoS::AtLeastOnce, "x"));
    session.publish("q", message(QoS::AtLeastOnce, "y"));
    session.check(["PUBLISH QoS 1 #1 a: x", "PUBLISH QoS 1 #2 a: y"]);
    session.packet(puback(2));
    session.packet(Packet::PubAck(ack(1, ReasonCode::NoMatchingSubscribers)));
    session.check(["q: 0x00 Success", "p: 0x10 No matching subscribers"]);
}

#[test]
fn qos_2_resolves_with_pubcomp_and_the_reason_of_pubrec() {
    // [MQTT5-4.3.3-1] [MQTT5-4.3.3-2] [MQTT5-4.3.3-3] [MQTT5-4.3.3-4] [MQTT5-4.3.3-5] [MQTT311-4.3.3-1]
    let mut session = Session::connected(options(), []);
    session.publish("p", message(QoS::ExactlyOnce, "x"));
    session.check(["PUBLISH QoS 2 #1 a: x"]);
    session.packet(Packet::PubRec(ack(1, ReasonCode::NoMatchingSubscribers)));
    session.check(["PUBREL #1"]);
    session.packet(pubcomp(1));
    session.check(["p: 0x10 No matching subscribers"]);
}

#[test]
fn pubrel_follows_the_order_of_pubrec() {
    // [MQTT5-4.6.0-4] [MQTT311-4.6.0-4]
    let mut session = Session::connected(options(), []);
    session.publish("p", message(QoS::ExactlyOnce, "x"));
    session.publish("q", message(QoS::ExactlyOnce, "y"));
    session.lines();
    session.packet(pubrec(2));
    session.packet(pubrec(1));
    session.check(["PUBREL #2", "PUBREL #1"]);
}

#[test]
fn a_refused_publication_is_an_error_and_frees_its_identifier() {
    let mut session = Session::connected(options(), []);
    session.publish("p", message(QoS::AtLeastOnce, "x"));
    session.publish("q", message(QoS::ExactlyOnce, "y"));
    session.lines();
    session.packet(Packet::PubAck(ack(1, ReasonCode::NotAuthorized)));
    session.packet(Packet::PubRec(ack(2, ReasonCode::QuotaExceeded)));
    session.check([
        "p: the server refused the message: 0x87 Not authorized",
        "q: the server refused the message: 0x97 Quota exceeded",
    ]);
    // The exchange is over: this PUBREC is of something unknown.
    session.packet(pubrec(2));
    session.check(["PUBREL #2 0x92 Packet Identifier not found"]);
    session.packet(pubcomp(2));
    session.check([]);
}

#[test]
fn publications_wait_for_the_receive_maximum_in_order() {
    // [MQTT5-3.3.4-7] [MQTT5-4.9.0-1] [MQTT5-4.9.0-2] [MQTT5-4.9.0-3]
    let mut session = Session::connected(options(), [Property::ReceiveMaximum(NonZeroU16::new(2).unwrap())]);
    for (name, qos) in
        [("p", QoS::AtLeastOnce), ("q", QoS::ExactlyOnce), ("r", QoS::AtLeastOnce), ("s", QoS::AtMostOnce)]
    {
        session.publish(name, message(qos, name));
    }
    session.check(["PUBLISH QoS 1 #1 a: p", "PUBLISH QoS 2 #2 a: q"]);
    session.packet(pubrec(2));
    session.check(["PUBREL #2"]);
    session.packet(pubcomp(2));
    session.check(["PUBLISH QoS 1 #3 a: r", "PUBLISH QoS 0 a: s", "q: 0x00 Success", "s: written"]);
}

#[test]
fn a_full_window_holds_back_publications_alone() {
    // [MQTT5-3.3.4-8]
    let mut session = Session::connected(options(), [Property::ReceiveMaximum(NonZeroU16::new(1).unwrap())]);
    session.publish("p", message(QoS::AtLeastOnce, "x"));
    session.publish("q", message(QoS::AtLeastOnce, "y"));
    session.check(["PUBLISH QoS 1 #1 a: x"]);
    session.subscribe("s", Subscribe::new("b").unwrap());
    session.unsubscribe("u", "c", UnsubscribeTarget::All);
    session.check(["SUBSCRIBE #2 identifier 1 b QoS 0", "UNSUBSCRIBE #3 c"]);
}

#[test]
fn the_window_is_the_lower_of_ours_and_the_servers() {
    let check = |version, ours: Option<u16>, theirs: Option<u16>, expected: usize| {
        let send_maximum = ours.and_then(NonZeroU16::new).unwrap_or(NonZeroU16::MAX);
        let announced = theirs.and_then(NonZeroU16::new).map(Property::ReceiveMaximum);
        let options = crate::Options { send_maximum, ..options().version(version) };
        let mut session = match announced {
            Some(announced) => Session::connected(options, [announced]),
            None => Session::connected(options, []),
        };
        for _ in 0..30 {
            session.publish("p", message(QoS::AtLeastOnce, "x"));
        }
        assert_eq!(session.packets().len(), expected, "{version} {ours:?} {theirs:?}");
    };
    check(ProtocolVersion::V5, None, None, 30);
    check(ProtocolVersion::V5, None, Some(2), 2);
    check(ProtocolVersion::V5, Some(1), Some(2), 1);
    check(ProtocolVersion::V5, Some(3), Some(2), 2);
    // Nothing is announced in 3.x.
    check(ProtocolVersion::V311, None, None, 20);
    check(ProtocolVersion::V31, Some(25), None, 25);
}

#[test]
fn what_the_server_does_not_take_is_not_sent() {
    // [MQTT5-3.2.2-11] [MQTT5-3.2.2-14] [MQTT5-3.2.2-15]
    let announced = [
        Property::MaximumQoS(QoS::AtLeastOnce),
        Property::RetainAvailable(false),
        Property::MaximumPacketSize(NonZeroU32::new(20).unwrap()),
    ];
    let mut session = Session::connected(options(), announced);
    session.publish("p", message(QoS::ExactlyOnce, "x"));
    session.publish("q", message(QoS::AtLeastOnce, "x").retained());
    session.publish("r", message(QoS::AtLeastOnce, "thirteen byte"));
    session.publish("s", message(QoS::AtLeastOnce, "twelve bytes"));
    session.publish("t", message(QoS::AtMostOnce, "fifteen  bytes!"));
    session.check([
        "PUBLISH QoS 1 #2 a: twelve bytes",
        "p: the server takes messages up to QoS 1 only",
        "q: the server retains no messages",
        "r: the packet has 21 bytes and the server takes 20",
        "t: the packet has 21 bytes and the server takes 20",
    ]);
}

#[test]
fn topics_get_aliases_up_to_the_lower_maximum() {
    // [MQTT5-3.3.2-9] [MQTT5-3.2.2-17] [MQTT5-3.3.2-12]
    let with_aliases = |maximum| crate::Options { outbound_topic_alias_maximum: maximum, ..options() };
    let check = |ours, theirs, expected: [&str; 3]| {
        let mut session = Session::connected(with_aliases(ours), [Property::TopicAliasMaximum(theirs)]);
        for topic in ["b", "c", "b"] {
            session.publish("p", Message::new(topic, "x").unwrap());
        }
        assert_eq!(session.packets(), expected, "{ours} {theirs}");
    };
    let without = ["PUBLISH QoS 0 b: x", "PUBLISH QoS 0 c: x", "PUBLISH QoS 0 b: x"];
    check(0, 5, without);
    // [MQTT5-3.2.2-18]
    check(5, 0, without);
    let with_one = ["PUBLISH QoS 0 alias 1 b: x", "PUBLISH QoS 0 c: x", "PUBLISH QoS 0 alias 1 : x"];
    check(1, 5, with_one);
    check(5, 1, with_one);
    check(5, 5, ["PUBLISH QoS 0 alias 1 b: x", "PUBLISH QoS 0 alias 2 c: x", "PUBLISH QoS 0 alias 1 : x"]);
}

#[test]
fn an_alias_is_not_defined_by_a_packet_that_is_too_large() {
    let announced =
        [Property::TopicAliasMaximum(1), Property::MaximumPacketSize(NonZeroU32::new(10).unwrap())];
    let options = crate::Options { outbound_topic_alias_maximum: 1, ..options() };
    let mut session = Session::connected(options, announced);
    session.publish("p", message(QoS::AtMostOnce, "1234"));
    session.publish("q", message(QoS::AtMostOnce, "12345"));
    session.publish("r", message(QoS::AtMostOnce, "1"));
    session.publish("s", message(QoS::AtMostOnce, "1"));
    assert_eq!(
        session.packets(),
        ["PUBLISH QoS 0 a: 1234", "PUBLISH QoS 0 alias 1 a: 1", "PUBLISH QoS 0 alias 1 : 1"]
    );
}

#[test]
fn a_delivered_message_can_be_published_as_it_is() {
    // [MQTT5-3.3.4-6]: the identifier of our subscription is not sent back.
    let received = Properties::new(
        PropertyOwner::Publish,
        [
            Property::TopicAlias(TopicAlias::new(7).unwrap()),
            Property::SubscriptionIdentifier(NonZeroU32::MIN),
            Property::UserProperty("k", "v"),
        ],
    )
    .unwrap();
    let mut session = Session::connected(options(), []);
    session.publish("p", message(QoS::AtMostOnce, "x").properties(received));
    let output = bytes::Bytes::copy_from_slice(session.effects.output());
    let (packet, _) = Packet::decode_first(&output, ProtocolVersion::V5, u32::MAX).unwrap().unwrap();
    let Packet::Publish(publish) = packet else { panic!("{packet:?}") };
    assert_eq!(publish.properties.iter().collect::<Vec<_>>(), [Property::UserProperty("k", "v")]);
}

#[test]
fn properties_of_another_packet_are_refused() {
    let will = Properties::new(PropertyOwner::Will, [Property::WillDelayInterval(1)]).unwrap();
    let mut session = Session::connected(options(), []);
    session.publish("p", message(QoS::AtMostOnce, "x").properties(will.clone()));
    session.check(["p: a property is not allowed in this packet"]);
    let mut session = Session::connected(options().version(ProtocolVersion::V311), []);
    session.publish("p", message(QoS::AtMostOnce, "x").properties(will));
    session.check(["PUBLISH QoS 0 a: x", "p: written"]);
}

#[test]
fn large_queues_are_encoded_as_the_socket_takes_them() {
    let mut session = Session::connected(options(), []);
    let large = Message::new("a", vec![0; 50 << 10]).unwrap();
    for _ in 0..4 {
        session.publish("p", large.clone());
    }
    let first = session.effects.output().len();
    assert!((100 << 10..110 << 10).contains(&first), "{first}");
    session.effects.wrote(first);
    session.input(super::Input::Writable);
    assert_eq!(session.effects.output().len(), first);
}
