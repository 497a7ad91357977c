//! Owns the packets that the tests send and expect, as bytes. They are made by hand, not by the codec
//! that the broker decodes them with.

/// Accepted, no session present.
pub(crate) const CONNACK_V311: &[u8] = &[0x20, 2, 0, 0];
pub(crate) const PINGREQ: &[u8] = &[0xC0, 0];
pub(crate) const PINGRESP: &[u8] = &[0xD0, 0];
pub(crate) const DISCONNECT_V311: &[u8] = &[0xE0, 0];

/// A packet of this first byte.
pub(crate) fn packet(first: u8, body: &[&[u8]]) -> Vec<u8> {
    let body = body.concat();
    let mut packet = vec![first];
    let mut length = body.len();
    loop {
        let low = u8::try_from(length % 128).expect("seven bits");
        length /= 128;
        packet.push(if length > 0 { low | 0x80 } else { low });
        if length == 0 {
            break;
        }
    }
    packet.extend(body);
    packet
}

/// A string or binary field with its length in front.
pub(crate) fn prefixed(text: &str) -> Vec<u8> {
    let length = u16::try_from(text.len()).expect("a short text");
    [&length.to_be_bytes(), text.as_bytes()].concat()
}

/// A CONNECT with Clean Session and no Keep Alive.
pub(crate) fn connect_v311(client_id: &str) -> Vec<u8> {
    packet(0x10, &[&prefixed("MQTT"), &[4, 0x02, 0, 0], &prefixed(client_id)])
}

/// A CONNECT with Clean Start, no Keep Alive and no properties.
pub(crate) fn connect_v5(client_id: &str) -> Vec<u8> {
    packet(0x10, &[&prefixed("MQTT"), &[5, 0x02, 0, 0, 0], &prefixed(client_id)])
}

pub(crate) fn subscribe_v311(packet_id: u16, filter: &str, qos: u8) -> Vec<u8> {
    packet(0x82, &[&packet_id.to_be_bytes(), &prefixed(filter), &[qos]])
}

/// A QoS 0 PUBLISH; what a 3.1.1 subscriber receives looks the same.
pub(crate) fn publish(topic: &str, payload: &[u8]) -> Vec<u8> {
    packet(0x30, &[&prefixed(topic), payload])
}

/// A QoS 1 PUBLISH.
pub(crate) fn publish_qos1(packet_id: u16, topic: &str, payload: &[u8]) -> Vec<u8> {
    packet(0x32, &[&prefixed(topic), &packet_id.to_be_bytes(), payload])
}

pub(crate) fn puback_v311(packet_id: u16) -> Vec<u8> {
    packet(0x40, &[&packet_id.to_be_bytes()])
}

/// The payload of a received QoS 0 PUBLISH.
pub(crate) fn payload(body: &[u8]) -> &[u8] {
    let topic = usize::from(u16::from_be_bytes([body[0], body[1]]));
    &body[2 + topic..]
}
