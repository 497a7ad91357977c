//! Owns the tests of connections that come to nothing, and how their client is told. What is illegal after CONNECT is
//! in `illegal`.

use dunlin_tests::{Broker, everywhere, everywhere_with, in_version};
use mqtt_codec::{
    ProtocolVersion::{self, V5, V31, V311},
    ReasonCode,
};

/// A CONNECT and the CONNACK code it is refused with; none closes the connection without a word.
#[rustfmt::skip]
const REFUSED: &[(ProtocolVersion, &str, Option<ReasonCode>)] = &[
    // [MQTT5-3.1.2-1] [MQTT311-3.1.2-1]: what is not MQTT is told nothing.
    (V311, "10 # 'HTTP' 04 02 003c 'cid'", None),
    (V5, "10 # 'mqtt' 05 02 003c () 'cid'", None),
    // [MQTT5-3.1.2-2] [MQTT311-3.1.2-2]
    (V311, "10 # 'MQTT' 03 02 003c 'cid'", Some(ReasonCode::UnsupportedProtocolVersion)),
    (V5, "10 # 'MQTT' 06 02 003c () 'cid'", Some(ReasonCode::UnsupportedProtocolVersion)),
    (V5, "10 # 'MQTT' 84 02 003c () 'cid'", Some(ReasonCode::UnsupportedProtocolVersion)),
    // [MQTT5-3.1.2-3] [MQTT311-3.1.2-3]
    (V311, "10 # vv 03 003c 'cid'", None),
    (V5, "10 # vv 03 003c () 'cid'", Some(ReasonCode::MalformedPacket)),
    // [MQTT5-3.1.2-11] [MQTT5-3.1.2-12] [MQTT5-3.1.2-13] [MQTT311-3.1.2-13] [MQTT311-3.1.2-14] [MQTT311-3.1.2-15]
    (V311, "10 # vv 0a 003c 'cid'", None),
    (V5, "10 # vv 12 003c () 'cid'", Some(ReasonCode::MalformedPacket)),
    (V311, "10 # vv 1e 003c 'cid' 'topic' 'gone'", None),
    (V5, "10 # vv 1e 003c () 'cid' () 'topic' 'gone'", Some(ReasonCode::MalformedPacket)),
    (V311, "10 # vv 22 003c 'cid'", None),
    (V5, "10 # vv 22 003c () 'cid'", Some(ReasonCode::MalformedPacket)),
    // [MQTT311-3.1.2-22]
    (V311, "10 # vv 42 003c 'cid' 'secret'", None),
    // [MQTT311-3.1.3-8] [MQTT311-3.1.3-9]
    (V311, "10 # vv 00 003c ''", Some(ReasonCode::ClientIdentifierNotValid)),
    (V31, "10 # vv 02 003c ''", Some(ReasonCode::ClientIdentifierNotValid)),
    // [MQTT5-3.1.3-11] [MQTT311-3.1.3-10]
    (V311, "10 # vv 06 003c 'cid' 0001 ff 'gone'", None),
    (V5, "10 # vv 06 003c () 'cid' () 'a/#' 'gone'", Some(ReasonCode::MalformedPacket)),
    (V5, "10 # vv 02 003c () 'cid' 00", Some(ReasonCode::MalformedPacket)),
    (V5, "10 # vv 02 003c () 0003 <a> 00 <b>", Some(ReasonCode::MalformedPacket)),
    (V5, "10 # vv 02 003c (21 0000) 'cid'", Some(ReasonCode::ProtocolError)),
    (V5, "10 # vv 02 003c (27 00000000) 'cid'", Some(ReasonCode::ProtocolError)),
    (V5, "10 # vv 02 003c (11 00000001 11 00000001) 'cid'", Some(ReasonCode::ProtocolError)),
    (V5, "10 # vv 02 003c (17 02) 'cid'", Some(ReasonCode::ProtocolError)),
    (V5, "10 # vv 02 003c (23 0001) 'cid'", Some(ReasonCode::MalformedPacket)),
    // A Will with properties of another packet, and a CONNECT with those of a Will.
    (V5, "10 # vv 06 003c () 'cid' (11 00000001) 'topic' 'gone'", Some(ReasonCode::MalformedPacket)),
    (V5, "10 # vv 06 003c () 'cid' (23 0001) 'topic' 'gone'", Some(ReasonCode::MalformedPacket)),
    (V5, "10 # vv 02 003c (18 00000001) 'cid'", Some(ReasonCode::MalformedPacket)),
    (V5, "10 # vv 06 003c () 'cid' (08 'a/+') 'topic' 'gone'", Some(ReasonCode::MalformedPacket)),
    // [MQTT5-4.12.0-1]; data without method is an error of its own.
    (V5, "10 # vv 02 003c (15 'SCRAM-SHA-1' 16 0001 00) 'cid'", Some(ReasonCode::BadAuthenticationMethod)),
    (V5, "10 # vv 02 003c (16 0001 00) 'cid'", Some(ReasonCode::ProtocolError)),
    // What the broker says of itself, no Will may say.
    (V5, "10 # vv 06 003c () 'cid' () '$SYS/broker/uptime' 'gone'", Some(ReasonCode::TopicNameInvalid)),
];

/// [MQTT5-3.1.4-1]
/// [MQTT311-3.1.4-1] [MQTT311-3.2.2-4] [MQTT311-3.2.2-6]
#[test]
fn an_illegal_connect_is_answered_where_there_is_a_code_and_closed() {
    let broker = Broker::start();
    for &(version, connect, expected) in REFUSED {
        eprintln!("{version:?} {connect}");
        let mut wire = broker.open(version);
        match expected {
            None => wire.send(connect),
            Some(reason) => {
                let connack = wire.connect(connect);
                assert_eq!(connack.reason, reason, "{connect}");
                assert!(!connack.session_present, "{connect}");
            }
        }
        wire.expect_close();
    }
}

/// [MQTT5-3.1.0-1] [MQTT311-3.1.0-1]
#[test]
fn another_packet_before_connect_closes_the_connection() {
    everywhere(|scenario| {
        for packet in [
            "20 # 00 00 ()",
            "30 # 'a' () <x>",
            "32 # 'a' 0001 () <x>",
            "40 # 0001",
            "82 # 0001 () 'a' 00",
            "a2 # 0001 () 'a'",
            "c0 #",
            "d0 #",
            "e0 #",
            "f0 #",
            "00 #",
        ] {
            eprintln!("{packet}");
            let mut wire = scenario.open();
            wire.send(packet);
            wire.expect_close();
        }
    });
}

/// [MQTT5-3.1.0-2] [MQTT311-3.1.0-2]
#[test]
fn a_second_connect_ends_the_connection() {
    everywhere(|scenario| {
        let mut wire = scenario.connect("once");
        wire.send("10 # vv 02 0000 () 'once'");
        wire.expect_disconnect(ReasonCode::ProtocolError);
    });
}

/// The limit that keeps strangers from holding connections.
#[test]
fn a_connection_without_a_whole_connect_is_closed_in_time() {
    everywhere_with(&[("limits.connect_timeout_ms", "300")], |scenario| {
        let mut silent = scenario.open();
        let mut halting = scenario.open();
        halting.send_bytes(&[0x10, 0x20, 0x00]);
        silent.expect_close();
        halting.expect_close();
        scenario.connect("prompt").ping();
    });
}

/// [MQTT5-3.2.2-7]
#[test]
fn a_refused_client_can_try_again_on_another_connection() {
    in_version(V5, |scenario| {
        let mut wire = scenario.open();
        let connack = wire.connect("10 # vv 02 003c (15 'none') 'cid'");
        assert_eq!(connack.reason, ReasonCode::BadAuthenticationMethod);
        assert!(connack.properties.reason_string().is_some(), "a person wants to know: {connack:?}");
        wire.expect_close();
        scenario.connect("cid").ping();
    });
}
