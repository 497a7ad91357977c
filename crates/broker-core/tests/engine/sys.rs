//! Owns the proof of the `$SYS` tree, which the broker alone publishes.

use crate::support::*;
use broker_core::config::{Capabilities, Config, Sys};

fn telling(interval_ms: u32) -> impl Iterator<Item = Broker> {
    brokers_with(Config { sys: Sys { interval_ms }, ..Config::default() })
}

#[test]
fn the_tree_has_the_names_that_mosquitto_uses() {
    for mut broker in telling(10_000) {
        let alice = broker.connect(v311("alice"));
        broker.send(alice, publish("a", "hello").retained());
        broker.advance_seconds(10);
        broker.subscribe(alice, "$SYS/#", AtMostOnce);
        let lines: Vec<_> = broker.take_all(alice).iter().map(|line| mask(line)).collect();
        insta::allow_duplicates! {
            insta::assert_snapshot!(lines.join("\n"), @r"
            $SYS/broker/bytes/received: #
            $SYS/broker/bytes/sent: #
            $SYS/broker/clients/active: 1
            $SYS/broker/clients/connected: 1
            $SYS/broker/clients/disconnected: 0
            $SYS/broker/clients/expired: 0
            $SYS/broker/clients/inactive: 0
            $SYS/broker/clients/maximum: 1
            $SYS/broker/clients/total: 1
            $SYS/broker/load/bytes/received/15min: #.#
            $SYS/broker/load/bytes/received/1min: #.#
            $SYS/broker/load/bytes/received/5min: #.#
            $SYS/broker/load/bytes/sent/15min: #.#
            $SYS/broker/load/bytes/sent/1min: #.#
            $SYS/broker/load/bytes/sent/5min: #.#
            $SYS/broker/load/connections/15min: #.#
            $SYS/broker/load/connections/1min: #.#
            $SYS/broker/load/connections/5min: #.#
            $SYS/broker/load/messages/received/15min: #.#
            $SYS/broker/load/messages/received/1min: #.#
            $SYS/broker/load/messages/received/5min: #.#
            $SYS/broker/load/messages/sent/15min: #.#
            $SYS/broker/load/messages/sent/1min: #.#
            $SYS/broker/load/messages/sent/5min: #.#
            $SYS/broker/load/publish/dropped/15min: #.#
            $SYS/broker/load/publish/dropped/1min: #.#
            $SYS/broker/load/publish/dropped/5min: #.#
            $SYS/broker/load/publish/received/15min: #.#
            $SYS/broker/load/publish/received/1min: #.#
            $SYS/broker/load/publish/received/5min: #.#
            $SYS/broker/load/publish/sent/15min: #.#
            $SYS/broker/load/publish/sent/1min: #.#
            $SYS/broker/load/publish/sent/5min: #.#
            $SYS/broker/load/sockets/15min: #.#
            $SYS/broker/load/sockets/1min: #.#
            $SYS/broker/load/sockets/5min: #.#
            $SYS/broker/messages/received: 2
            $SYS/broker/messages/sent: #
            $SYS/broker/publish/bytes/received: #
            $SYS/broker/publish/bytes/sent: #
            $SYS/broker/publish/messages/dropped: 0
            $SYS/broker/publish/messages/expired: 0
            $SYS/broker/publish/messages/received: 1
            $SYS/broker/publish/messages/sent: #
            $SYS/broker/retained messages/bytes: #
            $SYS/broker/retained messages/count: 54
            $SYS/broker/shared_subscriptions/count: 0
            $SYS/broker/store/messages/bytes: #
            $SYS/broker/store/messages/count: 0
            $SYS/broker/subscriptions/bytes: #
            $SYS/broker/subscriptions/count: 0
            $SYS/broker/uptime: 10 seconds
            $SYS/broker/version: mqttd [version]
            ");
        }
    }
}

/// A line without the version and without numbers, apart from those that say what was done here.
fn mask(line: &str) -> String {
    let line = line.trim_start_matches("PUBLISH ").trim_end_matches(" retain");
    let (topic, value) = line.rsplit_once(" '").unwrap();
    let value = value.trim_end_matches('\'');
    let masked = if topic.ends_with("/version") {
        "mqttd [version]".to_owned()
    } else if topic.contains("bytes") || topic.contains("load") || topic.contains("sent") {
        value.chars().map(|character| if character.is_ascii_digit() { '#' } else { character }).collect()
    } else {
        value.to_owned()
    };
    format!("{topic}: {}", masked.replace("##", "#").replace("##", "#").replace("##", "#"))
}

#[test]
fn the_tree_is_published_at_once_and_then_at_its_interval() {
    for mut broker in telling(10_000) {
        broker.settle();
        let alice = broker.connect(v5("alice"));
        broker.subscribe(alice, "$SYS/broker/uptime", AtMostOnce);
        broker.expect(alice, &["PUBLISH $SYS/broker/uptime '0 seconds' retain"]);
        broker.advance_seconds(20);
        let expected = ["10", "20"].map(|seconds| format!("PUBLISH $SYS/broker/uptime '{seconds} seconds'"));
        assert_eq!(broker.received(alice), expected);
    }
}

#[test]
fn an_interval_of_0_switches_it_off() {
    for mut broker in telling(0) {
        let alice = broker.connect(v5("alice"));
        broker.subscribe(alice, "$SYS/#", AtMostOnce);
        broker.advance_seconds(100);
        broker.expect(alice, &[]);
    }
}

#[test]
fn the_load_is_what_happened_in_the_last_minutes() {
    for mut broker in telling(10_000) {
        let alice = broker.connect(v5("alice"));
        broker.settle();
        for _ in 0..100 {
            broker.send(alice, publish("a", "x"));
        }
        broker.subscribe(alice, "$SYS/broker/load/publish/received/+", AtMostOnce);
        broker.received(alice);
        broker.advance_seconds(10);
        // 600 a minute for a sixth of a minute: 600 * (1 - e^(-1/6)), and so on for 5 and 15 minutes.
        let received = broker.received(alice);
        let expected = [("1min", "92.11"), ("5min", "19.67"), ("15min", "6.63")]
            .map(|(window, value)| format!("PUBLISH $SYS/broker/load/publish/received/{window} '{value}'"));
        assert_eq!(received, expected);
    }
}

/// [MQTT5-4.7.2-1] [MQTT311-3.3.5-2]
#[test]
fn nobody_else_publishes_there() {
    for mut broker in brokers() {
        let (new, old) = (broker.connect(v5("new")), broker.connect(v311("old")));
        let bob = broker.connect(v5("bob"));
        broker.subscribe(bob, "$SYS/#", AtMostOnce);
        broker.subscribe(bob, "$SYSTEM/#", AtMostOnce);
        for client in [new, old] {
            broker.send(client, publish("$SYS/broker/uptime", "x").retained());
            broker.send(client, publish("$SYS", "x").qos1(1));
            broker.send(client, publish("$SYS/x", "x").qos2(2));
        }
        broker.expect(new, &["PUBACK #1 0x87 Not authorized", "PUBREC #2 0x87 Not authorized"]);
        broker.expect(old, &["PUBACK #1", "PUBREC #2"]);
        broker.send(new, publish("$SYSTEM/x", "fine"));
        broker.expect(bob, &["PUBLISH $SYSTEM/x 'fine'"]);
        assert_eq!(broker.node.retained.counts().messages, 0);
        for version in versions() {
            let alice = broker.dial(version("will").will(will("$SYS/x", "x", AtMostOnce, &[])));
            let received = broker.received(alice);
            assert!(received[0].starts_with("CONNACK 0x") && received[1] == "closed", "{received:?}");
        }
    }
}

#[test]
fn without_retained_messages_the_tree_goes_to_whoever_is_there() {
    let capabilities = Capabilities { retain_available: false, ..Capabilities::default() };
    for mut broker in brokers_with(Config { capabilities, ..Config::default() }) {
        broker.settle();
        let alice = broker.connect(v5("alice"));
        broker.subscribe(alice, "$SYS/broker/uptime", AtMostOnce);
        broker.expect(alice, &[]);
        broker.advance_seconds(10);
        broker.expect(alice, &["PUBLISH $SYS/broker/uptime '10 seconds'"]);
    }
}
