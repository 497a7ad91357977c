//! Owns what the first bytes of a connection are judged to be: a CONNECT, the beginning of one, or
//! nothing that can be served. Reading them and answering is the worker's business.

use std::fmt;

use broker_core::refuse_connect;
use mqtt_codec::packet::Connect;
use mqtt_codec::{Borrowed, DecodeError, FrameHeader, Packet, PacketRef, PacketType, ProtocolVersion, frame};

/// The version by which a first packet is framed, before it has named its own.
const VERSION: ProtocolVersion = ProtocolVersion::V5;

/// What the bytes received so far are.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum FirstPacket<'a> {
    /// The beginning of a CONNECT, as far as one can see.
    Incomplete,
    /// A CONNECT.
    Connect {
        connect: Connect<Borrowed<'a>>,
        /// What came behind it.
        behind: &'a [u8],
    },
    /// The connection is to be closed.
    Refused(Refusal),
}

/// Why a connection is closed before it was one.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Refusal {
    /// Another packet came first.
    NotConnect(PacketType),
    /// What came is no packet, or a CONNECT that is not as it should be.
    Malformed {
        /// What is wrong.
        error: DecodeError,
        /// The CONNACK that says so, if the client is one that would understand it.
        answer: Option<Vec<u8>>,
    },
}

impl FirstPacket<'_> {
    /// Judges what was received; anything but a CONNECT is refused as soon as it shows
    /// `[MQTT5-3.1.0-1]` `[MQTT311-3.1.0-1]`, and one over the limit before it is buffered.
    pub(crate) fn judge(received: &[u8], packet_bytes_max: u32) -> FirstPacket<'_> {
        let malformed = |error| {
            FirstPacket::Refused(Refusal::Malformed { answer: refuse_connect(received, &error), error })
        };
        let first_type = received.first().and_then(|first| PacketType::from_bits(first >> 4));
        if let Some(other) = first_type.filter(|first| *first != PacketType::Connect) {
            return FirstPacket::Refused(Refusal::NotConnect(other));
        }
        if let Err(error) = FrameHeader::peek(received, VERSION, packet_bytes_max) {
            return malformed(error);
        }
        let Ok(Some(frame)) = frame(received, VERSION, packet_bytes_max) else {
            return FirstPacket::Incomplete;
        };
        match PacketRef::decode(frame, VERSION) {
            Ok(Packet::Connect(connect)) => {
                FirstPacket::Connect { connect, behind: &received[frame.bytes.len()..] }
            }
            Ok(other) => FirstPacket::Refused(Refusal::NotConnect(other.packet_type())),
            Err(error) => malformed(error),
        }
    }
}

impl Refusal {
    /// What is said to the client before the connection is closed.
    pub(crate) fn answer(self) -> Option<Vec<u8>> {
        match self {
            Self::NotConnect(_) => None,
            Self::Malformed { answer, .. } => answer,
        }
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotConnect(packet_type) => write!(f, "the first packet is {packet_type}"),
            Self::Malformed { error, .. } => error.fmt(f),
        }
    }
}

#[cfg(test)]
mod tests;
