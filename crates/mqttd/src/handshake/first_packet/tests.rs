//! Owns the proof of what a connection may begin with.

use mqtt_codec::Violation;

use super::*;

const LIMIT: u32 = 100;

/// Protocol name and level, flags, Keep Alive, and a client identifier of two letters.
const CONNECT_V311: &[u8] = b"\x10\x0e\0\x04MQTT\x04\x02\0\x3c\0\x02ab";
const CONNECT_V31: &[u8] = b"\x10\x10\0\x06MQIsdp\x03\x02\0\x3c\0\x02ab";
const CONNECT_V5: &[u8] = b"\x10\x0f\0\x04MQTT\x05\x02\0\x3c\0\0\x02ab";

fn violation(outcome: &FirstPacket<'_>) -> Option<Violation> {
    match outcome {
        FirstPacket::Refused(Refusal::Malformed { error, .. }) => Some(error.violation),
        FirstPacket::Refused(Refusal::NotConnect(_))
        | FirstPacket::Incomplete
        | FirstPacket::Connect { .. } => None,
    }
}

#[test]
fn a_connect_of_any_version_is_one_when_it_is_whole() {
    for connect in [CONNECT_V31, CONNECT_V311, CONNECT_V5] {
        for end in 0..connect.len() {
            assert_eq!(FirstPacket::judge(&connect[..end], LIMIT), FirstPacket::Incomplete, "{end}");
        }
        let with_more = [connect, b"\xc0\0\x30"].concat();
        for received in [connect, &with_more] {
            let FirstPacket::Connect { connect: found, behind } = FirstPacket::judge(received, LIMIT) else {
                panic!("{received:02x?} is one")
            };
            assert_eq!((found.client_id, behind), ("ab", &received[connect.len()..]));
        }
    }
}

/// [MQTT5-3.1.0-1] [MQTT311-3.1.0-1]
#[test]
fn any_other_packet_is_refused_by_its_first_byte_and_unanswered() {
    for (first, packet_type) in [
        (0x20, PacketType::ConnAck),
        (0x30, PacketType::Publish),
        (0xC0, PacketType::PingReq),
        (0xF0, PacketType::Auth),
    ] {
        let received = [first];
        let outcome = FirstPacket::judge(&received, LIMIT);
        assert_eq!(outcome, FirstPacket::Refused(Refusal::NotConnect(packet_type)));
        assert_eq!(Refusal::NotConnect(packet_type).answer(), None);
    }
}

#[test]
fn what_is_no_packet_is_refused_before_more_is_waited_for() {
    for (received, expected) in [
        (&b"\x00"[..], Violation::PacketTypeReserved),
        (b"\x11", Violation::FixedHeaderFlags),
        (b"\x10\xff\xff\xff\xff", Violation::RemainingLength),
        (b"\x10\x63", Violation::PacketTooLarge),
    ] {
        assert_eq!(violation(&FirstPacket::judge(received, LIMIT)), Some(expected), "{received:02x?}");
    }
    assert_eq!(FirstPacket::judge(b"\x10\x62", LIMIT), FirstPacket::Incomplete, "exactly the limit");
}

#[test]
fn a_malformed_connect_is_answered_in_its_version() {
    let mut connect = CONNECT_V5.to_vec();
    connect[9] = 3;
    let FirstPacket::Refused(refusal) = FirstPacket::judge(&connect, LIMIT) else {
        panic!("it is malformed")
    };
    insta::assert_snapshot!(refusal, @"CONNECT: the reserved connect flag is set (MQTT 5.0, 0x81 Malformed Packet, [MQTT5-3.1.2-3])");
    let answer = refusal.answer().expect("a v5 client understands it");
    assert_eq!((answer[0], answer[2], answer[3]), (0x20, 0, 0x81));
    insta::assert_snapshot!(Refusal::NotConnect(PacketType::Publish), @"the first packet is PUBLISH");
}
