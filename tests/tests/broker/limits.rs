//! Owns the tests of the limits on what a peer can make grow, each at the limit and one past it. Packet size, windows,
//! queues and retained messages have files of their own.

use dunlin_tests::{Wire, everywhere_with, in_version_with};
use mqtt_codec::{
    ProtocolVersion::V5,
    QoS::{AtLeastOnce, AtMostOnce},
    ReasonCode,
};

/// What a refusal is called in 5.0, and the nearest there is in 3.1.1.
fn refusal(wire: &mut Wire, connect: &str) {
    let expected =
        if wire.version() == V5 { ReasonCode::QuotaExceeded } else { ReasonCode::ServerUnavailable };
    assert_eq!(wire.connect(connect).reason, expected);
    wire.expect_close();
}

#[test]
fn one_connection_too_many_is_refused_until_another_ends() {
    everywhere_with(&[("limits.connections_max", "3")], |scenario| {
        let mut connected: Vec<Wire> =
            (0..3).map(|number| scenario.connect(&format!("client {number}"))).collect();
        refusal(&mut scenario.open(), "10 # vv 02 0000 () 'one more'");
        connected.iter_mut().for_each(Wire::ping);
        connected.remove(0).disconnect();
        scenario.connect("one more").ping();
    });
}

#[test]
fn one_session_too_many_is_refused_though_its_client_is_away() {
    everywhere_with(&[("limits.sessions_max", "2")], |scenario| {
        scenario.connect_lasting("first").disconnect();
        let _second = scenario.connect("second");
        refusal(&mut scenario.open(), "10 # vv 00 0000 (11 ffffffff) 'third'");
        scenario.resume("first").ping();
    });
}

#[test]
fn one_subscription_too_many_is_refused_and_the_others_stay() {
    everywhere_with(&[("limits.subscriptions_per_session_max", "2")], |scenario| {
        let mut wire = scenario.connect("greedy");
        wire.send("82 # 0001 () 'a' 00 'b' 00 'c' 00 'a' 00");
        let refused = if scenario.version == V5 { "97" } else { "80" };
        wire.expect(&format!("90 # 0001 () 00 00 {refused} 00"));
        wire.unsubscribe("a");
        wire.subscribe("c", AtMostOnce);
        wire.publish("b", AtMostOnce, "x");
        wire.expect_message("b", "x");
    });
}

/// In 5.0 a QoS 1 publisher is told and stays, [MQTT5-3.4.2-1]; nobody else can be told.
#[test]
fn a_topic_beyond_the_limits_is_refused() {
    let settings = [("limits.topic_bytes_max", "10"), ("limits.topic_levels_max", "3")];
    for (allowed, refused) in [("0123456789", "0123456789a"), ("a/b/c", "a/b/c/d")] {
        everywhere_with(&settings, |scenario| {
            let mut wire = scenario.connect("wordy");
            assert!(!wire.publish(allowed, AtLeastOnce, "x").is_error());
            wire.subscribe(allowed, AtMostOnce);
            wire.send(&format!("82 # 0020 () '{refused}' 01"));
            wire.expect(if scenario.version == V5 { "90 # 0020 () 8f" } else { "90 # 0020 80" });
            if scenario.version == V5 {
                assert_eq!(wire.publish(refused, AtLeastOnce, "x"), ReasonCode::TopicNameInvalid);
                wire.ping();
            }
            wire.send(&format!("30 # '{refused}' () <x>"));
            wire.expect_disconnect(ReasonCode::TopicNameInvalid);
        });
    }
}

/// [MQTT5-3.2.2-11] [MQTT5-3.2.2-14]
#[test]
fn what_the_broker_does_not_offer_ends_the_connection() {
    let settings = [("capabilities.maximum_qos", "1"), ("capabilities.retain_available", "false")];
    in_version_with(V5, &settings, |scenario| {
        let mut wire = scenario.connect("qos 2");
        assert!(!wire.publish("a", AtLeastOnce, "x").is_error());
        wire.send("34 # 'a' 0001 () <x>");
        wire.expect_disconnect(ReasonCode::QoSNotSupported);
        let mut wire = scenario.connect("retain");
        wire.send("31 # 'a' () <x>");
        wire.expect_disconnect(ReasonCode::RetainNotSupported);
    });
}

/// The bytes of a queue are limited as well as its messages.
#[test]
fn a_queue_is_limited_in_bytes() {
    everywhere_with(&[("limits.queue_bytes_max", "10000"), ("queue_policy", "drop_oldest")], |scenario| {
        let mut subscriber = scenario.connect_lasting("absent");
        subscriber.subscribe("a", AtLeastOnce);
        subscriber.disconnect();
        let mut publisher = scenario.connect("publisher");
        for number in 0..9 {
            publisher.publish("a", AtLeastOnce, format!("{number}{}", "x".repeat(3_000)));
        }
        let mut subscriber = scenario.resume("absent");
        for number in 6..9 {
            let payload = subscriber.receive().payload;
            assert_eq!(payload.first().copied(), Some(b'0' + number), "the newest that fit are kept");
        }
        subscriber.ping();
    });
}
