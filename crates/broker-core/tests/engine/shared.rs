//! Owns the proof of shared subscriptions: one member gets each message, and what becomes of it when the
//! member goes.

use crate::support::*;
use broker_core::config::{Config, ShareStrategy};

const STRATEGIES: [ShareStrategy; 4] = [
    ShareStrategy::RoundRobin,
    ShareStrategy::LeastInFlight,
    ShareStrategy::StickyTopic,
    ShareStrategy::StickyPublisher,
];

/// A broker of each number of shards with three members of one group.
fn groups(share_strategy: ShareStrategy, qos: QoS) -> impl Iterator<Item = (Broker, Vec<Client>)> {
    brokers_with(Config { share_strategy, ..quiet() }).map(move |mut broker| {
        let members = ["m1", "m2", "m3"].map(|name| broker.connect(v5(name).keeping(100)));
        for member in members {
            broker.subscribe(member, "$share/g/a/+", qos);
        }
        (broker, members.to_vec())
    })
}

fn publish_each(broker: &mut Broker, topics: &[&str], qos: QoS) {
    let (alice, _) = broker.greet(v5("alice"));
    for (id, topic) in (1..).zip(topics) {
        broker.send(alice, publish(topic, &id.to_string()).qos(qos, id));
    }
}

fn counts(broker: &mut Broker, members: &[Client]) -> Vec<usize> {
    members.iter().map(|&member| broker.received(member).len()).collect()
}

/// [MQTT5-4.8.2-3]
#[test]
fn each_message_goes_to_one_member_whatever_the_strategy() {
    for strategy in STRATEGIES {
        for (mut broker, members) in groups(strategy, AtLeastOnce) {
            publish_each(&mut broker, &["a/1", "a/2", "a/3", "b/1", "a/4", "a/5", "a/6"], ExactlyOnce);
            let counts = counts(&mut broker, &members);
            assert_eq!(counts.iter().sum::<usize>(), 6, "{strategy:?} {counts:?} {broker}");
        }
    }
}

#[test]
fn members_take_turns() {
    for strategy in [ShareStrategy::RoundRobin, ShareStrategy::LeastInFlight] {
        for (mut broker, members) in groups(strategy, AtLeastOnce) {
            publish_each(&mut broker, &["a/1"; 9], AtLeastOnce);
            assert_eq!(counts(&mut broker, &members), [3, 3, 3], "{strategy:?} {broker}");
        }
    }
}

#[test]
fn the_member_with_the_least_in_flight_comes_first() {
    for (mut broker, members) in groups(ShareStrategy::LeastInFlight, AtLeastOnce) {
        publish_each(&mut broker, &["a/1"; 3], AtLeastOnce);
        broker.take_all(members[1]);
        publish_each(&mut broker, &["a/1"], AtLeastOnce);
        assert_eq!(counts(&mut broker, &members), [1, 1, 1], "{broker}");
        broker.take_all(members[0]);
        broker.send(members[0], acknowledge(Packet::PubAck, 1));
        publish_each(&mut broker, &["a/1"], AtLeastOnce);
        assert_eq!(counts(&mut broker, &members), [1, 0, 0], "{broker}");
    }
}

#[test]
fn a_sticky_strategy_stays_with_its_member() {
    for (mut broker, members) in groups(ShareStrategy::StickyTopic, AtLeastOnce) {
        publish_each(&mut broker, &["a/7"; 5], AtLeastOnce);
        assert!(counts(&mut broker, &members).contains(&5), "{broker}");
    }
    for (mut broker, members) in groups(ShareStrategy::StickyPublisher, AtLeastOnce) {
        publish_each(&mut broker, &["a/1", "a/2", "a/3", "a/4", "a/5"], AtLeastOnce);
        assert!(counts(&mut broker, &members).contains(&5), "{broker}");
    }
}

#[test]
fn members_that_are_connected_come_first() {
    for strategy in STRATEGIES {
        for (mut broker, members) in groups(strategy, AtLeastOnce) {
            broker.hang_up(members[0]);
            broker.hang_up(members[2]);
            publish_each(&mut broker, &["a/1", "a/2", "a/3", "a/4"], AtLeastOnce);
            assert_eq!(broker.received(members[1]).len(), 4, "{strategy:?} {broker}");
            broker.hang_up(members[1]);
            publish_each(&mut broker, &["a/1", "a/2", "a/3"], AtLeastOnce);
            let back: usize = ["m1", "m3"]
                .map(|name| {
                    let member = broker.reconnect(v5(name).keeping(100));
                    broker.take_all(member).len()
                })
                .iter()
                .sum();
            let rest = broker.reconnect(v5("m2"));
            let new = broker.take_all(rest).iter().filter(|line| !line.contains(" dup")).count();
            assert_eq!(back + new, 3, "{strategy:?} {broker}");
        }
    }
}

/// A QoS 1 message in flight, or one that waits, goes on to another member when its session ends; a QoS 2
/// message in flight never does [MQTT5-4.8.2-5].
#[test]
fn a_member_that_ends_passes_on_what_it_may() {
    for (qos, expected) in [(AtLeastOnce, 3), (ExactlyOnce, 2)] {
        for mut broker in brokers() {
            let first = broker.connect(v5("first").keeping(10).with(receive_maximum(1)));
            broker.subscribe(first, "$share/g/a/+", qos);
            publish_each(&mut broker, &["a/1", "a/2", "a/3"], qos);
            let second = broker.connect(v5("second"));
            broker.subscribe(second, "$share/g/a/+", qos);
            broker.hang_up(first);
            broker.expect(second, &[]);
            broker.advance_seconds(11);
            let taken = broker.take_all(second);
            assert_eq!(taken.len(), expected, "{taken:?} {broker}");
            assert_eq!(broker.totals().queued_messages, 0);
        }
    }
}

/// [MQTT5-4.8.2-4]
#[test]
fn a_member_that_comes_back_gets_what_it_had() {
    for (mut broker, members) in groups(ShareStrategy::RoundRobin, ExactlyOnce) {
        publish_each(&mut broker, &["a/1", "a/2", "a/3"], ExactlyOnce);
        broker.received(members[0]);
        broker.hang_up(members[0]);
        broker.advance_seconds(50);
        let member = broker.reconnect(v5("m1").keeping(100));
        let received = broker.received(member);
        assert!(received[0].ends_with("qos2 #1 dup"), "{received:?} {broker}");
        assert_eq!(counts(&mut broker, &members[1..]), [1, 1]);
    }
}

/// [MQTT5-4.8.2-6]
#[test]
fn a_member_that_refuses_a_message_has_ended_its_delivery() {
    for (qos, kind) in [(AtLeastOnce, Packet::PubAck as fn(_) -> _), (ExactlyOnce, Packet::PubRec)] {
        for (mut broker, members) in groups(ShareStrategy::RoundRobin, qos) {
            publish_each(&mut broker, &["a/1", "a/2", "a/3"], qos);
            for &member in &members {
                broker.received(member);
                broker.send(member, refuse(kind, 1));
            }
            assert_eq!(counts(&mut broker, &members), [0, 0, 0], "{broker}");
            broker.connect(v5("m1"));
            assert_eq!(counts(&mut broker, &members[1..]), [0, 0], "{broker}");
        }
    }
}

#[test]
fn groups_are_told_apart_by_name_and_filter() {
    for mut broker in brokers() {
        let alice = broker.connect(v5("alice"));
        for filter in ["$share/g/a", "$share/g/+", "$share/h/a", "$share/g/b"] {
            broker.subscribe(alice, filter, AtMostOnce);
        }
        broker.send(alice, publish("a", "x"));
        broker.expect(alice, &["PUBLISH a 'x'"; 3]);
        broker.send(alice, unsubscribe(1, &["$share/g/a", "$share/g/a"]));
        broker.send(alice, publish("a", "x"));
        broker.expect(alice, &["UNSUBACK #1 [0 11]", "PUBLISH a 'x'", "PUBLISH a 'x'"]);
    }
}

/// [MQTT5-4.8.2-3]
#[test]
fn a_member_has_its_own_qos_and_identifier() {
    for mut broker in brokers() {
        let alice = broker.connect(v5("alice"));
        for (name, qos, number) in [("m1", AtMostOnce, 1_u16), ("m2", AtLeastOnce, 2)] {
            let member = broker.connect(v5(name));
            broker.send(
                member,
                subscribe(1, &[("$share/g/a", subscription(qos))]).with(identifier(number.into())),
            );
            broker.received(member);
            broker.send(alice, publish("a", "x").qos2(number));
            let expected = [
                "PUBLISH a 'x' {SubscriptionIdentifier(1)}",
                "PUBLISH a 'x' qos1 #1 {SubscriptionIdentifier(2)}",
            ];
            broker.expect(member, &[expected[usize::from(number) - 1]]);
            broker.leave(member);
        }
    }
}
