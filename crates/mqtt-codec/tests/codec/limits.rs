//! Owns the limits of the wire and of the receiver: at each, and one past it.

use super::{hex, illegal::decode};
use mqtt_codec::{
    EncodeError, FrameHeader, MAXIMUM_PACKET_BYTES, Packet, PacketId, Properties,
    ProtocolVersion::{V5, V311},
    QoS, TopicFilter, TopicName, Violation, frame,
    packet::{Connect, Delivery, Publish, PublishParts, Subscribe, Subscription, SubscriptionOptions, Will},
};

#[test]
fn a_packet_of_the_receivers_limit_is_accepted_and_one_byte_more_is_refused() {
    // [MQTT5-3.2.2-15] [MQTT5-3.1.2-24]
    let bytes = hex::bytes("30 # 'a' <hello>");
    let size = u32::try_from(bytes.len()).unwrap();
    assert!(frame(&bytes, V311, size).unwrap().is_some());
    let error = frame(&bytes, V311, size - 1).unwrap_err();
    assert_eq!(error.violation, Violation::PacketTooLarge);
    // Two bytes of it are enough to know.
    assert_eq!(frame(&bytes[..2], V311, size - 1).unwrap_err().violation, Violation::PacketTooLarge);
}

#[test]
fn the_largest_remaining_length_is_268_435_455() {
    let header = [0x30, 0xFF, 0xFF, 0xFF, 0x7F];
    let found = FrameHeader::peek(&header, V5, MAXIMUM_PACKET_BYTES).unwrap().unwrap();
    assert_eq!((found.header_bytes, found.packet_bytes), (5, 268_435_460));
    assert_eq!(MAXIMUM_PACKET_BYTES, 268_435_460);
    let past = [0x30, 0x80, 0x80, 0x80, 0x80, 0x01];
    assert_eq!(FrameHeader::peek(&past, V5, u32::MAX).unwrap_err().violation, Violation::RemainingLength);
}

#[test]
fn remaining_length_changes_size_where_the_table_says() {
    for (payload, header_bytes) in
        [(124, 2), (125, 3), (16_380, 3), (16_381, 4), (2_097_148, 4), (2_097_149, 5)]
    {
        let payload = vec![0; payload];
        let parts = PublishParts {
            delivery: Delivery::AtMostOnce,
            retain: false,
            topic: "a",
            first_properties: &[],
            properties: &[],
            payload: &payload,
        };
        let mut out = Vec::new();
        parts.encode(V311, &mut out).unwrap();
        assert_eq!(out.len(), header_bytes + 3 + payload.len());
        assert_eq!(parts.encoded_len(V311), Ok(out.len()));
        let found = frame(&out, V311, MAXIMUM_PACKET_BYTES).unwrap().unwrap();
        assert_eq!((found.header.header_bytes, found.bytes.len()), (header_bytes, out.len()));
    }
}

#[test]
fn a_packet_one_byte_too_large_is_not_encoded() {
    // A zeroed payload costs address space, not memory.
    let payload = vec![0; 268_435_455 - 3 + 1];
    let parts = |payload| PublishParts {
        delivery: Delivery::AtMostOnce,
        retain: false,
        topic: "a",
        first_properties: &[],
        properties: &[],
        payload,
    };
    assert_eq!(parts(&payload[1..]).encoded_len(V311), Ok(268_435_460));
    assert_eq!(parts(&payload).encoded_len(V311), Err(EncodeError::PacketTooLarge));
    let mut out = Vec::new();
    assert_eq!(parts(&payload).encode(V311, &mut out), Err(EncodeError::PacketTooLarge));
    assert!(out.is_empty(), "nothing is appended on an error");
}

#[test]
fn strings_of_65_535_bytes_are_carried_and_longer_ones_are_not() {
    // [MQTT5-4.7.3-3] [MQTT311-4.7.3-3]
    let longest = "x".repeat(65_535);
    let too_long = "x".repeat(65_536);
    let topic = TopicName::owned(longest.clone()).unwrap();
    let filter = TopicFilter::owned(longest.clone()).unwrap();
    assert_eq!(TopicName::owned(too_long.clone()), Err(Violation::TopicTooLong));
    assert_eq!(TopicFilter::owned(too_long.clone()), Err(Violation::TopicTooLong));

    let connect = |client_id: &str, user_name: &str, password: &str, will: &str| {
        Packet::Connect(Connect {
            version: V5,
            clean_start: true,
            keep_alive_seconds: 0,
            client_id: client_id.into(),
            will: Some(Will {
                qos: QoS::AtMostOnce,
                retain: false,
                topic: topic.clone(),
                payload: will.to_owned().into(),
                properties: Properties::NONE,
            }),
            user_name: Some(user_name.into()),
            password: Some(password.to_owned().into()),
            properties: Properties::NONE,
        })
    };
    assert_carried(&connect(&longest, &longest, &longest, &longest));
    for packet in [
        connect(&too_long, "", "", ""),
        connect("", &too_long, "", ""),
        connect("", "", &too_long, ""),
        connect("", "", "", &too_long),
    ] {
        assert_eq!(packet.encode(V5, &mut Vec::new()), Err(EncodeError::FieldTooLong));
    }

    assert_carried(&Packet::Publish(Publish {
        delivery: Delivery::AtMostOnce,
        retain: false,
        topic: Some(topic.clone()),
        properties: Properties::NONE,
        payload: bytes::Bytes::new(),
    }));
    let subscription =
        Subscription { filter: filter.borrow(), options: SubscriptionOptions::qos(QoS::AtLeastOnce) };
    let subscribe = Subscribe::new(PacketId::FIRST, Properties::NONE, [subscription; 2]).unwrap();
    assert_carried(&Packet::Subscribe(subscribe));
}

fn assert_carried(packet: &Packet) {
    let mut out = Vec::new();
    packet.encode(V5, &mut out).unwrap();
    let bytes = bytes::Bytes::from(out);
    let (again, length) = Packet::decode_first(&bytes, V5, MAXIMUM_PACKET_BYTES).unwrap().unwrap();
    assert_eq!(length, bytes.len());
    assert!(again == *packet);
}

#[test]
fn packet_identifiers_are_1_to_65_535() {
    // [MQTT5-2.2.1-3] [MQTT311-2.3.1-1]
    assert_eq!(PacketId::new(0), None);
    assert_eq!(PacketId::new(1), Some(PacketId::FIRST));
    let last = PacketId::new(u16::MAX).unwrap();
    assert_eq!(last.get(), u16::MAX);
    assert_eq!(last.next(), PacketId::FIRST);
    assert!(decode(&hex::bytes("32 # 'a' ffff ()"), V5).is_ok());
}
