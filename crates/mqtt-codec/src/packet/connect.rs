//! Owns CONNECT. Which client may connect is the server's business.

use super::{kind::PacketType, will::Will};
use crate::{
    error::{EncodeError, Violation},
    property::{Properties, PropertiesRef, PropertyOwner},
    qos::QoS,
    read::{self, Parsed},
    storage::{Borrowed, Owned, Storage, share_bytes, share_text},
    text,
    version::ProtocolVersion,
    write::{self, Output},
};
use bytes::Bytes;

/// The first packet of a client.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Connect<S: Storage = Owned> {
    /// The version the rest of the connection is in.
    pub version: ProtocolVersion,
    /// Whether a session of before is to be forgotten (3.x: Clean Session).
    pub clean_start: bool,
    /// Seconds within which the client sends something; 0 switches it off.
    pub keep_alive_seconds: u16,
    /// Who connects; empty asks the server to choose.
    pub client_id: S::Text,
    /// What to publish when the connection is lost.
    pub will: Option<Will<S>>,
    /// The user name.
    pub user_name: Option<S::Text>,
    /// The password: bytes, not text.
    pub password: Option<S::Bytes>,
    /// 5.0: Session Expiry Interval, Receive Maximum, Maximum Packet Size and more.
    pub properties: Properties<S>,
}

const CLEAN_START: u8 = 1 << 1;
const WILL: u8 = 1 << 2;
const WILL_RETAIN: u8 = 1 << 5;
const PASSWORD: u8 = 1 << 6;
const USER_NAME: u8 = 1 << 7;

impl<'a> Connect<Borrowed<'a>> {
    pub(super) fn decode(body: &'a [u8]) -> Result<Self, Violation> {
        Self::parse(body).map_err(read::violation).and_then(read::end)
    }

    /// The fields in their order `[MQTT5-3.1.3-1]` `[MQTT311-3.1.3-1]`; the Client Identifier is always there
    /// `[MQTT311-3.1.3-3]`.
    fn parse(input: &'a [u8]) -> Parsed<'a, Self> {
        let (rest, version) = protocol_version(input)?;
        let (rest, flags) = read::byte(rest)?;
        let will = check_flags(flags, version).map_err(nom::Err::Failure)?;
        let (rest, keep_alive_seconds) = read::two_bytes(rest)?;
        let (rest, properties) = if version.has_properties() {
            PropertiesRef::parse(PropertyOwner::Connect, rest)?
        } else {
            (rest, PropertiesRef::NONE)
        };
        // [MQTT5-3.1.3-3] [MQTT5-3.1.3-4]
        let (rest, client_id) = read::string(rest)?;
        let (rest, will) = match will {
            Some((qos, retain)) => some(Will::parse(qos, retain, rest, version)?),
            None => (rest, None),
        };
        // [MQTT5-3.1.2-17] [MQTT5-3.1.3-12]; what no flag announces is left over [MQTT5-3.1.2-18].
        let has_user_name = flags & USER_NAME != 0 && !is_left_out(rest, version);
        let (rest, user_name) = if has_user_name { some(read::string(rest)?) } else { (rest, None) };
        let has_password = flags & PASSWORD != 0 && !is_left_out(rest, version);
        let (rest, password) = if has_password { some(read::binary(rest)?) } else { (rest, None) };
        Ok((
            rest,
            Self {
                version,
                clean_start: flags & CLEAN_START != 0,
                keep_alive_seconds,
                client_id,
                will,
                user_name,
                password,
                properties,
            },
        ))
    }

    pub(super) fn into_owned(self, frame: &Bytes) -> Connect {
        Connect {
            version: self.version,
            clean_start: self.clean_start,
            keep_alive_seconds: self.keep_alive_seconds,
            client_id: share_text(frame, self.client_id),
            will: self.will.map(|will| will.into_owned(frame)),
            user_name: self.user_name.map(|name| share_text(frame, name)),
            password: self.password.map(|password| share_bytes(frame, password)),
            properties: self.properties.into_owned(frame),
        }
    }
}

impl<S: Storage> Connect<S> {
    pub(super) fn encode(&self, out: &mut impl Output) -> Result<(), EncodeError> {
        let version = self.version;
        check_text(self.client_id.as_ref())?;
        check_text(self.user_name.as_ref().map_or("", AsRef::as_ref))?;
        // [MQTT311-3.1.2-22]
        if !version.has_properties() && self.password.is_some() && self.user_name.is_none() {
            return Err(EncodeError::Violation(Violation::PasswordWithoutUserName));
        }
        let mut remaining = write::prefixed_len(version.name().len())? + 4;
        if version.has_properties() {
            remaining += self.properties.encoded_len();
        }
        remaining += write::prefixed_len(self.client_id.as_ref().len())?;
        if let Some(will) = &self.will {
            remaining += will.encoded_len(version)?;
        }
        if let Some(name) = &self.user_name {
            remaining += write::prefixed_len(name.as_ref().len())?;
        }
        if let Some(password) = &self.password {
            remaining += write::prefixed_len(password.as_ref().len())?;
        }
        let name = version.name();
        write::head(out, PacketType::Connect.first_byte(), remaining, write::length_bytes(name.len()))?;
        let out = &mut write::Room::new(out.grow(remaining - 2));
        out.put(name.as_bytes());
        let [keep_alive_high, keep_alive_low] = self.keep_alive_seconds.to_be_bytes();
        out.put(&[version.level(), self.flags(), keep_alive_high, keep_alive_low]);
        if version.has_properties() {
            self.properties.encode(out)?;
        }
        write::prefixed(out, self.client_id.as_ref().as_bytes());
        if let Some(will) = &self.will {
            will.encode(version, out)?;
        }
        if let Some(name) = &self.user_name {
            write::prefixed(out, name.as_ref().as_bytes());
        }
        if let Some(password) = &self.password {
            write::prefixed(out, password.as_ref());
        }
        Ok(())
    }

    /// The connect flags; each is set exactly when its field is there `[MQTT5-3.1.2-16]` to
    /// `[MQTT5-3.1.2-19]`, `[MQTT311-3.1.2-9]` `[MQTT311-3.1.2-11]` `[MQTT311-3.1.2-18]` `[MQTT311-3.1.2-19]`
    /// `[MQTT311-3.1.2-20]` `[MQTT311-3.1.2-21]`.
    #[inline]
    fn flags(&self) -> u8 {
        let mut flags = if self.clean_start { CLEAN_START } else { 0 };
        if let Some(will) = &self.will {
            flags |= WILL | will.qos.bits() << 3 | if will.retain { WILL_RETAIN } else { 0 };
        }
        if self.password.is_some() {
            flags |= PASSWORD;
        }
        if self.user_name.is_some() {
            flags |= USER_NAME;
        }
        flags
    }
}

/// Text that the caller made may hold U+0000, which a string on the wire must not `[MQTT5-1.5.4-2]`
/// `[MQTT311-1.5.3-2]` `[MQTT311-3.1.3-4]` `[MQTT311-3.1.3-11]`.
fn check_text(text: &str) -> Result<(), EncodeError> {
    if text::has_nul(text.as_bytes()) { Err(EncodeError::Violation(Violation::TextHasNul)) } else { Ok(()) }
}

/// The version that the body of a CONNECT names, whatever is wrong behind it.
#[cold]
pub(super) fn named_version(body: &[u8]) -> Option<ProtocolVersion> {
    protocol_version(body).ok().map(|(_, version)| version)
}

/// Protocol Name and Version `[MQTT5-3.1.2-1]` `[MQTT5-3.1.2-2]` `[MQTT311-3.1.2-1]`
/// `[MQTT311-3.1.2-2]`. The name is compared as bytes: what is no UTF-8 is no MQTT either.
fn protocol_version(input: &[u8]) -> Parsed<'_, ProtocolVersion> {
    let (rest, name) = read::binary(input)?;
    if name != b"MQTT" && name != b"MQIsdp" {
        return read::fail(Violation::ProtocolName);
    }
    let (rest, level) = read::byte(rest)?;
    match (name, level) {
        (b"MQIsdp", 3) => Ok((rest, ProtocolVersion::V31)),
        (b"MQTT", 4) => Ok((rest, ProtocolVersion::V311)),
        (b"MQTT", 5) => Ok((rest, ProtocolVersion::V5)),
        _ => read::fail(Violation::ProtocolLevel),
    }
}

/// Judges the connect flags; tells QoS and Retain of the Will if there is one.
fn check_flags(flags: u8, version: ProtocolVersion) -> Result<Option<(QoS, bool)>, Violation> {
    // MQTT 3.1 disregards bit 0, and Will QoS and Will Retain where there is no Will.
    if version == ProtocolVersion::V31 && flags & WILL == 0 {
        return password_needs_user_name(flags, version).map(|()| None);
    }
    // [MQTT5-3.1.2-3] [MQTT311-3.1.2-3]
    if flags & 1 != 0 && version > ProtocolVersion::V31 {
        return Err(Violation::ConnectFlagReserved);
    }
    password_needs_user_name(flags, version)?;
    let will_qos = flags >> 3 & 0b11;
    let will_retain = flags & WILL_RETAIN != 0;
    if flags & WILL != 0 {
        // [MQTT5-3.1.2-12] [MQTT311-3.1.2-14]
        return QoS::from_bits(will_qos).map(|qos| Some((qos, will_retain))).ok_or(Violation::WillQoS3);
    }
    // [MQTT5-3.1.2-11] [MQTT311-3.1.2-13]
    if will_qos != 0 {
        return Err(Violation::WillQoSWithoutWill);
    }
    // [MQTT5-3.1.2-13] [MQTT311-3.1.2-15]
    if will_retain { Err(Violation::WillRetainWithoutWill) } else { Ok(None) }
}

/// `[MQTT311-3.1.2-22]`; 5.0 allows a password alone.
fn password_needs_user_name(flags: u8, version: ProtocolVersion) -> Result<(), Violation> {
    if !version.has_properties() && flags & PASSWORD != 0 && flags & USER_NAME == 0 {
        return Err(Violation::PasswordWithoutUserName);
    }
    Ok(())
}

/// MQTT 3.1 lets Remaining Length overrule the flags: a user name or password that is announced may be
/// missing at the end, for clients of the version before.
fn is_left_out(rest: &[u8], version: ProtocolVersion) -> bool {
    rest.is_empty() && version == ProtocolVersion::V31
}

fn some<T>((rest, value): (&[u8], T)) -> (&[u8], Option<T>) {
    (rest, Some(value))
}
