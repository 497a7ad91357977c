//! Owns the reading of what a broker sends: what comes with every message in a few instructions, the rest whole.
//! What it means is the clients' business.

use mqtt_codec::{ProtocolVersion, QoS};

use crate::mark::Mark;

/// A packet of the broker.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Heard<'a> {
    /// PUBLISH.
    Message(Message),
    /// PUBACK with the byte of its reason code.
    PubAck {
        packet_id: u16,
        reason: u8,
    },
    /// PUBREC likewise.
    PubRec {
        packet_id: u16,
        reason: u8,
    },
    PubRel {
        packet_id: u16,
    },
    PubComp {
        packet_id: u16,
    },
    /// What is rare: the bytes of the packet.
    Other(&'a [u8]),
}

/// What a subscriber wants to know of a PUBLISH.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Message {
    pub(crate) qos: QoS,
    /// At QoS 1 and 2.
    pub(crate) packet_id: [u8; 2],
    pub(crate) retain: bool,
    /// None: no load has sent it.
    pub(crate) mark: Option<Mark>,
}

/// The bytes cannot be a packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Malformed;

/// The first packet and its length; none until all of it is there.
///
/// It reads no more than it needs and trusts the broker: it must cost less than what it measures.
#[inline]
pub(crate) fn first(bytes: &[u8], version: ProtocolVersion) -> Result<Option<(Heard<'_>, usize)>, Malformed> {
    let Some((&first_byte, rest)) = bytes.split_first() else { return Ok(None) };
    let Some((remaining, length_bytes)) = variable(rest)? else { return Ok(None) };
    let packet_bytes = 1 + length_bytes + remaining;
    let Some(packet) = bytes.get(..packet_bytes) else { return Ok(None) };
    let body = &packet[1 + length_bytes..];
    let heard = match first_byte >> 4 {
        3 => message(first_byte, body, version).map(Heard::Message),
        4 => acknowledgement(body).map(|(packet_id, reason)| Heard::PubAck { packet_id, reason }),
        5 => acknowledgement(body).map(|(packet_id, reason)| Heard::PubRec { packet_id, reason }),
        6 => acknowledgement(body).map(|(packet_id, _)| Heard::PubRel { packet_id }),
        7 => acknowledgement(body).map(|(packet_id, _)| Heard::PubComp { packet_id }),
        _ => Some(Heard::Other(packet)),
    };
    Ok(Some((heard.ok_or(Malformed)?, packet_bytes)))
}

/// A Variable Byte Integer and its length; none until all of it is there.
#[inline]
fn variable(bytes: &[u8]) -> Result<Option<(usize, usize)>, Malformed> {
    // Nearly all lengths are below 128.
    if let Some(&byte) = bytes.first()
        && byte < 0x80
    {
        return Ok(Some((byte.into(), 1)));
    }
    let mut value = 0;
    for (index, &byte) in bytes.iter().take(4).enumerate() {
        value |= usize::from(byte & 0x7F) << (7 * index);
        if byte < 0x80 {
            return Ok(Some((value, index + 1)));
        }
    }
    if bytes.len() < 4 { Ok(None) } else { Err(Malformed) }
}

#[inline]
fn acknowledgement(body: &[u8]) -> Option<(u16, u8)> {
    let packet_id = u16::from_be_bytes(*body.first_chunk()?);
    Some((packet_id, body.get(2).copied().unwrap_or(0)))
}

#[inline]
fn message(first_byte: u8, body: &[u8], version: ProtocolVersion) -> Option<Message> {
    let qos = QoS::from_bits(first_byte >> 1 & 0b11)?;
    let topic_bytes = usize::from(u16::from_be_bytes(*body.first_chunk()?));
    let mut rest = body.get(2 + topic_bytes..)?;
    let mut packet_id = [0; 2];
    if qos != QoS::AtMostOnce {
        (packet_id, rest) = rest.split_first_chunk().map(|(&packet_id, rest)| (packet_id, rest))?;
    }
    if version.has_properties() {
        let (property_bytes, length_bytes) = variable(rest).ok()??;
        rest = rest.get(length_bytes + property_bytes..)?;
    }
    Some(Message { qos, packet_id, retain: first_byte & 1 != 0, mark: Mark::read(rest) })
}

#[cfg(test)]
mod tests {
    use mqtt_codec::TopicName;

    use super::*;
    use crate::frame::PublishFrame;

    #[test]
    fn a_message_comes_back_with_its_mark_once_all_of_it_is_there() {
        let topic = TopicName::owned("load/7").expect("a legal topic");
        let mark = Mark { topic: 7, sequence: 99, sent_at: 1_000 };
        for version in [ProtocolVersion::V31, ProtocolVersion::V311, ProtocolVersion::V5] {
            for (qos, retain) in
                [(QoS::AtMostOnce, false), (QoS::AtLeastOnce, true), (QoS::ExactlyOnce, false)]
            {
                for payload_bytes in [16, 200, 70_000] {
                    let payload = vec![0x55; payload_bytes];
                    let frame = PublishFrame::new(version, &topic, qos, retain, &payload).expect("legal");
                    let mut bytes = Vec::new();
                    frame.put(0x1234, mark, &payload[16..], &mut bytes);
                    let packet_id = if qos == QoS::AtMostOnce { [0, 0] } else { [0x12, 0x34] };
                    let message = Message { qos, packet_id, retain, mark: Some(mark) };
                    assert_eq!(first(&bytes, version), Ok(Some((Heard::Message(message), bytes.len()))));
                    for length in [0, 1, 2, 10, bytes.len() - 1] {
                        assert_eq!(first(&bytes[..length], version), Ok(None), "{length} bytes");
                    }
                }
            }
        }
    }

    #[test]
    fn answers_are_told_from_refusals() {
        let check = |bytes: &[u8], expected| {
            assert_eq!(first(bytes, ProtocolVersion::V5), Ok(Some((expected, bytes.len()))));
        };
        check(&[0x40, 2, 0, 5], Heard::PubAck { packet_id: 5, reason: 0 });
        check(&[0x40, 3, 0, 5, 0x97], Heard::PubAck { packet_id: 5, reason: 0x97 });
        check(&[0x50, 2, 1, 5], Heard::PubRec { packet_id: 261, reason: 0 });
        check(&[0x62, 2, 0, 5], Heard::PubRel { packet_id: 5 });
        check(&[0x70, 2, 0, 5], Heard::PubComp { packet_id: 5 });
        check(&[0xE0, 1, 0x8E], Heard::Other(&[0xE0, 1, 0x8E]));
        check(&[0xD0, 0], Heard::Other(&[0xD0, 0]));
    }

    #[test]
    fn what_is_no_packet_is_refused() {
        for bytes in [
            &[0x30, 0xFF, 0xFF, 0xFF, 0xFF][..],
            &[0x40, 1, 0],
            &[0x30, 1, 0],
            &[0x30, 2, 0, 9],
            &[0x36, 2, 0, 0],
        ] {
            assert_eq!(first(bytes, ProtocolVersion::V5), Err(Malformed), "{bytes:?}");
        }
    }
}
