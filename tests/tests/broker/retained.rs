//! Owns the tests of retained messages: kept, replaced, cleared, and delivered to those who subscribe later.

use dunlin_tests::{everywhere, everywhere_with, in_version};
use mqtt_codec::{
    ProtocolVersion::V5,
    QoS::{AtLeastOnce, AtMostOnce, ExactlyOnce},
};
use std::collections::BTreeMap;

/// [MQTT5-3.3.1-5] [MQTT5-3.3.1-9] [MQTT311-3.3.1-5] [MQTT311-3.3.1-6] [MQTT311-3.3.1-8]
#[test]
fn the_last_retained_message_of_a_topic_is_delivered_to_new_subscribers() {
    everywhere(|scenario| {
        let mut publisher = scenario.connect("publisher");
        publisher.publish_retained("a/b", AtLeastOnce, "former");
        publisher.publish_retained("a/b", ExactlyOnce, "latest");
        for (filter, qos) in [("a/b", ExactlyOnce), ("a/+", AtLeastOnce), ("#", AtMostOnce)] {
            let mut subscriber = scenario.connect("subscriber");
            subscriber.subscribe(filter, qos);
            let publish = subscriber.receive();
            assert!(publish.retain, "{filter}: {publish:?}");
            assert_eq!((publish.delivery.qos(), &publish.payload[..]), (qos, &b"latest"[..]), "{filter}");
            subscriber.ping();
            subscriber.disconnect();
        }
    });
}

/// [MQTT5-3.3.1-6] [MQTT5-3.3.1-7] [MQTT311-3.3.1-10] [MQTT311-3.3.1-11]
#[test]
fn an_empty_retained_message_clears_its_topic_and_is_delivered_as_usual() {
    everywhere(|scenario| {
        let mut publisher = scenario.connect("publisher");
        let mut present = scenario.connect("present");
        present.subscribe("a", AtMostOnce);
        publisher.publish_retained("a", AtLeastOnce, "kept");
        publisher.publish_retained("a", AtLeastOnce, "");
        for payload in ["kept", ""] {
            let publish = present.receive();
            // [MQTT5-3.3.1-12] [MQTT311-3.3.1-9]: an established subscription sees no RETAIN.
            assert!(!publish.retain, "{publish:?}");
            assert_eq!(&publish.payload[..], payload.as_bytes());
        }
        let mut late = scenario.connect("late");
        late.subscribe("a", AtMostOnce);
        late.ping();
    });
}

/// A subscription is made when SUBACK says so: what is retained after it is new, and comes once.
#[test]
fn what_is_retained_after_suback_comes_once_and_without_retain() {
    everywhere(|scenario| {
        let mut publisher = scenario.connect("publisher");
        for round in 0..40 {
            let topic = format!("round/{round}");
            let mut subscriber = scenario.connect(&format!("subscriber {round}"));
            subscriber.subscribe("round/#", AtLeastOnce);
            publisher.publish_retained(&topic, AtLeastOnce, "x");
            let publish = subscriber.receive();
            assert!(!publish.retain, "{publish:?}");
            publisher.publish("round/end", AtLeastOnce, "end");
            subscriber.expect_message("round/end", "end");
            publisher.publish_retained(&topic, AtLeastOnce, "");
        }
    });
}

/// [MQTT5-3.3.1-8] [MQTT311-3.3.1-12]
#[test]
fn a_message_without_retain_leaves_the_retained_one() {
    everywhere(|scenario| {
        let mut publisher = scenario.connect("publisher");
        publisher.publish_retained("a", AtLeastOnce, "kept");
        publisher.publish("a", AtLeastOnce, "passing");
        publisher.publish("a", AtLeastOnce, "");
        let mut late = scenario.connect("late");
        late.subscribe("a", AtMostOnce);
        late.expect_message("a", "kept");
        late.ping();
    });
}

#[test]
fn wildcards_find_what_they_match_and_nothing_else() {
    everywhere(|scenario| {
        let mut publisher = scenario.connect("publisher");
        for topic in ["a", "a/b", "a/b/c", "a/b/d", "b", "/", "$x/a"] {
            publisher.publish_retained(topic, AtLeastOnce, topic);
        }
        for (filter, expected) in [
            ("#", &["/", "a", "a/b", "a/b/c", "a/b/d", "b"][..]),
            ("a/#", &["a", "a/b", "a/b/c", "a/b/d"]),
            ("+", &["a", "b"]),
            ("+/+", &["/", "a/b"]),
            ("a/+/c", &["a/b/c"]),
            ("$x/#", &["$x/a"]),
            ("c/#", &[]),
        ] {
            let mut subscriber = scenario.connect("subscriber");
            subscriber.subscribe(filter, AtMostOnce);
            let mut received: Vec<_> = expected
                .iter()
                .map(|_| String::from_utf8_lossy(&subscriber.receive().payload).into_owned())
                .collect();
            received.sort();
            assert_eq!(received, expected, "{filter}");
            subscriber.ping();
            subscriber.disconnect();
        }
    });
}

/// [MQTT5-3.3.1-9] [MQTT5-3.3.1-10] [MQTT5-3.3.1-11]
#[test]
fn retain_handling_says_when_retained_messages_come() {
    const SEND: u8 = 0x00;
    const SEND_IF_NEW: u8 = 0x10;
    const DO_NOT_SEND: u8 = 0x20;
    in_version(V5, |scenario| {
        scenario.connect("publisher").publish_retained("a", AtLeastOnce, "kept");
        for (options, first, again) in
            [(SEND, true, true), (SEND_IF_NEW, true, false), (DO_NOT_SEND, false, false)]
        {
            let mut subscriber = scenario.connect("subscriber");
            for (attempt, expected) in [("first", first), ("again", again)] {
                eprintln!("retain handling {options:02x}, subscribed {attempt}");
                subscriber.subscribe_with("a", "", options);
                if expected {
                    subscriber.expect_message("a", "kept");
                }
                subscriber.ping();
            }
            // After unsubscribing it is new.
            subscriber.unsubscribe("a");
            subscriber.subscribe_with("a", "", options);
            if first {
                subscriber.expect_message("a", "kept");
            }
            subscriber.ping();
            subscriber.disconnect();
        }
    });
}

/// [MQTT311-3.8.4-3]: 3.1.1 always sends them again.
#[test]
fn subscribing_again_sends_retained_messages_again() {
    everywhere(|scenario| {
        scenario.connect("publisher").publish_retained("a", AtLeastOnce, "kept");
        let mut subscriber = scenario.connect("subscriber");
        for _ in 0..3 {
            subscriber.subscribe("a", AtMostOnce);
            subscriber.expect_message("a", "kept");
        }
    });
}

/// [MQTT5-3.3.1-12] [MQTT5-3.3.1-13]
#[test]
fn retain_as_published_keeps_the_flag() {
    in_version(V5, |scenario| {
        let mut as_published = scenario.connect("as published");
        as_published.subscribe_with("a", "", 0x08);
        let mut cleared = scenario.connect("cleared");
        cleared.subscribe("a", AtMostOnce);
        let mut publisher = scenario.connect("publisher");
        publisher.publish_retained("a", AtLeastOnce, "retained");
        publisher.publish("a", AtLeastOnce, "not retained");
        for (subscriber, expected) in [(&mut as_published, [true, false]), (&mut cleared, [false, false])] {
            for retain in expected {
                assert_eq!(subscriber.receive().retain, retain);
            }
        }
        // What was retained before comes with RETAIN whatever the option says.
        for options in [0x00, 0x08] {
            cleared.unsubscribe("a");
            cleared.subscribe_with("a", "", options);
            assert!(cleared.receive().retain);
        }
    });
}

#[test]
fn retained_messages_keep_their_properties() {
    in_version(V5, |scenario| {
        let mut publisher = scenario.connect("publisher");
        publisher
            .send("33 # 'a' 0001 (01 01 03 'text/plain' 08 'r' 09 0002 0102 26 'n' '2' 26 'n' '1') <kept>");
        publisher.expect("40 # 0001 10");
        let mut subscriber = scenario.connect("subscriber");
        subscriber.subscribe_with("a", "0b 07", 0);
        subscriber.expect(
            "31 # 'a' (01 01 03 'text/plain' 08 'r' 09 0002 0102 26 'n' '2' 26 'n' '1' 0b 07) <kept>",
        );
    });
}

/// Delivery is paged and goes on between other work: nothing is lost, and others are served meanwhile.
#[test]
fn thousands_of_retained_messages_come_complete_and_once() {
    const COUNT: usize = 3_000;
    everywhere(|scenario| {
        let mut publisher = scenario.connect("publisher");
        for number in 0..COUNT {
            publisher.send(&format!("31 # 'many/{}/{number}' () <{number}>", number % 7));
        }
        publisher.ping();
        let mut subscriber = scenario.connect("subscriber");
        subscriber.send("82 # 0001 () 'many/#' 01");
        subscriber.expect("90 # 0001 () 01");
        let mut received = BTreeMap::new();
        for _ in 0..COUNT {
            let publish = subscriber.receive();
            assert!(publish.retain, "{publish:?}");
            *received.entry(publish.payload).or_insert(0) += 1;
        }
        assert_eq!(received.len(), COUNT);
        subscriber.ping();
    });
}

#[test]
fn a_retained_message_beyond_the_limit_is_not_retained() {
    everywhere_with(&[("limits.retained_messages_max", "2"), ("sys.interval_ms", "0")], |scenario| {
        let mut publisher = scenario.connect("publisher");
        let mut present = scenario.connect("present");
        present.subscribe("#", AtMostOnce);
        for topic in ["a", "b"] {
            publisher.publish_retained(topic, AtLeastOnce, topic);
            present.expect_message(topic, topic);
        }
        let reason = publisher.publish_retained("c", AtLeastOnce, "c");
        if scenario.version == V5 {
            assert_eq!(reason, mqtt_codec::ReasonCode::QuotaExceeded);
        } else {
            present.expect_message("c", "c");
        }
        // One that is there may be replaced, and one that goes makes room.
        publisher.publish_retained("b", AtLeastOnce, "");
        publisher.publish_retained("a", AtLeastOnce, "new a");
        publisher.publish_retained("d", AtLeastOnce, "d");
        for (topic, payload) in [("b", ""), ("a", "new a"), ("d", "d")] {
            present.expect_message(topic, payload);
        }
        let mut late = scenario.connect("late");
        late.subscribe("#", AtMostOnce);
        let mut received = [late.receive().payload, late.receive().payload];
        received.sort();
        assert_eq!(received.map(|payload| String::from_utf8_lossy(&payload).into_owned()), ["d", "new a"]);
        late.ping();
    });
}
