//! Owns the tests of CONNECT and what CONNACK says. Refused ones are in `refused_connect`, sessions in `session`.

use dunlin_tests::{everywhere, in_version, in_version_with};
use mqtt_codec::{ProtocolVersion::V5, QoS};
use std::collections::HashSet;

/// [MQTT5-3.1.3-6] [MQTT5-3.1.3-7] [MQTT5-3.2.2-16] [MQTT311-3.1.3-6]
#[test]
fn a_client_without_identifier_gets_one_of_its_own() {
    everywhere(|scenario| {
        let mut identifiers = HashSet::new();
        let mut connected = Vec::new();
        for _ in 0..5 {
            let mut wire = scenario.open();
            let connack = wire.connect("10 # vv 02 0000 () ''");
            assert!(!connack.reason.is_error(), "{connack:?}");
            if let Some(identifier) = connack.properties.assigned_client_identifier() {
                identifiers.insert(identifier.to_owned());
            }
            wire.ping();
            connected.push(wire);
        }
        let told = if scenario.version == V5 { connected.len() } else { 0 };
        assert_eq!(identifiers.len(), told, "{identifiers:?}");
        connected.iter_mut().for_each(dunlin_tests::Wire::ping);
    });
}

#[test]
fn a_client_that_chose_its_identifier_is_assigned_none() {
    in_version(V5, |scenario| {
        let connack = scenario.open().connect("10 # vv 02 0000 () 'chosen'");
        assert_eq!(connack.properties.assigned_client_identifier(), None);
    });
}

/// [MQTT5-3.1.3-5] [MQTT311-3.1.3-5]; more than what is asked for is allowed.
#[test]
fn client_identifiers_may_hold_anything_that_is_text() {
    everywhere(|scenario| {
        let long = "x".repeat(1000);
        for client_id in ["a", "with spaces in it", "größe/+/#/$share", "0123456789abcdefghijkLMNOPQ", &long]
        {
            let mut wire = scenario.connect_lasting(client_id);
            wire.ping();
            wire.disconnect();
            scenario.resume(client_id).disconnect();
        }
    });
}

#[test]
fn user_name_and_password_are_accepted_where_nobody_asks_for_them() {
    everywhere(|scenario| {
        for connect in ["10 # vv c2 0000 () 'both' 'user' 'secret'", "10 # vv 82 0000 () 'name' 'user'"] {
            let mut wire = scenario.open();
            assert!(!wire.connect(connect).reason.is_error(), "{connect}");
            wire.ping();
        }
    });
    // [MQTT311-3.1.2-22] does not hold any more: a password may stand alone.
    in_version(V5, |scenario| {
        assert!(!scenario.open().connect("10 # vv 42 0000 () 'alone' 'secret'").reason.is_error());
    });
}

/// Limits and capabilities that the client must be told [MQTT5-3.2.2-9] [MQTT5-3.2.2-15] [MQTT5-3.2.2-18]
/// [MQTT5-3.2.2-21].
#[test]
fn connack_tells_what_differs_from_what_a_client_may_assume() {
    let settings = [
        ("limits.receive_maximum", "7"),
        ("limits.packet_bytes_max", "5000"),
        ("limits.topic_alias_maximum", "3"),
        ("limits.keep_alive_seconds_max", "30"),
        ("limits.session_expiry_seconds_max", "100"),
        ("capabilities.maximum_qos", "1"),
        ("capabilities.retain_available", "false"),
        ("capabilities.wildcard_subscription_available", "false"),
        ("capabilities.subscription_identifier_available", "false"),
        ("capabilities.shared_subscription_available", "false"),
    ];
    in_version_with(V5, &settings, |scenario| {
        let properties = scenario.open().connect("10 # vv 02 003c (11 ffffffff) 'a'").properties;
        assert_eq!(properties.receive_maximum().map(Into::into), Some(7_u16));
        assert_eq!(properties.maximum_packet_size().map(Into::into), Some(5000_u32));
        assert_eq!(properties.topic_alias_maximum(), Some(3));
        assert_eq!(properties.server_keep_alive(), Some(30));
        assert_eq!(properties.session_expiry_interval(), Some(100));
        assert_eq!(properties.maximum_qos(), Some(QoS::AtLeastOnce));
        assert_eq!(properties.retain_available(), Some(false));
        assert_eq!(properties.wildcard_subscription_available(), Some(false));
        assert_eq!(properties.subscription_identifier_available(), Some(false));
        assert_eq!(properties.shared_subscription_available(), Some(false));
    });
}

#[test]
fn connack_of_a_client_that_asks_for_little_leaves_out_what_is_as_asked() {
    let settings = [("limits.keep_alive_seconds_max", "30"), ("limits.session_expiry_seconds_max", "100")];
    in_version_with(V5, &settings, |scenario| {
        let properties = scenario.open().connect("10 # vv 02 001e (11 00000064) 'a'").properties;
        assert_eq!(properties.server_keep_alive(), None);
        assert_eq!(properties.session_expiry_interval(), None);
        assert_eq!(properties.maximum_qos(), None);
        assert_eq!(properties.retain_available(), None);
        assert_eq!(properties.reason_string(), None);
    });
}

/// [MQTT5-3.1.2-28]
#[test]
fn response_information_is_told_to_those_who_ask_for_it() {
    in_version_with(V5, &[("capabilities.response_information_prefix", "answers/")], |scenario| {
        for (request, expected) in [("19 01", Some("answers/asker")), ("19 00", None), ("", None)] {
            let connack = scenario.open().connect(&format!("10 # vv 02 0000 ({request}) 'asker'"));
            assert_eq!(connack.properties.response_information(), expected, "{request}");
        }
    });
    in_version_with(V5, &[("capabilities.response_information_prefix", "")], |scenario| {
        let connack = scenario.open().connect("10 # vv 02 0000 (19 01) 'asker'");
        assert_eq!(connack.properties.response_information(), None);
    });
}

/// A client need not wait for CONNACK [MQTT5-3.1.4-5].
#[test]
fn packets_right_behind_connect_are_answered_after_connack() {
    everywhere(|scenario| {
        let mut wire = scenario.open();
        wire.send("10 # vv 02 0000 () 'eager'; 82 # 0001 () 'a' 01; 32 # 'a' 0002 () <early>; c0 #");
        assert!(matches!(wire.packet(), mqtt_codec::Packet::ConnAck(_)));
        wire.expect("90 # 0001 () 01");
        wire.expect_each(&["32 # 'a' 0001 () <early>", "40 # 0002"]);
        wire.expect("d0 #");
    });
}

#[test]
fn a_connect_may_come_byte_by_byte() {
    everywhere(|scenario| {
        let mut wire = scenario.open();
        let bytes = dunlin_tests::notation::bytes("10 # vv 02 0000 () 'slow'; c0 #", scenario.version);
        bytes.iter().for_each(|&byte| wire.send_bytes(&[byte]));
        assert!(matches!(wire.packet(), mqtt_codec::Packet::ConnAck(_)));
        wire.expect("d0 #");
    });
}
