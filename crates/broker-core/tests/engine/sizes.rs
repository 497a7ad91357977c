//! Owns the proof of the client's Maximum Packet Size. The broker's own is enforced before a packet
//! reaches the engine.

use crate::support::*;
use broker_core::config::{Capabilities, Config};
use mqtt_codec::PropertyId;

/// [MQTT5-3.1.2-24] [MQTT5-3.1.2-25]
#[test]
fn a_message_too_large_for_the_client_counts_as_sent() {
    for qos in [AtMostOnce, AtLeastOnce, ExactlyOnce] {
        for aliases in [0, 5] {
            for large in [200, 2000] {
                for mut broker in brokers() {
                    let alice = broker.connect(v5("alice"));
                    let small = v5("small").with(maximum_packet_size(100)).with(receive_maximum(1));
                    let small = broker.connect(small.with(Property::TopicAliasMaximum(aliases)));
                    let other = broker.connect(v5("other"));
                    broker.subscribe(small, "a", qos);
                    broker.subscribe(other, "a", qos);
                    for payload in ["1".repeat(50), "2".repeat(large), "3".repeat(50)] {
                        broker.send(alice, publish("a", &payload).qos(qos, 1));
                        broker.send(alice, acknowledge(Packet::PubRel, 1));
                    }
                    assert_eq!(broker.take_all(small).len(), 2, "{qos:?} {large} {broker}");
                    assert_eq!(broker.take_all(other).len(), 3);
                    let totals = broker.totals();
                    assert_eq!((totals.publishes_dropped, totals.queued_messages), (1, 0));
                }
            }
        }
    }
}

#[test]
fn a_message_of_exactly_the_maximum_size_is_sent() {
    for (aliases, qos, size, expected) in [
        // Five bytes of header and topic, one of properties, and the payload; one more at QoS 0.
        (0, AtMostOnce, 94, 1),
        (0, AtMostOnce, 95, 0),
        (0, AtLeastOnce, 92, 1),
        (0, AtLeastOnce, 93, 0),
        // An alias that would not fit is left out.
        (5, AtMostOnce, 94, 1),
        (5, AtMostOnce, 91, 1),
        (5, AtMostOnce, 90, 1),
        (5, AtLeastOnce, 93, 0),
    ] {
        for mut broker in brokers() {
            let small = v5("small").with(maximum_packet_size(100)).with(Property::TopicAliasMaximum(aliases));
            let small = broker.connect(small);
            broker.subscribe(small, "a", qos);
            let alice = broker.connect(v5("alice"));
            broker.send(alice, publish("a", &"x".repeat(size)).qos(qos, 1));
            assert_eq!(broker.received(small).len(), expected, "{aliases} {qos:?} {size} {broker}");
        }
    }
}

#[test]
fn a_message_that_became_too_large_for_a_new_connection_counts_as_sent() {
    for mut broker in brokers() {
        let bob = broker.connect(v5("bob").keeping(100));
        let alice = broker.connect(v5("alice"));
        broker.subscribe(bob, "a", AtLeastOnce);
        for (id, payload) in (1..).zip(["1".repeat(200), "2".to_owned(), "3".repeat(200), "4".to_owned()]) {
            broker.send(alice, publish("a", &payload).qos1(id));
        }
        broker.hang_up(bob);
        broker.send(alice, publish("a", &"5".repeat(200)).qos1(5));
        broker.send(alice, publish("a", "6").qos1(6));
        let small = v5("bob").keeping(100).with(maximum_packet_size(100)).with(receive_maximum(2));
        let bob = broker.reconnect(small);
        let lines = broker.take_all(bob);
        assert_eq!(lines[..2], ["PUBLISH a '2' qos1 #2 dup", "PUBLISH a '4' qos1 #4 dup"]);
        assert!(lines[2].starts_with("PUBLISH a '6' qos1"), "{lines:?}");
        assert_eq!(broker.totals().queued_messages, 0);
    }
}

/// What answers a client and does not fit into what it takes cannot be sent at all [MQTT5-3.1.2-24]: the
/// client would wait for ever, so its connection ends.
#[test]
fn an_answer_too_large_for_the_client_ends_its_connection() {
    for mut broker in brokers() {
        let filters: Vec<_> = (0..100).map(|number| number.to_string()).collect();
        let wishes: Vec<_> =
            filters.iter().map(|filter| (filter.as_str(), subscription(AtMostOnce))).collect();
        let alice = broker.connect(v5("alice").with(maximum_packet_size(100)));
        broker.send(alice, subscribe(1, &wishes));
        broker.expect_end(alice, ReasonCode::PacketTooLarge);
        let alice = broker.dial(v5("alice").with(maximum_packet_size(5)));
        broker.expect(alice, &["closed"]);
        assert_eq!(broker.connections(), 0);
    }
}

/// What a client receives besides CONNACK and PUBLISH, once everything that has an answer was said.
fn answers(broker: &mut Broker, hello: Hello) -> Vec<Packet> {
    let alice = broker.connect(hello);
    broker.send(alice, subscribe(1, &[("a", subscription(ExactlyOnce))]));
    broker.send(alice, subscribe(2, &[("$share/g/a", subscription(AtMostOnce))]));
    broker.send(alice, publish("a", "x").qos2(3));
    broker.send(alice, acknowledge(Packet::PubRec, 1));
    broker.send(alice, acknowledge(Packet::PubRel, 3));
    broker.send(alice, acknowledge(Packet::PubRel, 4));
    broker.send(alice, publish("$SYS/x", "x").qos1(5));
    broker.send(alice, publish("$SYS/x", "x").qos2(6));
    broker.send(alice, unsubscribe(7, &["a", "b"]));
    broker.send(alice, publish("", "x").with(topic_alias(1)));
    broker.settle();
    let packets = broker.read(alice);
    packets.into_iter().filter(|packet| !matches!(packet, Packet::Publish(_))).collect()
}

/// Nothing in an answer goes without saying [MQTT5-3.4.2-2] [MQTT5-3.4.2-3] [MQTT5-3.5.2-2] [MQTT5-3.5.2-3]
/// [MQTT5-3.6.2-2] [MQTT5-3.6.2-3] [MQTT5-3.7.2-2] [MQTT5-3.7.2-3] [MQTT5-3.9.2-1] [MQTT5-3.9.2-2]
/// [MQTT5-3.11.2-1] [MQTT5-3.11.2-2] [MQTT5-3.14.2-2] [MQTT5-3.14.2-3] [MQTT5-3.14.2-4].
#[test]
fn answers_have_a_reason_string_at_most_and_only_where_it_fits() {
    let capabilities = Capabilities { shared_subscription_available: false, ..Capabilities::default() };
    for mut broker in brokers_with(Config { capabilities, ..quiet() }) {
        let small = answers(&mut broker, v5("small").with(maximum_packet_size(20)));
        let large = answers(&mut broker, v5("large"));
        let lines: Vec<_> = small.iter().map(text::show).collect();
        assert_eq!(lines, large.iter().map(text::show).collect::<Vec<_>>(), "the same is said, {broker}");
        insta::allow_duplicates! {
            insta::assert_snapshot!(lines.join("\n"), @r"
            SUBACK #1 [2]
            SUBACK #2 [9E]
            PUBREC #3
            PUBREL #1
            PUBCOMP #3
            PUBCOMP #4 0x92 Packet Identifier not found
            PUBACK #5 0x87 Not authorized
            PUBREC #6 0x87 Not authorized
            UNSUBACK #7 [0 11]
            DISCONNECT 0x82 Protocol Error
            ");
        }
        let told = |packets: &[Packet]| -> Vec<_> { packets.iter().flat_map(properties).collect() };
        assert_eq!(told(&small), Vec::<PropertyId>::new());
        assert_eq!(told(&large), [PropertyId::ReasonString; 4], "{large:?}");
    }
}

fn properties(packet: &Packet) -> Vec<PropertyId> {
    let properties = match packet {
        Packet::PubAck(ack) | Packet::PubRec(ack) | Packet::PubRel(ack) | Packet::PubComp(ack) => {
            &ack.properties
        }
        Packet::SubAck(suback) => &suback.properties,
        Packet::UnsubAck(unsuback) => &unsuback.properties,
        Packet::Disconnect(disconnect) => &disconnect.properties,
        other => panic!("{other:?} is no answer"),
    };
    properties.iter().map(|property| property.id()).collect()
}

/// [MQTT5-3.2.2-20]
#[test]
fn connack_has_no_user_properties() {
    for mut broker in brokers() {
        let (_, connack) = broker.greet(v5("alice").with(Property::UserProperty("name", "value")));
        assert!(!connack.properties.contains(PropertyId::UserProperty), "{connack:?}");
        let refused = broker.dial(v5("bob").with(Property::AuthenticationMethod("x")));
        let [Packet::ConnAck(connack)] = &broker.read(refused)[..] else { panic!("one CONNACK") };
        assert!(!connack.properties.contains(PropertyId::UserProperty), "{connack:?}");
    }
}

/// [MQTT5-3.2.2-19] [MQTT5-3.14.2-3]
#[test]
fn texts_for_people_are_left_out_where_they_do_not_fit() {
    for mut broker in brokers() {
        let alice = broker.connect(v5("alice").with(maximum_packet_size(20)));
        broker.send(alice, publish("$SYS/x", "x").qos1(1));
        broker.send(alice, publish("", "x").with(topic_alias(1)));
        let packets = broker.read(alice);
        let lines: Vec<_> = packets.iter().map(text::show).collect();
        assert_eq!(lines, ["PUBACK #1 0x87 Not authorized", "DISCONNECT 0x82 Protocol Error"]);
        let refused = v5("").with(maximum_packet_size(20)).with(Property::AuthenticationMethod("x"));
        let refused = broker.dial(refused);
        broker.expect(refused, &["CONNACK 0x8C Bad authentication method", "closed"]);
        // Response Information is worth less than a connection.
        let curious = v5("a client identifier of some length").with(maximum_packet_size(30));
        broker.connect(curious.with(Property::RequestResponseInformation(true)));
    }
}
