//! Owns the proof of what a session keeps for a client that comes back. How long it keeps it is
//! `sessions`' business.

use crate::support::*;

/// A session with four messages in flight, at steps 1, 2, 2 and 1 of QoS 1, 2, 2 and 1, and one waiting.
fn interrupted(broker: &mut Broker, hello: fn(&str) -> Hello) {
    let bob = broker.connect(hello("bob").keeping(100));
    let alice = broker.connect(v5("alice"));
    broker.subscribe(bob, "a", ExactlyOnce);
    for (id, qos) in [(1, AtLeastOnce), (2, ExactlyOnce), (3, ExactlyOnce), (4, AtLeastOnce)] {
        broker.send(alice, publish("a", &id.to_string()).qos(qos, id));
    }
    broker.send(bob, acknowledge(Packet::PubRec, 2));
    let received = broker.received(bob);
    assert_eq!(received.last().unwrap(), "PUBREL #2");
    broker.hang_up(bob);
    broker.send(alice, publish("a", "5").qos1(5));
    broker.send(alice, publish("a", "0"));
}

/// Each PUBREL, which waits for no window, then each PUBLISH: [MQTT5-3.3.4-10]
/// [MQTT5-4.4.0-1] [MQTT5-4.6.0-1] [MQTT5-3.3.1-1] [MQTT5-4.3.3-6] [MQTT5-4.5.0-1] [MQTT311-4.4.0-1]
/// [MQTT311-4.6.0-1] [MQTT311-3.3.1-1] [MQTT311-3.1.2-5] [MQTT311-4.1.0-1]
#[test]
fn what_was_in_flight_is_sent_again_in_its_order_with_its_identifiers_then_what_waited() {
    for hello in versions() {
        for mut broker in brokers() {
            interrupted(&mut broker, hello);
            for _ in 0..2 {
                let bob = broker.reconnect(hello("bob").keeping(100));
                let received = broker.received(bob);
                assert_eq!(
                    received[..4],
                    [
                        "PUBREL #2",
                        "PUBLISH a '1' qos1 #1 dup",
                        "PUBLISH a '3' qos2 #3 dup",
                        "PUBLISH a '4' qos1 #4 dup"
                    ]
                );
                // What waited for the first return is sent again at the second.
                assert_eq!(received[4].replace(" dup", ""), "PUBLISH a '5' qos1 #5", "{broker}");
                assert_eq!(received.len(), 5);
                broker.hang_up(bob);
            }
        }
    }
}

/// [MQTT5-3.3.4-9] [MQTT5-4.9.0-2]
#[test]
fn redelivery_keeps_inside_the_new_receive_maximum() {
    for mut broker in brokers() {
        interrupted(&mut broker, v5);
        let bob = broker.reconnect(v5("bob").keeping(100).with(receive_maximum(2)));
        broker.expect(bob, &["PUBREL #2", "PUBLISH a '1' qos1 #1 dup"]);
        broker.send(bob, acknowledge(Packet::PubComp, 2));
        broker.expect(bob, &["PUBLISH a '3' qos2 #3 dup"]);
        broker.send(bob, acknowledge(Packet::PubRec, 3));
        broker.expect(bob, &["PUBREL #3"]);
        broker.send(bob, acknowledge(Packet::PubAck, 1));
        broker.expect(bob, &["PUBLISH a '4' qos1 #4 dup"]);
        let alice = broker.connect(v5("other"));
        broker.send(alice, publish("a", "6").qos1(6));
        broker.expect(bob, &[]);
        broker.send(bob, acknowledge(Packet::PubAck, 4));
        broker.expect(bob, &["PUBLISH a '5' qos1 #5"]);
        broker.send(bob, acknowledge(Packet::PubComp, 3));
        broker.expect(bob, &["PUBLISH a '6' qos1 #6"]);
    }
}

/// [MQTT5-4.4.0-2] [MQTT5-4.8.2-6]
/// The window is full of what is in flight from before.
#[test]
fn what_expires_before_it_is_sent_makes_room_for_what_is_to_be_sent_again() {
    for mut broker in durable_brokers() {
        let bob = broker.connect(v5("bob").keeping(100));
        let alice = broker.connect(v5("alice").keeping(100));
        broker.subscribe(bob, "a", ExactlyOnce);
        broker.disk = Disk::Held;
        broker.send(alice, publish("a", "1").qos2(1).with(Property::MessageExpiryInterval(5)));
        broker.send(alice, publish("a", "2").qos2(2));
        broker.hang_up(bob);
        broker.sync();
        broker.advance_seconds(6);
        let bob = broker.dial(v5("bob").resuming().keeping(100).with(receive_maximum(1)));
        for _ in 0..3 {
            broker.sync();
        }
        assert_eq!(broker.received(bob)[1..], ["PUBLISH a '2' qos2 #2"], "{broker}");
    }
}

#[test]
fn what_the_client_refused_is_not_sent_again() {
    for mut broker in brokers() {
        interrupted(&mut broker, v5);
        let bob = broker.reconnect(v5("bob").keeping(100));
        broker.received(bob);
        broker.send(bob, refuse(Packet::PubAck, 1));
        broker.send(bob, refuse(Packet::PubRec, 3));
        broker.expect(bob, &[]);
        broker.hang_up(bob);
        let bob = broker.reconnect(v5("bob").keeping(100));
        broker.expect(bob, &["PUBREL #2", "PUBLISH a '4' qos1 #4 dup", "PUBLISH a '5' qos1 #5 dup"]);
    }
}

/// An acknowledgement may arrive for a message of the connection before that was not yet sent again.
#[test]
fn an_acknowledgement_from_before_spares_the_redelivery() {
    for mut broker in brokers() {
        interrupted(&mut broker, v5);
        let bob = broker.reconnect(v5("bob").keeping(100).with(receive_maximum(1)));
        broker.send(bob, acknowledge(Packet::PubAck, 4));
        broker.send(bob, acknowledge(Packet::PubAck, 1));
        broker.expect(bob, &["PUBREL #2"]);
        broker.send(bob, acknowledge(Packet::PubComp, 2));
        broker.expect(bob, &["PUBLISH a '3' qos2 #3 dup"]);
    }
}

/// [MQTT5-4.3.3-10] [MQTT311-4.3.3-2]
#[test]
fn the_broker_remembers_the_qos_2_messages_it_received_over_a_lost_connection() {
    for hello in versions() {
        for mut broker in brokers() {
            let bob = broker.connect(v5("bob"));
            broker.subscribe(bob, "a", AtMostOnce);
            let alice = broker.connect(hello("alice").keeping(100));
            broker.send(alice, publish("a", "x").qos2(7));
            broker.hang_up(alice);
            let alice = broker.reconnect(hello("alice").keeping(100));
            broker.send(alice, publish("a", "x").qos2(7).again());
            broker.expect(alice, &["PUBREC #7"]);
            broker.send(alice, acknowledge(Packet::PubRel, 7));
            broker.expect(alice, &["PUBCOMP #7"]);
            broker.expect(bob, &["PUBLISH a 'x'"]);
        }
    }
}

/// A message that ended its connection was never taken over: sent again, it is judged again.
#[test]
fn a_qos_2_message_that_was_not_accepted_is_no_duplicate_later() {
    for mut broker in brokers() {
        let bob = broker.connect(v5("bob"));
        broker.subscribe(bob, "a", AtMostOnce);
        let alice = broker.connect(v5("alice").keeping(100));
        broker.send(alice, publish("", "x").qos2(7).with(topic_alias(1)));
        broker.expect_end(alice, ReasonCode::ProtocolError);
        let alice = broker.reconnect(v5("alice").keeping(100));
        broker.send(alice, publish("a", "x").qos2(7).again());
        broker.expect(alice, &["PUBREC #7"]);
        broker.expect(bob, &["PUBLISH a 'x'"]);
    }
}

/// [MQTT5-3.1.2-4] [MQTT311-3.1.2-6]
#[test]
fn a_clean_start_forgets_all_of_it() {
    for hello in versions() {
        for mut broker in brokers() {
            interrupted(&mut broker, hello);
            let bob = broker.connect(hello("bob"));
            broker.expect(bob, &[]);
            let alice = broker.connect(v5("other"));
            broker.send(alice, publish("a", "6").qos1(6));
            broker.expect(bob, &[]);
            broker.subscribe(bob, "a", AtLeastOnce);
            broker.send(alice, publish("a", "7").qos1(7));
            broker.expect(bob, &["PUBLISH a '7' qos1 #1"]);
            assert_eq!(broker.totals().queued_messages, 1, "{broker}");
        }
    }
}
