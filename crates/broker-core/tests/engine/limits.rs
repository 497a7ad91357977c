//! Owns the proof of the limits that have no file of their own: each at the limit, and one past it.

use crate::support::*;
use broker_core::config::{Config, Limits};

fn with_limits(limits: Limits) -> impl Iterator<Item = Broker> {
    brokers_with(Config { limits, ..quiet() })
}

/// [MQTT311-4.8.0-2]
#[test]
fn as_many_connect_as_may() {
    for version in versions() {
        for mut broker in with_limits(Limits { connections_max: 2, ..Limits::default() }) {
            let first = broker.connect(version("first"));
            broker.connect(version("second"));
            let (third, connack) = broker.greet(version("third"));
            broker.expect(third, &["closed"]);
            let refused = if version("").version() == ProtocolVersion::V5 {
                ReasonCode::QuotaExceeded
            } else {
                ReasonCode::ServerUnavailable
            };
            assert_eq!(connack.reason, refused);
            // Who takes its own place needs no other.
            let first_again = broker.connect(version("first"));
            broker.leave(first_again);
            broker.connect(version("third"));
            assert_eq!(broker.connections(), 2);
            assert_eq!(broker.received(first).last().unwrap(), "closed");
        }
    }
}

#[test]
fn as_many_sessions_are_kept_as_may() {
    for mut broker in with_limits(Limits { sessions_max: 2, ..Limits::default() }) {
        for name in ["first", "second"] {
            let client = broker.connect(v5(name).keeping(10));
            broker.hang_up(client);
        }
        let (third, connack) = broker.greet(v5("third"));
        assert_eq!(connack.reason, ReasonCode::QuotaExceeded);
        broker.expect(third, &["closed"]);
        let second = broker.reconnect(v5("second").keeping(10));
        broker.leave(second);
        // One that begins anew replaces its own.
        broker.connect(v5("second").keeping(10));
        broker.advance_seconds(11);
        broker.connect(v5("third"));
        assert_eq!(broker.totals().sessions, 2);
    }
}

#[test]
fn a_session_has_as_many_subscriptions_as_it_may() {
    for mut broker in with_limits(Limits { subscriptions_per_session_max: 2, ..Limits::default() }) {
        let (new, old) = (broker.connect(v5("new")), broker.connect(v311("old")));
        for client in [new, old] {
            let wishes = ["a", "$share/g/b", "c", "a"].map(|filter| (filter, subscription(AtLeastOnce)));
            broker.send(client, subscribe(1, &wishes));
            broker.send(client, unsubscribe(2, &["a"]));
            broker.send(client, subscribe(3, &[("c", subscription(AtLeastOnce))]));
        }
        broker.expect(new, &["SUBACK #1 [1 1 97 1]", "UNSUBACK #2 [0]", "SUBACK #3 [1]"]);
        broker.expect(old, &["SUBACK #1 [1 1 80 1]", "UNSUBACK #2 []", "SUBACK #3 [1]"]);
    }
}

#[test]
fn topics_and_filters_have_as_many_bytes_and_levels_as_they_may() {
    for (limits, good, bad) in [
        (Limits { topic_bytes_max: 5, ..Limits::default() }, "abcde", "abcdef"),
        (Limits { topic_levels_max: 3, ..Limits::default() }, "a//c", "a/b//"),
    ] {
        for mut broker in with_limits(limits.clone()) {
            let bob = broker.connect(v5("bob"));
            let wishes = [(good, subscription(AtMostOnce)), (bad, subscription(AtMostOnce))];
            broker.send(bob, subscribe(1, &wishes));
            broker.expect(bob, &["SUBACK #1 [0 8F]"]);
            let (new, old) = (broker.connect(v5("new")), broker.connect(v311("old")));
            for client in [new, old] {
                broker.send(client, publish(good, "x").qos1(1));
                broker.expect(client, &["PUBACK #1"]);
                broker.expect(bob, &[&format!("PUBLISH {good} 'x'")]);
                broker.send(client, publish(bad, "x").qos1(2));
            }
            broker.expect(new, &["PUBACK #2 0x90 Topic Name invalid"]);
            // Who cannot be told by an acknowledgement is disconnected.
            broker.expect_end(old, ReasonCode::TopicNameInvalid);
            broker.send(new, publish(bad, "x"));
            broker.expect_end(new, ReasonCode::TopicNameInvalid);
            let old = broker.connect(v311("old"));
            broker.send(old, subscribe(1, &wishes));
            broker.expect(old, &["SUBACK #1 [0 80]"]);
            let (_, connack) = broker.greet(v5("will").will(will(bad, "x", AtMostOnce, &[])));
            assert_eq!(connack.reason, ReasonCode::TopicNameInvalid);
            broker.connect(v5("will").will(will(good, "x", AtMostOnce, &[])));
        }
    }
}

/// 65,000 levels in one filter: a recursion would end the process.
#[test]
fn a_filter_of_65_000_levels_is_just_a_filter() {
    for mut broker in with_limits(Limits { topic_levels_max: u16::MAX, ..Limits::default() }) {
        let alice = broker.connect(v5("alice"));
        let topic = "/".repeat(65_000);
        broker.subscribe(alice, &topic, AtMostOnce);
        broker.subscribe(alice, &format!("+{topic}#"), AtMostOnce);
        broker.send(alice, publish(&topic, "x").retained());
        // Both match, and the message comes once.
        assert_eq!(broker.received(alice).len(), 1);
        broker.leave(alice);
        assert_eq!(broker.node.subscriptions.counts().trie_nodes, 0);
    }
}
