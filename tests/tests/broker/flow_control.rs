//! Owns the tests of the Receive Maximum both ways. What a full queue does is in `redelivery`.

use dunlin_tests::{everywhere_with, in_version, in_version_with, in_worlds};
use mqtt_codec::{
    ProtocolVersion::{V5, V311},
    QoS::{AtLeastOnce, AtMostOnce, ExactlyOnce},
    ReasonCode,
};

/// [MQTT5-3.3.4-9] [MQTT5-4.9.0-1] [MQTT5-4.9.0-2] [MQTT5-4.9.0-3]
#[test]
fn no_more_than_the_clients_receive_maximum_is_in_flight() {
    in_version(V5, |scenario| {
        let mut subscriber = scenario.open();
        assert!(!subscriber.connect("10 # vv 02 0000 (21 0002) 'narrow'").reason.is_error());
        subscriber.subscribe("a", ExactlyOnce);
        let mut publisher = scenario.connect("publisher");
        for (qos, payload) in [(AtLeastOnce, "1"), (ExactlyOnce, "2"), (AtLeastOnce, "3"), (ExactlyOnce, "4")]
        {
            publisher.publish("a", qos, payload);
        }
        // QoS 0 is outside of it.
        publisher.publish("a", AtMostOnce, "0");
        subscriber.expect("32 # 'a' 0001 () <1>");
        subscriber.expect("34 # 'a' 0002 () <2>");
        subscriber.expect("30 # 'a' () <0>");
        subscriber.ping();
        // PUBREC does not free a place, PUBCOMP does.
        subscriber.send("50 # 0002");
        subscriber.expect("62 # 0002");
        subscriber.ping();
        subscriber.send("70 # 0002");
        subscriber.expect("32 # 'a' 0003 () <3>");
        subscriber.ping();
        subscriber.send("40 # 0001");
        subscriber.expect("34 # 'a' 0004 () <4>");
        subscriber.ping();
    });
}

/// The operator's own ceiling holds for clients that name none.
#[test]
fn no_more_than_the_configured_number_is_in_flight() {
    everywhere_with(&[("limits.inflight_max", "3")], |scenario| {
        let mut subscriber = scenario.connect("subscriber");
        subscriber.subscribe("a", AtLeastOnce);
        let mut publisher = scenario.connect("publisher");
        for number in 1..=5 {
            publisher.publish("a", AtLeastOnce, number.to_string());
        }
        for number in 1..=3 {
            assert_eq!(&subscriber.receive_unacknowledged().payload[..], number.to_string().as_bytes());
        }
        subscriber.ping();
        subscriber.send("40 # 0001");
        assert_eq!(&subscriber.receive_unacknowledged().payload[..], b"4");
        subscriber.ping();
    });
}

/// [MQTT5-3.3.4-7]; the one that offends must be able to read why.
#[test]
fn a_publisher_beyond_the_brokers_receive_maximum_is_told_so() {
    in_version_with(V5, &[("limits.receive_maximum", "2")], |scenario| {
        let mut publisher = scenario.connect("publisher");
        publisher.send("34 # 'a' 0001 () <1>; 34 # 'a' 0002 () <2>");
        publisher.expect("50 # 0001 10");
        publisher.expect("50 # 0002 10");
        // A repetition is not one more, and QoS 0 and what is acknowledged at once are none at all.
        publisher.send("3c # 'a' 0001 () <1>; 30 # 'a' () <0>");
        publisher.expect("50 # 0001");
        publisher.ping();
        publisher.send("34 # 'a' 0003 () <3>");
        publisher.expect_disconnect(ReasonCode::ReceiveMaximumExceeded);
    });
}

#[test]
fn pubcomp_frees_a_place_for_the_publisher() {
    in_version_with(V5, &[("limits.receive_maximum", "2")], |scenario| {
        let mut publisher = scenario.connect("publisher");
        for number in 1..=10_u16 {
            publisher.send(&format!("34 # 'a' {number:04x} () <x>"));
            publisher.expect(&format!("50 # {number:04x} 10"));
            if number > 1 {
                publisher.send(&format!("62 # {:04x}", number - 1));
                publisher.expect(&format!("70 # {:04x}", number - 1));
            }
        }
        publisher.ping();
    });
}

/// [MQTT5-4.3.3-9]: a PUBREC that is an error frees the place, since no PUBREL follows.
#[test]
fn an_error_in_pubrec_frees_a_place_for_the_publisher() {
    let settings = [("limits.receive_maximum", "1"), ("limits.topic_levels_max", "2")];
    in_version_with(V5, &settings, |scenario| {
        let mut publisher = scenario.connect("publisher");
        for number in 1..=5_u16 {
            publisher.send(&format!("34 # 'a/b/c' {number:04x} () <too deep>"));
            publisher.expect(&format!("50 # {number:04x} 90"));
        }
        publisher.send("34 # 'a/b' 0006 () <x>");
        publisher.expect("50 # 0006 10");
        publisher.ping();
    });
}

#[test]
fn a_3_1_1_publisher_that_never_releases_is_closed_at_its_limit() {
    in_worlds(&[V311], &[("limits.inbound_inflight_max_v3", "3")], |scenario| {
        let mut publisher = scenario.connect("publisher");
        for number in 1..=3_u16 {
            publisher.send(&format!("34 # 'a' {number:04x} <x>"));
            publisher.expect(&format!("50 # {number:04x}"));
        }
        publisher.ping();
        publisher.send("34 # 'a' 0004 <x>");
        publisher.expect_close();
    });
}
