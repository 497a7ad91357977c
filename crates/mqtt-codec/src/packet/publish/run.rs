//! Owns plain PUBLISH packets, one or several that lie one behind the other and differ in their payloads only. What one
//! says is `publish`'s business.

use super::{Delivery, Publish};
use crate::{
    property::PropertiesRef,
    storage::Borrowed,
    topic::TopicNameRef,
    varint::{self, Varint},
};

/// One or more PUBLISH packets of QoS 0 to one topic, without properties and RETAIN: what is true of one of them but for
/// its payload is true of all. A publisher that sends faster than it is read from leaves its packets so.
///
/// Made by [`of`](Self::of), or elsewhere from the bytes and the numbers of one that was.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PublishRun<'a> {
    /// The topic of each packet.
    pub topic: TopicNameRef<'a>,
    /// All packets, whole.
    pub bytes: &'a [u8],
    /// How many they are.
    pub count: u32,
    /// Bytes of each packet between its fixed header and its payload.
    pub variable_header_bytes: u32,
    /// Bytes of all payloads.
    pub payload_bytes: u32,
    /// Bytes of the largest packet.
    pub packet_bytes_max: u32,
}

impl<'a> PublishRun<'a> {
    /// The packets that `input` begins with, if they are as plain as that, `first` having been decoded from the front
    /// of it. None of them has more than `packet_bytes_max` bytes, all together not more than `bytes_max`.
    #[inline]
    #[must_use]
    pub fn of(
        first: &Publish<Borrowed<'a>>,
        input: &'a [u8],
        packet_bytes_max: usize,
        bytes_max: usize,
    ) -> Option<Self> {
        let topic = first.topic?;
        if first.retain || first.delivery != Delivery::AtMostOnce || !first.properties.is_empty() {
            return None;
        }
        let (header_bytes, remaining) = fixed_header(input)?;
        let first_bytes = header_bytes + remaining;
        if first_bytes > packet_bytes_max {
            return None;
        }
        let (type_and_flags, limit) = (*input.first()?, bytes_max.min(input.len()));
        let variable_header = input.get(header_bytes..first_bytes - first.payload.len())?;
        let (mut bytes, mut payload_bytes, mut largest) = (first_bytes, first.payload.len(), first_bytes);
        let mut count = 1;
        while let Some(packet) = next(input.get(bytes..limit)?, type_and_flags, variable_header) {
            if packet.bytes > packet_bytes_max {
                break;
            }
            bytes += packet.bytes;
            payload_bytes += packet.payload_bytes;
            largest = largest.max(packet.bytes);
            count += 1;
        }
        let narrow = |number| u32::try_from(number).ok();
        Some(Self {
            topic,
            bytes: input.get(..bytes)?,
            count,
            variable_header_bytes: narrow(variable_header.len())?,
            payload_bytes: narrow(payload_bytes)?,
            packet_bytes_max: narrow(largest)?,
        })
    }

    /// Each packet, with its bytes.
    pub fn packets(self) -> impl Iterator<Item = (&'a [u8], Publish<Borrowed<'a>>)> {
        let mut rest = self.bytes;
        core::iter::from_fn(move || {
            let (header_bytes, remaining) = fixed_header(rest)?;
            let (bytes, behind) = rest.split_at_checked(header_bytes + remaining)?;
            rest = behind;
            let payload = bytes.get(header_bytes + self.variable_header_bytes as usize..)?;
            let (topic, properties) = (Some(self.topic), PropertiesRef::NONE);
            Some((
                bytes,
                Publish { delivery: Delivery::AtMostOnce, retain: false, topic, properties, payload },
            ))
        })
    }
}

/// The sizes of a packet.
struct Sizes {
    bytes: usize,
    payload_bytes: usize,
}

/// The packet at the front, if it is whole and one of the run.
#[inline]
fn next(input: &[u8], type_and_flags: u8, variable_header: &[u8]) -> Option<Sizes> {
    if *input.first()? != type_and_flags {
        return None;
    }
    let (header_bytes, remaining) = fixed_header(input)?;
    let body = input.get(header_bytes..header_bytes + remaining)?;
    let is_alike = body.get(..variable_header.len())? == variable_header;
    is_alike
        .then(|| Sizes { bytes: header_bytes + remaining, payload_bytes: remaining - variable_header.len() })
}

/// Bytes of the fixed header, and of what is behind it.
#[inline]
fn fixed_header(input: &[u8]) -> Option<(usize, usize)> {
    match varint::decode(input.get(1..)?) {
        Varint::Complete { value, bytes } => Some((1 + bytes, value as usize)),
        Varint::Incomplete | Varint::Malformed => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{PacketRef, ProtocolVersion, frame};
    use std::{vec, vec::Vec};

    fn publish(first: u8, topic: &str, payload: &str) -> Vec<u8> {
        let body =
            [&[0, u8::try_from(topic.len()).unwrap()][..], topic.as_bytes(), payload.as_bytes()].concat();
        [&[first, u8::try_from(body.len()).unwrap()][..], &body].concat()
    }

    /// The payloads of the run that the input begins with.
    fn check(
        version: ProtocolVersion,
        packet_bytes_max: usize,
        bytes_max: usize,
        input: &[Vec<u8>],
    ) -> Vec<Vec<u8>> {
        let bytes = input.concat();
        let first = frame(&bytes, version, 1_000).unwrap().unwrap();
        let PacketRef::Publish(publish) = PacketRef::decode(first, version).unwrap() else {
            panic!("{first:?}")
        };
        let Some(run) = PublishRun::of(&publish, &bytes, packet_bytes_max, bytes_max) else {
            return vec![];
        };
        let payloads: Vec<_> = run.packets().map(|(_, packet)| packet.payload.to_vec()).collect();
        let packets: Vec<_> = run.packets().map(|(bytes, _)| bytes.to_vec()).collect();
        assert_eq!(packets, input[..packets.len()], "each is what it was");
        assert_eq!(run.bytes, packets.concat());
        assert_eq!(run.count as usize, payloads.len());
        assert_eq!(run.payload_bytes as usize, payloads.concat().len());
        assert_eq!(run.packet_bytes_max as usize, packets.iter().map(Vec::len).max().unwrap());
        for (bytes, packet) in run.packets() {
            let frame = frame(bytes, version, 1_000).unwrap().unwrap();
            assert_eq!(PacketRef::decode(frame, version).unwrap(), PacketRef::Publish(packet.clone()));
            let alike = Publish { payload: packet.payload, ..publish.clone() };
            assert_eq!(alike, packet, "all but the payload is the same");
        }
        payloads
    }

    const V311: ProtocolVersion = ProtocolVersion::V311;
    const V5: ProtocolVersion = ProtocolVersion::V5;

    #[test]
    fn packets_that_differ_in_their_payload_only_are_a_run_and_so_is_one_that_is_alone() {
        assert_eq!(check(V311, 1_000, 1_000, &[publish(0x30, "t", "one")]), [b"one"]);
        let input = [publish(0x30, "t", "one"), publish(0x30, "t", ""), publish(0x30, "t", "three")];
        assert_eq!(check(V311, 1_000, 1_000, &input), [&b"one"[..], b"", b"three"]);
        // Without properties is with a length of 0; what follows is the payload.
        let input = [publish(0x30, "t", "\0one"), publish(0x30, "t", "\0\0")];
        assert_eq!(check(V5, 1_000, 1_000, &input), [&b"one"[..], b"\0"]);
    }

    #[test]
    fn a_run_ends_where_anything_else_differs() {
        let first = publish(0x30, "t", "\0one");
        let others = [
            publish(0x31, "t", "\0two"),
            publish(0x30, "u", "\0two"),
            publish(0x30, "", "\0two"),
            publish(0x30, "tt", "\0two"),
            publish(0x30, "t", "\x02\x01\0two"),
            vec![0xC0, 0],
            vec![0x30],
            vec![0x30, 0x80, 0x80, 0x80, 0x80, 1],
            vec![0x30, 2, 0, 1],
            publish(0x30, "t", "\0two")[..7].to_vec(),
        ];
        for other in others {
            assert_eq!(check(V5, 1_000, 1_000, &[first.clone(), other.clone()]), [b"one"], "{other:02x?}");
            let two = [first.clone(), first.clone(), other.clone()];
            assert_eq!(check(V5, 1_000, 1_000, &two).len(), 2, "{other:02x?}");
        }
    }

    #[test]
    fn what_is_not_as_plain_begins_none() {
        for first in [
            publish(0x31, "t", "\0one"),
            publish(0x32, "t", "\0\x01\0one"),
            publish(0x30, "t", "\x02\x01\0one"),
            publish(0x30, "", "\x03\x23\0\x01one"),
        ] {
            assert_eq!(check(V5, 1_000, 1_000, &[first.clone(), first.clone()]), [[]; 0], "{first:02x?}");
        }
    }

    #[test]
    fn neither_a_packet_nor_the_run_is_larger_than_it_may_be() {
        let (small, large) = (publish(0x30, "t", "12345"), publish(0x30, "t", "123456"));
        assert_eq!((small.len(), large.len()), (10, 11));
        let input = [small.clone(), small.clone(), large.clone(), small.clone()];
        for (packet_bytes_max, bytes_max, expected) in [
            (11, 41, 4),
            (11, 40, 3),
            (11, 31, 3),
            (11, 30, 2),
            (10, 41, 2),
            (9, 41, 0),
            (10, 20, 2),
            (10, 19, 1),
            (10, 10, 1),
            (10, 9, 0),
        ] {
            let run = check(V311, packet_bytes_max, bytes_max, &input);
            assert_eq!(run.len(), expected, "{packet_bytes_max} {bytes_max}");
        }
    }
}
