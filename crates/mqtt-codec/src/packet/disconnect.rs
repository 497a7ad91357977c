//! Owns DISCONNECT.

use super::{
    ack::{check_reason, reason},
    kind::PacketType,
};
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

/// The last packet of a connection. In 3.x only a client sends it, without a reason.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Disconnect<S: Storage = Owned> {
    /// Why the connection ends.
    pub reason: ReasonCode,
    /// 5.0: Session Expiry Interval, Reason String, Server Reference, User Properties.
    pub properties: Properties<S>,
}

impl<'a> Disconnect<Borrowed<'a>> {
    pub(super) fn decode(body: &'a [u8], version: ProtocolVersion) -> Result<Self, Violation> {
        if body.is_empty() || !version.has_properties() {
            let packet = Self { reason: ReasonCode::Success, properties: PropertiesRef::NONE };
            return read::end((body, packet));
        }
        Self::parse(body).map_err(read::violation).and_then(read::end)
    }

    fn parse(input: &'a [u8]) -> Parsed<'a, Self> {
        let (rest, reason) = reason(PacketType::Disconnect, input)?;
        let (rest, properties) = if rest.is_empty() {
            (rest, PropertiesRef::NONE)
        } else {
            PropertiesRef::parse(PropertyOwner::Disconnect, rest)?
        };
        Ok((rest, Self { reason, properties }))
    }

    pub(super) fn into_owned(self, frame: &Bytes) -> Disconnect {
        Disconnect { reason: self.reason, properties: self.properties.into_owned(frame) }
    }
}

impl<S: Storage> Disconnect<S> {
    pub(super) fn encode(&self, version: ProtocolVersion, out: &mut impl Output) -> Result<(), EncodeError> {
        check_reason(self.reason, PacketType::Disconnect, version)?;
        let with_properties = version.has_properties() && !self.properties.is_empty();
        let with_reason = version.has_properties() && (self.reason != ReasonCode::Success || with_properties);
        let properties = if with_properties { self.properties.encoded_len() } else { 0 };
        write::fixed_header(out, PacketType::Disconnect.first_byte(), usize::from(with_reason) + properties)?;
        if with_reason {
            out.put(&[self.reason.byte()]);
        }
        if with_properties {
            self.properties.encode(out)?;
        }
        Ok(())
    }
}
