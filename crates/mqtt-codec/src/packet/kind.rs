//! Owns the packet types and the flags each prescribes for its first byte.

use crate::{error::Violation, qos::QoS, version::ProtocolVersion};
use core::fmt;

/// The type of a packet: the high four bits of its first byte.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
#[expect(missing_docs, reason = "the names are the specification's")]
pub enum PacketType {
    Connect = 1,
    ConnAck = 2,
    Publish = 3,
    PubAck = 4,
    PubRec = 5,
    PubRel = 6,
    PubComp = 7,
    Subscribe = 8,
    SubAck = 9,
    Unsubscribe = 10,
    UnsubAck = 11,
    PingReq = 12,
    PingResp = 13,
    Disconnect = 14,
    Auth = 15,
}

impl PacketType {
    /// The type of four bits; none for 0.
    #[must_use]
    #[inline]
    pub const fn from_bits(bits: u8) -> Option<Self> {
        Some(match bits {
            1 => Self::Connect,
            2 => Self::ConnAck,
            3 => Self::Publish,
            4 => Self::PubAck,
            5 => Self::PubRec,
            6 => Self::PubRel,
            7 => Self::PubComp,
            8 => Self::Subscribe,
            9 => Self::SubAck,
            10 => Self::Unsubscribe,
            11 => Self::UnsubAck,
            12 => Self::PingReq,
            13 => Self::PingResp,
            14 => Self::Disconnect,
            15 => Self::Auth,
            _ => return None,
        })
    }

    /// The first byte of a packet of this type; that of PUBLISH still lacks its flags.
    #[must_use]
    pub(crate) const fn first_byte(self) -> u8 {
        (self as u8) << 4 | self.reserved_flags()
    }

    /// The flags that the type prescribes `[MQTT5-2.1.3-1]` `[MQTT5-3.6.1-1]` `[MQTT5-3.8.1-1]`
    /// `[MQTT5-3.10.1-1]`.
    const fn reserved_flags(self) -> u8 {
        match self {
            Self::PubRel | Self::Subscribe | Self::Unsubscribe => 0b0010,
            Self::Connect
            | Self::ConnAck
            | Self::Publish
            | Self::PubAck
            | Self::PubRec
            | Self::PubComp
            | Self::SubAck
            | Self::UnsubAck
            | Self::PingReq
            | Self::PingResp
            | Self::Disconnect
            | Self::Auth => 0,
        }
    }

    /// Judges the low four bits of a first byte.
    #[inline]
    pub(crate) fn check(self, flags: u8, version: ProtocolVersion) -> Result<(), Violation> {
        match self {
            Self::Publish => check_publish(flags),
            Self::Auth if !version.has_properties() => Err(Violation::PacketTypeReserved),
            // MQTT 3.1 gave PUBREL, SUBSCRIBE and UNSUBSCRIBE a DUP flag, which its clients set.
            Self::PubRel | Self::Subscribe | Self::Unsubscribe
                if version == ProtocolVersion::V31 && flags & !0b1000 == self.reserved_flags() =>
            {
                Ok(())
            }
            _ if flags == self.reserved_flags() => Ok(()),
            _ => Err(Violation::FixedHeaderFlags),
        }
    }
}

/// PUBLISH: not both QoS bits `[MQTT5-3.3.1-4]` `[MQTT311-3.3.1-4]`; no DUP at QoS 0 `[MQTT5-3.3.1-2]`
/// `[MQTT311-3.3.1-2]`.
#[inline]
fn check_publish(flags: u8) -> Result<(), Violation> {
    match QoS::from_bits(flags >> 1 & 0b11) {
        None => Err(Violation::PublishQoS3),
        Some(QoS::AtMostOnce) if flags & 0b1000 != 0 => Err(Violation::DupAtQoS0),
        Some(_) => Ok(()),
    }
}

impl fmt::Display for PacketType {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Connect => "CONNECT",
            Self::ConnAck => "CONNACK",
            Self::Publish => "PUBLISH",
            Self::PubAck => "PUBACK",
            Self::PubRec => "PUBREC",
            Self::PubRel => "PUBREL",
            Self::PubComp => "PUBCOMP",
            Self::Subscribe => "SUBSCRIBE",
            Self::SubAck => "SUBACK",
            Self::Unsubscribe => "UNSUBSCRIBE",
            Self::UnsubAck => "UNSUBACK",
            Self::PingReq => "PINGREQ",
            Self::PingResp => "PINGRESP",
            Self::Disconnect => "DISCONNECT",
            Self::Auth => "AUTH",
        })
    }
}
