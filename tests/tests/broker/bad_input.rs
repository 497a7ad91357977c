//! Owns the tests of inputs that have brought other brokers down or made them leak. Single illegal packets are in
//! `illegal`; here it is their size, number or moment that hurts.

use dunlin_tests::{Broker, everywhere, everywhere_with, in_version, in_worlds, notation};
use mqtt_codec::{
    Packet,
    ProtocolVersion::{V5, V311},
    QoS::{AtLeastOnce, AtMostOnce},
    ReasonCode,
};

const MEBIBYTE: u64 = 1 << 20;

/// The peak of the broker's memory while `test` runs against it, beyond what it had before.
fn memory_bytes(broker: &Broker, test: impl FnOnce()) -> u64 {
    let before = broker.program().peak_memory_bytes();
    test();
    broker.program().peak_memory_bytes() - before
}

#[test]
fn a_huge_remaining_length_before_connect_costs_nothing() {
    everywhere(|scenario| {
        let grown = memory_bytes(&scenario.broker, || {
            let mut strangers: Vec<_> = (0..50).map(|_| scenario.open()).collect();
            for stranger in &mut strangers {
                stranger.send_bytes(&[0x10, 0xFF, 0xFF, 0xFF, 0x7F]);
            }
            for stranger in &mut strangers {
                stranger.expect_close();
            }
        });
        assert!(grown < 16 * MEBIBYTE, "the broker grew by {grown} bytes");
        scenario.connect("later").ping();
    });
}

/// A length that is allowed, of a body that never comes.
#[test]
fn promised_bodies_are_not_paid_in_advance() {
    everywhere_with(&[("limits.packet_bytes_max", "200MiB")], |scenario| {
        let grown = memory_bytes(&scenario.broker, || {
            let mut liars: Vec<_> =
                (0..20).map(|number| scenario.connect(&format!("liar {number}"))).collect();
            for liar in &mut liars {
                // 100 MiB, of which ten bytes come.
                liar.send_bytes(&[0x30, 0x80, 0x80, 0x80, 0x32, 0, 1, b'a', 0, 0, 0, 0, 0, 0, 0]);
            }
            scenario.connect("later").ping();
        });
        assert!(grown < 32 * MEBIBYTE, "the broker grew by {grown} bytes");
    });
}

#[test]
fn a_filter_of_65_000_levels_is_refused_and_costs_nothing() {
    everywhere(|scenario| {
        let mut wire = scenario.connect("deep");
        for filter in ["/".repeat(65_000), "+/".repeat(32_000) + "#", "a/".repeat(32_000)] {
            wire.send(&format!("82 # 0001 () '{filter}' 00"));
            wire.expect(if scenario.version == V5 { "90 # 0001 () 8f" } else { "90 # 0001 80" });
            wire.send(&format!("a2 # 0002 () '{filter}'"));
            wire.expect("b0 # 0002 () [11]");
        }
        wire.ping();
    });
}

/// Where the operator allows it, it works.
#[test]
fn topics_of_65_000_levels_work_where_they_are_allowed() {
    everywhere_with(&[("limits.topic_levels_max", "65535")], |scenario| {
        let topic = "/".repeat(65_000);
        let mut wire = scenario.connect("deep");
        wire.subscribe(&topic, AtMostOnce);
        wire.subscribe(&format!("{}#", "+/".repeat(32_000)), AtMostOnce);
        wire.publish_retained(&topic, AtLeastOnce, "x");
        wire.expect_message(&topic, "x");
        wire.unsubscribe(&topic);
        wire.publish_retained(&topic, AtLeastOnce, "");
        wire.expect_message(&topic, "");
    });
}

#[test]
fn thousands_of_user_properties_are_forwarded_in_their_order() {
    in_version(V5, |scenario| {
        let mut subscriber = scenario.connect("subscriber");
        subscriber.subscribe("a", AtLeastOnce);
        let properties: String =
            (0..5_000).map(|number| format!("26 '{}' '{number}' ", number % 10)).collect();
        scenario.connect("publisher").publish_with("a", AtLeastOnce, &properties, "x");
        let publish = subscriber.receive();
        let values: Vec<usize> =
            publish.properties.user_properties().map(|(_, value)| value.parse().expect("a number")).collect();
        assert_eq!(values, (0..5_000).collect::<Vec<_>>());
    });
}

#[test]
fn user_properties_beyond_the_packet_size_end_the_connection() {
    in_version(V5, |scenario| {
        let mut wire = scenario.open();
        let connect = format!("10 # vv 02 0000 ({}) 'verbose'", "26 'name' 'value' ".repeat(100_000));
        wire.send_while_read(&notation::bytes(&connect, V5));
        match wire.packet() {
            Packet::ConnAck(connack) => assert_eq!(connack.reason, ReasonCode::PacketTooLarge),
            packet => panic!("expected CONNACK, received {packet:?}"),
        }
        wire.expect_close();
    });
}

/// Half of a QoS 2 handshake, again and again with the same identifier: one place, one message.
#[test]
fn a_qos_2_identifier_that_is_repeated_and_never_released_costs_one_place() {
    everywhere(|scenario| {
        let mut subscriber = scenario.connect("subscriber");
        subscriber.subscribe("a", AtLeastOnce);
        let mut publisher = scenario.connect("publisher");
        for _ in 0..2_000 {
            publisher.send("3c # 'a' 0001 () <x>");
        }
        for _ in 0..2_000 {
            publisher.expect("50 # 0001");
        }
        subscriber.expect_message("a", "x");
        subscriber.ping();
    });
}

/// Packets of 5.0 in a 3.1.1 session, whose properties are then payload or nonsense, and the reverse.
#[test]
fn packets_of_the_other_version_are_read_by_the_rules_of_the_connection() {
    in_worlds(&[V311], &[], |scenario| {
        let mut wire = scenario.connect("old");
        wire.subscribe("a", AtMostOnce);
        wire.send("30 # 'a' 00 <payload>");
        assert_eq!(&wire.receive().payload[..], b"\0payload");
    });
    in_version(V5, |scenario| {
        let mut wire = scenario.connect("new");
        // The first byte of the payload is taken for the length of properties that are not there.
        wire.send("30 # 'a' <payload>");
        wire.expect_disconnect(ReasonCode::MalformedPacket);
    });
}

/// Everything at once, cut anywhere: the stream decides, not the reads [MQTT311-7.1.1-1].
#[test]
fn packets_may_be_cut_anywhere() {
    everywhere(|scenario| {
        let notation = "82 # 0001 () 'a' 00; 32 # 'a' 0002 (26 'n' 'v') <hello>; c0 #";
        let bytes = notation::bytes(notation, scenario.version);
        for cut in 1..bytes.len() {
            let mut wire = scenario.connect("cut");
            wire.send_bytes(&bytes[..cut]);
            // So that the broker has read the first part before it gets the second.
            scenario.connect("other").ping();
            wire.send_bytes(&bytes[cut..]);
            wire.expect("90 # 0001 () 00");
            wire.expect_each(&["30 # 'a' (26 'n' 'v') <hello>", "40 # 0002"]);
            wire.expect("d0 #");
        }
    });
}

/// Random bytes, and random changes of legal ones, on many connections: nobody else notices.
#[test]
fn noise_does_not_disturb_others() {
    everywhere(|scenario| {
        let mut bystander = scenario.connect("bystander");
        bystander.subscribe("quiet", AtMostOnce);
        let legal = notation::bytes(
            "10 # vv 02 000a () 'noisy'; 82 # 0001 () 'a/+' 01; 32 # 'a/b' 0002 () <x>; 34 # 'a' 0003 () <y>; c0 #",
            scenario.version,
        );
        let seed = 0x5EED_u64;
        let mut random = seed;
        for round in 0..200 {
            let mut bytes = legal.clone();
            for _ in 0..=round % 4 {
                random =
                    random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
                let [a, b, c, d, value, ..] = random.to_be_bytes();
                let place = u32::from_be_bytes([a, b, c, d]) as usize % bytes.len();
                bytes[place] = value;
            }
            let mut noisy = scenario.open();
            noisy.send_while_read(&bytes);
        }
        scenario.connect("publisher").publish("quiet", AtLeastOnce, "x");
        bystander.expect_message("quiet", "x");
    });
}

#[test]
fn connections_that_are_dropped_at_once_leave_nothing_behind() {
    everywhere_with(&[("limits.connections_max", "20"), ("limits.sessions_max", "20")], |scenario| {
        for number in 0..200 {
            let mut wire = scenario.open();
            if number % 2 == 0 {
                drop(wire.connect(&format!("10 # vv 02 0000 () 'passing {number}'")));
            }
        }
        // The last of them may still be on their way out.
        let mut wire = scenario.open();
        while wire.connect("10 # vv 02 0000 () 'staying'").reason.is_error() {
            wire = scenario.open();
        }
        wire.ping();
    });
}
