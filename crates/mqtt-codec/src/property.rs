//! Owns Properties: raw bytes that were checked once and are read lazily. The catalogue of properties
//! is in `property/catalogue.rs`.

mod accessors;
mod catalogue;
mod check;
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
use nom::{Parser, bytes::complete::take};

/// The properties of one packet or Will: legal for it, each at most once unless it may repeat, in the
/// order they were sent. Packets of 3.x have none.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Properties<S: Storage = Owned>(S::Bytes);

/// The properties inside a frame.
pub type PropertiesRef<'a> = Properties<Borrowed<'a>>;

impl<S: Storage> Properties<S> {
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
        PropertyIter(self.raw())
    }

    /// Whether a property is among them.
    #[must_use]
    pub fn contains(&self, id: PropertyId) -> bool {
        self.iter().any(|property| property.id() == id)
    }

    /// The length prefix and the properties, as bytes on the wire.
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
    /// No properties.
    pub const NONE: Self = Self(&[]);

    /// Accepts the raw properties of a packet, without their length.
    ///
    /// # Errors
    /// The first violation: an unknown, misplaced, repeated or cut property, or a value out of range.
    pub fn new(owner: PropertyOwner, raw: &'a [u8]) -> Result<Self, Violation> {
        check::check(owner, raw)?;
        Ok(Self(raw))
    }

    /// The length prefix and the properties of a packet. Allocates nothing.
    #[inline]
    pub(crate) fn parse(owner: PropertyOwner, input: &'a [u8]) -> Parsed<'a, Self> {
        // Most packets have no properties: one zero byte.
        if let Some((0, rest)) = input.split_first() {
            return Ok((rest, Self::NONE));
        }
        let (rest, length) = read::variable(input)?;
        let (rest, raw) = take(length).parse(rest)?;
        match Self::new(owner, raw) {
            Ok(properties) => Ok((rest, properties)),
            Err(violation) => read::fail(violation),
        }
    }

    pub(crate) fn into_owned(self, frame: &Bytes) -> Properties {
        Properties(share_bytes(frame, self.0))
    }
}

impl Properties {
    /// No properties.
    pub const NONE: Self = Self(Bytes::new());

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

    /// Accepts raw properties as [`PropertiesRef::new`] does, keeping the bytes.
    ///
    /// # Errors
    /// As [`PropertiesRef::new`].
    pub fn from_raw(owner: PropertyOwner, raw: Bytes) -> Result<Self, Violation> {
        check::check(owner, &raw)?;
        Ok(Self(raw))
    }

    /// A view that borrows from these properties.
    #[must_use]
    pub fn borrow(&self) -> PropertiesRef<'_> {
        Properties(self.0.as_ref())
    }
}

/// Reads properties that were checked before.
#[derive(Clone, Debug)]
pub struct PropertyIter<'a>(&'a [u8]);

impl<'a> Iterator for PropertyIter<'a> {
    type Item = Property<'a>;

    fn next(&mut self) -> Option<Property<'a>> {
        if self.0.is_empty() {
            return None;
        }
        // Checked when the packet was decoded: an error cannot happen, and would end the list.
        let (rest, property) = Property::parse(self.0).ok()?;
        self.0 = rest;
        Some(property)
    }
}
