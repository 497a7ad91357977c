//! Owns what can go wrong, one enum per operation, by who is at fault. Recovering is the caller's choice,
//! which each variant's documentation names.

mod display;
mod server;

pub use server::ServerViolation;

use mqtt_codec::{EncodeError, Properties, QoS, ReasonCode, Violation};
use std::io;

/// Text that is no Topic Name or Topic Filter. The caller's fault: correct the text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InvalidTopic {
    /// The text that was given.
    pub text: String,
    /// Which rule it breaks.
    pub violation: Violation,
}

/// What the operating system said about a connection.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NetworkError {
    /// What kind of failure it is.
    pub kind: io::ErrorKind,
    /// The place and the failure in words.
    pub text: String,
}

/// Why a connection was not made, or why it ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ConnectionError {
    /// Name resolution, TCP, reading or writing failed. Worth another attempt.
    Network(NetworkError),
    /// The server was not reached, or did not answer CONNECT, within `connect_timeout`. Worth another attempt.
    ConnectTimeout,
    /// The server answered CONNECT with an error. [`is_permanent`](Self::is_permanent) tells whether another attempt
    /// makes sense.
    Refused {
        /// Why.
        reason: ReasonCode,
        /// 5.0: Reason String, Server Reference and more.
        properties: Properties,
    },
    /// The server closed the connection without saying why. Worth another attempt.
    ClosedByServer,
    /// The server sent DISCONNECT.
    DisconnectedByServer {
        /// Why.
        reason: ReasonCode,
        /// 5.0: Reason String, Server Reference and more.
        properties: Properties,
    },
    /// The server did not answer PINGREQ. Worth another attempt.
    KeepAliveTimeout,
    /// The server acknowledged nothing for `acknowledgement_timeout`. Worth another attempt.
    AcknowledgementTimeout,
    /// The server broke the protocol; the client has answered with the reason code and closed.
    ServerViolation(ServerViolation),
    /// The options make no legal CONNECT: correct them.
    Options(EncodeError),
    /// The client was told to disconnect meanwhile, or has ended.
    Closed,
}

/// Why a message was not published.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PublishError {
    /// The server answered with an error. Publishing again is useful only if the reason is a passing one.
    Refused {
        /// Why; 0x80 or above.
        reason: ReasonCode,
        /// Reason String and User Properties.
        properties: Properties,
    },
    /// The server's Maximum QoS is lower. Nothing was sent: publish with that QoS.
    QoSNotSupported {
        /// The highest QoS the server takes.
        maximum_qos: QoS,
    },
    /// The server retains nothing. Nothing was sent: publish without `retain`.
    RetainNotSupported,
    /// The packet would be larger than the server takes. Nothing was sent.
    PacketTooLarge {
        /// Bytes of the packet.
        packet_bytes: usize,
        /// The server's Maximum Packet Size.
        maximum_packet_size: u32,
    },
    /// The message makes no legal packet. Nothing was sent: correct it.
    Encode(EncodeError),
    /// The queue is at its limit while the client is offline, or at all for
    /// [`try_publish`](crate::Client::try_publish). Try later.
    QueueFull,
    /// QoS 0: the connection was lost before the message was written. QoS 1 and 2 survive that.
    ConnectionLost,
    /// The client has been disconnected, or has given up.
    Closed,
}

/// Why nothing was subscribed to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SubscribeError {
    /// A filter is not legal: correct it.
    Invalid(InvalidTopic),
    /// The server refused every filter.
    Refused {
        /// One reason per filter.
        reasons: Vec<ReasonCode>,
        /// Reason String and User Properties.
        properties: Properties,
    },
    /// The server has no Wildcard Subscriptions. Nothing was sent.
    WildcardNotSupported,
    /// The server has no Shared Subscriptions. Nothing was sent.
    SharedNotSupported,
    /// The packet would be larger than the server takes. Nothing was sent: use fewer filters.
    PacketTooLarge {
        /// Bytes of the packet.
        packet_bytes: usize,
        /// The server's Maximum Packet Size.
        maximum_packet_size: u32,
    },
    /// The filters and options make no legal packet: no filter, or No Local on a Shared Subscription.
    Encode(EncodeError),
    /// The queue is at its limit while the client is offline. Try later.
    QueueFull,
    /// The client has been disconnected, or has given up.
    Closed,
}

/// Why nothing was unsubscribed from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum UnsubscribeError {
    /// A filter is not legal: correct it.
    Invalid(InvalidTopic),
    /// The server refused at least one filter, whose streams go on.
    Refused {
        /// One reason per filter.
        reasons: Vec<ReasonCode>,
        /// Reason String and User Properties.
        properties: Properties,
    },
    /// The packet would be larger than the server takes. Nothing was sent: use fewer filters.
    PacketTooLarge {
        /// Bytes of the packet.
        packet_bytes: usize,
        /// The server's Maximum Packet Size.
        maximum_packet_size: u32,
    },
    /// The filters make no legal packet: there is none.
    Encode(EncodeError),
    /// The queue is at its limit while the client is offline. Try later.
    QueueFull,
    /// The client has been disconnected, or has given up.
    Closed,
}

/// Why a request has no response.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RequestError {
    /// The request was not published.
    Publish(PublishError),
    /// The response topic is no longer subscribed to.
    Closed,
}

/// Why a disconnect was not as graceful as asked for. The client has ended all the same, except for
/// [`SessionExpiry`](Self::SessionExpiry) and [`Encode`](Self::Encode).
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DisconnectError {
    /// The deadline passed first. This many publications of QoS 1 and 2 or queued ones were not acknowledged.
    Undelivered {
        /// How many.
        publications: usize,
    },
    /// A Session Expiry Interval is given where CONNECT had none, which 5.0 forbids. Nothing was done.
    SessionExpiry,
    /// Reason and properties make no legal DISCONNECT of a client. Nothing was done.
    Encode(EncodeError),
    /// The client had ended before.
    Closed,
}

/// A reason code that PUBACK and PUBREC cannot carry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ReasonNotAllowed(
    /// The code.
    pub ReasonCode,
);

impl ConnectionError {
    /// Whether an attempt with the same options would end the same way, so that the client does not make one.
    #[must_use]
    pub fn is_permanent(&self) -> bool {
        match self {
            Self::Network(_)
            | Self::ConnectTimeout
            | Self::ClosedByServer
            | Self::KeepAliveTimeout
            | Self::AcknowledgementTimeout
            | Self::ServerViolation(_) => false,
            Self::Refused { reason, .. } | Self::DisconnectedByServer { reason, .. } => is_permanent(*reason),
            Self::Options(_) | Self::Closed => true,
        }
    }

    pub(crate) fn network(place: &str, error: &io::Error) -> Self {
        Self::Network(NetworkError { kind: error.kind(), text: format!("{place}: {error}") })
    }
}

/// Whether a server that said this would say it again. Session taken over is permanent because two clients of one
/// identifier that both reconnect would take turns for ever.
fn is_permanent(reason: ReasonCode) -> bool {
    matches!(
        reason,
        ReasonCode::UnsupportedProtocolVersion
            | ReasonCode::ClientIdentifierNotValid
            | ReasonCode::BadUserNameOrPassword
            | ReasonCode::NotAuthorized
            | ReasonCode::Banned
            | ReasonCode::BadAuthenticationMethod
            | ReasonCode::SessionTakenOver
            | ReasonCode::TopicNameInvalid
            | ReasonCode::PayloadFormatInvalid
            | ReasonCode::PacketTooLarge
            | ReasonCode::RetainNotSupported
            | ReasonCode::QoSNotSupported
            | ReasonCode::UseAnotherServer
            | ReasonCode::ServerMoved
    )
}

impl From<EncodeError> for PublishError {
    fn from(error: EncodeError) -> Self {
        Self::Encode(error)
    }
}

impl From<InvalidTopic> for SubscribeError {
    fn from(error: InvalidTopic) -> Self {
        Self::Invalid(error)
    }
}

impl From<InvalidTopic> for UnsubscribeError {
    fn from(error: InvalidTopic) -> Self {
        Self::Invalid(error)
    }
}

impl From<PublishError> for RequestError {
    fn from(error: PublishError) -> Self {
        Self::Publish(error)
    }
}

// A request that is already built cannot fail to convert.
impl From<std::convert::Infallible> for SubscribeError {
    fn from(never: std::convert::Infallible) -> Self {
        match never {}
    }
}

impl From<std::convert::Infallible> for UnsubscribeError {
    fn from(never: std::convert::Infallible) -> Self {
        match never {}
    }
}
