//! Owns the packets that clients send, encoded once. When they are sent is not its business.

use std::fmt;

use bytes::Bytes;
use mqtt_codec::packet::{Connect, Delivery, PublishParts, Subscribe, Subscription, SubscriptionOptions};
use mqtt_codec::{
    EncodeError, Packet, PacketId, Properties, Property, PropertyOwner, ProtocolVersion, QoS, TopicFilterRef,
    TopicName,
};

use crate::error::Invalid;
use crate::mark::{MARK_BYTES, Mark};
use crate::target::{Lifetime, Target};

/// Of a persistent session: longer than any measurement.
const SESSION_EXPIRY_SECONDS: u32 = 86_400;

/// Bytes of filters in one SUBSCRIBE; the last may go over. Small enough for every broker's limit.
const FILTER_BYTES_MAX: usize = 16 * 1024;

pub(crate) const PINGREQ: [u8; 2] = [0xC0, 0];
/// Reason code 0, in every version.
pub(crate) const DISCONNECT: [u8; 2] = [0xE0, 0];

/// A CONNECT, mostly without Keep Alive: a load is never silent for long, and should not be measured pinging.
pub(crate) fn connect(target: &Target, client_id: &str, lifetime: Lifetime) -> Result<Vec<u8>, EncodeError> {
    let expiry = match (lifetime, target.version) {
        (Lifetime::Persistent, ProtocolVersion::V5) => {
            Some(Property::SessionExpiryInterval(SESSION_EXPIRY_SECONDS))
        }
        (Lifetime::Persistent, ProtocolVersion::V31 | ProtocolVersion::V311) | (Lifetime::Connection, _) => {
            None
        }
    };
    let connect = Packet::Connect(Connect {
        version: target.version,
        clean_start: lifetime == Lifetime::Connection,
        keep_alive_seconds: target.keep_alive_seconds,
        client_id: client_id.to_owned().into(),
        will: None,
        user_name: target.user_name.clone().map(Into::into),
        password: target.password.clone().map(Bytes::from),
        properties: Properties::new(PropertyOwner::Connect, expiry)?,
    });
    let mut bytes = Vec::new();
    connect.encode(target.version, &mut bytes)?;
    Ok(bytes)
}

/// Appends as many SUBSCRIBE packets as the filters need, and tells how many.
pub(crate) fn put_subscribes(
    filters: &[String],
    maximum_qos: QoS,
    version: ProtocolVersion,
    out: &mut Vec<u8>,
) -> Result<u32, Invalid> {
    let (mut packet_id, mut packets) = (PacketId::FIRST, 0);
    let mut rest = filters;
    while !rest.is_empty() {
        let mut bytes = 0;
        let fits = |filter: &&String| {
            let fits = bytes < FILTER_BYTES_MAX;
            bytes += filter.len();
            fits
        };
        let (chunk, behind) = rest.split_at(rest.iter().take_while(fits).count());
        let subscriptions = chunk.iter().map(|filter| {
            let filter = TopicFilterRef::new(filter).map_err(Invalid::Topic)?;
            Ok(Subscription { filter, options: SubscriptionOptions::qos(maximum_qos) })
        });
        let subscriptions = subscriptions.collect::<Result<Vec<_>, _>>()?;
        let subscribe = Subscribe::new(packet_id, Properties::default(), subscriptions);
        let subscribe = Packet::Subscribe(subscribe.map_err(Invalid::Packet)?);
        subscribe.encode(version, out).map_err(Invalid::Packet)?;
        (packet_id, packets, rest) = (packet_id.next(), packets + 1, behind);
    }
    Ok(packets)
}

/// Appends an acknowledgement without a reason: PUBACK, PUBREC, PUBREL or PUBCOMP by its first byte.
#[inline]
pub(crate) fn put_acknowledgement(first_byte: u8, packet_id: [u8; 2], out: &mut Vec<u8>) {
    out.extend_from_slice(&[first_byte, 2, packet_id[0], packet_id[1]]);
}

/// A PUBLISH but for its packet id and its payload.
pub(crate) struct PublishFrame {
    head: Box<[u8]>,
    packet_id_at: Option<u32>,
}

impl PublishFrame {
    pub(crate) fn new(
        version: ProtocolVersion,
        topic: &TopicName,
        qos: QoS,
        retain: bool,
        payload: &[u8],
    ) -> Result<Self, EncodeError> {
        let (packet_id, dup) = (PacketId::FIRST, false);
        let delivery = match qos {
            QoS::AtMostOnce => Delivery::AtMostOnce,
            QoS::AtLeastOnce => Delivery::AtLeastOnce { packet_id, dup },
            QoS::ExactlyOnce => Delivery::ExactlyOnce { packet_id, dup },
        };
        let parts = PublishParts {
            delivery,
            retain,
            topic: topic.as_str(),
            first_properties: &[],
            properties: &[],
            payload,
        };
        let mut head = Vec::new();
        let layout = parts.encode_head(version, &mut head)?;
        let packet_id_at = packet_id_at(qos, layout.packet_id);
        Ok(Self { head: head.into(), packet_id_at })
    }

    /// Appends the message; `filler` is its payload behind the mark.
    #[inline]
    pub(crate) fn put(&self, packet_id: u16, mark: Mark, filler: &[u8], out: &mut Vec<u8>) {
        out.reserve(self.head.len() + MARK_BYTES + filler.len());
        let begin = out.len();
        out.extend_from_slice(&self.head);
        if let Some(at) = self.packet_id_at {
            out[begin + at as usize..][..2].copy_from_slice(&packet_id.to_be_bytes());
        }
        out.extend_from_slice(&mark.bytes());
        out.extend_from_slice(filler);
    }
}

/// A head is a topic and a few bytes, so its positions are small.
fn packet_id_at(qos: QoS, position: usize) -> Option<u32> {
    (qos != QoS::AtMostOnce).then(|| u32::try_from(position).unwrap_or_default())
}

impl fmt::Debug for PublishFrame {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PublishFrame({} bytes)", self.head.len())
    }
}

#[cfg(test)]
mod tests {
    use mqtt_codec::MAXIMUM_PACKET_BYTES;

    use super::*;

    fn decode(bytes: &[u8], version: ProtocolVersion) -> Vec<Packet> {
        let mut rest = Bytes::copy_from_slice(bytes);
        let first = |rest: &mut Bytes| {
            let (packet, length) = Packet::decode_first(rest, version, MAXIMUM_PACKET_BYTES).ok()??;
            *rest = rest.slice(length..);
            Some(packet)
        };
        let packets = std::iter::from_fn(|| first(&mut rest)).collect();
        assert!(rest.is_empty(), "{rest:?} is no packet");
        packets
    }

    #[test]
    fn a_connect_says_who_comes_and_how_long_the_session_lasts() {
        for (version, lifetime, clean_start, expiry) in [
            (ProtocolVersion::V31, Lifetime::Connection, true, None),
            (ProtocolVersion::V311, Lifetime::Connection, true, None),
            (ProtocolVersion::V311, Lifetime::Persistent, false, None),
            (ProtocolVersion::V5, Lifetime::Connection, true, None),
            (ProtocolVersion::V5, Lifetime::Persistent, false, Some(86_400)),
        ] {
            let target = Target {
                version,
                user_name: Some("ann".to_owned()),
                password: Some(b"secret".to_vec()),
                keep_alive_seconds: 7,
                ..Target::new(([127, 0, 0, 1], 1).into())
            };
            assert!(!format!("{target:?}").contains("secret"));
            let bytes = connect(&target, "one", lifetime).expect("a legal packet");
            let [Packet::Connect(connect)] = &decode(&bytes, version)[..] else { panic!("not CONNECT") };
            assert_eq!((connect.version, &*connect.client_id), (version, "one"));
            assert_eq!(connect.user_name.as_deref(), Some("ann"));
            assert_eq!(connect.password.as_deref(), Some(&b"secret"[..]));
            assert_eq!((connect.clean_start, connect.keep_alive_seconds), (clean_start, 7));
            assert_eq!(connect.properties.session_expiry_interval(), expiry);
        }
    }

    #[test]
    fn many_filters_are_spread_over_packets_that_every_broker_takes() {
        let filters: Vec<_> = (0..5_000).map(|number| format!("filter/{number}/+")).collect();
        for version in [ProtocolVersion::V311, ProtocolVersion::V5] {
            let mut bytes = Vec::new();
            let packets = put_subscribes(&filters, QoS::AtLeastOnce, version, &mut bytes);
            let decoded = decode(&bytes, version);
            assert_eq!(packets, Ok(4));
            assert_eq!(decoded.len(), 4);
            let mut there = Vec::new();
            for packet in decoded {
                let Packet::Subscribe(subscribe) = packet else { panic!("not SUBSCRIBE") };
                there.extend(subscribe.subscriptions().map(|it| it.filter.text().to_owned()));
            }
            assert_eq!(there, filters);
        }
        assert_eq!(put_subscribes(&[], QoS::AtMostOnce, ProtocolVersion::V5, &mut Vec::new()), Ok(0));
    }
}
