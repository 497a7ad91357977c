//! Owns the tests of the Message Expiry Interval, which exists in 5.0 alone.

use dunlin_tests::in_version;
use mqtt_codec::{
    ProtocolVersion::{V5, V311},
    QoS::{AtLeastOnce, AtMostOnce},
};
use std::time::Duration;

/// Longer than an interval of one second and any rounding of it.
const EXPIRED: Duration = Duration::from_millis(1_800);

/// [MQTT5-3.3.2-5]
#[test]
fn a_message_that_expires_while_its_receiver_is_away_is_not_delivered() {
    in_version(V5, |scenario| {
        let mut subscriber = scenario.connect_lasting("absent");
        subscriber.subscribe("a", AtLeastOnce);
        subscriber.disconnect();
        let mut publisher = scenario.connect("publisher");
        publisher.publish_with("a", AtLeastOnce, "02 00000001", "short");
        publisher.publish_with("a", AtLeastOnce, "02 0000003c", "long");
        publisher.publish("a", AtLeastOnce, "for ever");
        publisher.expect_silence(EXPIRED);
        let mut subscriber = scenario.resume("absent");
        subscriber.expect_message("a", "long");
        subscriber.expect_message("a", "for ever");
        subscriber.ping();
    });
}

/// [MQTT5-3.3.2-6]
#[test]
fn the_receiver_is_told_what_is_left_of_the_interval() {
    in_version(V5, |scenario| {
        let mut subscriber = scenario.connect_lasting("absent");
        subscriber.subscribe("a", AtLeastOnce);
        let mut publisher = scenario.connect("publisher");
        publisher.publish_with("a", AtLeastOnce, "02 00000064", "at once");
        assert_eq!(subscriber.receive().properties.message_expiry_interval(), Some(100));
        subscriber.disconnect();
        publisher.publish_with("a", AtLeastOnce, "02 00000064", "later");
        publisher.expect_silence(EXPIRED);
        let left = scenario.resume("absent").receive().properties.message_expiry_interval();
        assert!(matches!(left, Some(90..=99)), "{left:?}");
    });
}

/// [MQTT5-3.3.2-6] However long nothing has happened on its worker.
#[test]
fn a_receiver_that_has_slept_is_not_told_more_than_was_published() {
    in_version(V5, |scenario| {
        let mut subscribers = ["one", "two", "three", "four", "five"].map(|name| {
            let mut subscriber = scenario.connect(name);
            subscriber.subscribe("a", AtMostOnce);
            subscriber
        });
        let mut publisher = scenario.connect("publisher");
        publisher.expect_silence(EXPIRED);
        publisher.publish_with("a", AtMostOnce, "02 00000005", "fresh");
        let told = subscribers.each_mut().map(|it| it.receive().properties.message_expiry_interval());
        assert_eq!(told, [Some(5); 5]);
    });
}

#[test]
fn a_message_that_expires_while_the_window_is_full_is_not_sent() {
    in_version(V5, |scenario| {
        let mut subscriber = scenario.open();
        assert!(!subscriber.connect("10 # vv 02 0000 (21 0001) 'narrow'").reason.is_error());
        subscriber.subscribe("a", AtLeastOnce);
        let mut publisher = scenario.connect("publisher");
        publisher.publish("a", AtLeastOnce, "first");
        publisher.publish_with("a", AtLeastOnce, "02 00000001", "short");
        publisher.publish("a", AtLeastOnce, "last");
        publisher.expect_silence(EXPIRED);
        subscriber.expect_message("a", "first");
        subscriber.expect_message("a", "last");
        subscriber.ping();
    });
}

#[test]
fn a_retained_message_expires() {
    in_version(V5, |scenario| {
        let mut publisher = scenario.connect("publisher");
        publisher.send("33 # 'a' 0001 (02 00000001) <short>; 33 # 'b' 0002 (02 0000003c) <long>");
        publisher.expect("40 # 0001 10");
        publisher.expect("40 # 0002 10");
        publisher.expect_silence(EXPIRED);
        let mut subscriber = scenario.connect("subscriber");
        subscriber.subscribe("#", AtMostOnce);
        subscriber.expect_message("b", "long");
        subscriber.ping();
    });
}

/// 3.1.1 cannot say it, and its messages expire all the same.
#[test]
fn a_message_expires_for_a_receiver_of_3_1_1_too() {
    in_version(V5, |scenario| {
        let mut subscriber = scenario.broker.open(V311);
        subscriber.connect("10 # vv 00 0000 'old'");
        subscriber.subscribe("a", AtLeastOnce);
        subscriber.disconnect();
        let mut publisher = scenario.connect("publisher");
        publisher.publish_with("a", AtLeastOnce, "02 00000001", "short");
        publisher.publish_with("a", AtLeastOnce, "02 0000003c", "long");
        publisher.expect_silence(EXPIRED);
        let mut subscriber = scenario.broker.open(V311);
        assert!(subscriber.connect("10 # vv 00 0000 'old'").session_present);
        subscriber.expect_message("a", "long");
        subscriber.ping();
    });
}
