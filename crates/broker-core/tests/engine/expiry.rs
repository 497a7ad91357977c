//! Owns the proof of message expiry: what is told, and what is no longer sent.

use crate::support::*;
use broker_core::config::{Config, Limits};

fn expiring(payload: &str, seconds: u32) -> Say {
    publish("a", payload).with(Property::MessageExpiryInterval(seconds))
}

/// [MQTT5-3.3.2-6]
#[test]
fn a_subscriber_is_told_what_is_left_of_the_interval() {
    for mut broker in brokers() {
        let bob = broker.connect(v5("bob").keeping(1000));
        let old = broker.connect(v311("old").keeping(1000));
        broker.subscribe(bob, "a", AtLeastOnce);
        broker.subscribe(old, "a", AtLeastOnce);
        let alice = broker.connect(v5("alice"));
        broker.send(alice, expiring("at once", 10));
        broker.expect(bob, &["PUBLISH a 'at once' {MessageExpiryInterval(10)}"]);
        broker.expect(old, &["PUBLISH a 'at once'"]);
        broker.hang_up(bob);
        broker.send(alice, expiring("later", 10).qos1(1));
        broker.send(alice, expiring("retained", 20).retained());
        broker.advance_seconds(4);
        let bob = broker.reconnect(v5("bob").keeping(1000));
        broker.expect(bob, &["PUBLISH a 'later' qos1 #1 {MessageExpiryInterval(6)}"]);
        broker.subscribe(bob, "a", AtLeastOnce);
        broker.expect(bob, &["PUBLISH a 'retained' retain {MessageExpiryInterval(16)}"]);
        broker.hang_up(bob);
        broker.advance_seconds(1);
        let bob = broker.reconnect(v5("bob").keeping(1000));
        broker.expect(bob, &["PUBLISH a 'later' qos1 #1 dup {MessageExpiryInterval(5)}"]);
    }
}

/// [MQTT5-3.3.2-5]
#[test]
fn what_expires_while_it_waits_is_not_sent() {
    for mut broker in brokers() {
        let bob = broker.connect(v5("bob").keeping(1000).with(receive_maximum(1)));
        broker.subscribe(bob, "a", AtLeastOnce);
        let alice = broker.connect(v5("alice"));
        // Behind the window of a client that is there.
        broker.send(alice, publish("a", "1").qos1(1));
        broker.send(alice, expiring("2", 5).qos1(2));
        broker.send(alice, publish("a", "3").qos1(3));
        broker.advance_seconds(6);
        assert_eq!(broker.take_all(bob), ["PUBLISH a '1' qos1 #1", "PUBLISH a '3' qos1 #2"]);
        // In the queue of one that is away.
        broker.hang_up(bob);
        broker.send(alice, expiring("4", 5).qos1(4));
        broker.send(alice, expiring("5", 50).qos1(5));
        broker.advance_seconds(6);
        let bob = broker.reconnect(v5("bob"));
        assert_eq!(broker.take_all(bob), ["PUBLISH a '5' qos1 #3 {MessageExpiryInterval(44)}"]);
        let totals = broker.totals();
        assert_eq!((totals.publishes_expired, totals.queued_messages, totals.queued_bytes), (2, 0, 0));
    }
}

/// [MQTT5-4.3.3-7] [MQTT5-4.3.3-13]
#[test]
fn what_was_sent_once_does_not_expire() {
    for mut broker in brokers() {
        let bob = broker.connect(v5("bob").keeping(1000));
        broker.subscribe(bob, "a", ExactlyOnce);
        let alice = broker.connect(v5("alice"));
        broker.send(alice, expiring("x", 5).qos2(1));
        broker.hang_up(bob);
        broker.advance_seconds(10);
        let bob = broker.reconnect(v5("bob"));
        broker.expect(bob, &["PUBLISH a 'x' qos2 #1 dup {MessageExpiryInterval(0)}"]);
        broker.send(bob, acknowledge(Packet::PubRec, 1));
        broker.expect(bob, &["PUBREL #1"]);
        broker.send(alice, acknowledge(Packet::PubRel, 1));
        broker.expect(alice, &["PUBREC #1", "PUBCOMP #1"]);
    }
}

#[test]
fn a_retained_message_that_expires_is_gone() {
    for mut broker in brokers() {
        let alice = broker.connect(v5("alice"));
        broker.send(alice, expiring("x", 5).retained());
        broker.advance_millis(4999);
        broker.subscribe(alice, "a", AtMostOnce);
        broker.expect(alice, &["PUBLISH a 'x' retain {MessageExpiryInterval(1)}"]);
        broker.advance_millis(1);
        broker.subscribe(alice, "a", AtMostOnce);
        broker.expect(alice, &[]);
        broker.advance_seconds(2);
        assert_eq!(broker.node.retained.counts().messages, 0);
    }
}

#[test]
fn a_message_that_expires_at_once_reaches_whoever_is_there() {
    for mut broker in brokers() {
        let (bob, away) = (broker.connect(v5("bob")), broker.connect(v5("away").keeping(100)));
        let alice = broker.connect(v5("alice"));
        broker.subscribe(bob, "a", AtLeastOnce);
        broker.subscribe(away, "a", AtLeastOnce);
        broker.hang_up(away);
        broker.send(alice, expiring("x", 0).qos1(1));
        broker.expect(bob, &["PUBLISH a 'x' qos1 #1 {MessageExpiryInterval(0)}"]);
        let away = broker.reconnect(v5("away"));
        broker.expect(away, &[]);
    }
}

/// In the queue of a client that never comes back it would take memory, and the journal's files, for ever.
#[test]
fn what_expires_goes_though_nobody_comes_for_it() {
    const MANY: u16 = 10_000;
    let limits = Limits { queue_messages_max: 20_000, ..Limits::default() };
    for mut broker in brokers_with(Config { limits, ..Config::default() }) {
        let bob = broker.connect(v5("bob").keeping(1000));
        broker.subscribe(bob, "a", AtLeastOnce);
        broker.hang_up(bob);
        let alice = broker.connect(v5("alice"));
        broker.send(alice, publish("a", "stays").qos1(1));
        broker.send(alice, expiring("is old", 50).qos1(1));
        for _ in 0..MANY {
            broker.send(alice, expiring("is young", 20).qos1(1));
        }
        broker.advance_seconds(19);
        assert_eq!(broker.totals().queued_messages, 2 + u64::from(MANY), "{broker}");
        for (seconds, left) in [(2, 2), (30, 1)] {
            broker.advance_seconds(seconds);
            let totals = broker.totals();
            assert_eq!(
                (totals.queued_messages, totals.publishes_expired),
                (left, 2 + u64::from(MANY) - left)
            );
            let referred = broker.journal.as_ref().map(|journal| journal.referred() as u64);
            assert!(referred.is_none_or(|referred| referred == left), "{broker}: {referred:?}");
        }
        let bob = broker.reconnect(v5("bob").keeping(1000));
        broker.expect(bob, &["PUBLISH a 'stays' qos1 #1"]);
    }
}
