//! Owns the tests of what a new connection does to the session.

use super::{Session, message, options};
use crate::{
    delivery::Settlement,
    message::Message,
    protocol::{Input, UnsubscribeTarget},
    request::Subscribe,
    testing::{
        at_least_once, connack, exactly_once, puback, pubcomp, publish, pubrec, pubrel, suback, unsuback,
    },
};
use mqtt_codec::{Packet, Property, ProtocolVersion, QoS, ReasonCode};
use std::num::{NonZeroU16, NonZeroU32};

const RESUME: &str = "CONNECT 5.0 resume \"c\" keep alive 0";

fn receive_maximum(maximum: u16) -> [Property<'static>; 1] {
    [Property::ReceiveMaximum(NonZeroU16::new(maximum).unwrap())]
}

#[test]
fn what_is_in_flight_is_sent_again_in_order_within_the_new_window() {
    // First PUBREL, which needs no window. [MQTT5-4.4.0-1] [MQTT5-4.6.0-1] [MQTT5-3.3.4-10] [MQTT5-3.3.1-1] [MQTT311-4.4.0-1] [MQTT311-4.6.0-1] [MQTT311-3.3.1-1]
    let mut session = Session::connected(options(), []);
    session.publish("p", message(QoS::AtLeastOnce, "p"));
    session.publish("q", message(QoS::ExactlyOnce, "q"));
    session.publish("r", message(QoS::ExactlyOnce, "r"));
    session.publish("s", message(QoS::AtLeastOnce, "s"));
    session.packet(pubrec(2));
    session.lines();
    session.reconnect(true, receive_maximum(2));
    session.publish("t", message(QoS::AtLeastOnce, "t"));
    session.check([RESUME, "PUBREL #2", "PUBLISH QoS 1 #1 DUP a: p", "connected, session present: true"]);
    session.packet(puback(1));
    session.check(["PUBLISH QoS 2 #3 DUP a: r", "p: 0x00 Success"]);
    session.packet(pubcomp(2));
    session.check(["PUBLISH QoS 1 #4 DUP a: s", "q: 0x00 Success"]);
    session.packet(pubrec(3));
    session.packet(pubcomp(3));
    session.check(["PUBREL #3", "PUBLISH QoS 1 #5 a: t", "r: 0x00 Success"]);
}

#[test]
fn a_forgotten_session_gets_everything_anew() {
    // [MQTT5-3.2.2-5]
    let mut session = Session::connected(options(), []);
    session.publish("p", message(QoS::AtLeastOnce, "p"));
    session.publish("q", message(QoS::ExactlyOnce, "q"));
    session.publish("r", message(QoS::ExactlyOnce, "r"));
    session.packet(pubrec(2));
    session.lines();
    session.input(Input::Lost);
    session.publish("s", message(QoS::AtMostOnce, "s"));
    session.reconnect(false, []);
    session.check([
        RESUME,
        "PUBLISH QoS 1 #4 a: p",
        "PUBLISH QoS 2 #5 a: r",
        "PUBLISH QoS 0 a: s",
        "connected, session present: false",
        // The server had said PUBREC: it has the message.
        "q: 0x00 Success",
        "s: written",
    ]);
}

#[test]
fn a_clean_session_of_3_1_1_stays_clean_and_a_lasting_one_lasts() {
    for (clean_start, word) in [(true, "clean"), (false, "resume")] {
        let options = crate::Options { clean_start, ..options().version(ProtocolVersion::V311) };
        let connect = format!("CONNECT 3.1.1 {word} \"c\" keep alive 0");
        let mut session = Session::offline(options);
        session.input(Input::Opened);
        assert_eq!(session.packets(), [connect.as_str()]);
        session.packet(connack(false, []));
        session.reconnect(false, []);
        assert_eq!(session.packets(), [connect.as_str()]);
    }
}

#[test]
fn the_assigned_client_identifier_is_kept() {
    // [MQTT5-3.2.2-16]
    let mut session =
        Session::connected(options().client_id(""), [Property::AssignedClientIdentifier("given")]);
    session.reconnect(true, []);
    session.check(["CONNECT 5.0 resume \"given\" keep alive 0", "connected, session present: true"]);
}

#[test]
fn aliases_end_with_their_connection() {
    let options = crate::Options { outbound_topic_alias_maximum: 1, ..options() };
    let aliases = || [Property::TopicAliasMaximum(1)];
    let mut session = Session::connected(options, aliases());
    session.publish("p", message(QoS::AtLeastOnce, "x"));
    session.publish("q", message(QoS::AtLeastOnce, "y"));
    session.check(["PUBLISH QoS 1 #1 alias 1 a: x", "PUBLISH QoS 1 #2 alias 1 : y"]);
    session.reconnect(true, aliases());
    session.publish("r", message(QoS::AtMostOnce, "z"));
    assert_eq!(
        session.packets(),
        [RESUME, "PUBLISH QoS 1 #1 DUP a: x", "PUBLISH QoS 1 #2 DUP a: y", "PUBLISH QoS 0 alias 1 a: z",]
    );
}

#[test]
fn what_has_become_too_large_is_given_up() {
    // [MQTT5-3.2.2-15]
    let mut session = Session::connected(options(), []);
    session.publish("p", message(QoS::AtLeastOnce, "thirteen byte"));
    session.publish("q", message(QoS::AtLeastOnce, "x"));
    session.lines();
    session.reconnect(true, [Property::MaximumPacketSize(NonZeroU32::new(20).unwrap())]);
    session.check([
        RESUME,
        "PUBLISH QoS 1 #2 DUP a: x",
        "connected, session present: true",
        "p: the packet has 21 bytes and the server takes 20",
    ]);
}

#[test]
fn streams_are_subscribed_again_only_where_the_session_is_new() {
    let mut session = Session::connected(options(), []);
    session.subscribe("1", Subscribe::new("a").unwrap());
    let second = session.subscribe("2", Subscribe::new("b").unwrap());
    session.subscribe("3", Subscribe::new("c").unwrap());
    for number in 1..=3 {
        session.packet(suback(number, [ReasonCode::Success]));
    }
    session.lines();
    session.reconnect(true, []);
    session.check([RESUME, "connected, session present: true"]);
    session.input(Input::StreamDropped(second));
    session.reconnect(false, []);
    session.check([
        RESUME,
        "SUBSCRIBE #4 identifier 1 a QoS 0",
        "SUBSCRIBE #5 identifier 3 c QoS 0",
        "connected, session present: false",
    ]);
    session.packet(suback(4, [ReasonCode::Success]));
    session.packet(suback(5, [ReasonCode::NotAuthorized]));
    session.check(["resubscribed: a 0x00 Success", "resubscribed: c 0x87 Not authorized", "stream 3 ended"]);
}

#[test]
fn unanswered_requests_are_asked_again() {
    let mut session = Session::connected(options(), []);
    session.subscribe("1", Subscribe::new("a").unwrap());
    session.packet(suback(1, [ReasonCode::Success]));
    session.unsubscribe("u", "a", UnsubscribeTarget::All);
    session.subscribe("2", Subscribe::new("b").unwrap());
    session.lines();
    for (session_present, resubscribed) in [(true, None), (false, Some("SUBSCRIBE #6 identifier 1 a QoS 0"))]
    {
        session.reconnect(session_present, []);
        let lines = session.packets();
        let first = lines.iter().position(|line| line.starts_with("UNSUBSCRIBE")).unwrap();
        assert!(
            lines[first].ends_with(" a") && lines[first + 1].ends_with(" identifier 2 b QoS 0"),
            "{lines:?}"
        );
        assert_eq!(lines.get(1).filter(|_| first == 2).map(String::as_str), resubscribed);
        session.lines();
    }
    session.packet(unsuback(7, [ReasonCode::Success]));
    session.packet(suback(8, [ReasonCode::Success]));
    session.check(["stream 1 ended", "u: [Success]", "2: [Success]"]);
}

#[test]
fn requests_made_offline_are_asked_when_there_is_a_connection() {
    let mut session = Session::offline(options());
    session.subscribe("1", Subscribe::new("b").unwrap());
    session.publish("p", message(QoS::AtLeastOnce, "x"));
    session.check([]);
    session.input(Input::Opened);
    session.packet(connack(false, []));
    assert_eq!(
        session.packets(),
        [
            "CONNECT 5.0 clean \"c\" keep alive 0",
            "SUBSCRIBE #1 identifier 1 b QoS 0",
            "PUBLISH QoS 1 #2 a: x"
        ]
    );
}

/// A session with a stream of `a`.
fn subscribed() -> Session {
    let mut session = Session::connected(options(), []);
    session.subscribe("s", Subscribe::new("a").unwrap());
    session.packet(suback(1, [ReasonCode::GrantedQoS2]));
    session.lines();
    session
}

/// A QoS 2 PUBLISH sent again.
fn again(number: u16) -> Packet {
    let mut packet = publish(exactly_once(number), "a", "x");
    if let Packet::Publish(publish) = &mut packet {
        publish.delivery =
            mqtt_codec::packet::Delivery::ExactlyOnce { packet_id: crate::testing::id(number), dup: true };
    }
    packet
}

#[test]
fn qos_1_starts_over_with_the_connection() {
    let mut session = subscribed();
    session.packet(publish(at_least_once(5), "a", "x"));
    session.reconnect(true, []);
    session.lines();
    // The old copy means nothing any more.
    session.settle(0, Settlement::Accepted);
    session.check([]);
    session.packet(publish(at_least_once(5), "a", "x"));
    session.check(["stream 1 gets a: x"]);
    session.settle(1, Settlement::Accepted);
    session.check(["PUBACK #5"]);
}

#[test]
fn qos_2_is_delivered_once_over_connections() {
    // [MQTT5-4.3.3-10] [MQTT311-4.3.3-2]
    let mut session = subscribed();
    session.packet(publish(exactly_once(5), "a", "x"));
    session.packet(publish(exactly_once(6), "a", "y"));
    session.reconnect(true, []);
    session.lines();
    // #5 is taken by its stream between the connections' packets, #6 after it has come again.
    session.settle(0, Settlement::Accepted);
    session.packet(again(5));
    session.check(["PUBREC #5"]);
    session.packet(again(6));
    session.check([]);
    session.settle(1, Settlement::Accepted);
    session.check(["PUBREC #6"]);
    // PUBREC of the old connection was lost with it, twice.
    session.reconnect(true, []);
    session.packet(again(5));
    assert_eq!(session.packets().last().unwrap(), "PUBREC #5");
    session.packet(pubrel(5));
    session.check(["PUBCOMP #5", "connected, session present: true"]);
}

#[test]
fn an_abandoned_qos_2_message_comes_anew_with_the_next_connection() {
    let mut session = subscribed();
    session.packet(publish(exactly_once(5), "a", "x"));
    session.lines();
    session.settle(0, Settlement::Abandoned);
    session.reconnect(true, []);
    session.lines();
    session.packet(again(5));
    session.check(["stream 1 gets DUP a: x"]);
    session.settle(1, Settlement::Accepted);
    session.check(["PUBREC #5"]);
}

#[test]
fn a_forgotten_session_has_no_duplicates() {
    let mut session = subscribed();
    session.packet(publish(exactly_once(5), "a", "x"));
    session.reconnect(false, []);
    session.packet(suback(2, [ReasonCode::GrantedQoS2]));
    session.lines();
    session.packet(publish(exactly_once(5), "a", "y"));
    session.check(["stream 1 gets a: y"]);
    session.settle(0, Settlement::Accepted);
    session.check([]);
    session.settle(1, Settlement::Accepted);
    session.check(["PUBREC #5"]);
}

#[test]
fn large_resends_wait_for_the_socket() {
    let mut session = Session::connected(options(), []);
    for _ in 0..3 {
        session.publish("p", Message::new("a", vec![0; 50 << 10]).unwrap().qos(QoS::AtLeastOnce));
        let output = session.effects.output().len();
        session.effects.wrote(output);
    }
    session.reconnect(true, []);
    let first = session.effects.output().len();
    assert!((100 << 10..110 << 10).contains(&first), "{first}");
    session.effects.wrote(first);
    session.input(Input::Writable);
    assert!((50 << 10..60 << 10).contains(&session.effects.output().len()));
}
