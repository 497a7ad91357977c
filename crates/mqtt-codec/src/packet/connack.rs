//! Owns CONNACK.

use super::{ack::check_reason, kind::PacketType};
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

/// The server's answer to a CONNECT.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConnAck<S: Storage = Owned> {
    /// Whether the server has a session of before. MQTT 3.1 cannot tell: false.
    pub session_present: bool,
    /// Whether the client is connected, and why not. The return codes of 3.x are mapped.
    pub reason: ReasonCode,
    /// 5.0: what the server assigned, allows and offers.
    pub properties: Properties<S>,
}

impl<'a> ConnAck<Borrowed<'a>> {
    pub(super) fn decode(body: &'a [u8], version: ProtocolVersion) -> Result<Self, Violation> {
        Self::parse(body, version).map_err(read::violation).and_then(read::end)
    }

    fn parse(input: &'a [u8], version: ProtocolVersion) -> Parsed<'a, Self> {
        let (rest, flags) = read::byte(input)?;
        // [MQTT5-3.2.2-1]; in 3.1 the byte is reserved and of no meaning.
        if flags > 1 && version > ProtocolVersion::V31 {
            return read::fail(Violation::ConnAckFlagsReserved);
        }
        let session_present = flags == 1 && version > ProtocolVersion::V31;
        let (rest, byte) = read::byte(rest)?;
        let Some(reason) = ReasonCode::from_connack_byte(byte, version) else {
            return read::fail(Violation::ReasonCodeUnknown);
        };
        // [MQTT5-3.2.2-6] [MQTT311-3.2.2-4]
        if session_present && reason.is_error() {
            return read::fail(Violation::SessionPresentOnError);
        }
        let (rest, properties) = if version.has_properties() {
            PropertiesRef::parse(PropertyOwner::ConnAck, rest)?
        } else {
            (rest, PropertiesRef::NONE)
        };
        Ok((rest, Self { session_present, reason, properties }))
    }

    pub(super) fn into_owned(self, frame: &Bytes) -> ConnAck {
        ConnAck {
            session_present: self.session_present,
            reason: self.reason,
            properties: self.properties.into_owned(frame),
        }
    }
}

impl<S: Storage> ConnAck<S> {
    pub(super) fn encode(&self, version: ProtocolVersion, out: &mut impl Output) -> Result<(), EncodeError> {
        // [MQTT5-3.2.2-6] [MQTT311-3.2.2-4]
        if self.session_present && self.reason.is_error() {
            return Err(EncodeError::Violation(Violation::SessionPresentOnError));
        }
        check_reason(self.reason, PacketType::ConnAck, version)?;
        let properties = if version.has_properties() { self.properties.encoded_len() } else { 0 };
        write::fixed_header(out, PacketType::ConnAck.first_byte(), 2 + properties)?;
        let session_present = self.session_present && version > ProtocolVersion::V31;
        out.put(&[u8::from(session_present), self.reason.connack_byte(version)]);
        if version.has_properties() {
            self.properties.encode(out)?;
        }
        Ok(())
    }
}
