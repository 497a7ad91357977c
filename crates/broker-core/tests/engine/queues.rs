//! Owns the proof of the queue behind a client's window: order, limits and what happens at them. Holding
//! publishers back is `hold`'s business.

use crate::support::*;
use broker_core::config::{Config, Limits, QueuePolicy};

fn config(queue_policy: QueuePolicy, limits: Limits) -> Config {
    Config { queue_policy, limits, ..quiet() }
}

/// Three messages wait for a subscriber that is away, as the policy has it.
fn offline(broker: &mut Broker, payloads: &[&str]) -> Vec<String> {
    let bob = broker.connect(v5("bob").keeping(1000));
    let alice = broker.connect(v5("alice"));
    broker.subscribe(bob, "a", AtLeastOnce);
    broker.hang_up(bob);
    for (id, payload) in (1..).zip(payloads) {
        broker.send(alice, publish("a", payload).qos1(id));
        broker.expect(alice, &[&format!("PUBACK #{id}")]);
    }
    let bob = broker.reconnect(v5("bob").keeping(1000));
    let received = broker.take_all(bob);
    received.iter().map(|line| line.split('\'').nth(1).unwrap().to_owned()).collect()
}

#[test]
fn an_offline_queue_keeps_qos_1_and_2_in_their_order_and_no_qos_0() {
    for mut broker in brokers() {
        let bob = broker.connect(v5("bob").keeping(1000));
        let alice = broker.connect(v5("alice"));
        broker.subscribe(bob, "#", ExactlyOnce);
        broker.leave(bob);
        broker.send(alice, publish("a", "1").qos1(1));
        broker.send(alice, publish("b", "2"));
        broker.send(alice, publish("c", "3").qos2(3));
        let bob = broker.reconnect(v5("bob"));
        broker.expect(bob, &["PUBLISH a '1' qos1 #1", "PUBLISH c '3' qos2 #2"]);
    }
}

#[test]
fn a_queue_holds_as_many_messages_as_it_may_and_the_policy_decides_about_one_more() {
    for (policy, at_limit, one_more) in [
        (QueuePolicy::DropOldest, ["1", "2", "3"], ["2", "3", "4"]),
        (QueuePolicy::DropNewest, ["1", "2", "3"], ["1", "2", "3"]),
        // Nobody drains the queue of a client that is away.
        (QueuePolicy::HoldPublisher, ["1", "2", "3"], ["1", "2", "3"]),
    ] {
        let limits = Limits { queue_messages_max: 3, ..Limits::default() };
        for mut broker in brokers_with(config(policy, limits.clone())) {
            assert_eq!(offline(&mut broker, &["1", "2", "3"]), at_limit, "{policy:?} {broker}");
            assert_eq!(broker.totals().publishes_dropped, 0);
        }
        for mut broker in brokers_with(config(policy, limits.clone())) {
            assert_eq!(offline(&mut broker, &["1", "2", "3", "4"]), one_more, "{policy:?} {broker}");
            let totals = broker.totals();
            assert_eq!((totals.publishes_dropped, totals.queued_messages, totals.queued_bytes), (1, 0, 0));
        }
    }
}

#[test]
fn a_queue_holds_as_many_bytes_as_it_may() {
    // Each message has one byte of topic.
    let limits = Limits { queue_bytes_max: 9, ..Limits::default() };
    for (policy, payloads, expected) in [
        (QueuePolicy::DropOldest, ["aa", "bb", "cc"], vec!["aa", "bb", "cc"]),
        (QueuePolicy::DropOldest, ["aa", "bb", "ccc"], vec!["bb", "ccc"]),
        (QueuePolicy::DropOldest, ["aa", "bb", "123456789"], vec!["aa", "bb"]),
        (QueuePolicy::DropOldest, ["aa", "bb", "12345678"], vec!["12345678"]),
        (QueuePolicy::DropNewest, ["aa", "bb", "ccc"], vec!["aa", "bb"]),
        (QueuePolicy::DropNewest, ["aaa", "bbbbb", "c"], vec!["aaa", "c"]),
    ] {
        for mut broker in brokers_with(config(policy, limits.clone())) {
            assert_eq!(offline(&mut broker, &payloads), expected, "{policy:?} {payloads:?} {broker}");
            let totals = broker.totals();
            assert_eq!(totals.publishes_dropped, 3 - expected.len() as u64);
            assert_eq!((totals.queued_messages, totals.queued_bytes), (0, 0));
        }
    }
}

#[test]
fn a_message_larger_than_the_whole_queue_displaces_nobody() {
    let limits = Limits { queue_bytes_max: 9, ..Limits::default() };
    for mut broker in brokers_with(config(QueuePolicy::DropOldest, limits)) {
        assert_eq!(offline(&mut broker, &["aa", "1234567890", "bb"]), ["aa", "bb"], "{broker}");
    }
}

#[test]
fn what_has_expired_makes_room_before_the_policy_decides() {
    let limits = Limits { queue_messages_max: 3, ..Limits::default() };
    for policy in [QueuePolicy::DropOldest, QueuePolicy::DropNewest, QueuePolicy::HoldPublisher] {
        for mut broker in brokers_with(config(policy, limits.clone())) {
            let bob = broker.connect(v5("bob").keeping(1000));
            let alice = broker.connect(v5("alice"));
            broker.subscribe(bob, "a", AtLeastOnce);
            broker.hang_up(bob);
            broker.send(alice, publish("a", "1").qos1(1));
            broker.send(alice, publish("a", "2").qos1(2).with(Property::MessageExpiryInterval(1)));
            broker.send(alice, publish("a", "3").qos1(3));
            broker.advance_seconds(2);
            broker.send(alice, publish("a", "4").qos1(4));
            let bob = broker.reconnect(v5("bob").keeping(1000));
            let expected = ["PUBLISH a '1' qos1 #1", "PUBLISH a '3' qos1 #2", "PUBLISH a '4' qos1 #3"];
            broker.expect(bob, &expected);
            let totals = broker.totals();
            assert_eq!((totals.publishes_dropped, totals.publishes_expired), (0, 1), "{policy:?} {broker}");
            assert_eq!((totals.queued_messages, totals.queued_bytes), (3, 0));
        }
    }
}

/// [MQTT5-4.6.0-5] [MQTT311-4.6.0-6]
#[test]
fn a_new_message_does_not_overtake_those_that_wait() {
    for mut broker in brokers() {
        let bob = broker.connect(v5("bob").with(receive_maximum(2)));
        let alice = broker.connect(v5("alice"));
        broker.subscribe(bob, "a", AtLeastOnce);
        for id in 1..=4 {
            broker.send(alice, publish("a", &id.to_string()).qos1(id));
        }
        broker.expect(bob, &["PUBLISH a '1' qos1 #1", "PUBLISH a '2' qos1 #2"]);
        broker.send(bob, acknowledge(Packet::PubAck, 2));
        broker.send(alice, publish("a", "5").qos1(5));
        broker.send(bob, acknowledge(Packet::PubAck, 1));
        broker.expect(bob, &["PUBLISH a '3' qos1 #3", "PUBLISH a '4' qos1 #4"]);
        broker.send(bob, acknowledge(Packet::PubAck, 3));
        broker.send(alice, publish("a", "6").qos1(6));
        broker.send(bob, acknowledge(Packet::PubAck, 4));
        broker.expect(bob, &["PUBLISH a '5' qos1 #5", "PUBLISH a '6' qos1 #6"]);
    }
}

#[test]
fn behind_a_full_outbox_qos_0_is_dropped_and_counted_and_the_rest_waits() {
    let limits = Limits { outbox_bytes_max: 100, ..Limits::default() };
    for mut broker in brokers_with(config(QueuePolicy::DropOldest, limits)) {
        let bob = broker.connect(v5("bob"));
        let alice = broker.connect(v5("alice"));
        broker.subscribe(bob, "a", AtLeastOnce);
        broker.send(alice, publish("a", &"x".repeat(101)));
        broker.send(alice, publish("a", "lost"));
        broker.send(alice, publish("a", "1").qos1(1));
        broker.send(alice, publish("a", "2").qos1(2));
        assert_eq!(broker.totals().publishes_dropped, 1);
        broker.expect(bob, &["PUBLISH a 101 bytes"]);
        broker.expect(bob, &["PUBLISH a '1' qos1 #1", "PUBLISH a '2' qos1 #2"]);
        broker.send(alice, publish("a", "fine"));
        broker.expect(bob, &["PUBLISH a 'fine'"]);
    }
}

/// What is sent again after a reconnect stops behind a full outbox as well.
#[test]
fn redelivery_stops_behind_a_full_outbox() {
    let limits = Limits { outbox_bytes_max: 100, ..Limits::default() };
    for mut broker in brokers_with(config(QueuePolicy::DropOldest, limits)) {
        let bob = broker.connect(v5("bob").keeping(100).with(receive_maximum(5)));
        let alice = broker.connect(v5("alice"));
        broker.subscribe(bob, "a", AtLeastOnce);
        for id in 1..=5 {
            broker.send(alice, publish("a", &"x".repeat(101)).qos1(id));
            broker.received(bob);
        }
        broker.hang_up(bob);
        let bob = broker.reconnect(v5("bob").keeping(100).with(receive_maximum(1)));
        broker.expect(bob, &["PUBLISH a 101 bytes qos1 #1 dup"]);
        broker.send(bob, acknowledge(Packet::PubAck, 1));
        assert!(broker.unread_bytes(bob) > 100);
        // The outbox is full again: the window has room for the third, the outbox has not.
        broker.send(bob, acknowledge(Packet::PubAck, 2));
        broker.expect(bob, &["PUBLISH a 101 bytes qos1 #2 dup"]);
        broker.expect(bob, &["PUBLISH a 101 bytes qos1 #3 dup"]);
    }
}
