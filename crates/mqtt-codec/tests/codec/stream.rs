//! Owns packets in a stream of bytes: cut anywhere, side by side, and with lengths that lie.

use super::{examples::EXAMPLES, hex, illegal::decode, targets};
use mqtt_codec::{
    MAXIMUM_PACKET_BYTES, Packet, PacketRef,
    ProtocolVersion::{V5, V31, V311},
    Violation, frame,
};

#[test]
fn a_stream_cut_anywhere_holds_the_same_packets() {
    for version in [V31, V311, V5] {
        let examples = EXAMPLES.iter().filter(|example| example.version == version);
        // The version's own CONNECT first, then everything, in pieces that keep the test short.
        let packets: Vec<Vec<u8>> = examples.map(super::examples::Example::bytes).collect();
        for window in packets.windows(3) {
            targets::stream(&window.concat());
        }
    }
}

#[test]
fn a_packet_cut_short_waits_for_the_rest() {
    for example in EXAMPLES {
        let bytes = example.bytes();
        for length in 0..bytes.len() {
            let found = frame(&bytes[..length], example.version, MAXIMUM_PACKET_BYTES);
            assert_eq!(found, Ok(None), "MQTT {} {}", example.version, example.name);
        }
    }
}

#[test]
fn two_packets_in_one_buffer_come_out_one_by_one() {
    let input = hex::bytes("30 # 'a' <one>");
    let input = [input, hex::bytes("c0 #")].concat();
    let first = frame(&input, V311, MAXIMUM_PACKET_BYTES).unwrap().unwrap();
    let Ok(PacketRef::Publish(publish)) = PacketRef::decode(first, V311) else { panic!("a PUBLISH") };
    assert_eq!(publish.payload, b"one");
    let second = frame(&input[first.bytes.len()..], V311, MAXIMUM_PACKET_BYTES).unwrap().unwrap();
    assert_eq!(PacketRef::decode(second, V311), Ok(PacketRef::PingReq));
}

#[test]
fn a_length_past_the_end_of_its_packet_does_not_read_the_next_one() {
    let next = hex::bytes("30 # 'next' () <packet>");
    for notation in [
        "30 # 0005 <a/b>",
        "30 # 000c <a/b>",
        "30 # 'a' 03 01",
        "30 # 'a' (26 'n' 0009 <v>)",
        "32 # 'a' 00",
        "82 # 0001 () 0008 <a>",
        "82 # 0001 () 'a'",
        "a2 # 0001 () 0003 <a>",
        "10 # 'MQTT' 05 02 003c () 0009 <cid>",
        "10 # 'MQTT' 05 06 003c () 'cid' () 'topic' 0009 <gone>",
        "40 # 00",
        "40 # 0001 00 04 1f",
        "e0 # 00 04 1f",
    ] {
        let alone = hex::bytes(notation);
        let followed = [alone.clone(), next.clone()].concat();
        for input in [alone, followed] {
            let error = decode(&input, V5).unwrap_err();
            assert_eq!(error.violation, Violation::FieldPastEnd, "{notation}");
        }
    }
}

#[test]
fn owned_packets_share_the_bytes_they_were_decoded_from() {
    let bytes = bytes::Bytes::from(hex::bytes("30 # 'a/b' (03 'text') <payload>"));
    let (packet, _) = Packet::decode_first(&bytes, V5, MAXIMUM_PACKET_BYTES).unwrap().unwrap();
    let Packet::Publish(publish) = packet else { panic!("a PUBLISH") };
    let shared = |part: &[u8]| bytes.as_ptr_range().contains(&part.as_ptr());
    assert!(shared(&publish.payload));
    assert!(shared(publish.topic.unwrap().as_str().as_bytes()));
    assert!(shared(publish.properties.raw()));
}

#[test]
fn owned_and_borrowed_packets_are_the_same_packet() {
    for example in EXAMPLES {
        targets::decode(&example.bytes());
        targets::round_trip(&example.bytes());
    }
}
