//! Owns the proof of CONNECT: who is let in, under which name. Sessions, limits and capabilities have
//! files of their own.

use crate::support::*;
use std::collections::BTreeSet;

/// [MQTT5-3.1.3-6] [MQTT5-3.1.3-7] [MQTT5-3.2.2-16] [MQTT311-3.1.3-6]
#[test]
fn a_client_without_a_name_is_given_one_that_nobody_has() {
    for mut broker in brokers() {
        let mut names = BTreeSet::new();
        for _ in 0..100 {
            let (client, connack) = broker.greet(v5("").keeping(100));
            let name = connack.properties.assigned_client_identifier().unwrap().to_owned();
            broker.subscribe(client, "a", AtLeastOnce);
            broker.hang_up(client);
            let client = broker.reconnect(v5(&name).keeping(100));
            broker.hang_up(client);
            names.insert(name);
        }
        assert_eq!(names.len(), 100, "{broker}");
        let old = broker.connect(v311(""));
        broker.connect(v311(""));
        broker.expect(old, &[]);
    }
}

/// [MQTT311-3.1.3-8] [MQTT311-3.1.3-9] [MQTT311-3.2.2-5] [MQTT5-3.2.2-7]
#[test]
fn a_session_without_a_name_is_refused_where_nobody_could_come_back_to_it() {
    for mut broker in brokers() {
        for hello in [v311("").resuming(), v31(""), v31("").resuming()] {
            let client = broker.dial(hello);
            broker.expect(client, &["CONNACK 0x85 Client Identifier not valid", "closed"]);
        }
        assert_eq!((broker.connections(), broker.totals().sessions), (0, 0));
        let (client, connack) = broker.greet(v5("").resuming());
        assert!(connack.properties.assigned_client_identifier().is_some());
        broker.expect(client, &[]);
    }
}

/// [MQTT5-3.1.3-5] [MQTT311-3.1.3-5]
#[test]
fn names_are_told_apart_byte_by_byte_and_may_be_any_text() {
    let long = "x".repeat(65_535);
    let names =
        ["a", "A", "a ", " a", "a b", "0123456789abcdefghijklmn", "\u{E9}", "e\u{301}", "a/+/#", &long];
    for hello in versions() {
        for mut broker in brokers() {
            let clients = names.map(|name| broker.connect(hello(name)));
            for client in clients {
                broker.expect(client, &[]);
            }
            assert_eq!(broker.connections(), names.len());
        }
    }
}

/// [MQTT5-4.12.0-1] [MQTT5-3.1.4-2]
#[test]
fn an_authentication_method_is_refused() {
    for mut broker in brokers() {
        let hello = v5("alice").with(Property::AuthenticationMethod("x"));
        let alice = broker.dial(hello.with(Property::AuthenticationData(b"secret")));
        broker.expect(alice, &["CONNACK 0x8C Bad authentication method", "closed"]);
        broker.send(alice, Packet::PingReq);
        broker.expect(alice, &["closed"]);
    }
}

/// A refused CONNECT leaves the session of that name alone, and the connection that uses it.
#[test]
fn a_refusal_disturbs_nobody() {
    for mut broker in brokers() {
        let alice = broker.connect(v5("alice").keeping(100));
        broker.subscribe(alice, "a", AtLeastOnce);
        let imposter = broker.dial(v5("alice").with(Property::AuthenticationMethod("x")));
        broker.expect(imposter, &["CONNACK 0x8C Bad authentication method", "closed"]);
        broker.send(alice, publish("a", "x"));
        broker.expect(alice, &["PUBLISH a 'x'"]);
    }
}

/// [MQTT5-3.2.0-1] [MQTT5-3.2.0-2] [MQTT311-3.1.4-4] [MQTT311-3.2.0-1]
#[test]
fn connack_comes_first_and_once() {
    for hello in versions() {
        for mut broker in brokers() {
            let alice = broker.connect(hello("alice").keeping(100));
            broker.subscribe(alice, "a", AtLeastOnce);
            broker.send(alice, publish("a", "x").qos1(1));
            broker.hang_up(alice);
            let alice = broker.dial(hello("alice").keeping(100).resuming());
            let received = broker.received(alice);
            assert!(received[0].starts_with("CONNACK 0x00 Success"), "{received:?}");
            assert_eq!(received[1..], ["PUBLISH a 'x' qos1 #1 dup"]);
        }
    }
}
