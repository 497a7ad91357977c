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
    #[inline]
    pub(crate) const fn first_byte(self) -> u8 {
        (self as u8) << 4 | self.reserved_flags()
    }

    /// The flags that the type prescribes `[MQTT5-2.1.3-1]` `[MQTT5-3.6.1-1]` `[MQTT5-3.8.1-1]`
    /// `[MQTT5-3.10.1-1]` `[MQTT311-2.2.2-1]` `[MQTT311-3.8.1-1]` `[MQTT311-3.10.1-1]`.
    #[inline]
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
        if self.legal_flags() >> flags & 1 != 0 { Ok(()) } else { self.check_exceptions(flags, version) }
    }

    /// The values of the low four bits that are legal in every version, each a bit: one test for every
    /// packet received.
    #[inline]
    const fn legal_flags(self) -> u16 {
        match self {
            // QoS 0 without DUP, QoS 1 and 2 with or without; each with or without RETAIN.
            Self::Publish => 0b0011_1100_0011_1111,
            Self::PubRel | Self::Subscribe | Self::Unsubscribe => 1 << 0b0010,
            // 3.x has none.
            Self::Auth => 0,
            Self::Connect
            | Self::ConnAck
            | Self::PubAck
            | Self::PubRec
            | Self::PubComp
            | Self::SubAck
            | Self::UnsubAck
            | Self::PingReq
            | Self::PingResp
            | Self::Disconnect => 1,
        }
    }

    #[cold]
    fn check_exceptions(self, flags: u8, version: ProtocolVersion) -> Result<(), Violation> {
        match self {
            Self::Auth if !version.has_properties() => Err(Violation::PacketTypeReserved),
            Self::Auth if flags == self.reserved_flags() => Ok(()),
            // MQTT 3.1 gave PUBREL, SUBSCRIBE and UNSUBSCRIBE a DUP flag, which its clients set.
            Self::PubRel | Self::Subscribe | Self::Unsubscribe
                if version == ProtocolVersion::V31 && flags == self.reserved_flags() | 0b1000 =>
            {
                Ok(())
            }
            // [MQTT5-3.3.1-4] [MQTT311-3.3.1-4]
            Self::Publish if QoS::from_bits(flags >> 1 & 0b11).is_none() => Err(Violation::PublishQoS3),
            // [MQTT5-3.3.1-2] [MQTT311-3.3.1-2]
            Self::Publish => Err(Violation::DupAtQoS0),
            Self::Connect
            | Self::ConnAck
            | Self::PubAck
            | Self::PubRec
            | Self::PubRel
            | Self::PubComp
            | Self::Subscribe
            | Self::SubAck
            | Self::Unsubscribe
            | Self::UnsubAck
            | Self::PingReq
            | Self::PingResp
            | Self::Disconnect
            | Self::Auth => Err(Violation::FixedHeaderFlags),
        }
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
