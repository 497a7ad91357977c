//! Owns the proof that it makes no difference whether packets are received one by one, or together because they were
//! read together: who gets what, how, and what is counted.

use crate::support::*;
use broker_core::config::{Config, Limits};
use mqtt_codec::packet::SubscriptionOptions;
use std::collections::BTreeMap;

/// How packets are sent.
type Send = fn(&mut Broker, Client, &[Say]);

fn apart(broker: &mut Broker, client: Client, packets: &[Say]) {
    packets.iter().for_each(|packet| broker.send(client, packet.clone()));
}

fn together(broker: &mut Broker, client: Client, packets: &[Say]) {
    broker.send_together(client, packets);
}

/// Subscribers that get a message of QoS 0 each in a way of their own.
fn subscribers() -> Vec<(Hello, &'static str, SubscriptionOptions, Option<u32>)> {
    let plain = subscription(AtMostOnce);
    let own = SubscriptionOptions { no_local: true, ..plain };
    let as_published = SubscriptionOptions { retain_as_published: true, ..plain };
    vec![
        (v31("3.1"), "a/+", plain, None),
        (v311("3.1.1"), "a/b", subscription(ExactlyOnce), None),
        (v311("3.1.1, more of it"), "#", plain, None),
        (v5("5.0"), "a/b", plain, None),
        (v5("as published"), "a/b", as_published, None),
        (v5("best of two"), "a/#", subscription(AtLeastOnce), None),
        (v5("an identifier"), "a/b", plain, Some(7)),
        (v5("aliases").with(Property::TopicAliasMaximum(3)), "a/b", plain, None),
        (v5("small packets").with(maximum_packet_size(64)), "a/b", plain, None),
        (v5("somewhere else"), "a/c", plain, None),
        (v5("publisher"), "a/b", own, None),
    ]
}

/// What everybody receives, and what is counted.
fn outcome(
    mut broker: Broker,
    publisher: fn(&str) -> Hello,
    is_shared: bool,
    send: Send,
    packets: &[Say],
) -> String {
    let mut clients = BTreeMap::new();
    let publisher = publisher("publisher");
    for (hello, filter, options, number) in subscribers() {
        let name = hello.client_id().to_owned();
        let hello = if name == "publisher" { publisher.clone() } else { hello };
        let number = number.filter(|_| hello.version() == ProtocolVersion::V5);
        let client = broker.connect(hello);
        let subscribe = subscribe(1, &[(filter, options)]);
        let subscribe = number.into_iter().fold(subscribe, |packet, number| packet.with(identifier(number)));
        broker.send(client, subscribe);
        clients.insert(name, client);
    }
    for name in ["one of two", "the other"] {
        let client = broker.connect(v5(name));
        if is_shared {
            broker.subscribe(client, "$share/group/a/b", AtMostOnce);
        }
        clients.insert(name.to_owned(), client);
    }
    let away = broker.connect(v5("away").keeping(100));
    broker.subscribe(away, "a/b", ExactlyOnce);
    broker.hang_up(away);
    let publisher = clients["publisher"];
    send(&mut broker, publisher, packets);
    let heard = clients.iter().map(|(name, &client)| format!("{name}: {:#?}", broker.received(client)));
    let heard = heard.collect::<Vec<_>>().join("\n");
    let away = broker.reconnect(v5("away").keeping(100));
    format!("{heard}\naway: {:#?}\n{:#?}", broker.received(away), broker.totals())
}

/// The outcome is the same for both ways of sending.
fn check(packets: &[Say]) {
    for publisher in versions() {
        for is_shared in [false, true] {
            for (one, other) in brokers().zip(brokers()) {
                let expected = outcome(one, publisher, is_shared, apart, packets);
                assert!(expected.contains("PUBLISH"), "nobody heard anything: {expected}");
                assert_eq!(outcome(other, publisher, is_shared, together, packets), expected);
            }
        }
    }
}

#[test]
fn packets_to_one_topic_reach_everybody_as_if_they_came_one_by_one() {
    let packets = [
        "one",
        "",
        "three",
        "a payload that makes the packet larger than sixty-four bytes, which is too large for some",
        "five",
        "\0",
    ];
    check(&packets.map(|payload| publish("a/b", payload)));
}

#[test]
fn what_lies_between_them_keeps_its_place() {
    let plain = |payload| publish("a/b", payload);
    check(&[
        plain("1"),
        plain("2"),
        publish("a/c", "3"),
        plain("4"),
        plain("5").qos1(5),
        plain("6"),
        plain("7").retained(),
        plain("8"),
        plain("9"),
        plain("10").qos2(10),
        Packet::PingReq.into(),
        plain("11"),
        plain("12"),
        subscribe(13, &[("a/b", subscription(AtMostOnce))]),
        plain("14"),
        plain("15"),
    ]);
}

#[test]
fn what_may_not_be_published_is_refused_packet_by_packet() {
    let reserved = [publish("$SYS/a", "1"), publish("$SYS/a", "2"), publish("a/b", "3")];
    check(&reserved);
    for mut broker in
        brokers_with(Config { limits: Limits { topic_levels_max: 2, ..Limits::default() }, ..quiet() })
    {
        let alice = broker.connect(v5("alice"));
        let bob = broker.connect(v5("bob"));
        broker.subscribe(bob, "#", AtMostOnce);
        broker.send_together(alice, &[publish("a/b", "1"), publish("a/b/c", "2"), publish("a/b/c", "3")]);
        broker.expect(bob, &["PUBLISH a/b '1'"]);
        broker.expect_end(alice, ReasonCode::TopicNameInvalid);
        assert_eq!(broker.totals().publishes_received, 2, "nothing is heard behind what ends a connection");
    }
}

/// [MQTT5-4.8.2-3]: the members take turns.
#[test]
fn a_group_chooses_a_member_for_each() {
    for mut broker in brokers() {
        let alice = broker.connect(v5("alice"));
        let members = ["m1", "m2"].map(|name| broker.connect(v5(name)));
        for member in members {
            broker.subscribe(member, "$share/group/a", AtMostOnce);
        }
        broker.send_together(alice, &["1", "2", "3", "4"].map(|payload| publish("a", payload)));
        assert_eq!(members.map(|member| broker.received(member).len()), [2, 2], "{broker}");
    }
}

#[test]
fn behind_a_full_outbox_all_of_them_are_dropped_and_counted() {
    let limits = Limits { outbox_bytes_max: 64, ..Limits::default() };
    for mut broker in brokers_with(Config { limits, ..quiet() }) {
        let alice = broker.connect(v5("alice"));
        let bob = broker.connect(v5("bob"));
        broker.subscribe(bob, "a", AtMostOnce);
        let packets = ["20 bytes of payload.", "20 bytes once again.", "20 bytes for the end"]
            .map(|payload| publish("a", payload));
        broker.send_together(alice, &packets);
        broker.settle();
        assert_eq!(broker.totals().publishes_dropped, 0);
        broker.send_together(alice, &packets);
        broker.settle();
        assert_eq!(broker.totals().publishes_dropped, 3, "{broker}");
        assert_eq!(broker.received(bob).len(), 3, "{broker}");
        broker.send_together(alice, &packets);
        assert_eq!(broker.received(bob).len(), 3, "{broker}");
    }
}
