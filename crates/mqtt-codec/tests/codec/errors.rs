//! Owns how a violation is told: text, reason code and statement, for programs and for people.

use super::{hex, illegal::decode};
use mqtt_codec::{
    EncodeError, PacketType,
    ProtocolVersion::{V5, V31, V311},
    ReasonCode, Violation,
};

#[test]
fn every_violation_with_its_reason_code_and_statements() {
    let lines = Violation::ALL.iter().map(|violation| {
        let statement = |version| violation.statement(version).unwrap_or("-");
        format!(
            "{violation:?}: {}\n    {} | {} | {}",
            violation.text(),
            violation.reason(),
            statement(V5),
            statement(V311),
        )
    });
    insta::assert_snapshot!(lines.collect::<Vec<_>>().join("\n"));
}

#[test]
fn statements_are_ids_of_their_version() {
    for &violation in Violation::ALL {
        for packet in (1..=15).filter_map(PacketType::from_bits) {
            for (version, prefix) in [(V5, "MQTT5-"), (V311, "MQTT311-"), (V31, "MQTT311-")] {
                for id in [violation.statement(version), violation.statement_in(packet, version)] {
                    let Some(id) = id else { continue };
                    let numbers = id.strip_prefix(prefix).and_then(|rest| rest.split_once('-'));
                    let (section, number) = numbers.unwrap_or_else(|| panic!("{id} in MQTT {version}"));
                    assert_eq!(
                        section.split('.').filter(|part| part.parse::<u8>().is_ok()).count(),
                        3,
                        "{id}"
                    );
                    assert!(number.parse::<u8>().is_ok(), "{id}");
                }
            }
        }
    }
}

#[test]
fn a_violation_is_always_an_error_that_a_server_can_send() {
    for &violation in Violation::ALL {
        let reason = violation.reason();
        assert!(reason.is_error(), "{violation:?}");
        let is_sendable =
            reason.is_allowed_in(PacketType::ConnAck) || reason.is_allowed_in(PacketType::Disconnect);
        assert!(is_sendable, "{violation:?}: {reason}");
    }
}

#[test]
fn an_error_reads_as_a_sentence_with_its_reason_and_statement() {
    let told = [
        ("30 # 'a/#' ()", V5),
        ("36 # 'a' 0001", V311),
        ("00 #", V5),
        ("10 # 'MQTT' 05 03 003c () 'cid'", V311),
        ("62 # 0001 10", V5),
        ("60 # 0001", V31),
        ("30 # 'a' (23 0000)", V5),
        ("82 # 0001 () 'a' 30", V5),
    ]
    .map(|(notation, version)| decode(&hex::bytes(notation), version).unwrap_err().to_string());
    insta::assert_snapshot!(told.join("\n"), @r"
    PUBLISH: the Topic Name contains a wildcard (MQTT 5.0, 0x81 Malformed Packet, [MQTT5-3.3.2-2])
    PUBLISH: both QoS bits are set (MQTT 3.1.1, 0x81 Malformed Packet, [MQTT311-3.3.1-4])
    the packet type is reserved (MQTT 5.0, 0x81 Malformed Packet)
    CONNECT: the reserved connect flag is set (MQTT 5.0, 0x81 Malformed Packet, [MQTT5-3.1.2-3])
    PUBREL: the Reason Code is not one this packet may carry (MQTT 5.0, 0x81 Malformed Packet, [MQTT5-3.6.2-1])
    PUBREL: the reserved flags of the fixed header are wrong (MQTT 3.1, 0x81 Malformed Packet, [MQTT311-3.6.1-1])
    PUBLISH: the Topic Alias is zero (MQTT 5.0, 0x94 Topic Alias invalid, [MQTT5-3.3.2-8])
    SUBSCRIBE: Retain Handling is 3 (MQTT 5.0, 0x82 Protocol Error)
    ");
    let error = decode(&hex::bytes("c0 # 00"), V5).unwrap_err();
    insta::assert_snapshot!(format!("{error:?}"), @"DecodeError(PINGREQ: bytes follow the last field of the packet (MQTT 5.0, 0x81 Malformed Packet))");
}

#[test]
fn an_error_of_the_caller_says_what_to_mend() {
    let told = [
        EncodeError::FieldTooLong,
        EncodeError::PacketTooLarge,
        EncodeError::NotInVersion,
        EncodeError::Violation(Violation::TopicEmpty),
    ];
    let told = told.map(|error| error.to_string()).join("\n");
    insta::assert_snapshot!(told, @r"
    a string or binary field is longer than 65,535 bytes
    the packet is larger than 268,435,460 bytes
    this protocol version has no such packet
    the topic is empty
    ");
}

/// Table 2-6 of the 5.0 standard, from its other side: what each packet may carry.
#[test]
fn each_packet_carries_its_own_reason_codes() {
    // [MQTT5-3.2.2-8] [MQTT5-3.4.2-1] [MQTT5-3.5.2-1] [MQTT5-3.6.2-1] [MQTT5-3.7.2-1] [MQTT5-3.9.3-2]
    // [MQTT5-3.11.3-2] [MQTT5-3.14.2-1] [MQTT5-3.15.2-1]
    let table: [(PacketType, &str); 9] = [
        (PacketType::ConnAck, "00 80 81 82 83 84 85 86 87 88 89 8a 8c 90 95 97 99 9a 9b 9c 9d 9f"),
        (PacketType::PubAck, "00 10 80 83 87 90 91 97 99"),
        (PacketType::PubRec, "00 10 80 83 87 90 91 97 99"),
        (PacketType::PubRel, "00 92"),
        (PacketType::PubComp, "00 92"),
        (PacketType::SubAck, "00 01 02 80 83 87 8f 91 97 9e a1 a2"),
        (PacketType::UnsubAck, "00 11 80 83 87 8f 91"),
        (
            PacketType::Disconnect,
            "00 04 80 81 82 83 87 89 8b 8c 8d 8e 8f 90 93 94 95 96 97 98 99 9a 9b 9c 9d 9e 9f a0 a1 a2",
        ),
        (PacketType::Auth, "00 18 19"),
    ];
    for (packet, codes) in table {
        let listed = hex::bytes(codes);
        let allowed: Vec<u8> = (0..=u8::MAX)
            .filter(|&byte| ReasonCode::from_byte(byte).is_some_and(|code| code.is_allowed_in(packet)))
            .collect();
        assert_eq!(allowed, listed, "{packet}");
    }
    for packet in [PacketType::Connect, PacketType::Publish, PacketType::Subscribe, PacketType::PingReq] {
        assert!(!ReasonCode::Success.is_allowed_in(packet), "{packet} has no reason code");
    }
}
