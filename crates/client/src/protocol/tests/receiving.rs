//! Owns the tests of received messages and their acknowledgements.

use super::{Session, options};
use crate::{
    delivery::Settlement,
    request::Subscribe,
    testing::{at_least_once, exactly_once, publish, publish_with, pubrel, suback},
};
use mqtt_codec::{Property, ProtocolVersion, ReasonCode, TopicAlias, packet::Delivery};

/// A session with a stream of `a/#`.
fn subscribed(version: ProtocolVersion) -> Session {
    let mut session = Session::connected(options().version(version), []);
    session.subscribe("s", Subscribe::new("a/#").unwrap());
    session.packet(suback(1, [ReasonCode::GrantedQoS2]));
    session.lines();
    session
}

#[test]
fn qos_0_is_delivered_and_not_acknowledged() {
    let mut session = subscribed(ProtocolVersion::V5);
    session.packet(publish(Delivery::AtMostOnce, "a/b", "x"));
    session.check(["stream 1 gets a/b: x"]);
    assert!(session.receipts.is_empty());
}

#[test]
fn acknowledgements_go_out_in_the_order_received() {
    // [MQTT5-4.6.0-2] [MQTT5-4.6.0-3] [MQTT311-4.6.0-2] [MQTT311-4.6.0-3]
    for version in [ProtocolVersion::V311, ProtocolVersion::V5] {
        let mut session = subscribed(version);
        for (number, delivery) in
            [at_least_once(5), exactly_once(6), at_least_once(7)].into_iter().enumerate()
        {
            session.packet(publish(delivery, "a", ["x", "y", "z"][number]));
        }
        session.check(["stream 1 gets a: x", "stream 1 gets a: y", "stream 1 gets a: z"]);
        session.settle(2, Settlement::Accepted);
        session.settle(1, Settlement::Accepted);
        session.check([]);
        session.settle(0, Settlement::Accepted);
        session.check(["PUBACK #5", "PUBREC #6", "PUBACK #7"]);
    }
}

#[test]
fn qos_2_is_delivered_once_and_released() {
    // [MQTT5-4.3.3-8] to [MQTT5-4.3.3-12], [MQTT311-4.3.3-2]
    let mut session = subscribed(ProtocolVersion::V5);
    session.packet(publish(exactly_once(5), "a", "x"));
    // Again before it was answered: it is answered once, in its turn.
    session.packet(publish(exactly_once(5), "a", "x"));
    session.check(["stream 1 gets a: x"]);
    session.settle(0, Settlement::Accepted);
    session.check(["PUBREC #5"]);
    // Again after it was answered: so is the answer.
    session.packet(publish(exactly_once(5), "a", "x"));
    session.check(["PUBREC #5"]);
    session.packet(pubrel(5));
    session.packet(pubrel(5));
    session.check(["PUBCOMP #5", "PUBCOMP #5 0x92 Packet Identifier not found"]);
    session.packet(publish(exactly_once(5), "a", "y"));
    session.check(["stream 1 gets a: y"]);
}

#[test]
fn a_refusal_carries_its_reason_where_there_are_reasons() {
    let refusal = Settlement::Answered(ReasonCode::QuotaExceeded);
    let mut session = subscribed(ProtocolVersion::V5);
    session.packet(publish(at_least_once(5), "a", "x"));
    session.packet(publish(exactly_once(6), "a", "x"));
    session.lines();
    session.settle(0, refusal);
    session.settle(1, refusal);
    assert_eq!(session.packets(), ["PUBACK #5 0x97 Quota exceeded", "PUBREC #6 0x97 Quota exceeded"]);
    // [MQTT5-4.3.3-9]: a refused identifier is free again.
    session.packet(publish(exactly_once(6), "a", "y"));
    assert_eq!(session.lines().last().unwrap(), "stream 1 gets a: y");

    let mut session = subscribed(ProtocolVersion::V311);
    session.packet(publish(exactly_once(6), "a", "x"));
    session.lines();
    session.settle(0, refusal);
    session.packet(pubrel(6));
    assert_eq!(session.packets(), ["PUBREC #6", "PUBCOMP #6"]);
}

#[test]
fn an_abandoned_message_is_skipped() {
    let mut session = subscribed(ProtocolVersion::V5);
    session.packet(publish(at_least_once(5), "a", "x"));
    session.packet(publish(at_least_once(6), "a", "x"));
    session.lines();
    session.settle(0, Settlement::Abandoned);
    session.settle(1, Settlement::Accepted);
    assert_eq!(session.packets(), ["PUBACK #6"]);
}

#[test]
fn every_copy_must_be_settled_and_the_gravest_answer_counts() {
    let mut session = subscribed(ProtocolVersion::V5);
    session.subscribe("t", Subscribe::new("a/b").unwrap());
    session.lines();
    session.packet(publish(at_least_once(5), "a/b", "x"));
    session.check(["stream 1 gets a/b: x", "stream 2 gets a/b: x"]);
    session.settle(0, Settlement::Answered(ReasonCode::NotAuthorized));
    session.check([]);
    session.settle(1, Settlement::Accepted);
    session.check(["PUBACK #5 0x87 Not authorized"]);
}

#[test]
fn an_alias_stands_for_its_topic_until_it_is_defined_anew() {
    // [MQTT5-3.3.2-7] [MQTT5-3.3.2-11]
    let alias = || [Property::TopicAlias(TopicAlias::new(1).unwrap())];
    let options = crate::Options { topic_alias_maximum: 1, ..options() };
    let mut session = Session::connected(options, []);
    session.subscribe("s", Subscribe::new("#").unwrap());
    session.lines();
    session.packet(publish_with(Delivery::AtMostOnce, "b", "x", alias()));
    session.packet(publish_with(Delivery::AtMostOnce, "", "y", alias()));
    session.packet(publish_with(Delivery::AtMostOnce, "c", "z", alias()));
    session.packet(publish_with(Delivery::AtMostOnce, "", "z", alias()));
    session.check(["stream 1 gets b: x", "stream 1 gets b: y", "stream 1 gets c: z", "stream 1 gets c: z"]);
    // A new connection has no aliases.
    session.reconnect(false, []);
    session.lines();
    session.packet(publish_with(Delivery::AtMostOnce, "", "z", alias()));
    assert_eq!(session.packets(), ["DISCONNECT 0x82 Protocol Error"]);
}

#[test]
fn what_no_stream_matches_is_told_and_acknowledged() {
    // [MQTT5-4.5.0-2]
    // [MQTT311-4.5.0-2]
    for version in [ProtocolVersion::V311, ProtocolVersion::V5] {
        let mut session = subscribed(version);
        session.packet(publish(at_least_once(5), "b", "x"));
        session.check(["PUBACK #5", "unmatched: b"]);
        session.packet(publish(exactly_once(6), "b", "x"));
        session.check(["PUBREC #6", "unmatched: b"]);
    }
}

#[test]
fn without_receive_maximum_not_reading_is_what_bounds_the_unacknowledged() {
    let options = crate::Options { receive_maximum: std::num::NonZeroU16::new(2).unwrap(), ..options() };
    let mut session = Session::connected(options.version(ProtocolVersion::V311), []);
    session.subscribe("s", Subscribe::new("a").unwrap());
    session.packet(publish(at_least_once(5), "a", "x"));
    assert!(session.protocol.wants_packets());
    session.packet(publish(at_least_once(6), "a", "x"));
    assert!(!session.protocol.wants_packets());
    session.lines();
    session.settle(0, Settlement::Accepted);
    assert!(session.protocol.wants_packets());
}
