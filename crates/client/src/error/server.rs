//! Owns the ways a server can break the protocol, each with the reason code the client answers. Finding them is the
//! protocol's business.

use mqtt_codec::{DecodeError, PacketId, PacketType, ReasonCode, Violation};
use std::fmt;

/// What a server did wrong. Its fault alone: report it to whoever runs it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ServerViolation {
    /// A packet that is none.
    Malformed(DecodeError),
    /// Something other than CONNACK came first `[MQTT5-3.2.0-1]` `[MQTT311-3.2.0-1]`.
    BeforeConnAck(PacketType),
    /// A second CONNACK `[MQTT5-3.2.0-2]`, or a packet that only a client sends.
    NotFromServer(PacketType),
    /// Session Present although a clean start was asked for `[MQTT5-3.2.2-2]` `[MQTT311-3.2.2-1]`.
    SessionPresentAfterCleanStart,
    /// More publications in flight than the client's Receive Maximum `[MQTT5-3.3.4-9]`.
    ReceiveMaximumExceeded,
    /// A Topic Alias above the client's maximum, or one that stands for nothing `[MQTT5-3.1.2-26]`.
    TopicAlias(Violation),
    /// An acknowledgement of something that was not sent, or in another state.
    AcknowledgementUnexpected {
        /// The acknowledgement.
        packet_type: PacketType,
        /// What it acknowledges.
        packet_id: PacketId,
    },
    /// SUBACK or UNSUBACK with another number of answers than there were filters `[MQTT5-3.8.4-6]`
    /// `[MQTT311-3.8.4-5]`.
    ReasonCodeCount {
        /// The acknowledgement.
        packet_type: PacketType,
        /// How many filters there were.
        expected: usize,
        /// How many answers came.
        received: usize,
    },
}

impl ServerViolation {
    /// What the client says in DISCONNECT, where the version has reasons.
    #[must_use]
    pub fn reason(&self) -> ReasonCode {
        match self {
            Self::Malformed(error) => error.reason(),
            Self::ReceiveMaximumExceeded => ReasonCode::ReceiveMaximumExceeded,
            Self::TopicAlias(violation) => violation.reason(),
            Self::BeforeConnAck(_)
            | Self::NotFromServer(_)
            | Self::SessionPresentAfterCleanStart
            | Self::AcknowledgementUnexpected { .. }
            | Self::ReasonCodeCount { .. } => ReasonCode::ProtocolError,
        }
    }
}

impl fmt::Display for ServerViolation {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Malformed(error) => error.fmt(formatter),
            Self::BeforeConnAck(packet_type) => write!(formatter, "{packet_type} came before CONNACK"),
            Self::NotFromServer(packet_type) => {
                write!(formatter, "{packet_type} must not come from a server now")
            }
            Self::SessionPresentAfterCleanStart => {
                formatter.write_str("CONNACK says Session Present although a clean start was asked for")
            }
            Self::ReceiveMaximumExceeded => {
                formatter.write_str("more publications are in flight than the Receive Maximum allows")
            }
            Self::TopicAlias(violation) => write!(formatter, "PUBLISH: {}", violation.text()),
            Self::AcknowledgementUnexpected { packet_type, packet_id } => {
                write!(formatter, "{packet_type} of the Packet Identifier {packet_id}, which awaits none")
            }
            Self::ReasonCodeCount { packet_type, expected, received } => {
                write!(formatter, "{packet_type} has {received} reason codes for {expected} filters")
            }
        }
    }
}

impl std::error::Error for ServerViolation {}
