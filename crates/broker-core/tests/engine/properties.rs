//! Owns the proof that what an application says besides its payload arrives unaltered and in order.

use crate::support::*;
use mqtt_codec::{PayloadFormat, TopicNameRef};

/// [MQTT5-3.3.2-4] [MQTT5-3.3.2-15] [MQTT5-3.3.2-16] [MQTT5-3.3.2-17] [MQTT5-3.3.2-18] [MQTT5-3.3.2-20]
#[test]
fn properties_of_a_message_arrive_unaltered_and_in_order() {
    let packet = publish("a", "x")
        .with(Property::UserProperty("z", "1"))
        .with(Property::PayloadFormatIndicator(PayloadFormat::Utf8))
        .with(Property::TopicAlias(mqtt_codec::TopicAlias::new(1).unwrap()))
        .with(Property::UserProperty("a", "2"))
        .with(Property::ResponseTopic(TopicNameRef::new("r").unwrap()))
        .with(Property::MessageExpiryInterval(100))
        .with(Property::CorrelationData(b"c"))
        .with(Property::UserProperty("z", "1"))
        .with(Property::ContentType("t"))
        .with(Property::UserProperty("", ""));
    let forwarded = "z=1 PayloadFormatIndicator(Utf8) a=2 ResponseTopic(r) CorrelationData(c) z=1 \
                     ContentType(\"t\") ==";
    let forwarded = forwarded.replace("==", "=");
    for mut broker in brokers() {
        let alice = broker.connect(v5("alice"));
        let old = broker.connect(v311("old"));
        let bob = broker.connect(v5("bob").keeping(100).with(Property::TopicAliasMaximum(1)));
        broker.subscribe(old, "a", ExactlyOnce);
        broker.subscribe(alice, "a", ExactlyOnce);
        broker.send(bob, subscribe(1, &[("a", subscription(ExactlyOnce))]).with(identifier(5)));
        broker.received(bob);
        broker.send(alice, packet.clone().qos1(1).retained());
        let own = "MessageExpiryInterval(100)";
        broker.expect(alice, &[&format!("PUBLISH a 'x' qos1 #1 {{{own} {forwarded}}}"), "PUBACK #1"]);
        broker.expect(
            bob,
            &[&format!(
                "PUBLISH a 'x' qos1 #1 {{{own} SubscriptionIdentifier(5) TopicAlias(1) {forwarded}}}"
            )],
        );
        broker.expect(old, &["PUBLISH a 'x' qos1 #1"]);
        // As well as what is retained, and what waits.
        let late = broker.connect(v5("late"));
        broker.subscribe(late, "a", AtMostOnce);
        broker.expect(late, &[&format!("PUBLISH a 'x' retain {{{own} {forwarded}}}")]);
        broker.hang_up(bob);
        broker.send(alice, packet.clone().qos1(1));
        let bob = broker.reconnect(v5("bob"));
        assert!(broker.received(bob)[1].ends_with(&format!("SubscriptionIdentifier(5) {forwarded}}}")));
    }
}

/// Thousands of user properties are the client's right, within the size of a packet.
#[test]
fn any_number_of_user_properties_arrives() {
    for mut broker in brokers() {
        let alice = broker.connect(v5("alice"));
        broker.send(alice, subscribe(1, &[("a", subscription(AtLeastOnce))]).with(identifier(1)));
        let mut packet = publish("a", "x").qos1(1);
        for _ in 0..5000 {
            packet = packet.with(Property::UserProperty("name", "value"));
        }
        broker.send(alice, packet);
        let received = broker.received(alice);
        assert_eq!(received[1].matches("name=value").count(), 5000);
    }
}

/// A message as large as a packet may be, with most of it in its properties, costs its receivers no copy
/// of them: what a step encodes stays small.
#[test]
fn large_properties_are_shared_like_a_large_payload() {
    const TEXT: &str =
        "0123456789012345678901234567890123456789012345678901234567890123456789012345678901234567";
    for mut broker in brokers() {
        let alice = broker.connect(v5("alice"));
        let receivers: Vec<_> = (0..20)
            .map(|number| {
                let receiver = broker.connect(v5(&format!("r{number}")));
                broker.send(receiver, subscribe(1, &[("a", subscription(AtLeastOnce))]).with(identifier(1)));
                broker.received(receiver);
                receiver
            })
            .collect();
        let old = broker.connect(v311("old"));
        broker.subscribe(old, "a", AtLeastOnce);
        let mut packet = publish("a", "x").qos1(1);
        for _ in 0..1000 {
            packet = packet.with(Property::UserProperty("name", TEXT));
        }
        broker.send(alice, packet);
        assert!(broker.encoded_bytes_max() < 20 * 100, "{} bytes, {broker}", broker.encoded_bytes_max());
        for receiver in receivers {
            let received = broker.received(receiver);
            assert_eq!(received.len(), 1);
            assert_eq!(received[0].matches(TEXT).count(), 1000);
        }
        broker.expect(old, &["PUBLISH a 'x' qos1 #1"]);
    }
}

/// [MQTT5-3.3.4-6]
#[test]
fn a_client_does_not_say_which_subscriptions_match() {
    for mut broker in brokers() {
        let alice = broker.connect(v5("alice"));
        broker.send(alice, publish("a", "x").with(identifier(1)));
        broker.expect_end(alice, ReasonCode::ProtocolError);
    }
}
