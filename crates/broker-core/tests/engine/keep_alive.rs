//! Owns the proof of Keep Alive: who is given up, when, and who never.

use crate::support::*;
use broker_core::config::{Config, Limits};

/// [MQTT5-3.1.2-22] [MQTT311-3.1.2-24] [MQTT5-3.2.2-22]
#[test]
fn a_silent_client_is_given_up_after_one_and_a_half_times_its_keep_alive() {
    for hello in versions() {
        for mut broker in brokers() {
            let alice = broker.connect(hello("alice").keep_alive(10));
            broker.advance_millis(14_990);
            broker.expect(alice, &[]);
            broker.advance_millis(20);
            broker.expect_end(alice, ReasonCode::KeepAliveTimeout);
            assert_eq!(broker.connections(), 0);
        }
    }
}

#[test]
fn any_packet_shows_that_a_client_is_there() {
    for mut broker in brokers() {
        let alice = broker.connect(v311("alice").keep_alive(10));
        for packet in [
            Say::from(Packet::PingReq),
            publish("a", "x"),
            subscribe(1, &[("a", subscription(AtMostOnce))]),
            acknowledge(Packet::PubRel, 1).into(),
        ] {
            broker.advance_seconds(14);
            broker.send(alice, packet);
        }
        broker.advance_seconds(14);
        broker.expect(alice, &["PINGRESP", "SUBACK #1 [0]", "PUBCOMP #1"]);
        // What it receives does not.
        let bob = broker.connect(v5("bob"));
        broker.send(bob, publish("a", "x"));
        broker.advance_millis(1010);
        broker.expect(alice, &["PUBLISH a 'x'", "closed"]);
    }
}

/// [MQTT311-3.12.4-1]
#[test]
fn keep_alive_0_is_for_ever() {
    for hello in versions() {
        for mut broker in brokers() {
            let alice = broker.connect(hello("alice"));
            broker.advance_seconds(24 * 3600);
            broker.send(alice, Packet::PingReq);
            broker.expect(alice, &["PINGRESP"]);
        }
    }
}

/// [MQTT5-3.2.2-21]
#[test]
fn a_client_is_told_when_the_broker_wants_to_hear_it_more_often() {
    let limits = Limits { keep_alive_seconds_max: 60, ..Limits::default() };
    for (asked, told) in [(59, None), (60, None), (61, Some(60)), (0, Some(60))] {
        for mut broker in brokers_with(Config { limits: limits.clone(), ..quiet() }) {
            let (alice, connack) = broker.greet(v5("alice").keep_alive(asked));
            assert_eq!(connack.properties.server_keep_alive(), told);
            broker.advance_millis(88_000);
            broker.expect(alice, &[]);
            broker.advance_millis(2_010);
            broker.expect_end(alice, ReasonCode::KeepAliveTimeout);
        }
    }
}

#[test]
fn clients_of_3x_cannot_be_told_and_keep_theirs() {
    let limits = Limits { keep_alive_seconds_max: 60, ..Limits::default() };
    for mut broker in brokers_with(Config { limits, ..quiet() }) {
        let alice = broker.connect(v311("alice").keep_alive(100));
        let never = broker.connect(v311("never"));
        broker.advance_seconds(149);
        broker.expect(alice, &[]);
        broker.advance_seconds(2);
        broker.expect(alice, &["closed"]);
        broker.expect(never, &[]);
    }
}

#[test]
fn the_silence_of_an_older_connection_is_not_held_against_the_newer() {
    for mut broker in brokers() {
        broker.connect(v5("alice").keep_alive(10));
        broker.advance_seconds(14);
        let alice = broker.connect(v5("alice").keep_alive(100));
        broker.advance_seconds(100);
        broker.expect(alice, &[]);
    }
}
