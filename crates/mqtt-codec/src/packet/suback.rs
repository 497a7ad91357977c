//! Owns SUBACK and UNSUBACK, which answer filter by filter.

use super::{id::PacketId, kind::PacketType};
use crate::{
    error::{EncodeError, Violation},
    property::{Properties, PropertiesRef, PropertyOwner},
    read::{self, Parsed},
    reason::ReasonCode,
    storage::{Borrowed, Owned, Storage, share_bytes},
    version::ProtocolVersion,
    write::{self, Output},
};
use alloc::vec::Vec;
use bytes::Bytes;
use core::fmt;

macro_rules! acknowledgement {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq)]
        pub struct $name<S: Storage = Owned> {
            /// The identifier of the packet it answers.
            pub packet_id: PacketId,
            /// 5.0: Reason String and User Properties.
            pub properties: Properties<S>,
            /// Reason codes as on the wire of 5.0; checked.
            codes: S::Bytes,
        }

        impl<'a> $name<Borrowed<'a>> {
            pub(super) fn decode(body: &'a [u8], version: ProtocolVersion) -> Result<Self, Violation> {
                let (codes, (packet_id, properties)) =
                    parse(PropertyOwner::$name, body, version).map_err(read::violation)?;
                check(PacketType::$name, codes, version)?;
                Ok(Self { packet_id, properties, codes })
            }

            pub(super) fn into_owned(self, frame: &Bytes) -> $name {
                $name {
                    packet_id: self.packet_id,
                    properties: self.properties.into_owned(frame),
                    codes: share_bytes(frame, self.codes),
                }
            }
        }

        impl<S: Storage> fmt::Debug for $name<S> {
            fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                let mut debug = formatter.debug_struct(stringify!($name));
                debug.field("packet_id", &self.packet_id).field("properties", &self.properties);
                debug.field("reason_codes", &self.reason_codes().collect::<Vec<_>>()).finish()
            }
        }

        impl $name {
            /// Collects the answers, in the order of the filters they answer.
            ///
            /// # Errors
            /// No answer at all, or a code this packet may not carry.
            pub fn new(
                packet_id: PacketId,
                properties: Properties,
                codes: impl IntoIterator<Item = ReasonCode>,
            ) -> Result<Self, EncodeError> {
                let codes: Vec<u8> = codes.into_iter().map(ReasonCode::byte).collect();
                check(PacketType::$name, &codes, ProtocolVersion::V5)?;
                Ok(Self { packet_id, properties, codes: Bytes::from(codes) })
            }
        }

        impl<S: Storage> $name<S> {
            /// The answers in the order of the filters. An UNSUBACK of 3.x has none.
            pub fn reason_codes(&self) -> impl Iterator<Item = ReasonCode> {
                self.codes.as_ref().iter().copied().filter_map(ReasonCode::from_byte)
            }

            #[inline]
            fn encode_head(
                &self,
                version: ProtocolVersion,
                code_bytes: usize,
                out: &mut impl Output,
            ) -> Result<(), EncodeError> {
                let properties = if version.has_properties() { self.properties.encoded_len() } else { 0 };
                let remaining = 2 + properties + code_bytes;
                let packet_id = self.packet_id.get().to_be_bytes();
                write::head(out, PacketType::$name.first_byte(), remaining, packet_id)?;
                if version.has_properties() {
                    self.properties.encode(out)?;
                }
                Ok(())
            }
        }
    };
}

acknowledgement! {
    /// The server's answer to a SUBSCRIBE, one code per filter `[MQTT5-3.9.3-1]`.
    SubAck
}

acknowledgement! {
    /// The server's answer to an UNSUBSCRIBE, in 5.0 with one code per filter `[MQTT5-3.11.3-1]`.
    UnsubAck
}

impl<S: Storage> SubAck<S> {
    pub(super) fn encode(&self, version: ProtocolVersion, out: &mut impl Output) -> Result<(), EncodeError> {
        let codes = self.codes.as_ref();
        self.encode_head(version, codes.len(), out)?;
        if version.has_properties() {
            out.put(codes);
            return Ok(());
        }
        // 3.1.1 knows one failure [MQTT311-3.9.3-2]; 3.1 has no failure at all, its clients take 0x80 for one.
        for &code in codes {
            out.put(&[code.min(ReasonCode::UnspecifiedError.byte())]);
        }
        Ok(())
    }
}

impl<S: Storage> UnsubAck<S> {
    pub(super) fn encode(&self, version: ProtocolVersion, out: &mut impl Output) -> Result<(), EncodeError> {
        if !version.has_properties() {
            return self.encode_head(version, 0, out);
        }
        let codes = self.codes.as_ref();
        // One that was received in 3.x has none to tell.
        if codes.is_empty() {
            return Err(EncodeError::Violation(Violation::ReasonCodesMissing));
        }
        self.encode_head(version, codes.len(), out)?;
        out.put(codes);
        Ok(())
    }
}

fn parse<'a>(
    owner: PropertyOwner,
    input: &'a [u8],
    version: ProtocolVersion,
) -> Parsed<'a, (PacketId, PropertiesRef<'a>)> {
    let (rest, packet_id) = read::packet_id(input)?;
    let (rest, properties) = if version.has_properties() {
        PropertiesRef::parse(owner, rest)?
    } else {
        (rest, PropertiesRef::NONE)
    };
    Ok((rest, (packet_id, properties)))
}

/// Judges the codes `[MQTT5-3.9.3-2]` `[MQTT5-3.11.3-2]` `[MQTT311-3.9.3-2]`.
fn check(kind: PacketType, codes: &[u8], version: ProtocolVersion) -> Result<(), Violation> {
    if kind == PacketType::UnsubAck && !version.has_properties() {
        return if codes.is_empty() { Ok(()) } else { Err(Violation::TrailingBytes) };
    }
    if codes.is_empty() {
        return Err(Violation::ReasonCodesMissing);
    }
    let legal = |&code: &u8| match version {
        ProtocolVersion::V5 => ReasonCode::from_byte(code).is_some_and(|code| code.is_allowed_in(kind)),
        ProtocolVersion::V31 | ProtocolVersion::V311 => matches!(code, 0 | 1 | 2 | 0x80),
    };
    if codes.iter().all(legal) { Ok(()) } else { Err(Violation::ReasonCodeUnknown) }
}
