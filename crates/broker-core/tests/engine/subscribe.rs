//! Owns the proof of SUBSCRIBE and UNSUBSCRIBE: answers, options, what replaces what. Shared and
//! overlapping subscriptions have files of their own.

use crate::support::*;
use mqtt_codec::packet::SubscriptionOptions;

/// [MQTT5-2.2.1-6] [MQTT5-3.8.4-1] [MQTT5-3.8.4-2] [MQTT5-3.8.4-5] [MQTT5-3.8.4-6] [MQTT5-3.8.4-7]
/// [MQTT5-3.9.3-1] [MQTT5-3.9.3-2]
/// [MQTT311-2.3.1-7] [MQTT311-3.8.4-1] [MQTT311-3.8.4-2] [MQTT311-3.8.4-4] [MQTT311-3.8.4-5]
/// [MQTT311-3.9.3-1]
#[test]
fn suback_answers_each_filter_in_its_order() {
    for hello in versions() {
        for mut broker in brokers() {
            let alice = broker.connect(hello("alice"));
            let wishes = [("a", AtLeastOnce), ("b/+", ExactlyOnce), ("#", AtMostOnce), ("a", ExactlyOnce)];
            let wishes = wishes.map(|(filter, qos)| (filter, subscription(qos)));
            broker.send(alice, subscribe(9, &wishes));
            broker.expect(alice, &["SUBACK #9 [1 2 0 2]"]);
        }
    }
}

/// [MQTT5-2.2.1-6] [MQTT5-3.10.4-1] [MQTT5-3.10.4-4] [MQTT5-3.10.4-5] [MQTT5-3.10.4-6] [MQTT5-3.11.3-1]
/// [MQTT311-2.3.1-7] [MQTT311-3.10.4-1] [MQTT311-3.10.4-4] [MQTT311-3.10.4-5] [MQTT311-3.10.4-6]
#[test]
fn unsuback_answers_each_filter_in_its_order() {
    for mut broker in brokers() {
        let (new, old) = (broker.connect(v5("new")), broker.connect(v311("old")));
        for client in [new, old] {
            broker.subscribe(client, "a", AtMostOnce);
            broker.subscribe(client, "b/#", AtMostOnce);
            broker.send(client, unsubscribe(9, &["nothing", "a", "b/+", "b/#", "a"]));
        }
        broker.expect(new, &["UNSUBACK #9 [11 0 11 0 11]"]);
        broker.expect(old, &["UNSUBACK #9 []"]);
    }
}

/// [MQTT5-3.10.4-2] [MQTT5-3.10.4-3] [MQTT311-3.10.4-2] [MQTT311-3.10.4-3]
#[test]
fn what_is_on_its_way_arrives_after_unsubscribe_and_nothing_more() {
    for mut broker in brokers() {
        let alice = broker.connect(v5("alice"));
        let bob = broker.connect(v5("bob"));
        broker.subscribe(bob, "a", ExactlyOnce);
        broker.send(alice, publish("a", "1").qos2(1));
        broker.send(bob, unsubscribe(2, &["a"]));
        broker.send(alice, publish("a", "2").qos2(2));
        broker.expect(bob, &["PUBLISH a '1' qos2 #1", "UNSUBACK #2 [0]"]);
        broker.send(bob, acknowledge(Packet::PubRec, 1));
        broker.expect(bob, &["PUBREL #1"]);
    }
}

/// [MQTT5-3.8.4-3] [MQTT5-3.8.4-4] [MQTT311-3.8.4-3]
#[test]
fn a_filter_subscribed_to_again_has_its_new_options_and_no_second_copy() {
    for hello in versions() {
        for mut broker in brokers() {
            let alice = broker.connect(hello("alice"));
            for qos in [ExactlyOnce, AtMostOnce] {
                broker.subscribe(alice, "a/+", qos);
            }
            broker.send(alice, publish("a/b", "x").qos1(1));
            broker.expect(alice, &["PUBLISH a/b 'x'", "PUBACK #1"]);
        }
    }
}

/// [MQTT5-3.8.3-3]
#[test]
fn no_local_holds_until_a_new_subscribe_switches_it_off() {
    for mut broker in brokers() {
        let alice = broker.connect(v5("alice"));
        let bob = broker.connect(v5("bob"));
        for (no_local, expected) in
            [(true, vec!["PUBLISH a 'hers'"]), (false, vec!["PUBLISH a 'mine'", "PUBLISH a 'hers'"])]
        {
            broker.subscribe(alice, "a", SubscriptionOptions { no_local, ..subscription(AtMostOnce) });
            broker.send(alice, publish("a", "mine"));
            broker.send(bob, publish("a", "hers"));
            broker.expect(alice, &expected);
        }
    }
}

/// [MQTT5-3.3.4-3]
#[test]
fn a_subscription_identifier_comes_with_every_message_until_it_is_replaced() {
    for mut broker in brokers() {
        let alice = broker.connect(v5("alice"));
        let bob = broker.connect(v5("bob"));
        let wish = [("a", subscription(AtLeastOnce))];
        for (id, identifiers, expected) in [
            (1, Some(268_435_455), " {SubscriptionIdentifier(268435455)}"),
            (2, Some(1), " {SubscriptionIdentifier(1)}"),
            (3, None, ""),
        ] {
            let packet = subscribe(id, &wish);
            broker.send(bob, identifiers.map_or(packet.clone(), |number| packet.with(identifier(number))));
            broker.send(alice, publish("a", "x"));
            broker.send(alice, publish("a", "y").qos1(1));
            let expected = [
                format!("SUBACK #{id} [1]"),
                format!("PUBLISH a 'x'{expected}"),
                format!("PUBLISH a 'y' qos1 #{id}{expected}"),
            ];
            assert_eq!(broker.received(bob), expected);
        }
    }
}

/// [MQTT5-4.7.2-1] [MQTT311-4.7.2-1]
#[test]
fn topics_that_begin_with_a_dollar_are_apart_from_wildcards() {
    for mut broker in brokers() {
        let alice = broker.connect(v5("alice"));
        broker.send(alice, publish("$a/b", "retained").retained());
        for (filter, expected) in [("#", 0), ("+/b", 0), ("$a/#", 2), ("$a/+", 2)] {
            let bob = broker.connect(v5("bob"));
            broker.subscribe(bob, filter, AtMostOnce);
            broker.send(alice, publish("$a/b", "x"));
            assert_eq!(broker.received(bob).len(), expected, "{filter}, {broker}");
            broker.leave(bob);
        }
    }
}

/// [MQTT5-4.7.3-4] [MQTT311-4.7.3-4]
#[test]
fn topics_are_compared_byte_by_byte() {
    for mut broker in brokers() {
        let alice = broker.connect(v5("alice"));
        for filter in ["A/b", "a/B", "a//b", "/a/b", "a/b/", "a /b", "\u{E4}", "\u{61}\u{308}"] {
            broker.subscribe(alice, filter, AtMostOnce);
        }
        broker.send(alice, publish("a/b", "x"));
        broker.expect(alice, &[]);
        broker.send(alice, publish("\u{E4}", "x"));
        broker.expect(alice, &["PUBLISH \u{E4} 'x'"]);
    }
}

/// Text that is an illegal `$share` filter to 5.0 is a filter like any other to 3.x, and ends like any other.
#[test]
fn a_filter_that_only_3x_accepts_can_be_unsubscribed_and_ends_with_its_session() {
    for hello in [v31, v311] {
        for mut broker in brokers() {
            let alice = broker.connect(hello("alice"));
            for filter in ["$share/ab", "$share//x"] {
                let length = u8::try_from(filter.len()).unwrap();
                let mut bytes = vec![0x82, length + 5, 0, 1, 0, length];
                bytes.extend(filter.bytes());
                bytes.push(0);
                broker.send_bytes(alice, &bytes);
                broker.send(alice, publish(filter, "x"));
                broker.expect(alice, &["SUBACK #1 [0]", &format!("PUBLISH {filter} 'x'")]);
                bytes.pop();
                bytes[..2].copy_from_slice(&[0xA2, length + 4]);
                broker.send_bytes(alice, &bytes);
                broker.send(alice, publish(filter, "x"));
                broker.expect(alice, &["UNSUBACK #1 []"]);
                bytes.push(0);
                bytes[..2].copy_from_slice(&[0x82, length + 5]);
                broker.send_bytes(alice, &bytes);
                broker.received(alice);
            }
            broker.leave(alice);
            assert_eq!(broker.node.subscriptions.counts().subscriptions, 0);
        }
    }
}
