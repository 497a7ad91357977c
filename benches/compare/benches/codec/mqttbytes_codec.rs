//! Owns how mqttbytes reads and writes one packet.

use bytes::BytesMut;
use mqtt_codec::ProtocolVersion;
use mqttbytes::{v4, v5};
use std::hint::black_box;

pub(crate) fn decoder(version: ProtocolVersion) -> fn(&mut BytesMut) {
    match version {
        ProtocolVersion::V5 => |input| drop(black_box(v5::read(input, usize::MAX).unwrap())),
        ProtocolVersion::V31 | ProtocolVersion::V311 => {
            |input| drop(black_box(v4::read(input, usize::MAX).unwrap()))
        }
    }
}

pub(crate) fn encoder(version: ProtocolVersion, bytes: &[u8]) -> Box<dyn Fn(&mut BytesMut)> {
    let mut input = BytesMut::from(bytes);
    match version {
        ProtocolVersion::V5 => match v5::read(&mut input, usize::MAX).unwrap() {
            v5::Packet::Connect(packet) => Box::new(move |out| _ = black_box(packet.write(out).unwrap())),
            v5::Packet::Publish(packet) => Box::new(move |out| _ = black_box(packet.write(out).unwrap())),
            v5::Packet::PubAck(packet) => Box::new(move |out| _ = black_box(packet.write(out).unwrap())),
            other => unreachable!("no sample is {other:?}"),
        },
        ProtocolVersion::V31 | ProtocolVersion::V311 => match v4::read(&mut input, usize::MAX).unwrap() {
            v4::Packet::Connect(packet) => Box::new(move |out| _ = black_box(packet.write(out).unwrap())),
            v4::Packet::Publish(packet) => Box::new(move |out| _ = black_box(packet.write(out).unwrap())),
            v4::Packet::PubAck(packet) => Box::new(move |out| _ = black_box(packet.write(out).unwrap())),
            other => unreachable!("no sample is {other:?}"),
        },
    }
}
