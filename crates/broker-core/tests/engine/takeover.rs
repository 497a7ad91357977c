//! Owns the proof of two connections with one client identifier. Wills have a file of their own.

use crate::support::*;

/// [MQTT5-3.1.4-3] [MQTT311-3.1.4-2] [MQTT5-3.1.3-2]
#[test]
fn the_older_connection_gives_way_and_is_told_so() {
    for older in versions() {
        for newer in versions() {
            for mut broker in brokers() {
                let first = broker.connect(older("alice").keeping(100));
                broker.subscribe(first, "a", AtLeastOnce);
                let second = broker.reconnect(newer("alice"));
                broker.expect_end(first, ReasonCode::SessionTakenOver);
                let bob = broker.connect(v5("bob"));
                broker.send(bob, publish("a", "x").qos1(1));
                broker.expect(second, &["PUBLISH a 'x' qos1 #1"]);
                assert_eq!((broker.connections(), broker.totals().clients_connected), (2, 2));
            }
        }
    }
}

#[test]
fn what_the_older_connection_had_in_flight_goes_to_the_newer() {
    for mut broker in brokers() {
        let first = broker.connect(v5("alice").keeping(100));
        broker.subscribe(first, "a", AtLeastOnce);
        broker.send(first, publish("a", "x").qos1(1));
        let second = broker.reconnect(v5("alice").keeping(100));
        broker.expect(second, &["PUBLISH a 'x' qos1 #1 dup"]);
        // The daemon may still hand over what it had read of the older one, and that it is gone.
        broker.send(first, acknowledge(Packet::PubAck, 1));
        broker.hang_up(first);
        broker.send(second, Packet::PingReq);
        broker.expect(second, &["PINGRESP"]);
        assert_eq!(broker.connections(), 1);
    }
}

/// [MQTT5-3.2.2-3]
#[test]
fn a_session_that_was_to_end_with_its_connection_is_not_taken_over() {
    for hello in versions() {
        for mut broker in brokers() {
            let first = broker.connect(hello("alice"));
            broker.subscribe(first, "a", AtLeastOnce);
            let second = broker.connect(hello("alice").resuming());
            broker.expect_end(first, ReasonCode::SessionTakenOver);
            let bob = broker.connect(v5("bob"));
            broker.send(bob, publish("a", "x").qos1(1));
            broker.expect(second, &[]);
        }
    }
}

/// [MQTT5-3.1.4-4] [MQTT311-3.1.4-3]
#[test]
fn a_clean_start_takes_over_the_name_and_not_the_session() {
    for mut broker in brokers() {
        let first = broker.connect(v5("alice").keeping(100));
        broker.subscribe(first, "a", AtLeastOnce);
        broker.send(first, publish("a", "x").qos1(1));
        let second = broker.connect(v5("alice"));
        let first_received = broker.received(first);
        assert_eq!(first_received[2..], ["DISCONNECT 0x8E Session taken over", "closed"]);
        broker.expect(second, &[]);
        let totals = broker.totals();
        assert_eq!((totals.queued_messages, totals.sessions, totals.clients_connected), (0, 1, 1));
    }
}

/// The storm that brought other brokers down: the same name again and again while it subscribes.
#[test]
fn a_storm_of_reconnects_leaves_one_connection_and_one_subscription() {
    for mut broker in brokers() {
        for round in 0..200_u16 {
            let hello = if round % 3 == 0 { v5("alice") } else { v5("alice").keeping(100).resuming() };
            let (alice, _) = broker.greet(hello);
            broker.send(alice, subscribe(1, &[("a/#", subscription(ExactlyOnce))]));
            broker.send(alice, publish("a/b", "x").qos2(1 + round));
        }
        assert_eq!(broker.connections(), 1);
        assert_eq!(broker.node.subscriptions.counts().subscriptions, 1);
        assert_eq!(broker.totals().sessions, 1);
    }
}
