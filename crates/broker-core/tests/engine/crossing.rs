//! Owns the proof that it makes no difference to a client which shard the publisher is on: what arrives from another
//! shard is what arrives from one's own, in the same order.

use crate::support::*;
use mqtt_codec::packet::SubscriptionOptions;

/// A publisher, a subscriber on its shard and one on another.
struct Triple {
    broker: Broker,
    publisher: Client,
    near: Client,
    far: Client,
}

impl Triple {
    fn new(publisher: fn(&str) -> Hello, subscriber: impl Fn(&str) -> Hello) -> Self {
        let mut broker = Broker::new(quiet(), 2);
        let away = broker.elsewhere("publisher");
        // Elsewhere than elsewhere is at home.
        let home = broker.elsewhere(&away);
        let [near, far] = [home, away].map(|name| broker.connect(subscriber(&name)));
        let publisher = broker.connect(publisher("publisher"));
        Self { broker, publisher, near, far }
    }

    fn subscribe(&mut self, filter: &str, options: SubscriptionOptions, numbers: &[u32]) {
        for client in [self.near, self.far] {
            let mut packet = subscribe(9, &[(filter, options)]);
            for &number in numbers {
                packet = packet.with(identifier(number));
            }
            self.broker.send(client, packet);
            self.broker.received(client);
        }
    }

    /// What both have received, which is the same.
    #[track_caller]
    fn heard(&mut self) -> Vec<String> {
        let near = self.broker.received(self.near);
        assert_eq!(self.broker.received(self.far), near, "{}", self.broker);
        near
    }
}

const ALL_QOS: [QoS; 3] = [AtMostOnce, AtLeastOnce, ExactlyOnce];

/// Lengths up to which a message is copied, and from which it goes by reference, and far from both.
const PAYLOAD_BYTES: [usize; 6] = [0, 1, 700, 799, 800, 5_000];

#[test]
fn a_message_from_another_shard_is_as_it_was_published_whatever_its_length_qos_and_versions() {
    for (publisher, subscriber) in versions().into_iter().flat_map(|one| versions().map(|other| (one, other)))
    {
        let mut triple = Triple::new(publisher, subscriber);
        triple.subscribe(
            "a/+",
            SubscriptionOptions { retain_as_published: true, ..subscription(ExactlyOnce) },
            &[],
        );
        for (packet_id, bytes) in (7..).zip(PAYLOAD_BYTES) {
            for qos in ALL_QOS {
                let packet = publish("a/\u{e4}", &"x".repeat(bytes)).qos(qos, packet_id);
                triple.broker.send(triple.publisher, packet.clone());
                assert_eq!(triple.heard().len(), 1, "{bytes} bytes with {qos:?}");
                triple.broker.send(triple.publisher, packet.retained());
                let again_at_qos_2 = usize::from(qos != ExactlyOnce);
                assert_eq!(triple.heard().len(), again_at_qos_2, "{bytes} bytes with {qos:?}, retained");
            }
        }
    }
}

/// [MQTT5-3.3.2-4] [MQTT5-3.3.4-3] [MQTT5-3.3.2-6]
#[test]
fn properties_identifiers_and_what_is_left_of_the_expiry_arrive_from_another_shard() {
    for bytes in PAYLOAD_BYTES {
        for qos in ALL_QOS {
            let mut triple = Triple::new(v5, v5);
            triple.subscribe("a/b", subscription(ExactlyOnce), &[3]);
            triple.subscribe("a/#", subscription(AtMostOnce), &[70_000]);
            triple.subscribe("#", subscription(AtMostOnce), &[]);
            let packet = publish("a/b", &"x".repeat(bytes)).qos(qos, 7);
            let packet = packet.with(Property::ContentType("text")).with(Property::MessageExpiryInterval(60));
            triple.broker.send(triple.publisher, packet.with(Property::UserProperty("key", "value")));
            let heard = triple.heard();
            for part in ["ContentType(\"text\")", "MessageExpiryInterval(60)", "key=value", "(3)", "(70000)"]
            {
                assert!(heard[0].contains(part), "{part} is missing in {heard:?}");
            }
        }
    }
}

#[test]
fn aliases_of_the_receiver_and_of_the_publisher_hold_from_shard_to_shard() {
    let mut triple = Triple::new(v5, |name| v5(name).with(Property::TopicAliasMaximum(1)));
    triple.subscribe("#", subscription(AtLeastOnce), &[]);
    let aliased = |topic| publish(topic, "x").qos1(7).with(topic_alias(1));
    for topic in ["a/b", "", "", "a/c", ""] {
        triple.broker.send(triple.publisher, aliased(topic));
        assert_eq!(triple.heard().len(), 1, "{topic:?}");
    }
}

/// [MQTT5-4.6.0-5] [MQTT311-4.6.0-5]
#[test]
fn messages_of_all_kinds_arrive_from_another_shard_in_their_order() {
    let mut triple = Triple::new(v5, |name| v5(name).keeping(100));
    triple.subscribe("#", subscription(ExactlyOnce), &[]);
    triple.broker.holds_mail = true;
    let mut expected = Vec::new();
    for (packet_id, number) in (1..).zip(0..40_usize) {
        let bytes = PAYLOAD_BYTES[number % PAYLOAD_BYTES.len()];
        let topic = format!("{number}");
        let packet = publish(&topic, &"x".repeat(bytes)).qos(ALL_QOS[number % 3], packet_id);
        let packet =
            if number.is_multiple_of(4) { packet.with(Property::MessageExpiryInterval(60)) } else { packet };
        triple.broker.send(triple.publisher, packet);
        expected.push(topic);
    }
    triple.broker.holds_mail = false;
    let heard = triple.heard();
    let topics: Vec<_> = heard.iter().map(|line| line.split(' ').nth(1).unwrap_or_default()).collect();
    assert_eq!(topics, expected);
}
