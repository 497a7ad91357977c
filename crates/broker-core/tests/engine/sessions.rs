//! Owns the proof of how long a session lives. What it keeps meanwhile is `redelivery`'s business.

use crate::support::*;
use broker_core::config::{Config, Limits};

/// Whether a client that comes back without Clean Start finds its session.
fn is_kept(broker: &mut Broker, hello: Hello) -> bool {
    broker.greet(hello.resuming()).1.session_present
}

/// [MQTT5-3.1.2-23] [MQTT5-4.1.0-2] [MQTT5-3.2.2-3]
#[test]
fn a_session_outlives_its_connection_by_its_expiry_interval_and_no_longer() {
    const DAY: u64 = 24 * 3600;
    for (interval, seconds, expected) in
        [(0, 0, false), (10, 9, true), (10, 11, false), (u32::MAX, DAY, true), (u32::MAX - 1, DAY, true)]
    {
        for mut broker in brokers() {
            let alice = broker.connect(v5("alice").keeping(interval));
            broker.hang_up(alice);
            broker.advance_seconds(seconds);
            assert_eq!(
                is_kept(&mut broker, v5("alice")),
                expected,
                "{interval} s after {seconds} s, {broker}"
            );
        }
    }
}

/// [MQTT5-4.1.0-1]
#[test]
fn a_session_does_not_expire_while_its_client_is_connected() {
    for mut broker in brokers() {
        let alice = broker.connect(v5("alice").keeping(10));
        broker.hang_up(alice);
        broker.advance_seconds(9);
        let alice = broker.reconnect(v5("alice").keeping(10));
        broker.advance_seconds(100);
        broker.hang_up(alice);
        broker.advance_seconds(9);
        broker.reconnect(v5("alice"));
    }
}

/// [MQTT311-3.1.2-4] [MQTT311-3.1.2-6] [MQTT311-3.1.3-2] [MQTT311-3.2.2-2] [MQTT311-3.2.2-3]
#[test]
fn a_session_of_3x_lasts_without_clean_session_and_as_long_as_the_operator_allows() {
    let limits = Limits { session_expiry_seconds_max: 60, ..Limits::default() };
    for version in [v31, v311] {
        for mut broker in brokers_with(Config { limits: limits.clone(), ..quiet() }) {
            let alice = broker.connect(version("alice").keeping(1));
            broker.leave(alice);
            broker.advance_seconds(59);
            // Not while it is connected [MQTT311-4.1.0-2].
            let alice = broker.reconnect(version("alice"));
            broker.advance_seconds(100);
            broker.leave(alice);
            broker.advance_seconds(59);
            let alice = broker.reconnect(version("alice"));
            broker.leave(alice);
            broker.advance_seconds(61);
            // MQTT 3.1 cannot be told, so ask as 3.1.1.
            assert!(!is_kept(&mut broker, v311("alice")), "{broker}");
            let alice = broker.connect(version("clean"));
            broker.leave(alice);
            assert!(!is_kept(&mut broker, v311("clean")), "{broker}");
        }
    }
}

#[test]
fn disconnect_changes_the_expiry_interval() {
    for (connected, disconnected, seconds, expected) in
        [(10, 0, 0, false), (10, 100, 50, true), (100, 10, 11, false), (10, u32::MAX, 1000, true)]
    {
        for mut broker in brokers() {
            let alice = broker.connect(v5("alice").keeping(connected));
            let goodbye = disconnect(ReasonCode::Success);
            broker.send(alice, goodbye.with(Property::SessionExpiryInterval(disconnected)));
            broker.expect(alice, &["closed"]);
            broker.advance_seconds(seconds);
            assert_eq!(
                is_kept(&mut broker, v5("alice")),
                expected,
                "{disconnected} after {seconds}, {broker}"
            );
        }
    }
}

#[test]
fn disconnect_cannot_keep_a_session_that_was_to_end() {
    for mut broker in brokers() {
        let alice = broker.connect(v5("alice"));
        let goodbye = disconnect(ReasonCode::Success);
        broker.send(alice, goodbye.with(Property::SessionExpiryInterval(1)));
        broker.expect_end(alice, ReasonCode::ProtocolError);
        assert!(!is_kept(&mut broker, v5("alice")));
    }
}

#[test]
fn a_client_is_told_when_its_session_lasts_shorter_than_it_asked() {
    let limits = Limits { session_expiry_seconds_max: 60, ..Limits::default() };
    for (asked, told) in [(None, None), (Some(0), None), (Some(60), None), (Some(61), Some(60))] {
        for mut broker in brokers_with(Config { limits: limits.clone(), ..quiet() }) {
            let hello = asked.map_or(v5("alice"), |seconds| v5("alice").keeping(seconds));
            let (alice, connack) = broker.greet(hello);
            assert_eq!(connack.properties.session_expiry_interval(), told);
            let goodbye = disconnect(ReasonCode::Success);
            if asked > Some(0) {
                broker.send(alice, goodbye.with(Property::SessionExpiryInterval(1000)));
                broker.advance_seconds(59);
                let alice = broker.reconnect(v5("alice"));
                broker.leave(alice);
            }
        }
    }
}

/// An operator's limit of 0 makes no client's DISCONNECT an error.
#[test]
fn a_client_whose_session_is_not_kept_may_still_ask_for_it_at_the_end() {
    let limits = Limits { session_expiry_seconds_max: 0, ..Limits::default() };
    for mut broker in brokers_with(Config { limits: limits.clone(), ..quiet() }) {
        let alice = broker.connect(v5("alice").keeping(10));
        broker.send(alice, disconnect(ReasonCode::Success).with(Property::SessionExpiryInterval(10)));
        broker.expect(alice, &["closed"]);
        assert!(!is_kept(&mut broker, v5("alice")));
    }
}

/// [MQTT5-3.1.2-4] [MQTT5-3.1.2-5] [MQTT5-3.1.2-6] [MQTT5-3.2.2-2] [MQTT311-3.2.2-1]
#[test]
fn a_session_moves_between_versions() {
    for before in versions() {
        for after in versions() {
            for mut broker in brokers() {
                let alice = broker.connect(before("alice").keeping(1000));
                broker.subscribe(alice, "a", AtLeastOnce);
                broker.hang_up(alice);
                let bob = broker.connect(v5("bob"));
                broker.send(bob, publish("a", "x").qos1(1));
                let alice = broker.reconnect(after("alice"));
                broker.expect(alice, &["PUBLISH a 'x' qos1 #1"]);
            }
        }
    }
}

#[test]
fn an_ended_session_leaves_nothing_behind() {
    for mut broker in brokers() {
        let alice = broker.connect(v5("alice").keeping(10));
        for (id, filter) in [(1, "a/+"), (2, "b"), (3, "$share/g/c/#")] {
            broker.send(alice, subscribe(id, &[(filter, subscription(AtLeastOnce))]));
        }
        let bob = broker.connect(v5("bob"));
        broker.hang_up(alice);
        broker.send(bob, publish("b", "x").qos1(1));
        assert_eq!((broker.totals().queued_messages, broker.totals().sessions), (1, 2));
        assert!(broker.totals().queued_bytes > 0);
        broker.advance_seconds(11);
        let totals = broker.totals();
        assert_eq!((totals.queued_messages, totals.queued_bytes), (0, 0), "{broker}");
        assert_eq!((totals.sessions, totals.sessions_expired, totals.clients_connected), (1, 1, 1));
        assert_eq!(broker.node.subscriptions.counts().subscriptions, 0);
        assert_eq!(broker.connections(), 1);
    }
}
