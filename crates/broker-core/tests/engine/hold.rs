//! Owns the proof of real backpressure: a publisher's acknowledgement waits until every queue its message
//! entered is within its limits again.

use crate::support::*;
use broker_core::config::{Config, Limits, QueuePolicy};

fn holding() -> impl Iterator<Item = Broker> {
    let limits = Limits { queue_messages_max: 2, receive_maximum: 5, ..Limits::default() };
    brokers_with(Config { queue_policy: QueuePolicy::HoldPublisher, limits, ..quiet() })
}

/// A subscriber with one message in flight and a full queue of two; its publisher on the same shard or,
/// where there is another, elsewhere.
fn congested(broker: &mut Broker, publisher: &str) -> (Client, Client) {
    let bob = broker.connect(v5("bob").keeping(100).with(receive_maximum(1)));
    let alice = broker.connect(v5(publisher).keeping(100));
    broker.subscribe(bob, "a", ExactlyOnce);
    for id in 1..=3 {
        broker.send(alice, publish("a", &id.to_string()).qos1(id));
    }
    broker.expect(alice, &["PUBACK #1", "PUBACK #2", "PUBACK #3"]);
    broker.expect(bob, &["PUBLISH a '1' qos1 #1"]);
    (alice, bob)
}

/// A publisher on the subscriber's shard, and one elsewhere.
fn publishers(broker: &Broker) -> [String; 2] {
    ["bob's neighbour".to_owned(), broker.elsewhere("bob")]
}

#[test]
fn an_acknowledgement_is_held_until_the_queue_is_within_its_limit() {
    for index in 0..2 {
        for mut broker in holding() {
            let publisher = publishers(&broker)[index].clone();
            let (alice, bob) = congested(&mut broker, &publisher);
            broker.send(alice, publish("a", "4").qos1(4));
            broker.send(alice, publish("a", "5").qos2(5));
            broker.send(alice, publish("elsewhere", "6").qos1(6));
            broker.expect(alice, &["PUBACK #6 0x10 No matching subscribers"]);
            broker.send(bob, acknowledge(Packet::PubAck, 1));
            broker.expect(alice, &[]);
            broker.send(bob, acknowledge(Packet::PubAck, 2));
            broker.expect(alice, &["PUBACK #4", "PUBREC #5"]);
            assert_eq!(broker.take_all(bob).len(), 4, "{broker}");
            assert_eq!(broker.totals().publishes_dropped, 0);
        }
    }
}

#[test]
fn one_slow_subscriber_of_many_holds_the_publisher() {
    for mut broker in holding() {
        let (alice, bob) = congested(&mut broker, "alice");
        let others: Vec<_> = (0..8).map(|number| broker.connect(v5(&format!("other-{number}")))).collect();
        for &other in &others {
            broker.subscribe(other, "#", AtLeastOnce);
        }
        broker.send(alice, publish("a", "4").qos1(4));
        for &other in &others {
            broker.expect(other, &["PUBLISH a '4' qos1 #1"]);
        }
        broker.expect(alice, &[]);
        broker.send(bob, acknowledge(Packet::PubAck, 1));
        broker.expect(alice, &["PUBACK #4"]);
    }
}

/// [MQTT5-3.3.4-7]
#[test]
fn a_publisher_that_does_not_wait_runs_into_the_receive_maximum() {
    for mut broker in holding() {
        let (alice, _) = congested(&mut broker, "alice");
        for id in 11..=15 {
            broker.send(alice, publish("a", "x").qos1(id));
        }
        broker.expect(alice, &[]);
        broker.send(alice, publish("a", "x").qos1(16));
        broker.expect_end(alice, ReasonCode::ReceiveMaximumExceeded);
    }
}

#[test]
fn a_subscriber_that_goes_releases_the_publisher_and_keeps_the_message() {
    for index in 0..2 {
        for mut broker in holding() {
            let publisher = publishers(&broker)[index].clone();
            let (alice, bob) = congested(&mut broker, &publisher);
            broker.send(alice, publish("a", "4").qos1(4));
            broker.hang_up(bob);
            broker.expect(alice, &["PUBACK #4"]);
            // Nobody drains the queue now: what is new is dropped, and acknowledged at once.
            broker.send(alice, publish("a", "5").qos1(5));
            broker.expect(alice, &["PUBACK #5"]);
            let bob = broker.reconnect(v5("bob").keeping(100));
            assert_eq!(broker.take_all(bob).len(), 4, "{broker}");
        }
    }
}

#[test]
fn a_session_that_ends_releases_the_publisher() {
    for mut broker in holding() {
        let (alice, _) = congested(&mut broker, "alice");
        broker.send(alice, publish("a", "4").qos1(4));
        broker.expect(alice, &[]);
        broker.connect(v5("bob"));
        broker.expect(alice, &["PUBACK #4"]);
    }
}

/// The client sends the message again on its next connection, and that one is acknowledged.
#[test]
fn what_was_held_for_a_connection_that_is_gone_is_not_sent_on_the_next() {
    for index in 0..2 {
        for mut broker in holding() {
            let publisher = publishers(&broker)[index].clone();
            let (alice, bob) = congested(&mut broker, &publisher);
            broker.send(alice, publish("a", "4").qos1(4));
            broker.send(alice, publish("a", "5").qos2(5));
            broker.hang_up(alice);
            let alice = broker.reconnect(v5(&publisher));
            broker.send(alice, publish("a", "4").qos1(4).again());
            broker.send(alice, publish("a", "5").qos2(5).again());
            // It was taken over before: that much can be said at once.
            broker.expect(alice, &["PUBREC #5"]);
            broker.send(bob, acknowledge(Packet::PubAck, 1));
            broker.take_all(bob);
            broker.expect(alice, &["PUBACK #4"]);
            broker.send(alice, acknowledge(Packet::PubRel, 5));
            broker.expect(alice, &["PUBCOMP #5"]);
        }
    }
}

/// Holding loses nothing: not even what is larger than the queue may be.
#[test]
fn a_message_larger_than_the_whole_queue_is_held_like_any_other() {
    let limits = Limits { queue_bytes_max: 9, ..Limits::default() };
    for mut broker in brokers_with(Config { queue_policy: QueuePolicy::HoldPublisher, limits, ..quiet() }) {
        let bob = broker.connect(v5("bob").with(receive_maximum(1)));
        let alice = broker.connect(v5("alice"));
        broker.subscribe(bob, "a", AtLeastOnce);
        broker.send(alice, publish("a", "1").qos1(1));
        broker.send(alice, publish("a", "0123456789").qos1(2));
        broker.expect(alice, &["PUBACK #1"]);
        broker.send(bob, acknowledge(Packet::PubAck, 1));
        broker.expect(alice, &["PUBACK #2"]);
        broker.expect(bob, &["PUBLISH a '1' qos1 #1", "PUBLISH a '0123456789' qos1 #2"]);
    }
}
