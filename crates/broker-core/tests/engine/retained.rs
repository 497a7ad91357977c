//! Owns the proof of what is retained, and what a subscription does with it. Large numbers of retained
//! messages are `paging`'s business.

use crate::support::*;
use broker_core::config::{Config, Limits};
use mqtt_codec::packet::{RetainHandling, SubscriptionOptions};

/// What a new subscriber of each version finds.
fn found(broker: &mut Broker, filter: &str, qos: QoS) -> Vec<String> {
    let bob = broker.connect(v5("new subscriber"));
    broker.subscribe(bob, filter, qos);
    let lines = broker.take_all(bob);
    broker.leave(bob);
    lines
}

/// [MQTT5-3.3.1-5] [MQTT5-3.3.1-6] [MQTT5-3.3.1-7] [MQTT5-3.3.1-8] [MQTT311-3.3.1-5] [MQTT311-3.3.1-7]
/// [MQTT311-3.3.1-8] [MQTT311-3.3.1-10] [MQTT311-3.3.1-11] [MQTT311-3.3.1-12]
#[test]
fn the_last_retained_message_of_a_topic_is_kept_until_an_empty_one() {
    for hello in versions() {
        for mut broker in brokers() {
            let alice = broker.connect(hello("alice"));
            broker.send(alice, publish("a", "1").retained().qos2(1));
            assert_eq!(found(&mut broker, "a", ExactlyOnce), ["PUBLISH a '1' qos2 #1 retain"]);
            broker.send(alice, publish("a", "2").retained());
            broker.send(alice, publish("a", "3").qos1(2));
            broker.send(alice, publish("a", ""));
            assert_eq!(found(&mut broker, "a", ExactlyOnce), ["PUBLISH a '2' retain"]);
            let watcher = broker.connect(v5("watcher"));
            broker.subscribe(watcher, "a", ExactlyOnce);
            broker.expect(watcher, &["PUBLISH a '2' retain"]);
            broker.send(alice, publish("a", "").retained().qos1(3));
            broker.expect(watcher, &["PUBLISH a '' qos1 #1"]);
            assert_eq!(found(&mut broker, "#", ExactlyOnce), Vec::<String>::new());
        }
    }
}

/// [MQTT311-3.1.2-7]
#[test]
fn what_is_retained_outlives_the_session_that_published_it() {
    for hello in versions() {
        for mut broker in brokers() {
            let alice = broker.connect(hello("alice"));
            broker.send(alice, publish("a", "x").retained());
            broker.leave(alice);
            assert_eq!(broker.totals().sessions, 0);
            let alice = broker.connect(hello("alice"));
            broker.subscribe(alice, "a", AtMostOnce);
            broker.expect(alice, &["PUBLISH a 'x' retain"]);
        }
    }
}

/// [MQTT5-3.3.1-9] [MQTT5-3.3.1-10] [MQTT5-3.3.1-11] [MQTT311-3.8.4-3] [MQTT311-3.3.1-6]
#[test]
fn retain_handling_decides_when_retained_messages_are_sent() {
    const ONE: &[&str] = &["PUBLISH a 'x' retain"];
    for (retain_handling, first, second) in [
        (RetainHandling::Send, ONE, ONE),
        (RetainHandling::SendIfNew, ONE, &[][..]),
        (RetainHandling::DoNotSend, &[], &[]),
    ] {
        for mut broker in brokers() {
            let alice = broker.connect(v5("alice").keeping(100));
            broker.send(alice, publish("a", "x").retained());
            let options = SubscriptionOptions { retain_handling, ..subscription(AtLeastOnce) };
            broker.subscribe(alice, "a", options);
            broker.expect(alice, first);
            broker.subscribe(alice, "a", options);
            broker.expect(alice, second);
            // A subscription that the session kept is not new.
            broker.hang_up(alice);
            let alice = broker.reconnect(v5("alice"));
            broker.subscribe(alice, "a", options);
            broker.expect(alice, second);
            // One that was ended is.
            broker.send(alice, unsubscribe(9, &["a"]));
            broker.subscribe_after(alice, "UNSUBACK #9 [0]", "a", options);
            broker.expect(alice, first);
        }
    }
    for hello in [v31, v311] {
        for mut broker in brokers() {
            let alice = broker.connect(hello("alice"));
            broker.send(alice, publish("a", "x").retained());
            for _ in 0..2 {
                broker.subscribe(alice, "a", AtLeastOnce);
                broker.expect(alice, ONE);
            }
        }
    }
}

/// [MQTT5-3.3.1-12] [MQTT5-3.3.1-13] [MQTT311-3.3.1-9]
#[test]
fn retain_as_published_decides_about_the_flag_of_what_comes_later() {
    for (retain_as_published, expected) in
        [(false, ["PUBLISH a '1'", "PUBLISH a '2'"]), (true, ["PUBLISH a '1' retain", "PUBLISH a '2'"])]
    {
        for mut broker in brokers() {
            let alice = broker.connect(v5("alice"));
            let bob = broker.connect(v5("bob"));
            broker.send(alice, publish("a", "0").retained());
            broker.subscribe(
                bob,
                "a",
                SubscriptionOptions { retain_as_published, ..subscription(AtMostOnce) },
            );
            broker.expect(bob, &["PUBLISH a '0' retain"]);
            broker.send(alice, publish("a", "1").retained());
            broker.send(alice, publish("a", "2"));
            broker.expect(bob, &expected);
        }
    }
}

#[test]
fn a_retained_message_waits_in_the_queue_with_the_flag_its_subscriber_asked_for() {
    for mut broker in brokers() {
        let alice = broker.connect(v5("alice"));
        let bob = broker.connect(v5("bob").keeping(100));
        let options = SubscriptionOptions { retain_as_published: true, ..subscription(AtLeastOnce) };
        broker.subscribe(bob, "a", options);
        broker.subscribe(bob, "b", AtLeastOnce);
        broker.hang_up(bob);
        broker.send(alice, publish("a", "1").retained().qos1(1));
        broker.send(alice, publish("b", "2").retained().qos1(2));
        for dup in ["", " dup"] {
            let bob = broker.reconnect(v5("bob").keeping(100));
            let lines = [format!("PUBLISH a '1' qos1 #1{dup} retain"), format!("PUBLISH b '2' qos1 #2{dup}")];
            assert_eq!(broker.received(bob), lines);
            broker.hang_up(bob);
        }
    }
}

/// [MQTT5-3.8.3-3]
#[test]
fn no_local_keeps_a_clients_own_retained_messages_from_it() {
    for mut broker in brokers() {
        let alice = broker.connect(v5("alice"));
        let bob = broker.connect(v5("bob"));
        broker.send(alice, publish("a", "mine").retained());
        broker.send(bob, publish("b", "yours").retained());
        let options = SubscriptionOptions { no_local: true, ..subscription(AtMostOnce) };
        broker.subscribe(alice, "#", options);
        broker.expect(alice, &["PUBLISH b 'yours' retain"]);
    }
}

#[test]
fn each_subscription_gets_its_retained_messages_with_its_identifier() {
    for mut broker in brokers() {
        let alice = broker.connect(v5("alice"));
        broker.send(alice, publish("a/b", "x").retained().qos1(1));
        let wishes = [("a/+", subscription(AtMostOnce)), ("a/b", subscription(AtLeastOnce))];
        let bob = broker.connect(v5("bob"));
        broker.send(bob, subscribe(1, &wishes).with(identifier(7)));
        broker.expect(
            bob,
            &[
                "SUBACK #1 [0 1]",
                "PUBLISH a/b 'x' retain {SubscriptionIdentifier(7)}",
                "PUBLISH a/b 'x' qos1 #1 retain {SubscriptionIdentifier(7)}",
            ],
        );
    }
}

#[test]
fn a_shared_subscription_gets_no_retained_messages() {
    for mut broker in brokers() {
        let alice = broker.connect(v5("alice"));
        broker.send(alice, publish("a", "x").retained());
        assert_eq!(found(&mut broker, "$share/g/a", AtMostOnce), Vec::<String>::new());
    }
}

#[test]
fn the_store_takes_as_many_messages_as_it_may() {
    let limits = Limits { retained_messages_max: 2, ..Limits::default() };
    is_full_after_two(&limits);
    // Topic and payload are one byte each.
    let limits = Limits { retained_bytes_max: 4, ..Limits::default() };
    is_full_after_two(&limits);
}

fn is_full_after_two(limits: &Limits) {
    for mut broker in brokers_with(Config { limits: limits.clone(), ..quiet() }) {
        let (new, old) = (broker.connect(v5("new")), broker.connect(v311("old")));
        let bob = broker.connect(v5("bob"));
        broker.subscribe(bob, "#", AtMostOnce);
        broker.send(new, publish("a", "1").retained().qos1(1));
        broker.send(new, publish("b", "1").retained().qos2(2));
        broker.expect(new, &["PUBACK #1", "PUBREC #2"]);
        broker.expect(bob, &["PUBLISH a '1'", "PUBLISH b '1'"]);
        // Whoever can be told is told, and then nobody gets it.
        broker.send(new, publish("c", "1").retained().qos1(3));
        broker.send(new, publish("c", "1").retained().qos2(4));
        broker.expect(new, &["PUBACK #3 0x97 Quota exceeded", "PUBREC #4 0x97 Quota exceeded"]);
        broker.expect(bob, &[]);
        // Whoever cannot be told has it delivered and not retained.
        broker.send(new, publish("c", "1").retained());
        broker.send(old, publish("c", "2").retained().qos1(5));
        broker.expect(old, &["PUBACK #5"]);
        broker.expect(bob, &["PUBLISH c '1'", "PUBLISH c '2'"]);
        // What is there may still be replaced and removed.
        broker.send(new, publish("a", "2").retained().qos1(6));
        broker.send(new, publish("b", "").retained().qos1(7));
        broker.send(new, publish("c", "3").retained().qos1(8));
        broker.expect(new, &["PUBACK #6", "PUBACK #7", "PUBACK #8"]);
        assert_eq!(found(&mut broker, "#", AtMostOnce), ["PUBLISH a '2' retain", "PUBLISH c '3' retain"]);
    }
}

#[test]
fn a_will_that_cannot_be_retained_is_delivered_all_the_same() {
    let limits = Limits { retained_messages_max: 0, ..Limits::default() };
    for mut broker in brokers_with(Config { limits, ..quiet() }) {
        let bob = broker.connect(v5("bob"));
        broker.subscribe(bob, "#", AtMostOnce);
        let mut last_words = will("a", "gone", AtLeastOnce, &[]);
        last_words.retain = true;
        let alice = broker.connect(v5("alice").will(last_words));
        broker.hang_up(alice);
        broker.expect(bob, &["PUBLISH a 'gone'"]);
        assert_eq!(found(&mut broker, "#", AtMostOnce), Vec::<String>::new());
    }
}
