//! Owns SUBSCRIBE and the Subscription Options. What subscribing does is the server's business.

use super::{id::PacketId, kind::PacketType};
use crate::{
    error::{EncodeError, Violation},
    property::{Properties, PropertiesRef, PropertyOwner},
    qos::QoS,
    read::{self, Parsed},
    storage::{Borrowed, Owned, Storage, share_bytes},
    topic::TopicFilterRef,
    version::ProtocolVersion,
    write::{self, Output},
};
use alloc::vec::Vec;
use bytes::Bytes;
use core::fmt;

/// Asks for the messages of one or more Topic Filters.
#[derive(Clone, PartialEq, Eq)]
pub struct Subscribe<S: Storage = Owned> {
    /// The identifier that SUBACK will carry.
    pub packet_id: PacketId,
    /// 5.0: Subscription Identifier and User Properties.
    pub properties: Properties<S>,
    /// Filters and options as on the wire; checked, never empty.
    payload: S::Bytes,
}

/// One filter of a SUBSCRIBE with its options.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Subscription<'a> {
    /// What is subscribed to.
    pub filter: TopicFilterRef<'a>,
    /// How it is delivered.
    pub options: SubscriptionOptions,
}

/// How messages of a subscription are delivered. 3.x has the QoS alone.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct SubscriptionOptions {
    /// The highest QoS wanted.
    pub maximum_qos: QoS,
    /// Whether one's own publications are left out.
    pub no_local: bool,
    /// Whether RETAIN is delivered as it was published.
    pub retain_as_published: bool,
    /// What to do with retained messages when subscribing.
    pub retain_handling: RetainHandling,
}

/// When retained messages are sent for a subscription.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum RetainHandling {
    /// At every SUBSCRIBE.
    #[default]
    Send = 0,
    /// Only if the subscription is new.
    SendIfNew = 1,
    /// Never.
    DoNotSend = 2,
}

impl SubscriptionOptions {
    /// Options of nothing but a QoS, as in 3.x.
    #[must_use]
    pub const fn qos(maximum_qos: QoS) -> Self {
        Self {
            maximum_qos,
            no_local: false,
            retain_as_published: false,
            retain_handling: RetainHandling::Send,
        }
    }

    /// The byte on the wire of 5.0; its low two bits are that of 3.x.
    #[must_use]
    pub const fn byte(self) -> u8 {
        self.maximum_qos.bits()
            | (self.no_local as u8) << 2
            | (self.retain_as_published as u8) << 3
            | (self.retain_handling as u8) << 4
    }

    /// Reads the byte `[MQTT5-3.8.3-5]` `[MQTT311-3.8.3-4]`.
    ///
    /// # Errors
    /// Reserved bits, or values that are none.
    pub fn from_byte(byte: u8, version: ProtocolVersion) -> Result<Self, Violation> {
        let reserved = if version.has_properties() { 0b1100_0000 } else { 0b1111_1100 };
        if byte & reserved != 0 {
            return Err(Violation::SubscriptionOptionsReserved);
        }
        Ok(Self {
            maximum_qos: QoS::from_bits(byte & 0b11).ok_or(Violation::SubscriptionQoS3)?,
            no_local: byte & 0b100 != 0,
            retain_as_published: byte & 0b1000 != 0,
            retain_handling: match byte >> 4 & 0b11 {
                0 => RetainHandling::Send,
                1 => RetainHandling::SendIfNew,
                2 => RetainHandling::DoNotSend,
                _ => return Err(Violation::RetainHandling3),
            },
        })
    }
}

impl<'a> Subscribe<Borrowed<'a>> {
    pub(super) fn decode(body: &'a [u8], version: ProtocolVersion) -> Result<Self, Violation> {
        let (payload, subscribe) = Self::parse(body, version).map_err(read::violation)?;
        check(payload, version)?;
        Ok(Self { payload, ..subscribe })
    }

    fn parse(input: &'a [u8], version: ProtocolVersion) -> Parsed<'a, Self> {
        let (rest, packet_id) = read::packet_id(input)?;
        let (rest, properties) = if version.has_properties() {
            PropertiesRef::parse(PropertyOwner::Subscribe, rest)?
        } else {
            (rest, PropertiesRef::NONE)
        };
        Ok((rest, Self { packet_id, properties, payload: &[] }))
    }

    pub(super) fn into_owned(self, frame: &Bytes) -> Subscribe {
        Subscribe {
            packet_id: self.packet_id,
            properties: self.properties.into_owned(frame),
            payload: share_bytes(frame, self.payload),
        }
    }
}

/// Judges the payload: at least one filter, each legal `[MQTT5-3.8.3-2]` `[MQTT311-3.8.3-1]`
/// `[MQTT311-3.8.3-3]`.
fn check(payload: &[u8], version: ProtocolVersion) -> Result<(), Violation> {
    if payload.is_empty() {
        return Err(Violation::SubscribeEmpty);
    }
    let mut rest = payload;
    while !rest.is_empty() {
        let (behind, subscription) = subscription(rest, version).map_err(read::violation)?;
        // [MQTT5-3.8.3-4]
        if subscription.options.no_local && subscription.filter.share_name().is_some() {
            return Err(Violation::NoLocalOnShared);
        }
        rest = behind;
    }
    Ok(())
}

fn subscription(input: &[u8], version: ProtocolVersion) -> Parsed<'_, Subscription<'_>> {
    parse(input, version, version)
}

/// A subscription that was judged by the rules of its own version: any version's filter with the
/// options of 5.0, which are those of 3.x and more.
fn checked(input: &[u8]) -> Parsed<'_, Subscription<'_>> {
    parse(input, ProtocolVersion::V311, ProtocolVersion::V5)
}

fn parse(input: &[u8], filters: ProtocolVersion, options: ProtocolVersion) -> Parsed<'_, Subscription<'_>> {
    // [MQTT5-3.8.3-1]
    let (rest, text) = read::string(input)?;
    let filter = TopicFilterRef::decode(text, filters).map_err(nom::Err::Failure)?;
    let (rest, byte) = read::byte(rest)?;
    let options = SubscriptionOptions::from_byte(byte, options).map_err(nom::Err::Failure)?;
    Ok((rest, Subscription { filter, options }))
}

impl Subscribe {
    /// Collects subscriptions.
    ///
    /// # Errors
    /// No subscription at all, or No Local on a shared one.
    pub fn new<'a>(
        packet_id: PacketId,
        properties: Properties,
        subscriptions: impl IntoIterator<Item = Subscription<'a>>,
    ) -> Result<Self, EncodeError> {
        let mut payload = Vec::new();
        for Subscription { filter, options } in subscriptions {
            write::prefixed(&mut payload, filter.text().as_bytes());
            payload.push(options.byte());
        }
        check(&payload, ProtocolVersion::V5)?;
        Ok(Self { packet_id, properties, payload: Bytes::from(payload) })
    }
}

impl<S: Storage> Subscribe<S> {
    /// The subscriptions in the order of their answers in SUBACK.
    pub fn subscriptions(&self) -> impl Iterator<Item = Subscription<'_>> {
        let mut rest = self.payload.as_ref();
        core::iter::from_fn(move || {
            let (behind, subscription) = checked(rest).ok()?;
            rest = behind;
            Some(subscription)
        })
    }

    pub(super) fn encode(&self, version: ProtocolVersion, out: &mut impl Output) -> Result<(), EncodeError> {
        if version.has_properties() {
            // It may have been received in a version that knows no illegal ShareName.
            check(self.payload.as_ref(), version)?;
        }
        let properties = if version.has_properties() { self.properties.encoded_len() } else { 0 };
        let remaining = 2 + properties + self.payload.as_ref().len();
        let packet_id = self.packet_id.get().to_be_bytes();
        write::head(out, PacketType::Subscribe.first_byte(), remaining, packet_id)?;
        if version.has_properties() {
            self.properties.encode(out)?;
            out.put(self.payload.as_ref());
            return Ok(());
        }
        for Subscription { filter, options } in self.subscriptions() {
            write::prefixed(out, filter.text().as_bytes());
            out.put(&[options.maximum_qos.bits()]);
        }
        Ok(())
    }
}

impl<S: Storage> fmt::Debug for Subscribe<S> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut debug = formatter.debug_struct("Subscribe");
        debug.field("packet_id", &self.packet_id).field("properties", &self.properties);
        debug.field("subscriptions", &self.subscriptions().collect::<Vec<_>>()).finish()
    }
}
