//! Owns the tests of illegal packets on a connection that was accepted: each ends it, and its sender reads why.

use dunlin_tests::{Broker, WORKERS, in_version_with};
use mqtt_codec::{
    Packet,
    ProtocolVersion::{self, V5, V311},
    ReasonCode::{self, MalformedPacket, ProtocolError, TopicAliasInvalid},
};

const BOTH: &[ProtocolVersion] = &[V311, V5];
const OLD: &[ProtocolVersion] = &[V311];
const NEW: &[ProtocolVersion] = &[V5];

/// A packet, the versions in which it is illegal, and the reason that a sender in 5.0 reads.
#[rustfmt::skip]
const ILLEGAL: &[(&str, &[ProtocolVersion], ReasonCode)] = &[
    // Packets that only a server sends, and those that do not exist.
    ("20 # 00 00 ()", BOTH, ProtocolError),
    ("90 # 0001 () 00", BOTH, ProtocolError),
    ("b0 # 0001 () [00]", BOTH, ProtocolError),
    ("d0 #", BOTH, ProtocolError),
    ("00 #", BOTH, MalformedPacket),
    ("f0 #", OLD, MalformedPacket),
    ("f0 # 18 15 0001 <x>", OLD, MalformedPacket),
    // [MQTT5-4.12.0-7]: there was no authentication method in CONNECT.
    ("f0 # 18 (15 'x')", NEW, ProtocolError),
    ("f0 # 19 (15 'x')", NEW, ProtocolError),
    ("f0 #", NEW, ProtocolError),
    ("f0 # 18 (16 0001 00)", NEW, ProtocolError),
    // [MQTT5-2.1.3-1] [MQTT311-2.2.2-2] [MQTT311-3.8.1-1] [MQTT311-3.10.1-1]
    ("41 # 0001", BOTH, MalformedPacket),
    ("52 # 0001", BOTH, MalformedPacket),
    ("60 # 0001", BOTH, MalformedPacket),
    ("72 # 0001", BOTH, MalformedPacket),
    ("80 # 0001 () 'a' 00", BOTH, MalformedPacket),
    ("8a # 0001 () 'a' 00", BOTH, MalformedPacket),
    ("a0 # 0001 () 'a'", BOTH, MalformedPacket),
    ("c1 #", BOTH, MalformedPacket),
    ("e1 #", BOTH, MalformedPacket),
    ("f1 # 18 (15 'x')", NEW, MalformedPacket),
    // [MQTT5-3.3.1-4] [MQTT5-3.3.1-2] [MQTT311-3.3.1-4] [MQTT311-3.3.1-2]
    ("36 # 'a' 0001 () <x>", BOTH, MalformedPacket),
    ("38 # 'a' () <x>", BOTH, MalformedPacket),
    // [MQTT5-1.5.5-1]: more bytes than a length may have.
    ("30 80 80 80 80 01", BOTH, MalformedPacket),
    ("c0 ff ff ff ff 7f", BOTH, MalformedPacket),
    ("30 # 'a' 80 80 80 80 01", NEW, MalformedPacket),
    ("30 # 'a' (0b 8080808001) <x>", NEW, MalformedPacket),
    ("82 # 0001 (0b ffffffff7f) 'a' 00", NEW, MalformedPacket),
    // [MQTT5-3.3.2-1] [MQTT5-3.3.2-2] [MQTT5-4.7.3-1] [MQTT311-3.3.2-2] [MQTT311-4.7.3-1]
    ("30 # '' <x>", OLD, MalformedPacket),
    ("30 # '' () <x>", NEW, ProtocolError),
    ("30 # 'a/#' () <x>", BOTH, MalformedPacket),
    ("30 # '+' () <x>", BOTH, MalformedPacket),
    // [MQTT5-1.5.4-1] [MQTT5-1.5.4-2] [MQTT311-1.5.3-1] [MQTT311-1.5.3-2]
    ("30 # 0001 ff () <x>", BOTH, MalformedPacket),
    ("30 # 0003 eda080 () <x>", BOTH, MalformedPacket),
    ("30 # 0003 <a> 00 <b> () <x>", BOTH, MalformedPacket),
    ("30 # 'a' (26 'n' 0001 ff) <x>", NEW, MalformedPacket),
    // [MQTT5-2.2.1-3] [MQTT311-2.3.1-1]
    ("32 # 'a' 0000 () <x>", BOTH, ProtocolError),
    ("82 # 0000 () 'a' 00", BOTH, ProtocolError),
    ("a2 # 0000 () 'a'", BOTH, ProtocolError),
    // Cut, and with something behind the last field.
    ("30 # 0009 <short>", BOTH, MalformedPacket),
    ("32 # 'a'", BOTH, MalformedPacket),
    ("40 # 00", BOTH, MalformedPacket),
    ("c0 # 00", BOTH, MalformedPacket),
    ("40 # 0001 00 00", OLD, MalformedPacket),
    ("40 # 0001 00 () 00", NEW, MalformedPacket),
    // A topic that reaches past the end of its frame, into a packet behind it.
    ("30 # 0010 <a>; 30 # 'abcdefghijklmno' () <x>", BOTH, MalformedPacket),
    // [MQTT5-3.3.4-6]: only a server says which subscriptions matched.
    ("30 # 'a' (0b 01) <x>", NEW, ProtocolError),
    // Properties: unknown, misplaced, repeated, out of range.
    ("30 # 'a' (00 00) <x>", NEW, MalformedPacket),
    ("30 # 'a' (2b 00) <x>", NEW, MalformedPacket),
    ("30 # 'a' (11 00000001) <x>", NEW, MalformedPacket),
    ("30 # 'a' (1f 'why') <x>", NEW, MalformedPacket),
    ("30 # 'a' (02 00000001 02 00000001) <x>", NEW, ProtocolError),
    ("30 # 'a' (01 02) <x>", NEW, ProtocolError),
    ("30 # 'a' (23 0000) <x>", NEW, TopicAliasInvalid),
    ("30 # '' (23 0007) <x>", NEW, ProtocolError),
    // [MQTT5-3.3.2-14]
    ("30 # 'a' (08 'b/#') <x>", NEW, MalformedPacket),
    ("30 # 'a' (08 '+') <x>", NEW, MalformedPacket),
    // Reason codes that the packet cannot carry.
    ("40 # 0001 01", NEW, MalformedPacket),
    ("62 # 0001 80", NEW, MalformedPacket),
    ("e0 # 01", NEW, MalformedPacket),
    // [MQTT5-3.8.3-2] [MQTT5-3.8.3-5] [MQTT5-3.10.3-2] [MQTT311-3.8.3-3] [MQTT311-3.8.3-4] [MQTT311-3.10.3-2]
    ("82 # 0001 ()", BOTH, ProtocolError),
    ("a2 # 0001 ()", BOTH, ProtocolError),
    ("82 # 0001 () 'a' 03", BOTH, ProtocolError),
    ("82 # 0001 () 'a' 40", BOTH, MalformedPacket),
    ("82 # 0001 'a' 04", OLD, MalformedPacket),
    ("82 # 0001 () 'a' 30", NEW, ProtocolError),
    ("82 # 0001 (0b 00) 'a' 00", NEW, ProtocolError),
    ("82 # 0001 (0b 01 0b 02) 'a' 00", NEW, ProtocolError),
    // [MQTT5-3.8.3-4]
    ("82 # 0001 () '$share/g/a' 04", NEW, ProtocolError),
    // [MQTT5-4.7.1-1] [MQTT5-4.7.1-2] [MQTT5-4.8.2-1] [MQTT5-4.8.2-2] [MQTT311-4.7.1-2] [MQTT311-4.7.1-3]
    ("82 # 0001 () '' 00", BOTH, MalformedPacket),
    ("82 # 0001 () 'a/#/b' 00", BOTH, MalformedPacket),
    ("82 # 0001 () 'a#' 00", BOTH, MalformedPacket),
    ("82 # 0001 () 'a+/b' 00", BOTH, MalformedPacket),
    ("82 # 0001 () '$share/ab' 00", NEW, MalformedPacket),
    ("82 # 0001 () '$share/ab/' 00", NEW, MalformedPacket),
    ("82 # 0001 () '$share//a' 00", NEW, MalformedPacket),
    ("82 # 0001 () '$share/a+b/a' 00", NEW, MalformedPacket),
    ("a2 # 0001 () 'a/#/b'", BOTH, MalformedPacket),
    // Packets of the other version: properties where there are none, and none where there must be some.
    ("82 # 0001 00 0001 <a> 00", OLD, MalformedPacket),
    ("82 # 0001 'a' 00", NEW, MalformedPacket),
    ("e0 # 04 00", OLD, MalformedPacket),
];

#[test]
fn illegal_packets_end_the_connection_and_their_sender_reads_why() {
    for workers in WORKERS {
        let broker = Broker::with(workers, &[]);
        let mut bystander = broker.connect(V5, "bystander");
        for &(notation, versions, reason) in ILLEGAL {
            for &version in versions {
                eprintln!("{version:?} {notation}");
                let mut offender = broker.connect(version, "offender");
                offender.send(notation);
                offender.expect_disconnect(reason);
            }
        }
        bystander.ping();
    }
}

/// [MQTT5-3.1.2-29]: only CONNACK, PUBLISH and DISCONNECT may still say what helps a person where it is not wanted.
#[test]
fn a_reason_string_is_kept_from_those_who_do_not_want_problem_information() {
    in_version_with(V5, &[("limits.topic_levels_max", "1")], |scenario| {
        for (request, wanted) in [("17 00", false), ("17 01", true), ("", true)] {
            let mut wire = scenario.open();
            assert!(!wire.connect(&format!("10 # vv 02 0000 ({request}) 'person'")).reason.is_error());
            wire.send("32 # 'a/b' 0001 () <x>; 34 # 'a/b' 0002 () <x>; 82 # 0003 () 'a/b' 00");
            for _ in 0..3 {
                let (is_error, reason_string) = match wire.packet() {
                    Packet::PubAck(ack) | Packet::PubRec(ack) => {
                        (ack.reason.is_error(), ack.properties.reason_string().is_some())
                    }
                    Packet::SubAck(suback) => (
                        suback.reason_codes().all(ReasonCode::is_error),
                        suback.properties.reason_string().is_some(),
                    ),
                    packet => panic!("expected an acknowledgement, received {packet:?}"),
                };
                assert!(is_error);
                assert_eq!(reason_string, wanted, "{request}");
            }
            wire.ping();
        }
    });
}
