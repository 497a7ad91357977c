//! Owns Properties: raw bytes that were checked once and are read lazily. The catalogue of properties
//! is in `property/catalogue.rs`.

mod accessors;
mod catalogue;
mod check;
mod raw;
mod value;

pub use catalogue::{PropertyId, PropertyOwner};
pub use value::{PayloadFormat, Property, TopicAlias};

use crate::{
    error::{EncodeError, Violation},
    read::{self, Parsed},
    storage::{Borrowed, Owned, Storage, share_bytes},
    varint,
    write::{self, Output},
};
use alloc::vec::Vec;
use bytes::Bytes;
use core::fmt;
use raw::RawProperties;

/// The properties of one packet or Will: legal for it, each at most once unless it may repeat, in the
/// order they were sent. Packets of 3.x have none.
#[derive(Clone, PartialEq, Eq)]
pub struct Properties<S: Storage = Owned>(S::Bytes);

/// The properties inside a frame.
pub type PropertiesRef<'a> = Properties<Borrowed<'a>>;

impl<S: Storage> Default for Properties<S> {
    fn default() -> Self {
        Self::NONE
    }
}

impl<S: Storage> Properties<S> {
    /// No properties.
    pub const NONE: Self = Self(S::NO_BYTES);

    /// Accepts the raw properties of a packet, without their length. Allocates nothing.
    ///
    /// # Errors
    /// The first violation: an unknown, misplaced, repeated or cut property, or a value out of range.
    #[inline]
    pub fn from_raw(owner: PropertyOwner, raw: S::Bytes) -> Result<Self, Violation> {
        check::check(owner, raw.as_ref())?;
        Ok(Self(raw))
    }

    /// Whether there are none.
    #[must_use]
    #[inline]
    pub fn is_empty(&self) -> bool {
        self.raw().is_empty()
    }

    /// The properties as they stand on the wire, without their length.
    #[must_use]
    #[inline]
    pub fn raw(&self) -> &[u8] {
        self.0.as_ref()
    }

    /// Each property in the order it was sent.
    #[must_use]
    pub fn iter(&self) -> PropertyIter<'_> {
        PropertyIter(RawProperties(self.raw()))
    }

    /// Whether a property is among them.
    #[must_use]
    pub fn contains(&self, id: PropertyId) -> bool {
        RawProperties(self.raw()).any(|(found, _)| found == id)
    }

    /// The first property of an identifier; only its own value is read.
    #[inline]
    fn find(&self, id: PropertyId) -> Option<Property<'_>> {
        let (_, value) = RawProperties(self.raw()).find(|&(found, _)| found == id)?;
        Property::read(id, value)
    }

    /// All properties of an identifier.
    fn all(&self, id: PropertyId) -> impl Iterator<Item = Property<'_>> {
        let properties = RawProperties(self.raw()).filter(move |&(found, _)| found == id);
        properties.filter_map(|(id, value)| Property::read(id, value))
    }

    /// The length prefix, which is 0 where there are none `[MQTT5-2.2.2-1]`, and the properties, as bytes on
    /// the wire.
    pub(crate) fn encoded_len(&self) -> usize {
        let length = self.raw().len();
        varint::encoded_len(u32::try_from(length).unwrap_or(u32::MAX)) + length
    }

    pub(crate) fn encode(&self, out: &mut impl Output) -> Result<(), EncodeError> {
        write::variable(out, write::remaining_length(self.raw().len())?);
        out.put(self.raw());
        Ok(())
    }
}

impl<'a> PropertiesRef<'a> {
    /// The length prefix and the properties of a packet. Allocates nothing.
    #[inline]
    pub(crate) fn parse(owner: PropertyOwner, input: &'a [u8]) -> Parsed<'a, Self> {
        // Most packets have no properties: one zero byte.
        if let Some((0, rest)) = input.split_first() {
            return Ok((rest, Self::NONE));
        }
        Self::parse_some(owner, input)
    }

    #[inline(never)]
    fn parse_some(owner: PropertyOwner, input: &'a [u8]) -> Parsed<'a, Self> {
        let (rest, length) = read::variable(input)?;
        let (rest, raw) = read::take(length as usize, rest)?;
        match Self::from_raw(owner, raw) {
            Ok(properties) => Ok((rest, properties)),
            Err(violation) => read::fail(violation),
        }
    }

    pub(crate) fn into_owned(self, frame: &Bytes) -> Properties {
        Properties(share_bytes(frame, self.0))
    }
}

impl Properties {
    /// Collects properties for a packet, in the order given.
    ///
    /// # Errors
    /// A string or binary value over 65,535 bytes, or the violation a decoder would find.
    pub fn new<'a>(
        owner: PropertyOwner,
        properties: impl IntoIterator<Item = Property<'a>>,
    ) -> Result<Self, EncodeError> {
        let mut raw = Vec::new();
        for property in properties {
            property.encode(&mut raw)?;
        }
        check::check(owner, &raw)?;
        Ok(Self(Bytes::from(raw)))
    }

    /// A view that borrows from these properties.
    #[must_use]
    pub fn borrow(&self) -> PropertiesRef<'_> {
        Properties(self.0.as_ref())
    }
}

impl<S: Storage> fmt::Debug for Properties<S> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_list().entries(self).finish()
    }
}

/// Reads properties that were checked before.
#[derive(Clone, Debug)]
pub struct PropertyIter<'a>(RawProperties<'a>);

impl<'a> Iterator for PropertyIter<'a> {
    type Item = Property<'a>;

    fn next(&mut self) -> Option<Property<'a>> {
        let (id, value) = self.0.next()?;
        Property::read(id, value)
    }
}
