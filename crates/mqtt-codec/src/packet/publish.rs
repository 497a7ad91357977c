//! Owns PUBLISH. The handshakes behind QoS 1 and 2, and what an alias stands for, are `flow`'s business.

mod run;

pub use run::PublishRun;

use super::{id::PacketId, kind::PacketType};
use crate::{
    error::{EncodeError, Violation},
    property::{Properties, PropertiesRef, PropertyId, PropertyOwner},
    qos::QoS,
    read::{self, Parsed},
    storage::{Borrowed, Owned, Storage, share_bytes},
    topic::{TopicName, TopicNameRef},
    varint,
    version::ProtocolVersion,
    write::{self, Output},
};
use bytes::Bytes;

/// An Application Message on its way.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Publish<S: Storage = Owned> {
    /// QoS, and what QoS 1 and 2 need to be acknowledged.
    pub delivery: Delivery,
    /// The RETAIN flag.
    pub retain: bool,
    /// The topic; none where a Topic Alias stands for it (5.0).
    pub topic: Option<TopicName<S>>,
    /// 5.0: Topic Alias, Message Expiry Interval, Response Topic and more.
    pub properties: Properties<S>,
    /// What is said; may be empty.
    pub payload: S::Bytes,
}

/// The QoS of a PUBLISH with the Packet Identifier and DUP flag that belong to it: at QoS 0 there is
/// neither `[MQTT5-2.2.1-2]` `[MQTT5-4.3.1-1]` `[MQTT5-3.3.1-2]` `[MQTT311-2.3.1-5]` `[MQTT311-3.3.1-2]`
/// `[MQTT311-4.3.1-1]`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Delivery {
    /// QoS 0.
    AtMostOnce,
    /// QoS 1.
    AtLeastOnce {
        /// The identifier that PUBACK will carry.
        packet_id: PacketId,
        /// Whether it may have been sent before.
        dup: bool,
    },
    /// QoS 2.
    ExactlyOnce {
        /// The identifier that PUBREC, PUBREL and PUBCOMP will carry.
        packet_id: PacketId,
        /// Whether it may have been sent before.
        dup: bool,
    },
}

impl Delivery {
    /// The Quality of Service.
    #[must_use]
    #[inline]
    pub const fn qos(self) -> QoS {
        match self {
            Self::AtMostOnce => QoS::AtMostOnce,
            Self::AtLeastOnce { .. } => QoS::AtLeastOnce,
            Self::ExactlyOnce { .. } => QoS::ExactlyOnce,
        }
    }

    /// The Packet Identifier at QoS 1 and 2.
    #[must_use]
    #[inline]
    pub const fn packet_id(self) -> Option<PacketId> {
        match self {
            Self::AtMostOnce => None,
            Self::AtLeastOnce { packet_id, .. } | Self::ExactlyOnce { packet_id, .. } => Some(packet_id),
        }
    }

    /// The DUP flag.
    #[must_use]
    #[inline]
    pub const fn dup(self) -> bool {
        match self {
            Self::AtMostOnce => false,
            Self::AtLeastOnce { dup, .. } | Self::ExactlyOnce { dup, .. } => dup,
        }
    }
}

/// The topic of the last PUBLISH that was decoded from a buffer. A publisher says the same topic over and over,
/// and comparing it costs a tenth of judging it.
#[derive(Clone, Copy, Debug, Default)]
pub struct LastTopic<'a>(Option<TopicNameRef<'a>>);

impl<'a> Publish<Borrowed<'a>> {
    #[inline(always)]
    pub(super) fn decode(
        flags: u8,
        body: &'a [u8],
        version: ProtocolVersion,
        last_topic: &mut LastTopic<'a>,
    ) -> Result<Self, Violation> {
        match Self::parse(flags, body, version, last_topic) {
            Ok((payload, publish)) => Ok(Self { payload, ..publish }),
            Err(error) => Err(read::violation(error)),
        }
    }

    /// Everything up to the payload, which is what is left over; the topic comes first `[MQTT5-3.3.2-1]`
    /// `[MQTT311-3.3.2-1]`.
    #[inline(always)]
    fn parse(
        flags: u8,
        input: &'a [u8],
        version: ProtocolVersion,
        last_topic: &mut LastTopic<'a>,
    ) -> Parsed<'a, Self> {
        let (rest, text) = read::binary(input)?;
        let known = last_topic.0.filter(|known| known.text().as_bytes() == text);
        let text = known.map_or_else(|| read::utf8(text), |known| Ok(known.text()))?;
        let (rest, delivery) = delivery(flags, rest)?;
        let (rest, properties) = if version.has_properties() {
            PropertiesRef::parse(PropertyOwner::Publish, rest)?
        } else {
            (rest, PropertiesRef::NONE)
        };
        let topic = match known {
            Some(_) => known,
            None => topic(text, &properties, version).map_err(nom::Err::Failure)?,
        };
        last_topic.0 = topic;
        Ok((rest, Self { delivery, retain: flags & 1 != 0, topic, properties, payload: &[] }))
    }

    pub(super) fn into_owned(self, frame: &Bytes) -> Publish {
        Publish {
            delivery: self.delivery,
            retain: self.retain,
            topic: self.topic.map(|topic| topic.into_owned(frame)),
            properties: self.properties.into_owned(frame),
            payload: share_bytes(frame, self.payload),
        }
    }
}

/// The Packet Identifier is there exactly at QoS 1 and 2.
#[inline]
fn delivery(flags: u8, input: &[u8]) -> Parsed<'_, Delivery> {
    let dup = flags & 0b1000 != 0;
    match QoS::from_bits(flags >> 1 & 0b11) {
        Some(QoS::AtMostOnce) => Ok((input, Delivery::AtMostOnce)),
        Some(QoS::AtLeastOnce) => {
            let (rest, packet_id) = read::packet_id(input)?;
            Ok((rest, Delivery::AtLeastOnce { packet_id, dup }))
        }
        Some(QoS::ExactlyOnce) => {
            let (rest, packet_id) = read::packet_id(input)?;
            Ok((rest, Delivery::ExactlyOnce { packet_id, dup }))
        }
        None => read::fail(Violation::PublishQoS3),
    }
}

/// An empty Topic Name is legal only where a Topic Alias stands for it.
#[inline]
fn topic<'a>(
    text: &'a str,
    properties: &PropertiesRef<'a>,
    version: ProtocolVersion,
) -> Result<Option<TopicNameRef<'a>>, Violation> {
    if !text.is_empty() {
        return TopicNameRef::decode(text).map(Some);
    }
    match version {
        ProtocolVersion::V5 if properties.topic_alias().is_some() => Ok(None),
        ProtocolVersion::V5 => Err(Violation::TopicEmptyWithoutAlias),
        ProtocolVersion::V31 | ProtocolVersion::V311 => Err(Violation::TopicEmpty),
    }
}

impl<S: Storage> Publish<S> {
    /// Appends the packet and tells where its parts are.
    ///
    /// # Errors
    /// The caller's fault, see [`EncodeError`].
    pub fn encode(
        &self,
        version: ProtocolVersion,
        out: &mut impl Output,
    ) -> Result<PublishLayout, EncodeError> {
        self.parts().encode(version, out)
    }

    fn parts(&self) -> PublishParts<'_> {
        PublishParts {
            delivery: self.delivery,
            retain: self.retain,
            topic: self.topic.as_ref().map_or("", TopicName::as_str),
            first_properties: &[],
            properties: self.properties.raw(),
            payload: self.payload.as_ref(),
        }
    }
}

/// A PUBLISH taken apart, for a server that sends one message to many: what differs per receiver
/// (`first_properties`) and what is shared (`properties`) need not be copied together first.
#[derive(Clone, Copy, Debug)]
pub struct PublishParts<'a> {
    /// QoS, Packet Identifier and DUP.
    pub delivery: Delivery,
    /// The RETAIN flag.
    pub retain: bool,
    /// The topic; empty where a Topic Alias among the properties stands for it.
    pub topic: &'a str,
    /// Raw properties that come first.
    pub first_properties: &'a [u8],
    /// Raw properties that follow.
    pub properties: &'a [u8],
    /// The payload.
    pub payload: &'a [u8],
}

/// Where the parts of an encoded PUBLISH are, as positions in the buffer it was appended to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PublishLayout {
    /// The first byte, which holds DUP, QoS and RETAIN.
    pub start: usize,
    /// The two bytes of the Packet Identifier; at QoS 0 where they would be.
    pub packet_id: usize,
}

impl PublishParts<'_> {
    /// Bytes of the whole packet, fixed header included.
    ///
    /// # Errors
    /// A topic over 65,535 bytes or a packet over 268,435,460.
    pub fn encoded_len(&self, version: ProtocolVersion) -> Result<usize, EncodeError> {
        let remaining = write::remaining_length(self.remaining(version)?)?;
        Ok(1 + varint::encoded_len(remaining) + remaining as usize)
    }

    /// Appends the whole packet.
    ///
    /// # Errors
    /// As [`encoded_len`](Self::encoded_len); nothing is appended then.
    #[inline(always)]
    pub fn encode(
        &self,
        version: ProtocolVersion,
        out: &mut impl Output,
    ) -> Result<PublishLayout, EncodeError> {
        let layout = self.encode_head(version, out)?;
        out.put(self.payload);
        Ok(layout)
    }

    /// Appends everything but the payload, which the caller sends right behind it.
    ///
    /// # Errors
    /// As [`encoded_len`](Self::encoded_len); nothing is appended then.
    #[inline(always)]
    pub fn encode_head(
        &self,
        version: ProtocolVersion,
        out: &mut impl Output,
    ) -> Result<PublishLayout, EncodeError> {
        let remaining = self.remaining(version)?;
        let start = out.position();
        write::head(out, self.first_byte(), remaining, write::length_bytes(self.topic.len()))?;
        out.put(self.topic.as_bytes());
        let packet_id = out.position();
        if let Some(id) = self.delivery.packet_id() {
            out.put(&id.get().to_be_bytes());
        }
        if version.has_properties() {
            write::variable(out, write::remaining_length(self.property_bytes())?);
            out.put(self.first_properties);
            out.put(self.properties);
        }
        Ok(PublishLayout { start, packet_id })
    }

    #[inline]
    fn first_byte(&self) -> u8 {
        let dup = if self.delivery.dup() { 0b1000 } else { 0 };
        PacketType::Publish.first_byte() | dup | self.delivery.qos().bits() << 1 | u8::from(self.retain)
    }

    #[inline]
    fn remaining(&self, version: ProtocolVersion) -> Result<usize, EncodeError> {
        let mut remaining = write::prefixed_len(self.topic.len())? + self.payload.len();
        if self.delivery.packet_id().is_some() {
            remaining += 2;
        }
        if version.has_properties() {
            let properties = write::remaining_length(self.property_bytes())?;
            remaining += varint::encoded_len(properties) + properties as usize;
        }
        if self.topic.is_empty() {
            self.check_alias(version)?;
        }
        Ok(remaining)
    }

    /// Without a topic there must be an alias.
    #[cold]
    fn check_alias(&self, version: ProtocolVersion) -> Result<(), EncodeError> {
        if !version.has_properties() {
            return Err(EncodeError::Violation(Violation::TopicEmpty));
        }
        let has_alias = [self.first_properties, self.properties]
            .into_iter()
            .filter_map(|raw| PropertiesRef::from_raw(PropertyOwner::Publish, raw).ok())
            .any(|properties| properties.contains(PropertyId::TopicAlias));
        if has_alias { Ok(()) } else { Err(EncodeError::Violation(Violation::TopicEmptyWithoutAlias)) }
    }

    #[inline]
    fn property_bytes(&self) -> usize {
        self.first_properties.len() + self.properties.len()
    }
}
