//! Owns why a load could not go on. What it had counted until then is the tally's business.

use std::fmt;
use std::io;
use std::time::Duration;

use mqtt_codec::{EncodeError, PacketType, ReasonCode, Violation};

/// Why a load could not go on. Its connections are still there; dropping the load cuts them.
#[derive(Debug)]
pub enum Error {
    /// This machine: a limit of open files or ports, a process that is gone. `doing` says at what.
    System {
        /// What was tried.
        doing: &'static str,
        /// What the system said.
        source: io::Error,
    },
    /// No connection: nobody listens there, or it takes no more.
    Unreachable {
        /// The client that tried.
        client: String,
        /// What the system said.
        source: io::Error,
    },
    /// The caller asked for what cannot be sent.
    Invalid {
        /// The client it was asked for.
        client: String,
        /// What is wrong.
        what: Invalid,
    },
    /// The broker refused a client or its subscription.
    Refused {
        /// The client.
        client: String,
        /// CONNACK or SUBACK.
        packet: PacketType,
        /// What the broker answered.
        reason: ReasonCode,
    },
    /// The broker ended a connection that was to stay.
    Ended {
        /// Whose connection.
        client: String,
        /// What its DISCONNECT said; none if there was none, as before 5.0.
        reason: Option<ReasonCode>,
    },
    /// The broker sent what must not come, or what is no packet.
    Unexpected {
        /// To which client.
        client: String,
        /// The packet; none if it cannot be read.
        packet: Option<PacketType>,
    },
    /// What was waited for did not come in time.
    Late {
        /// What was waited for.
        what: String,
        /// For how long.
        patience: Duration,
        /// What was there by then.
        counted: String,
    },
}

/// What the caller asked for and cannot be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Invalid {
    /// A payload shorter than its mark, [`MARK_BYTES`](crate::MARK_BYTES).
    PayloadBytes,
    /// A publisher without topics, or a rate or window that lets nothing through.
    Nothing,
    /// More topics, clients or filters than can be numbered.
    TooMany,
    /// A subscriber that comes after a publisher: which messages it is to get cannot be told.
    Order,
    /// No Topic Name or Topic Filter.
    Topic(Violation),
    /// A packet that is none, such as one that is too large.
    Packet(EncodeError),
}

impl Error {
    /// For `map_err`.
    pub(crate) fn system(doing: &'static str) -> impl Fn(io::Error) -> Self {
        move |source| Self::System { doing, source }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::System { doing, source } => write!(f, "cannot {doing}: {source}"),
            Self::Unreachable { client, source } => write!(f, "client {client} cannot connect: {source}"),
            Self::Invalid { client, what } => write!(f, "client {client}: {what}"),
            Self::Refused { client, packet, reason } => {
                write!(f, "the broker refused client {client}: {packet} {reason}")
            }
            Self::Ended { client, reason: Some(reason) } => {
                write!(f, "the broker disconnected client {client}: {reason}")
            }
            Self::Ended { client, reason: None } => {
                write!(f, "the broker closed the connection of client {client}")
            }
            Self::Unexpected { client, packet: Some(packet) } => {
                write!(f, "the broker sent client {client} an unexpected {packet}")
            }
            Self::Unexpected { client, packet: None } => {
                write!(f, "the broker sent client {client} what is no packet")
            }
            Self::Late { what, patience, counted } => {
                write!(f, "{what} not within {} s: {counted}", patience.as_secs_f64())
            }
        }
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::System { source, .. } | Self::Unreachable { source, .. } => Some(source),
            Self::Invalid { .. }
            | Self::Refused { .. }
            | Self::Ended { .. }
            | Self::Unexpected { .. }
            | Self::Late { .. } => None,
        }
    }
}

impl fmt::Display for Invalid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::PayloadBytes => write!(f, "a payload has at least {} bytes", crate::MARK_BYTES),
            Self::Nothing => {
                f.write_str("a publisher needs a topic, a window and, if it has a rate, one above 0")
            }
            Self::TooMany => f.write_str("there are too many topics, clients or filters"),
            Self::Order => f.write_str("subscribers come before publishers"),
            Self::Topic(violation) => f.write_str(violation.text()),
            Self::Packet(error) => write!(f, "{error}"),
        }
    }
}
