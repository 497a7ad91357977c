//! Owns the proof of subscriptions of one client that match the same topic: one copy, with the best of all.

use crate::support::*;
use mqtt_codec::packet::SubscriptionOptions;

/// [MQTT5-3.3.4-2] [MQTT5-3.3.4-4] [MQTT5-3.3.4-5] [MQTT311-3.3.5-1]
#[test]
fn overlapping_subscriptions_give_one_copy_with_the_highest_qos_and_all_identifiers() {
    for mut broker in brokers() {
        let alice = broker.connect(v5("alice"));
        let bob = broker.connect(v5("bob"));
        for (number, filter, qos) in
            [(1, "a/b", AtMostOnce), (2, "a/+", ExactlyOnce), (3, "#", AtLeastOnce), (2, "+/b", AtMostOnce)]
        {
            broker.send(bob, subscribe(9, &[(filter, subscription(qos))]).with(identifier(number)));
        }
        broker.send(bob, subscribe(9, &[("a/b/#", subscription(AtMostOnce))]));
        broker.send(alice, publish("a/b", "x").qos2(7));
        let received = broker.received(bob);
        let (publish, identifiers) = received.last().unwrap().split_once(" {").unwrap();
        assert_eq!(publish, "PUBLISH a/b 'x' qos2 #1");
        assert_eq!(sorted(identifiers), ["(1)", "(2)", "(2)", "(3)"]);
        assert_eq!(received.iter().filter(|line| line.starts_with("PUBLISH")).count(), 1);
    }
}

/// The Subscription Identifiers of a line, whose order nobody is promised.
fn sorted(properties: &str) -> Vec<&str> {
    let mut identifiers: Vec<_> = properties
        .trim_end_matches('}')
        .split(' ')
        .map(|property| property.strip_prefix("SubscriptionIdentifier").unwrap())
        .collect();
    identifiers.sort_unstable();
    identifiers
}

#[test]
fn each_version_gets_one_copy() {
    for hello in versions() {
        for mut broker in brokers() {
            let alice = broker.connect(hello("alice"));
            for (filter, qos) in [("a/#", AtLeastOnce), ("a/+", AtMostOnce), ("a/b", AtLeastOnce)] {
                broker.subscribe(alice, filter, qos);
            }
            broker.send(alice, publish("a/b", "x").qos2(7));
            broker.expect(alice, &["PUBLISH a/b 'x' qos1 #1", "PUBREC #7"]);
            broker.send(alice, unsubscribe(9, &["a/#", "a/b"]));
            broker.send(alice, publish("a/b", "y"));
            assert_eq!(broker.received(alice).last().unwrap(), "PUBLISH a/b 'y'");
        }
    }
}

/// Each subscription asks for itself: one that wants the flag or one's own messages gets them.
#[test]
fn options_hold_for_the_subscription_that_has_them() {
    for mut broker in brokers() {
        let alice = broker.connect(v5("alice"));
        let no_local = SubscriptionOptions { no_local: true, ..subscription(ExactlyOnce) };
        let as_published = SubscriptionOptions { retain_as_published: true, ..subscription(AtMostOnce) };
        broker.send(alice, subscribe(1, &[("a/+", no_local)]).with(identifier(1)));
        broker.send(alice, subscribe(2, &[("a/b", as_published)]).with(identifier(2)));
        broker.received(alice);
        broker.send(alice, publish("a/b", "x").retained().qos2(1));
        broker.expect(alice, &["PUBLISH a/b 'x' retain {SubscriptionIdentifier(2)}", "PUBREC #1"]);
        let bob = broker.connect(v5("bob"));
        broker.send(bob, publish("a/b", "y").retained().qos2(1));
        let received = broker.received(alice);
        let (publish, identifiers) = received[0].split_once(" {").unwrap();
        assert_eq!(publish, "PUBLISH a/b 'y' qos2 #1 retain");
        assert_eq!(sorted(identifiers), ["(1)", "(2)"]);
    }
}

#[test]
fn a_shared_subscription_and_an_ordinary_one_each_give_a_copy() {
    for mut broker in brokers() {
        let alice = broker.connect(v5("alice"));
        broker.subscribe(alice, "a", AtMostOnce);
        broker.subscribe(alice, "$share/g/a", AtMostOnce);
        broker.subscribe(alice, "$share/h/+", AtMostOnce);
        broker.send(alice, publish("a", "x"));
        broker.expect(alice, &["PUBLISH a 'x'"; 3]);
    }
}
