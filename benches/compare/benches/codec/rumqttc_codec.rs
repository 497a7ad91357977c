//! Owns how rumqttc's codec reads and writes one packet.

use bytes::BytesMut;
use mqtt_codec::ProtocolVersion;
use rumqttc::{mqttbytes::v4, v5::mqttbytes::v5};
use std::hint::black_box;

pub(crate) fn decoder(version: ProtocolVersion) -> fn(&mut BytesMut) {
    match version {
        ProtocolVersion::V5 => |input| drop(black_box(v5::Packet::read(input, None).unwrap())),
        ProtocolVersion::V31 | ProtocolVersion::V311 => {
            |input| drop(black_box(v4::Packet::read(input, usize::MAX).unwrap()))
        }
    }
}

pub(crate) fn encoder(version: ProtocolVersion, bytes: &[u8]) -> Box<dyn Fn(&mut BytesMut)> {
    let mut input = BytesMut::from(bytes);
    match version {
        ProtocolVersion::V5 => {
            let packet = v5::Packet::read(&mut input, None).unwrap();
            Box::new(move |out| _ = black_box(packet.write(out, None).unwrap()))
        }
        ProtocolVersion::V31 | ProtocolVersion::V311 => {
            let packet = v4::Packet::read(&mut input, usize::MAX).unwrap();
            Box::new(move |out| _ = black_box(packet.write(out, usize::MAX).unwrap()))
        }
    }
}
