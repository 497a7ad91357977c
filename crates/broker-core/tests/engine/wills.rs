//! Owns the proof of every way a Will comes to be published, or not.

use crate::support::*;
use mqtt_codec::PayloadFormat;

const DELAY: Property<'static> = Property::WillDelayInterval(10);

/// A broker with a subscriber to the Will topic.
fn mourners() -> impl Iterator<Item = (Broker, Client)> {
    brokers().map(|mut broker| {
        let bob = broker.connect(v5("bob"));
        broker.subscribe(bob, "will", ExactlyOnce);
        (broker, bob)
    })
}

const PUBLISHED: &[&str] = &["PUBLISH will 'gone' qos1 #1"];

/// [MQTT5-3.1.2-8] [MQTT5-3.1.2-7] [MQTT311-3.1.2-8]
#[test]
fn a_connection_that_is_lost_has_its_will_published() {
    for hello in versions() {
        for (mut broker, bob) in mourners() {
            let alice = broker.connect(hello("alice").will(will("will", "gone", AtLeastOnce, &[])));
            broker.expect(bob, &[]);
            broker.hang_up(alice);
            broker.expect(bob, PUBLISHED);
        }
    }
}

/// [MQTT5-3.14.4-3] [MQTT5-3.1.2-10] [MQTT311-3.14.4-3] [MQTT311-3.1.2-10]
#[test]
fn disconnect_discards_the_will_unless_its_reason_says_otherwise() {
    for (reason, expected) in [
        (ReasonCode::Success, &[][..]),
        (ReasonCode::DisconnectWithWill, PUBLISHED),
        (ReasonCode::UnspecifiedError, PUBLISHED),
    ] {
        for interval in [0, 100] {
            for (mut broker, bob) in mourners() {
                let hello = v5("alice").keeping(interval).will(will("will", "gone", AtLeastOnce, &[]));
                let alice = broker.connect(hello);
                broker.send(alice, disconnect(reason));
                broker.expect(alice, &["closed"]);
                broker.expect(bob, expected);
                broker.advance_seconds(200);
                broker.expect(bob, &[]);
            }
        }
    }
    for hello in [v31, v311] {
        for (mut broker, bob) in mourners() {
            let alice = broker.connect(hello("alice").will(will("will", "gone", AtLeastOnce, &[])));
            broker.leave(alice);
            broker.expect(bob, &[]);
        }
    }
}

/// [MQTT5-3.1.2-8]: after the delay or at the end of the session, whichever is first.
#[test]
fn a_delayed_will_waits_for_its_delay_or_the_end_of_its_session() {
    for (session_seconds, due_seconds) in [(100, 10), (u32::MAX, 10), (5, 5), (10, 10), (0, 0)] {
        for (mut broker, bob) in mourners() {
            let hello = v5("alice").keeping(session_seconds);
            let alice = broker.connect(hello.will(will("will", "gone", AtLeastOnce, &[DELAY])));
            broker.hang_up(alice);
            if due_seconds > 0 {
                broker.advance_millis(due_seconds * 1000 - 100);
                broker.expect(bob, &[]);
                broker.advance_millis(200);
            }
            broker.expect(bob, PUBLISHED);
            broker.advance_seconds(300);
            broker.expect(bob, &[]);
        }
    }
}

/// [MQTT5-3.1.3-9]
#[test]
fn a_client_that_comes_back_in_time_stops_its_will() {
    for (mut broker, bob) in mourners() {
        let hello = v5("alice").keeping(100);
        let alice = broker.connect(hello.clone().will(will("will", "gone", AtLeastOnce, &[DELAY])));
        broker.hang_up(alice);
        broker.advance_seconds(9);
        let alice = broker.reconnect(hello);
        broker.advance_seconds(20);
        broker.hang_up(alice);
        broker.advance_seconds(20);
        broker.expect(bob, &[]);
    }
}

/// The delay of a Will that was stopped does not run on for the next one.
#[test]
fn a_will_is_not_published_while_its_client_is_connected() {
    for (mut broker, bob) in mourners() {
        let hello = v5("alice").keeping(100);
        let alice = broker.connect(hello.clone().will(will("will", "old", AtLeastOnce, &[DELAY])));
        broker.hang_up(alice);
        broker.advance_seconds(5);
        let alice = broker.reconnect(hello.will(will("will", "gone", AtLeastOnce, &[DELAY])));
        broker.advance_seconds(20);
        broker.expect(bob, &[]);
        broker.hang_up(alice);
        broker.advance_seconds(9);
        broker.expect(bob, &[]);
        broker.advance_seconds(2);
        broker.expect(bob, PUBLISHED);
    }
}

#[test]
fn a_clean_start_ends_the_session_and_so_publishes_a_delayed_will() {
    for is_connected in [true, false] {
        for (mut broker, bob) in mourners() {
            let hello = v5("alice").keeping(100);
            let alice = broker.connect(hello.will(will("will", "gone", AtLeastOnce, &[DELAY])));
            if !is_connected {
                broker.hang_up(alice);
            }
            broker.connect(v5("alice"));
            broker.expect(bob, PUBLISHED);
            broker.advance_seconds(20);
            broker.expect(bob, &[]);
        }
    }
}

/// The connection is lost; whether the session goes on decides about a delayed Will [MQTT5-3.1.4-3].
#[test]
fn a_takeover_publishes_a_will_without_delay_and_not_one_with() {
    for (session_seconds, properties, expected) in
        [(100, &[][..], PUBLISHED), (100, &[DELAY][..], &[][..]), (0, &[DELAY][..], PUBLISHED)]
    {
        for (mut broker, bob) in mourners() {
            let hello = v5("alice").keeping(session_seconds);
            broker.connect(hello.will(will("will", "gone", AtLeastOnce, properties)));
            broker.greet(v5("alice").resuming().keeping(100));
            broker.expect(bob, expected);
            broker.advance_seconds(20);
            broker.expect(bob, &[]);
        }
    }
}

/// A session's Will is that of its last CONNECT.
#[test]
fn a_new_connect_replaces_the_will() {
    for (mut broker, bob) in mourners() {
        let hello = v5("alice").keeping(100);
        let alice = broker.connect(hello.clone().will(will("will", "old", AtLeastOnce, &[DELAY])));
        broker.hang_up(alice);
        let alice = broker.reconnect(hello.will(will("will", "gone", AtLeastOnce, &[])));
        broker.hang_up(alice);
        broker.expect(bob, PUBLISHED);
        broker.advance_seconds(20);
        broker.expect(bob, &[]);
    }
}

/// [MQTT311-3.1.2-12]
#[test]
fn a_connection_without_a_will_leaves_none_not_even_one_of_before() {
    for hello in versions() {
        for (mut broker, bob) in mourners() {
            let lasting = hello("alice").keeping(100);
            let alice = broker.connect(lasting.clone().will(will("will", "gone", AtLeastOnce, &[])));
            broker.leave(alice);
            for _ in 0..2 {
                let alice = broker.reconnect(lasting.clone());
                broker.hang_up(alice);
                broker.expect(bob, &[]);
            }
        }
    }
}

/// [MQTT5-3.1.2-14] [MQTT5-3.1.2-15] [MQTT311-3.1.2-16] [MQTT311-3.1.2-17]
#[test]
fn a_will_is_retained_if_it_asks_to_be() {
    for retain in [false, true] {
        for hello in versions() {
            for mut broker in brokers() {
                let mut last_words = will("will", "gone", AtLeastOnce, &[]);
                last_words.retain = retain;
                let alice = broker.connect(hello("alice").will(last_words));
                broker.hang_up(alice);
                let bob = broker.connect(hello("bob"));
                broker.subscribe(bob, "will", AtMostOnce);
                broker.expect(bob, if retain { &["PUBLISH will 'gone' retain"] } else { &[] });
            }
        }
    }
}

/// [MQTT5-3.1.3-10]
#[test]
fn the_properties_of_a_will_are_those_of_its_message() {
    for (mut broker, bob) in mourners() {
        let properties = [
            Property::UserProperty("b", "1"),
            Property::PayloadFormatIndicator(PayloadFormat::Utf8),
            DELAY,
            Property::ContentType("text"),
            Property::UserProperty("a", "2"),
            Property::MessageExpiryInterval(7),
            Property::CorrelationData(b"c"),
        ];
        let hello = v5("alice").keeping(100).will(will("will", "gone", AtMostOnce, &properties));
        let alice = broker.connect(hello);
        broker.hang_up(alice);
        broker.advance_seconds(11);
        // Its expiry counts from its publication.
        broker.expect(
            bob,
            &["PUBLISH will 'gone' {MessageExpiryInterval(7) b=1 PayloadFormatIndicator(Utf8) \
               ContentType(\"text\") a=2 CorrelationData(c)}"],
        );
    }
}

/// [MQTT5-3.1.2-22] [MQTT5-4.13.1-1]
#[test]
fn a_client_that_falls_silent_or_breaks_the_rules_has_its_will_published() {
    for (mut broker, bob) in mourners() {
        let hello = v5("alice").keep_alive(10).will(will("will", "gone", AtLeastOnce, &[]));
        broker.connect(hello.clone());
        broker.advance_seconds(16);
        broker.expect(bob, PUBLISHED);
        let alice = broker.connect(hello);
        broker.send_bytes(alice, b"\x00\x00");
        broker.expect(bob, &["PUBLISH will 'gone' qos1 #2"]);
    }
}

#[test]
fn a_will_reaches_its_own_session_like_any_other() {
    for mut broker in brokers() {
        let hello = v5("alice").keeping(100);
        let alice = broker.connect(hello.clone().will(will("will", "gone", AtLeastOnce, &[])));
        broker.subscribe(alice, "will", AtLeastOnce);
        broker.hang_up(alice);
        let alice = broker.reconnect(hello);
        broker.expect(alice, PUBLISHED);
    }
}
