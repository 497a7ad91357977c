//! Owns the proof of the Receive Maximum, the client's and the broker's.

use crate::support::*;
use broker_core::config::{Config, Limits};

fn with_limits(limits: Limits) -> impl Iterator<Item = Broker> {
    brokers_with(Config { limits, ..quiet() })
}

/// [MQTT5-3.3.4-9] [MQTT5-3.3.4-10] [MQTT5-4.9.0-1] [MQTT5-4.9.0-2] [MQTT5-4.9.0-3]
#[test]
fn no_more_is_in_flight_than_the_client_or_the_operator_allows() {
    for (client, operator) in [(3, 1024), (100, 3)] {
        for mut broker in with_limits(Limits { inflight_max: operator, ..Limits::default() }) {
            let alice = broker.connect(v5("alice"));
            let bob = broker.connect(v5("bob").with(receive_maximum(client)));
            broker.subscribe(bob, "a", ExactlyOnce);
            for id in 1..=10 {
                broker.send(
                    alice,
                    publish("a", "x").qos(if id % 2 == 0 { AtLeastOnce } else { ExactlyOnce }, id),
                );
            }
            // QoS 0 has no window.
            broker.send(alice, publish("a", "0"));
            assert_eq!(broker.received(bob).len(), 4);
            // PUBREC frees nothing yet, PUBCOMP and PUBACK do, and so does a refusal [MQTT5-4.4.0-2].
            broker.send(bob, acknowledge(Packet::PubRec, 1));
            broker.expect(bob, &["PUBREL #1"]);
            broker.send(bob, acknowledge(Packet::PubComp, 1));
            broker.expect(bob, &["PUBLISH a 'x' qos1 #4"]);
            broker.send(bob, acknowledge(Packet::PubAck, 2));
            broker.expect(bob, &["PUBLISH a 'x' qos2 #5"]);
            broker.send(bob, refuse(Packet::PubRec, 3));
            broker.expect(bob, &["PUBLISH a 'x' qos1 #6"]);
            broker.send(bob, refuse(Packet::PubAck, 4));
            broker.expect(bob, &["PUBLISH a 'x' qos2 #7"]);
            broker.send(bob, Packet::PingReq);
            broker.expect(bob, &["PINGRESP"]);
        }
    }
}

#[test]
fn clients_of_3x_have_the_operators_window() {
    for hello in [v31, v311] {
        for mut broker in with_limits(Limits { inflight_max: 2, ..Limits::default() }) {
            let alice = broker.connect(hello("alice"));
            broker.subscribe(alice, "a", AtLeastOnce);
            for id in 1..=4 {
                broker.send(alice, publish("a", "x").qos1(id));
            }
            let publishes = broker.received(alice).iter().filter(|line| line.starts_with("PUBLISH")).count();
            assert_eq!(publishes, 2);
        }
    }
}

/// [MQTT5-3.3.4-7]
#[test]
fn a_client_may_have_as_many_in_flight_as_it_was_told_and_not_one_more() {
    for mut broker in with_limits(Limits { receive_maximum: 3, ..Limits::default() }) {
        let bob = broker.connect(v5("bob"));
        broker.subscribe(bob, "a", AtMostOnce);
        let (alice, connack) = broker.greet(v5("alice").keeping(100));
        assert_eq!(connack.properties.receive_maximum().unwrap().get(), 3);
        for id in 1..=3 {
            broker.send(alice, publish("a", "x").qos2(id));
        }
        // QoS 0 and duplicates take no place, PUBREL frees one.
        broker.send(alice, publish("a", "x"));
        broker.send(alice, publish("a", "x").qos2(3).again());
        broker.send(alice, acknowledge(Packet::PubRel, 1));
        broker.send(alice, publish("a", "x").qos2(4));
        assert_eq!(broker.received(alice).len(), 6);
        broker.send(alice, publish("a", "x").qos1(5));
        broker.expect_end(alice, ReasonCode::ReceiveMaximumExceeded);
        assert_eq!(broker.received(bob).len(), 5);
        // The window starts anew with the connection [MQTT5-4.9.0-1]; what awaits PUBREL takes no place in it
        // until it is sent again.
        let alice = broker.reconnect(v5("alice").keeping(100));
        for id in [3, 6, 7] {
            broker.send(alice, publish("a", "x").qos2(id));
        }
        broker.expect(alice, &["PUBREC #3", "PUBREC #6", "PUBREC #7"]);
        assert_eq!(broker.received(bob).len(), 2);
        broker.send(alice, publish("a", "x").qos2(8));
        broker.expect_end(alice, ReasonCode::ReceiveMaximumExceeded);
        broker.expect(bob, &[]);
    }
}

/// QoS 1 is acknowledged at once, so any number may follow each other.
#[test]
fn what_is_acknowledged_takes_no_place() {
    for mut broker in with_limits(Limits { receive_maximum: 1, ..Limits::default() }) {
        let alice = broker.connect(v5("alice"));
        for id in 1..=5 {
            broker.send(alice, publish("a", "x").qos1(id));
        }
        assert_eq!(broker.received(alice).len(), 5);
    }
}

/// [MQTT5-4.3.3-9]
#[test]
fn a_pubrec_with_an_error_frees_its_place_and_its_identifier() {
    for mut broker in with_limits(Limits { receive_maximum: 1, topic_levels_max: 2, ..Limits::default() }) {
        let alice = broker.connect(v5("alice"));
        let bob = broker.connect(v5("bob"));
        broker.subscribe(bob, "#", AtMostOnce);
        for _ in 0..3 {
            broker.send(alice, publish("a/b/c", "x").qos2(1));
            broker.expect(alice, &["PUBREC #1 0x90 Topic Name invalid"]);
        }
        broker.send(alice, publish("a/b", "x").qos2(1));
        broker.expect(alice, &["PUBREC #1 0x10 No matching subscribers"].map(|_| "PUBREC #1"));
        broker.expect(bob, &["PUBLISH a/b 'x'"]);
    }
}

#[test]
fn clients_of_3x_may_use_the_identifiers_the_operator_allows() {
    for hello in [v31, v311] {
        for mut broker in with_limits(Limits { inbound_inflight_max_v3: 3, ..Limits::default() }) {
            let alice = broker.connect(hello("alice"));
            for id in 1..=3 {
                broker.send(alice, publish("a", "x").qos2(id));
            }
            broker.expect(alice, &["PUBREC #1", "PUBREC #2", "PUBREC #3"]);
            broker.send(alice, publish("a", "x").qos2(4));
            broker.expect_end(alice, ReasonCode::ReceiveMaximumExceeded);
        }
    }
}

/// By default a client of 3.x may use every identifier there is and never release one: its own memory is
/// the limit, ours is two bytes each.
#[test]
fn every_identifier_may_await_pubrel() {
    for mut broker in with_limits(Limits { receive_maximum: u16::MAX, ..Limits::default() }).take(1) {
        let (alice, connack) = broker.greet(v5("alice"));
        assert_eq!(connack.properties.receive_maximum(), None);
        let old = broker.connect(v311("old"));
        for client in [alice, old] {
            for id in 1..=u16::MAX {
                broker.send(client, publish("a", "x").qos2(id));
            }
            broker.send(client, publish("a", "x").qos2(1));
            assert_eq!(broker.read(client).len(), 65_536);
        }
    }
}
