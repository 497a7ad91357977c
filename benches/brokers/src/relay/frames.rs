//! Owns what the relay knows of MQTT: where a frame ends, and the answers that a client waits for before it
//! publishes. Where frames go is the relay's business.

use mqtt_codec::{Packet, PacketRef, ProtocolVersion, packet::Connect};

/// Bytes of the frame that the bytes begin with; none if its header is not all there.
#[inline]
pub(crate) fn frame_bytes(bytes: &[u8]) -> Option<usize> {
    let mut body_bytes = 0;
    for (index, &byte) in bytes.get(1..)?.iter().take(4).enumerate() {
        body_bytes |= usize::from(byte & 0x7F) << (7 * index);
        if byte < 0x80 {
            return Some(2 + index + body_bytes);
        }
    }
    None
}

/// Bytes of the whole frames at the beginning that are to be forwarded, and what comes behind them.
pub(crate) fn run_bytes(bytes: &[u8]) -> usize {
    let mut end = 0;
    while let Some(&first) = bytes.get(end)
        && is_forwarded(first)
        && let Some(length) = frame_bytes(&bytes[end..])
        && end + length <= bytes.len()
    {
        end += length;
    }
    end
}

/// PUBLISH, PUBACK, PUBREC, PUBREL, PUBCOMP.
fn is_forwarded(first: u8) -> bool {
    (3..=7).contains(&(first >> 4))
}

/// What the relay makes of a frame that it does not forward.
#[derive(Debug)]
pub(crate) enum Said {
    /// CONNECT, in this version; the answer to it.
    Connect(ProtocolVersion, Vec<u8>),
    /// SUBSCRIBE: the filters, and the answer.
    Subscribe(Vec<String>, Vec<u8>),
    /// PINGREQ; the answer.
    Ping(Vec<u8>),
    /// DISCONNECT, or nothing that the relay is made for.
    Over,
}

/// Takes one whole frame.
pub(crate) fn said(frame: &[u8], version: ProtocolVersion) -> Said {
    match decode(frame, version) {
        Some(Packet::Connect(Connect { version: ProtocolVersion::V5, .. })) => {
            Said::Connect(ProtocolVersion::V5, vec![0x20, 3, 0, 0, 0])
        }
        Some(Packet::Connect(Connect { version, .. })) => Said::Connect(version, vec![0x20, 2, 0, 0]),
        Some(Packet::Subscribe(subscribe)) => {
            let filters: Vec<_> = subscribe.subscriptions().map(|it| it.filter.text().to_owned()).collect();
            let codes = subscribe.subscriptions().map(|it| it.options.maximum_qos.bits());
            let properties: &[u8] = if version.has_properties() { &[0] } else { &[] };
            let mut answer = subscribe.packet_id.get().to_be_bytes().to_vec();
            answer.extend(properties.iter().copied().chain(codes));
            let length = u8::try_from(answer.len()).expect("the load subscribes to a few filters at a time");
            answer.splice(0..0, [0x90, length]);
            Said::Subscribe(filters, answer)
        }
        Some(Packet::PingReq) => Said::Ping(vec![0xD0, 0]),
        Some(_) | None => Said::Over,
    }
}

/// The topic of a PUBLISH.
pub(crate) fn topic(frame: &[u8], version: ProtocolVersion) -> Option<String> {
    match decode(frame, version)? {
        Packet::Publish(publish) => publish.topic.map(|topic| topic.as_str().to_owned()),
        _ => None,
    }
}

fn decode(frame: &[u8], version: ProtocolVersion) -> Option<PacketRef<'_>> {
    let frame = mqtt_codec::frame(frame, version, mqtt_codec::MAXIMUM_PACKET_BYTES).ok()??;
    PacketRef::decode(frame, version).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_run_ends_where_a_frame_is_cut_or_not_to_be_forwarded() {
        let puback = [0x40, 2, 0, 1];
        let bytes = [&puback[..], &puback, &[0xC0, 0], &puback].concat();
        assert_eq!(run_bytes(&bytes), 8);
        assert_eq!(run_bytes(&bytes[..7]), 4);
        assert_eq!(run_bytes(&bytes[..1]), 0);
        assert_eq!(run_bytes(&[]), 0);
        let long = [&[0x30, 0x80, 0x01][..], &[0; 128]].concat();
        assert_eq!(run_bytes(&long), 131);
        assert_eq!(run_bytes(&long[..130]), 0);
    }
}
