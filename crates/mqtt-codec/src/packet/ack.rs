//! Owns PUBACK, PUBREC, PUBREL and PUBCOMP, which differ only in their type. What they acknowledge is
//! `flow`'s business.

use super::{id::PacketId, kind::PacketType};
use crate::{
    error::{EncodeError, Violation},
    property::{Properties, PropertiesRef, PropertyOwner},
    read::{self, Parsed},
    reason::ReasonCode,
    storage::{Borrowed, Owned, Storage},
    version::ProtocolVersion,
    write::{self, Output},
};
use bytes::Bytes;

/// One step of acknowledging a PUBLISH of QoS 1 or 2.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ack<S: Storage = Owned> {
    /// The Packet Identifier of the PUBLISH.
    pub packet_id: PacketId,
    /// Whether the message was accepted. 3.x can only say success.
    pub reason: ReasonCode,
    /// 5.0: Reason String and User Properties.
    pub properties: Properties<S>,
}

impl<S: Storage> Ack<S> {
    /// An acknowledgement without properties.
    #[must_use]
    pub const fn new(packet_id: PacketId, reason: ReasonCode) -> Self {
        Self { packet_id, reason, properties: Properties::NONE }
    }
}

impl Ack<Borrowed<'static>> {
    /// An acknowledgement without properties that owns nothing: what most are, and cheap to throw away.
    #[must_use]
    #[inline]
    pub const fn bare(packet_id: PacketId, reason: ReasonCode) -> Self {
        Self::new(packet_id, reason)
    }
}

impl<'a> Ack<Borrowed<'a>> {
    #[inline(always)]
    pub(super) fn decode(
        kind: PacketType,
        body: &'a [u8],
        version: ProtocolVersion,
    ) -> Result<Self, Violation> {
        Self::parse(kind, body, version).map_err(read::violation).and_then(read::end)
    }

    #[inline(always)]
    fn parse(kind: PacketType, input: &'a [u8], version: ProtocolVersion) -> Parsed<'a, Self> {
        let (rest, packet_id) = read::packet_id(input)?;
        // Success without properties may leave out both; properties alone may be left out as well.
        if rest.is_empty() || !version.has_properties() {
            let properties = PropertiesRef::NONE;
            return Ok((rest, Self { packet_id, reason: ReasonCode::Success, properties }));
        }
        Self::parse_reason(kind, packet_id, rest)
    }

    /// The part that most acknowledgements do without.
    #[inline(never)]
    fn parse_reason(kind: PacketType, packet_id: PacketId, input: &'a [u8]) -> Parsed<'a, Self> {
        let (rest, reason) = reason(kind, input)?;
        let (rest, properties) = if rest.is_empty() {
            (rest, PropertiesRef::NONE)
        } else {
            PropertiesRef::parse(owner(kind), rest)?
        };
        Ok((rest, Self { packet_id, reason, properties }))
    }

    pub(super) fn into_owned(self, frame: &Bytes) -> Ack {
        Ack { packet_id: self.packet_id, reason: self.reason, properties: self.properties.into_owned(frame) }
    }
}

impl<S: Storage> Ack<S> {
    /// Appends the packet as one of the four.
    ///
    /// # Errors
    /// The caller's fault, see [`EncodeError`]; nothing is appended where it is the reason.
    #[inline(always)]
    pub fn encode(
        &self,
        kind: PacketType,
        version: ProtocolVersion,
        out: &mut impl Output,
    ) -> Result<(), EncodeError> {
        // Most say no more than that.
        if self.reason == ReasonCode::Success && self.properties.is_empty() {
            return write::head(out, kind.first_byte(), 2, self.packet_id.get().to_be_bytes());
        }
        self.encode_in_full(kind, version, out)
    }

    #[inline(never)]
    fn encode_in_full(
        &self,
        kind: PacketType,
        version: ProtocolVersion,
        out: &mut impl Output,
    ) -> Result<(), EncodeError> {
        check_reason(self.reason, kind, version)?;
        let with_properties = version.has_properties() && !self.properties.is_empty();
        let with_reason = version.has_properties() && (self.reason != ReasonCode::Success || with_properties);
        let properties = if with_properties { self.properties.encoded_len() } else { 0 };
        let remaining = 2 + usize::from(with_reason) + properties;
        write::head(out, kind.first_byte(), remaining, self.packet_id.get().to_be_bytes())?;
        if with_reason {
            out.put(&[self.reason.byte()]);
        }
        if with_properties {
            self.properties.encode(out)?;
        }
        Ok(())
    }
}

/// A Reason Code that `kind` may carry.
pub(super) fn reason(kind: PacketType, input: &[u8]) -> Parsed<'_, ReasonCode> {
    let (rest, byte) = read::byte(input)?;
    match ReasonCode::from_byte(byte) {
        Some(reason) if reason.is_allowed_in(kind) => Ok((rest, reason)),
        _ => read::fail(Violation::ReasonCodeUnknown),
    }
}

/// Refuses to encode a Reason Code that `kind` may not carry. 3.x carries none.
#[inline]
pub(super) fn check_reason(
    reason: ReasonCode,
    kind: PacketType,
    version: ProtocolVersion,
) -> Result<(), EncodeError> {
    if version.has_properties() && !reason.is_allowed_in(kind) {
        return Err(EncodeError::Violation(Violation::ReasonCodeUnknown));
    }
    Ok(())
}

fn owner(kind: PacketType) -> PropertyOwner {
    // Called with the four acknowledgements only, which all have properties.
    kind.property_owner().unwrap_or(PropertyOwner::PubAck)
}
