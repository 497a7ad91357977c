//! Owns the tests of Topic Aliases both ways. They exist in 5.0 alone.

use dunlin_tests::{in_version, in_version_with};
use mqtt_codec::{
    ProtocolVersion::V5,
    QoS::{AtLeastOnce, AtMostOnce},
    ReasonCode,
};

#[test]
fn a_publisher_may_say_an_alias_instead_of_the_topic() {
    in_version(V5, |scenario| {
        let mut subscriber = scenario.connect("subscriber");
        subscriber.subscribe("#", AtMostOnce);
        let mut publisher = scenario.connect("publisher");
        publisher.send("30 # 'a' (23 0001) <a>; 30 # 'b' (23 0002) <b>; 30 # '' (23 0001) <a>");
        // Said again with a topic, it stands for that one from now on.
        publisher.send("30 # 'c' (23 0001) <c>; 30 # '' (23 0001) <c>; 30 # '' (23 0002) <b>");
        for topic in ["a", "b", "a", "c", "c", "b"] {
            // The alias is the publisher's own and is not handed on.
            subscriber.expect(&format!("30 # '{topic}' () <{topic}>"));
        }
    });
}

/// [MQTT5-3.3.2-7]: with the connection, its aliases are gone.
#[test]
fn aliases_end_with_their_connection() {
    in_version(V5, |scenario| {
        let mut publisher = scenario.connect_lasting("publisher");
        publisher.send("30 # 'a' (23 0001) <x>");
        publisher.ping();
        publisher.disconnect();
        let mut publisher = scenario.resume("publisher");
        publisher.send("30 # '' (23 0001) <x>");
        publisher.expect_disconnect(ReasonCode::ProtocolError);
    });
}

/// [MQTT5-3.3.2-8] [MQTT5-3.3.2-9]
#[test]
fn an_alias_outside_what_connack_allows_ends_the_connection() {
    in_version_with(V5, &[("limits.topic_alias_maximum", "5")], |scenario| {
        for alias in ["0000", "0006", "ffff"] {
            let mut publisher = scenario.connect("publisher");
            publisher.send("30 # 'a' (23 0005) <the last one allowed>");
            publisher.ping();
            publisher.send(&format!("30 # 'a' (23 {alias}) <x>"));
            publisher.expect_disconnect(ReasonCode::TopicAliasInvalid);
        }
    });
    in_version_with(V5, &[("limits.topic_alias_maximum", "0")], |scenario| {
        let mut publisher = scenario.open();
        assert_eq!(publisher.connect("10 # vv 02 0000 () 'p'").properties.topic_alias_maximum(), None);
        publisher.send("30 # 'a' (23 0001) <x>");
        publisher.expect_disconnect(ReasonCode::TopicAliasInvalid);
    });
}

/// [MQTT5-3.1.2-26] [MQTT5-3.1.2-27]
#[test]
fn the_broker_uses_aliases_from_the_first_message_where_the_client_allows_them() {
    in_version(V5, |scenario| {
        let mut subscriber = scenario.open();
        assert!(!subscriber.connect("10 # vv 02 0000 (22 0002) 'subscriber'").reason.is_error());
        subscriber.subscribe("#", AtLeastOnce);
        let mut publisher = scenario.connect("publisher");
        let mut topics = [const { String::new() }; 2];
        let mut abbreviated = 0;
        for topic in ["a", "a", "b", "a", "b", "b", "c", "a"] {
            publisher.publish(topic, AtMostOnce, topic);
            let publish = subscriber.receive();
            let said = publish.topic.as_ref().map(|topic| topic.as_str().to_owned());
            let meant = match publish.properties.topic_alias().map(|alias| usize::from(alias.get())) {
                None => said.expect("without alias there is a topic"),
                Some(alias) => {
                    assert!((1..=2).contains(&alias), "{publish:?}");
                    match said {
                        Some(said) => topics[alias - 1].clone_from(&said),
                        None => abbreviated += 1,
                    }
                    topics[alias - 1].clone()
                }
            };
            assert_eq!(meant, topic);
            assert_eq!(&publish.payload[..], topic.as_bytes());
        }
        assert!(abbreviated >= 4, "only {abbreviated} of 5 repetitions were abbreviated");
    });
}

#[test]
fn an_alias_is_as_good_as_its_topic_for_retained_messages_of_qos_1() {
    in_version(V5, |scenario| {
        let mut publisher = scenario.connect("publisher");
        publisher.send("33 # 'a' 0001 (23 0001) <former>; 33 # '' 0002 (23 0001) <latest>");
        publisher.expect("40 # 0001 10");
        publisher.expect("40 # 0002 10");
        let mut subscriber = scenario.connect("subscriber");
        subscriber.subscribe("a", AtMostOnce);
        subscriber.expect("31 # 'a' () <latest>");
    });
}
