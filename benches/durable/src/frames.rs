//! Owns the packets that the load is made of, encoded once. When they are sent is the load's business.

use std::fmt;

use mqtt_codec::{
    Packet, PacketId, Properties, Property, PropertyOwner, ProtocolVersion, QoS, TopicFilterRef, TopicName,
    packet::{Connect, Delivery, Publish, Subscribe, Subscription, SubscriptionOptions},
};

const VERSION: ProtocolVersion = ProtocolVersion::V5;

/// Of every message.
pub(crate) const PAYLOAD_BYTES: usize = 200;

/// Longer than any measurement.
const SESSION_EXPIRY_SECONDS: u32 = 86_400;

/// Whether a session outlives its connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Lifetime {
    Connection,
    Persistent,
}

/// A CONNECT; a persistent session is resumed if it is there.
pub(crate) fn connect(client_id: &str, lifetime: Lifetime) -> Vec<u8> {
    let expiry = match lifetime {
        Lifetime::Connection => None,
        Lifetime::Persistent => Some(Property::SessionExpiryInterval(SESSION_EXPIRY_SECONDS)),
    };
    encode(&Packet::Connect(Connect {
        version: VERSION,
        clean_start: lifetime == Lifetime::Connection,
        keep_alive_seconds: 0,
        client_id: client_id.to_owned().into(),
        will: None,
        user_name: None,
        password: None,
        properties: Properties::new(PropertyOwner::Connect, expiry).expect("a legal property"),
    }))
}

/// A SUBSCRIBE to one filter at QoS 1.
pub(crate) fn subscribe(filter: &str) -> Vec<u8> {
    let filter = TopicFilterRef::new(filter).expect("a legal filter");
    let subscription = Subscription { filter, options: SubscriptionOptions::qos(QoS::AtLeastOnce) };
    let subscribe = Subscribe::new(PacketId::FIRST, Properties::default(), [subscription]);
    encode(&Packet::Subscribe(subscribe.expect("one filter")))
}

/// Appends a PUBACK with reason code 0.
pub(crate) fn put_puback(packet_id: [u8; 2], out: &mut Vec<u8>) {
    out.extend_from_slice(&[0x40, 2, packet_id[0], packet_id[1]]);
}

/// What tells one message from every other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Mark {
    /// The topic, by its number among all of a load.
    pub(crate) topic: u32,
    /// Counts the messages to the topic from 0.
    pub(crate) sequence: u64,
    /// When it was sent, on the clock of the load that sent it.
    pub(crate) sent_at: u64,
}

/// A PUBLISH at QoS 1 but for its packet id and its mark.
pub(crate) struct PublishFrame {
    bytes: Vec<u8>,
    topic: u32,
}

impl PublishFrame {
    pub(crate) fn new(topic: u32, name: &str) -> Self {
        let publish = Packet::Publish(Publish {
            delivery: Delivery::AtLeastOnce { packet_id: PacketId::FIRST, dup: false },
            retain: false,
            topic: Some(TopicName::owned(name).expect("a legal topic")),
            properties: Properties::default(),
            payload: vec![0x55; PAYLOAD_BYTES].into(),
        });
        Self { bytes: encode(&publish), topic }
    }

    /// Appends it.
    pub(crate) fn put(&self, packet_id: u16, sequence: u64, sent_at: u64, out: &mut Vec<u8>) {
        let payload = out.len() + self.bytes.len() - PAYLOAD_BYTES;
        // The packet id and the empty properties stand before the payload.
        let packet_id_at = payload - 3;
        out.extend_from_slice(&self.bytes);
        out[packet_id_at..][..2].copy_from_slice(&packet_id.to_be_bytes());
        out[payload..][..4].copy_from_slice(&self.topic.to_be_bytes());
        out[payload + 4..][..8].copy_from_slice(&sequence.to_be_bytes());
        out[payload + 12..][..8].copy_from_slice(&sent_at.to_be_bytes());
    }
}

impl fmt::Debug for PublishFrame {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PublishFrame({})", self.topic)
    }
}

/// What the load makes of a packet of the broker.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Heard {
    Connected,
    Subscribed,
    Acknowledged {
        packet_id: u16,
    },
    Message {
        packet_id: [u8; 2],
        mark: Mark,
    },
    /// Refused, ended, or nothing that a broker may send here.
    Trouble {
        packet_type: u8,
        reason: u8,
    },
}

/// The first packet and its length; none until all of it is there.
///
/// It reads no more than it needs and trusts the broker: it must cost less than what it measures.
pub(crate) fn first(bytes: &[u8]) -> Option<(Heard, usize)> {
    let (&first, rest) = bytes.split_first()?;
    let mut body_bytes = 0;
    let mut length_bytes = 0;
    loop {
        let byte = usize::from(*rest.get(length_bytes)?);
        body_bytes |= (byte & 0x7F) << (7 * length_bytes);
        length_bytes += 1;
        if byte < 0x80 {
            break;
        }
    }
    let body = rest.get(length_bytes..length_bytes + body_bytes)?;
    Some((interpret(first, body), 1 + length_bytes + body_bytes))
}

fn interpret(first: u8, body: &[u8]) -> Heard {
    let trouble = |reason| Heard::Trouble { packet_type: first >> 4, reason };
    let refusal = |at: usize| body.get(at).copied().filter(|&reason| reason >= 0x80);
    match first >> 4 {
        2 => refusal(1).map_or(Heard::Connected, trouble),
        3 => message(body).unwrap_or_else(|| trouble(0)),
        4 => match (refusal(2), body) {
            (None, &[high, low, ..]) => Heard::Acknowledged { packet_id: u16::from_be_bytes([high, low]) },
            (reason, _) => trouble(reason.unwrap_or(0)),
        },
        9 => refusal(body.len() - 1).map_or(Heard::Subscribed, trouble),
        14 => trouble(body.first().copied().unwrap_or(0)),
        _ => trouble(0),
    }
}

fn message(body: &[u8]) -> Option<Heard> {
    let topic_bytes = usize::from(u16::from_be_bytes(*body.first_chunk()?));
    let packet_id = *body.get(2 + topic_bytes..)?.first_chunk()?;
    let payload = body.get(body.len().checked_sub(PAYLOAD_BYTES)?..)?;
    let topic = u32::from_be_bytes(*payload.first_chunk()?);
    let sequence = u64::from_be_bytes(*payload[4..].first_chunk()?);
    let sent_at = u64::from_be_bytes(*payload[12..].first_chunk()?);
    Some(Heard::Message { packet_id, mark: Mark { topic, sequence, sent_at } })
}

fn encode(packet: &Packet) -> Vec<u8> {
    let mut bytes = Vec::new();
    packet.encode(VERSION, &mut bytes).expect("a legal packet");
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_comes_back_with_its_mark_once_all_of_it_is_there() {
        let mut bytes = Vec::new();
        PublishFrame::new(7, "durable/7").put(0x1234, 99, 1_000, &mut bytes);
        let mark = Mark { topic: 7, sequence: 99, sent_at: 1_000 };
        let heard = Heard::Message { packet_id: [0x12, 0x34], mark };
        assert_eq!(first(&bytes), Some((heard, bytes.len())));
        for length in 0..bytes.len() {
            assert_eq!(first(&bytes[..length]), None, "{length} bytes");
        }
    }

    #[test]
    fn answers_are_told_from_refusals() {
        let check = |bytes: &[u8], expected| assert_eq!(first(bytes), Some((expected, bytes.len())));
        check(&[0x20, 3, 0, 0, 0], Heard::Connected);
        check(&[0x20, 3, 0, 0x97, 0], Heard::Trouble { packet_type: 2, reason: 0x97 });
        check(&[0x40, 2, 0, 5], Heard::Acknowledged { packet_id: 5 });
        check(&[0x40, 3, 0, 5, 0x97], Heard::Trouble { packet_type: 4, reason: 0x97 });
        check(&[0x90, 4, 0, 1, 0, 1], Heard::Subscribed);
        check(&[0x90, 4, 0, 1, 0, 0x87], Heard::Trouble { packet_type: 9, reason: 0x87 });
        check(&[0xE0, 1, 0x8E], Heard::Trouble { packet_type: 14, reason: 0x8E });
    }
}
