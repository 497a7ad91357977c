//! Owns the tests of the Maximum Packet Size both ways. Huge payloads within it are in `load`.

use dunlin_tests::{everywhere, everywhere_with, in_version, notation};
use mqtt_codec::{
    ProtocolVersion::V5,
    QoS::{AtLeastOnce, AtMostOnce, ExactlyOnce},
    ReasonCode,
};

const LIMIT: usize = 1000;
const SETTINGS: &[(&str, &str)] = &[("limits.packet_bytes_max", "1000")];

/// A QoS 0 PUBLISH of exactly so many bytes.
fn publication(bytes: usize, version: mqtt_codec::ProtocolVersion) -> Vec<u8> {
    let with = |payload: usize| notation::bytes(&format!("30 # 'a' () <{}>", "x".repeat(payload)), version);
    let payload = bytes - (with(LIMIT / 2).len() - LIMIT / 2);
    let packet = with(payload);
    assert_eq!(packet.len(), bytes);
    packet
}

/// [MQTT5-3.2.2-15]
#[test]
fn a_packet_at_the_limit_is_accepted_and_one_byte_more_is_refused() {
    everywhere_with(SETTINGS, |scenario| {
        let mut subscriber = scenario.connect("subscriber");
        subscriber.subscribe("a", AtMostOnce);
        let mut publisher = scenario.connect("publisher");
        publisher.send_bytes(&publication(LIMIT, scenario.version));
        subscriber.receive();
        publisher.send_bytes(&publication(LIMIT + 1, scenario.version));
        publisher.expect_disconnect(ReasonCode::PacketTooLarge);
        subscriber.ping();
    });
}

/// Packets that are alike go on together, and each of them is judged.
#[test]
fn a_packet_above_the_limit_is_refused_behind_others_that_are_like_it() {
    everywhere_with(&[("limits.packet_bytes_max", "200")], |scenario| {
        let mut subscriber = scenario.connect("subscriber");
        subscriber.subscribe("a", AtMostOnce);
        let mut publisher = scenario.connect("publisher");
        publisher
            .send_bytes(&[150, 150, 200, 201].map(|bytes| publication(bytes, scenario.version)).concat());
        for _ in 0..3 {
            subscriber.receive();
        }
        publisher.expect_disconnect(ReasonCode::PacketTooLarge);
        subscriber.ping();
    });
}

/// The reason must arrive though the offender goes on sending: closing with unread input would reset the connection
/// and lose it.
#[test]
fn an_offender_that_goes_on_sending_can_read_why_it_was_refused() {
    everywhere_with(SETTINGS, |scenario| {
        for _ in 0..5 {
            let mut publisher = scenario.connect("publisher");
            let body = vec![0; 3 << 20];
            let mut packet = vec![0x30, 0x80, 0x80, 0xC0, 0x01];
            packet.extend(&body);
            publisher.send_while_read(&packet);
            publisher.expect_disconnect(ReasonCode::PacketTooLarge);
        }
    });
}

/// Judged by its header alone: nothing of it need be there.
#[test]
fn a_packet_that_only_claims_to_be_too_large_is_refused() {
    everywhere(|scenario| {
        let mut publisher = scenario.connect("publisher");
        publisher.send_bytes(&[0x30, 0xFF, 0xFF, 0xFF, 0x7F]);
        publisher.expect_disconnect(ReasonCode::PacketTooLarge);
    });
}

/// [MQTT5-3.1.2-24] [MQTT5-3.1.2-25]
#[test]
fn a_message_too_large_for_the_client_counts_as_delivered() {
    in_version(V5, |scenario| {
        for qos in [AtMostOnce, AtLeastOnce, ExactlyOnce] {
            let mut subscriber = scenario.open();
            assert!(!subscriber.connect("10 # vv 02 0000 (27 00000064 21 0001) 'small'").reason.is_error());
            subscriber.subscribe("a", ExactlyOnce);
            let mut publisher = scenario.connect("publisher");
            for _ in 0..3 {
                publisher.publish("a", qos, "x".repeat(200));
            }
            publisher.publish("a", qos, "small enough");
            subscriber.expect_message("a", "small enough");
            subscriber.ping();
            subscriber.disconnect();
        }
    });
}

#[test]
fn a_message_too_large_for_one_group_member_does_not_stop_the_others() {
    in_version(V5, |scenario| {
        let mut small = scenario.open();
        assert!(!small.connect("10 # vv 02 0000 (27 00000064) 'small'").reason.is_error());
        let mut large = scenario.connect("large");
        for subscriber in [&mut small, &mut large] {
            subscriber.subscribe("a", AtLeastOnce);
        }
        scenario.connect("publisher").publish("a", AtLeastOnce, "x".repeat(200));
        assert_eq!(large.receive().payload.len(), 200);
        small.ping();
    });
}

/// A waiting message is judged by the limit of the connection that it is sent on.
#[test]
fn a_waiting_message_is_judged_by_the_new_connection() {
    in_version(V5, |scenario| {
        let mut subscriber = scenario.connect_lasting("shrinking");
        subscriber.subscribe("a", AtLeastOnce);
        subscriber.disconnect();
        let mut publisher = scenario.connect("publisher");
        publisher.publish("a", AtLeastOnce, "x".repeat(200));
        publisher.publish("a", AtLeastOnce, "small enough");
        let mut subscriber = scenario.open();
        assert!(subscriber.connect("10 # vv 00 0000 (11 ffffffff 27 00000064) 'shrinking'").session_present);
        subscriber.expect_message("a", "small enough");
        subscriber.ping();
    });
}

/// A connection that refuses every size but its own handshake still gets its answers.
#[test]
fn a_connect_at_the_limit_is_accepted() {
    everywhere_with(SETTINGS, |scenario| {
        let with = |length: usize| format!("10 # vv 02 0000 () '{}'", "i".repeat(length));
        let length = LIMIT - (notation::bytes(&with(500), scenario.version).len() - 500);
        assert!(!scenario.open().connect(&with(length)).reason.is_error());
        let mut wire = scenario.open();
        wire.send(&with(length + 1));
        match scenario.version {
            V5 => match wire.packet() {
                mqtt_codec::Packet::ConnAck(connack) => {
                    assert_eq!(connack.reason, ReasonCode::PacketTooLarge);
                }
                packet => panic!("expected CONNACK, received {packet:?}"),
            },
            mqtt_codec::ProtocolVersion::V31 | mqtt_codec::ProtocolVersion::V311 => {}
        }
        wire.expect_close();
    });
}
