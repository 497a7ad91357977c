//! Owns the tests of publishing and delivering at each QoS while everybody is connected. Redelivery and windows have
//! files of their own.

use dunlin_tests::{everywhere, in_version};
use mqtt_codec::{
    ProtocolVersion::{V5, V311},
    QoS::{self, AtLeastOnce, AtMostOnce, ExactlyOnce},
    ReasonCode,
};

const ALL: [QoS; 3] = [AtMostOnce, AtLeastOnce, ExactlyOnce];

/// The lower of both QoS counts [MQTT5-3.8.4-8] [MQTT311-3.8.4-6].
#[test]
fn a_message_is_delivered_at_the_lower_of_both_qos() {
    everywhere(|scenario| {
        let mut publisher = scenario.connect("publisher");
        let mut subscribers: Vec<_> = ALL
            .into_iter()
            .map(|granted| {
                let mut subscriber = scenario.connect(&format!("subscriber of {granted:?}"));
                subscriber.subscribe("a/b", granted);
                (granted, subscriber)
            })
            .collect();
        for published in ALL {
            assert_eq!(publisher.publish("a/b", published, "hello"), ReasonCode::Success);
            for (granted, subscriber) in &mut subscribers {
                let publish = subscriber.receive();
                assert_eq!(publish.delivery.qos(), published.min(*granted), "{published:?} to {granted:?}");
                assert!(!publish.delivery.dup() && !publish.retain, "{publish:?}");
                assert_eq!(&publish.payload[..], b"hello");
            }
        }
        subscribers.iter_mut().for_each(|(_, subscriber)| subscriber.ping());
    });
}

/// [MQTT5-2.2.1-5] [MQTT5-3.3.4-1]
/// [MQTT5-4.3.2-4] [MQTT5-4.3.3-8] [MQTT5-4.3.3-11] [MQTT311-4.3.2-2] [MQTT311-4.3.3-2]; the reason tells in 5.0 that
/// nobody subscribed.
#[test]
fn each_qos_has_its_acknowledgements_with_the_identifier_of_the_publisher() {
    everywhere(|scenario| {
        let mut publisher = scenario.connect("publisher");
        publisher.send("30 # 'a' () <0>; 32 # 'a' 1234 () <1>; 34 # 'a' ffff () <2>");
        publisher.expect("40 # 1234 [10]");
        publisher.expect("50 # ffff [10]");
        publisher.send("62 # ffff");
        publisher.expect("70 # ffff");
        publisher.ping();
    });
}

/// [MQTT5-4.3.3-10] [MQTT311-4.3.3-2]
#[test]
fn a_repeated_qos_2_publication_is_delivered_once() {
    everywhere(|scenario| {
        let mut subscriber = scenario.connect("subscriber");
        subscriber.subscribe("a", ExactlyOnce);
        let mut publisher = scenario.connect("publisher");
        publisher.send("34 # 'a' 0005 () <once>; 3c # 'a' 0005 () <once>; 3c # 'a' 0005 () <once>");
        for _ in 0..3 {
            publisher.expect("50 # 0005");
        }
        publisher.send("62 # 0005; 62 # 0005");
        publisher.expect("70 # 0005");
        // Unknown now; PUBCOMP all the same [MQTT5-4.3.3-11].
        publisher.expect("70 # 0005 [92]");
        // Released, the identifier stands for another message [MQTT5-4.3.3-12].
        publisher.send("34 # 'a' 0005 () <another>");
        publisher.expect("50 # 0005");
        publisher.send("62 # 0005");
        publisher.expect("70 # 0005");
        subscriber.expect_message("a", "once");
        subscriber.expect_message("a", "another");
        subscriber.ping();
    });
}

#[test]
fn a_repeated_qos_1_publication_is_delivered_again() {
    everywhere(|scenario| {
        let mut subscriber = scenario.connect("subscriber");
        subscriber.subscribe("a", AtLeastOnce);
        let mut publisher = scenario.connect("publisher");
        publisher.send("32 # 'a' 0005 () <one>; 3a # 'a' 0005 () <one>");
        publisher.expect("40 # 0005");
        publisher.expect("40 # 0005");
        // [MQTT5-3.3.1-3] [MQTT311-3.3.1-3]: the publisher's DUP is not handed on.
        for _ in 0..2 {
            let publish = subscriber.receive();
            assert!(!publish.delivery.dup(), "{publish:?}");
        }
    });
}

/// [MQTT5-2.2.1-4]: each session has identifiers of its own, which count up from 1.
#[test]
fn packet_identifiers_to_a_client_start_at_1_and_count_up() {
    everywhere(|scenario| {
        let mut subscriber = scenario.connect("subscriber");
        subscriber.subscribe("a", AtLeastOnce);
        let mut publisher = scenario.connect("publisher");
        (0..20).for_each(|_| _ = publisher.next_packet_id());
        for expected in 1..=5_u16 {
            publisher.publish("a", AtLeastOnce, "x");
            let publish = subscriber.receive();
            assert_eq!(publish.delivery.packet_id().map(mqtt_codec::PacketId::get), Some(expected));
        }
    });
}

#[test]
fn a_publisher_that_subscribed_receives_its_own_messages() {
    everywhere(|scenario| {
        let mut wire = scenario.connect("both");
        wire.subscribe("a", AtMostOnce);
        wire.publish("a", AtMostOnce, "to myself");
        wire.expect_message("a", "to myself");
    });
}

#[test]
fn payloads_may_hold_anything_and_nothing() {
    everywhere(|scenario| {
        let mut subscriber = scenario.connect("subscriber");
        subscriber.subscribe("#", AtMostOnce);
        let mut publisher = scenario.connect("publisher");
        let everything: Vec<u8> = (0..=255).collect();
        for payload in [&b""[..], b"\0", b"\xFF\xFE", &everything] {
            publisher.publish("a", AtMostOnce, payload);
            assert_eq!(&subscriber.receive().payload[..], payload);
        }
    });
}

/// [MQTT5-4.3.3-4]: an error in PUBREC ends the handshake; no PUBREL follows, and the window is free.
#[test]
fn a_subscriber_may_refuse_a_qos_2_message() {
    in_version(V5, |scenario| {
        let mut subscriber = scenario.open();
        assert!(!subscriber.connect("10 # vv 02 0000 (21 0001) 'subscriber'").reason.is_error());
        subscriber.subscribe("a", ExactlyOnce);
        let mut publisher = scenario.connect("publisher");
        for payload in ["first", "second", "third"] {
            publisher.publish("a", ExactlyOnce, payload);
        }
        for payload in ["first", "second", "third"] {
            let publish = subscriber.receive_unacknowledged();
            assert_eq!(&publish.payload[..], payload.as_bytes());
            let packet_id = publish.delivery.packet_id().expect("QoS 2").get();
            subscriber.send(&format!("50 # {packet_id:04x} 97"));
        }
        subscriber.ping();
    });
}

#[test]
fn acknowledgements_of_what_was_never_sent_do_not_disturb_3_1_1() {
    in_version(V311, |scenario| {
        let mut wire = scenario.connect("confused");
        wire.send("40 # 0007; 70 # 0007");
        wire.ping();
        // [MQTT311-4.3.3-1]: PUBREC is answered by PUBREL whatever became of the message.
        wire.send("50 # 0007");
        wire.expect("62 # 0007");
        wire.send("70 # 0007");
        wire.ping();
    });
}

/// Unknown identifiers of QoS 2 have a reason code of their own.
#[test]
fn an_unknown_identifier_is_told_in_5_0() {
    in_version(V5, |scenario| {
        let mut wire = scenario.connect("confused");
        wire.send("50 # 0007");
        wire.expect("62 # 0007 92");
        wire.send("62 # 0008");
        wire.expect("70 # 0008 92");
        wire.ping();
    });
}
