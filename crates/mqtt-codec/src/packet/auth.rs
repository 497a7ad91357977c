//! Owns AUTH, which exists in 5.0 alone. The exchange itself is not known here.

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

/// One step of an enhanced authentication.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Auth<S: Storage = Owned> {
    /// Success, Continue authentication or Re-authenticate.
    pub reason: ReasonCode,
    /// Authentication Method and Data, Reason String, User Properties.
    pub properties: Properties<S>,
}

impl<'a> Auth<Borrowed<'a>> {
    pub(super) fn decode(body: &'a [u8], version: ProtocolVersion) -> Result<Self, Violation> {
        if !version.has_properties() {
            return Err(Violation::PacketTypeReserved);
        }
        if body.is_empty() {
            return Ok(Self { reason: ReasonCode::Success, properties: PropertiesRef::NONE });
        }
        Self::parse(body).map_err(read::violation).and_then(read::end)
    }

    fn parse(input: &'a [u8]) -> Parsed<'a, Self> {
        let (rest, reason) = reason(PacketType::Auth, input)?;
        let (rest, properties) = PropertiesRef::parse(PropertyOwner::Auth, rest)?;
        if properties.is_empty() {
            return read::fail(Violation::AuthenticationMethodMissing);
        }
        Ok((rest, Self { reason, properties }))
    }

    pub(super) fn into_owned(self, frame: &Bytes) -> Auth {
        Auth { reason: self.reason, properties: self.properties.into_owned(frame) }
    }
}

impl<S: Storage> Auth<S> {
    pub(super) fn encode(&self, version: ProtocolVersion, out: &mut impl Output) -> Result<(), EncodeError> {
        if !version.has_properties() {
            return Err(EncodeError::NotInVersion);
        }
        check_reason(self.reason, PacketType::Auth, version)?;
        if self.properties.is_empty() {
            // [MQTT5-4.12.0-5]; all that can be left out is left out together.
            if self.reason != ReasonCode::Success {
                return Err(EncodeError::Violation(Violation::AuthenticationMethodMissing));
            }
            return write::fixed_header(out, PacketType::Auth.first_byte(), 0);
        }
        write::fixed_header(out, PacketType::Auth.first_byte(), 1 + self.properties.encoded_len())?;
        out.put(&[self.reason.byte()]);
        self.properties.encode(out)
    }
}
