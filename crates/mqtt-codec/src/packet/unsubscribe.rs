//! Owns UNSUBSCRIBE.

use super::{id::PacketId, kind::PacketType};
use crate::{
    error::{EncodeError, Violation},
    property::{Properties, PropertiesRef, PropertyOwner},
    read::{self, Parsed},
    storage::{Borrowed, Owned, Storage, share_bytes},
    topic::TopicFilterRef,
    version::ProtocolVersion,
    write::{self, Output},
};
use alloc::vec::Vec;
use bytes::Bytes;
use core::fmt;

/// Ends one or more subscriptions.
#[derive(Clone, PartialEq, Eq)]
pub struct Unsubscribe<S: Storage = Owned> {
    /// The identifier that UNSUBACK will carry.
    pub packet_id: PacketId,
    /// 5.0: User Properties.
    pub properties: Properties<S>,
    /// Filters as on the wire; checked, never empty.
    payload: S::Bytes,
}

impl<'a> Unsubscribe<Borrowed<'a>> {
    pub(super) fn decode(body: &'a [u8], version: ProtocolVersion) -> Result<Self, Violation> {
        let (payload, unsubscribe) = Self::parse(body, version).map_err(read::violation)?;
        check(payload, version)?;
        Ok(Self { payload, ..unsubscribe })
    }

    fn parse(input: &'a [u8], version: ProtocolVersion) -> Parsed<'a, Self> {
        let (rest, packet_id) = read::packet_id(input)?;
        let (rest, properties) = if version.has_properties() {
            PropertiesRef::parse(PropertyOwner::Unsubscribe, rest)?
        } else {
            (rest, PropertiesRef::NONE)
        };
        Ok((rest, Self { packet_id, properties, payload: &[] }))
    }

    pub(super) fn into_owned(self, frame: &Bytes) -> Unsubscribe {
        Unsubscribe {
            packet_id: self.packet_id,
            properties: self.properties.into_owned(frame),
            payload: share_bytes(frame, self.payload),
        }
    }
}

/// Judges the payload: at least one filter, each legal `[MQTT5-3.10.3-2]` `[MQTT311-3.10.3-1]`
/// `[MQTT311-3.10.3-2]`.
fn check(payload: &[u8], version: ProtocolVersion) -> Result<(), Violation> {
    if payload.is_empty() {
        return Err(Violation::UnsubscribeEmpty);
    }
    let mut rest = payload;
    while !rest.is_empty() {
        let (behind, _) = filter(rest, version).map_err(read::violation)?;
        rest = behind;
    }
    Ok(())
}

fn filter(input: &[u8], version: ProtocolVersion) -> Parsed<'_, TopicFilterRef<'_>> {
    // [MQTT5-3.10.3-1]
    let (rest, text) = read::string(input)?;
    let filter = TopicFilterRef::decode(text, version).map_err(nom::Err::Failure)?;
    Ok((rest, filter))
}

impl Unsubscribe {
    /// Collects filters.
    ///
    /// # Errors
    /// No filter at all.
    pub fn new<'a>(
        packet_id: PacketId,
        properties: Properties,
        filters: impl IntoIterator<Item = TopicFilterRef<'a>>,
    ) -> Result<Self, EncodeError> {
        let mut payload = Vec::new();
        for filter in filters {
            write::prefixed(&mut payload, filter.text().as_bytes());
        }
        check(&payload, ProtocolVersion::V5)?;
        Ok(Self { packet_id, properties, payload: Bytes::from(payload) })
    }
}

impl<S: Storage> Unsubscribe<S> {
    /// The filters in the order of their answers in UNSUBACK.
    pub fn filters(&self) -> impl Iterator<Item = TopicFilterRef<'_>> {
        let mut rest = self.payload.as_ref();
        core::iter::from_fn(move || {
            // Judged by its own version's rules, of which those of 3.x accept every filter of 5.0.
            let (behind, filter) = filter(rest, ProtocolVersion::V311).ok()?;
            rest = behind;
            Some(filter)
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
        write::head(out, PacketType::Unsubscribe.first_byte(), remaining, packet_id)?;
        if version.has_properties() {
            self.properties.encode(out)?;
        }
        out.put(self.payload.as_ref());
        Ok(())
    }
}

impl<S: Storage> fmt::Debug for Unsubscribe<S> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut debug = formatter.debug_struct("Unsubscribe");
        debug.field("packet_id", &self.packet_id).field("properties", &self.properties);
        debug.field("filters", &self.filters().collect::<Vec<_>>()).finish()
    }
}
