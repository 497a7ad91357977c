//! Owns the tests of subscriptions on one connection: what is asked, what is answered, and who receives.

use super::{Session, options};
use crate::{
    protocol::{Input, UnsubscribeTarget},
    request::{Identifying, Subscribe},
    testing::{publish_with, suback, unsuback},
};
use mqtt_codec::{Property, ProtocolVersion, QoS, ReasonCode, packet::Delivery};
use std::num::{NonZeroU16, NonZeroU32};

fn subscribe(filter: &str) -> Subscribe {
    Subscribe::new(filter).unwrap()
}

/// Who receives a message on `topic` that the server sends because of these Subscription Identifiers.
#[track_caller]
fn check_targets<const N: usize>(
    session: &mut Session,
    topic: &str,
    identifiers: &[u32],
    expected: [u32; N],
) {
    let identifiers =
        identifiers.iter().map(|&id| Property::SubscriptionIdentifier(NonZeroU32::new(id).unwrap()));
    let properties = mqtt_codec::Properties::new(mqtt_codec::PropertyOwner::Publish, identifiers).unwrap();
    let mut packet = publish_with(Delivery::AtMostOnce, topic, "x", []);
    if let mqtt_codec::Packet::Publish(publish) = &mut packet {
        publish.properties = properties;
    }
    session.packet(packet);
    let mut lines = session.lines();
    lines.sort();
    assert_eq!(lines, expected.map(|number| format!("stream {number} gets {topic}: x")), "{topic}");
}

#[test]
fn suback_answers_filter_by_filter() {
    // [MQTT5-3.8.4-1] [MQTT5-3.9.3-1]
    let mut session = Session::connected(options(), []);
    session.subscribe("s", subscribe("a/+").qos(QoS::AtLeastOnce).and("b").unwrap());
    session.check(["SUBSCRIBE #1 identifier 1 a/+ QoS 1 b QoS 0"]);
    session.packet(suback(1, [ReasonCode::GrantedQoS1, ReasonCode::NotAuthorized]));
    session.check(["s: [GrantedQoS1, NotAuthorized]"]);
    // The refused filter is forgotten.
    session.reconnect(false, []);
    assert_eq!(
        session.packets(),
        ["CONNECT 5.0 resume \"c\" keep alive 0", "SUBSCRIBE #2 identifier 1 a/+ QoS 1"]
    );
}

#[test]
fn a_subscription_of_which_nothing_is_granted_is_an_error() {
    let mut session = Session::connected(options().version(ProtocolVersion::V311), []);
    session.subscribe("s", subscribe("a").and("b").unwrap());
    session.check(["SUBSCRIBE #1 a QoS 0 b QoS 0"]);
    session.packet(suback(1, [ReasonCode::UnspecifiedError, ReasonCode::UnspecifiedError]));
    session.check(["s: the server refused the subscription: 0x80 Unspecified error"]);
}

#[test]
fn what_the_server_does_not_have_is_not_asked_for() {
    let check = |announced, subscribe: Subscribe, expected: &str| {
        let mut session = Session::connected(options(), [announced]);
        session.subscribe("s", subscribe);
        session.check([expected]);
    };
    let no_wildcards = || Property::WildcardSubscriptionAvailable(false);
    check(no_wildcards(), subscribe("a/#"), "s: the server has no Wildcard Subscriptions");
    check(no_wildcards(), subscribe("a"), "SUBSCRIBE #1 identifier 1 a QoS 0");
    let no_shares = || Property::SharedSubscriptionAvailable(false);
    check(no_shares(), subscribe("$share/g/a"), "s: the server has no Shared Subscriptions");
    let no_identifiers = Property::SubscriptionIdentifierAvailable(false);
    check(no_identifiers, subscribe("a/#"), "SUBSCRIBE #1 a/# QoS 0");
    let small = || Property::MaximumPacketSize(NonZeroU32::new(13).unwrap());
    check(small(), subscribe("abcd"), "s: the packet has 14 bytes and the server takes 13");
    check(small(), subscribe("abc"), "SUBSCRIBE #1 identifier 1 abc QoS 0");
    let any = || Property::RetainAvailable(true);
    check(any(), Subscribe::filters([]), "s: there is no Topic Filter");
    // [MQTT5-3.8.3-4]
    check(any(), subscribe("$share/g/a").no_local(), "s: No Local is set on a Shared Subscription");
}

#[test]
fn identifiers_say_who_receives() {
    let mut session = Session::connected(options(), []);
    session.subscribe("1", subscribe("a/#"));
    session.subscribe("2", subscribe("a/b"));
    session.lines();
    check_targets(&mut session, "a/b", &[1], [1]);
    check_targets(&mut session, "a/b", &[2], [2]);
    check_targets(&mut session, "a/b", &[2, 1, 2], [1, 2]);
    // Of an earlier process, or none at all.
    check_targets(&mut session, "a/b", &[77], [1, 2]);
    check_targets(&mut session, "a/c", &[], [1]);
}

#[test]
fn filters_say_who_receives_of_a_subscription_that_the_caller_identifies() {
    let identified = |identifiers: Option<u32>| {
        let identifiers =
            identifiers.map(|id| Property::SubscriptionIdentifier(NonZeroU32::new(id).unwrap()));
        mqtt_codec::Properties::new(mqtt_codec::PropertyOwner::Subscribe, identifiers).unwrap()
    };
    let manual = |filter, identifier| Subscribe {
        identifying: Identifying::Manual,
        properties: identified(identifier),
        ..subscribe(filter)
    };
    let mut session = Session::connected(options(), []);
    session.subscribe("1", subscribe("a/#"));
    session.subscribe("2", manual("a/b", Some(1)));
    session.subscribe("3", manual("c", None));
    let sent = [
        "SUBSCRIBE #1 identifier 1 a/# QoS 0",
        "SUBSCRIBE #2 identifier 1 a/b QoS 0",
        "SUBSCRIBE #3 c QoS 0",
    ];
    session.check(sent);
    check_targets(&mut session, "a/b", &[1], [1, 2]);
    check_targets(&mut session, "a/c", &[1], [1]);
    // The key of the second stream, but nobody's identifier.
    check_targets(&mut session, "a/b", &[2], [1, 2]);
    check_targets(&mut session, "c", &[], [3]);
}

#[test]
fn filters_say_who_receives_where_there_are_no_identifiers() {
    let mut session = Session::connected(options().version(ProtocolVersion::V311), []);
    session.subscribe("1", subscribe("a/#").and("a/b").unwrap());
    session.subscribe("2", subscribe("$share/g/+/b"));
    session.lines();
    check_targets(&mut session, "a/b", &[], [1, 2]);
    check_targets(&mut session, "a", &[], [1]);
    check_targets(&mut session, "c/b", &[], [2]);
}

#[test]
fn streams_of_the_same_filter_receive_alike() {
    let mut session = Session::connected(options(), []);
    session.subscribe("1", subscribe("a/#").and("b").unwrap());
    // The server replaces the subscription: it knows the identifier 2 alone.
    let second = session.subscribe("2", subscribe("a/#"));
    session.lines();
    check_targets(&mut session, "a/b", &[2], [1, 2]);
    session.input(Input::StreamDropped(second));
    check_targets(&mut session, "a/b", &[2], [1]);
    // Somebody subscribes again: the identifier 2 is gone.
    session.subscribe("3", subscribe("a/#"));
    session.lines();
    check_targets(&mut session, "a/b", &[3], [1, 3]);
}

#[test]
fn a_dropped_stream_does_not_make_others_receive_twice() {
    let mut session = Session::connected(options(), []);
    session.subscribe("1", subscribe("a/#"));
    let second = session.subscribe("2", subscribe("a/b"));
    session.input(Input::StreamDropped(second));
    session.lines();
    // A server that sends one copy per subscription.
    check_targets(&mut session, "a/b", &[1], [1]);
    session.packet(publish_with(
        Delivery::AtMostOnce,
        "a/b",
        "x",
        [Property::SubscriptionIdentifier(NonZeroU32::new(2).unwrap())],
    ));
    session.check(["unmatched: a/b"]);
}

#[test]
fn unsubscribing_ends_the_streams_that_have_no_other_filter() {
    // [MQTT5-3.10.4-1] [MQTT5-3.11.3-1]
    for version in [ProtocolVersion::V311, ProtocolVersion::V5] {
        let mut session = Session::connected(options().version(version), []);
        session.subscribe("1", subscribe("a"));
        session.subscribe("2", subscribe("a").and("b").unwrap());
        session.packet(suback(1, [ReasonCode::Success]));
        session.packet(suback(2, [ReasonCode::Success; 2]));
        session.lines();
        session.unsubscribe("u", "a", UnsubscribeTarget::All);
        session.check(["UNSUBSCRIBE #3 a"]);
        session.packet(match version {
            ProtocolVersion::V5 => unsuback(3, [ReasonCode::Success]),
            ProtocolVersion::V31 | ProtocolVersion::V311 => unsuback_without_codes(3),
        });
        session.check(["stream 1 ended", "u: [Success]"]);
        check_targets(&mut session, "b", &[], [2]);
    }
}

fn unsuback_without_codes(number: u16) -> mqtt_codec::Packet {
    let bytes = [&[0xB0, 0x02][..], &number.to_be_bytes()].concat().into();
    mqtt_codec::Packet::decode_first(&bytes, ProtocolVersion::V311, u32::MAX).unwrap().unwrap().0
}

#[test]
fn a_stream_unsubscribes_from_what_it_alone_has() {
    let mut session = Session::connected(options(), []);
    session.subscribe("1", subscribe("a"));
    let second = session.subscribe("2", subscribe("a"));
    session.lines();
    session.unsubscribe("u", "a", UnsubscribeTarget::One(second));
    session.check(["stream 2 ended", "u: []"]);
    check_targets(&mut session, "a", &[2], [1]);
    let first = session.keys[0];
    session.unsubscribe("v", "a", UnsubscribeTarget::One(first));
    session.check(["UNSUBSCRIBE #3 a"]);
    session.packet(unsuback(3, [ReasonCode::NoSubscriptionExisted]));
    session.check(["stream 1 ended", "v: [NoSubscriptionExisted]"]);
}

#[test]
fn a_refused_unsubscribe_leaves_the_stream() {
    let mut session = Session::connected(options(), []);
    session.subscribe("1", subscribe("a"));
    session.lines();
    session.unsubscribe("u", "a", UnsubscribeTarget::All);
    session.packet(unsuback(2, [ReasonCode::NotAuthorized]));
    session.check(["UNSUBSCRIBE #2 a", "u: the server refused to unsubscribe: 0x87 Not authorized"]);
    check_targets(&mut session, "a", &[1], [1]);
}

#[test]
fn identifiers_of_packets_come_from_one_set() {
    // [MQTT5-2.2.1-3] [MQTT311-2.3.1-2]
    let mut session = Session::connected(options(), [Property::ReceiveMaximum(NonZeroU16::MAX)]);
    session.subscribe("1", subscribe("a"));
    session.publish("p", super::message(QoS::AtLeastOnce, "x"));
    session.unsubscribe("u", "a", UnsubscribeTarget::All);
    session.publish("q", super::message(QoS::ExactlyOnce, "x"));
    session.check([
        "SUBSCRIBE #1 identifier 1 a QoS 0",
        "PUBLISH QoS 1 #2 a: x",
        "UNSUBSCRIBE #3 a",
        "PUBLISH QoS 2 #4 a: x",
    ]);
}
