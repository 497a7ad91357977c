//! Owns what a person reads of an error: the thing, the place and the cause. What the errors are is the parent's.

use super::{
    ConnectionError, DisconnectError, InvalidTopic, NetworkError, PublishError, ReasonNotAllowed,
    RequestError, SubscribeError, UnsubscribeError,
};
use mqtt_codec::{Properties, ReasonCode};
use std::{error::Error, fmt};

impl fmt::Display for InvalidTopic {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "the topic {:?}: {}", self.text, self.violation.text())
    }
}

impl fmt::Display for NetworkError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.text)
    }
}

impl fmt::Display for ConnectionError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Network(error) => error.fmt(formatter),
            Self::ConnectTimeout => formatter.write_str("the server did not answer in time"),
            Self::Refused { reason, properties } => {
                refused(formatter, "the server refused the connection", *reason, properties)
            }
            Self::ClosedByServer => formatter.write_str("the server closed the connection"),
            Self::DisconnectedByServer { reason, properties } => {
                refused(formatter, "the server disconnected", *reason, properties)
            }
            Self::KeepAliveTimeout => formatter.write_str("the server did not answer PINGREQ in time"),
            Self::AcknowledgementTimeout => formatter.write_str("the server acknowledged nothing in time"),
            Self::ServerViolation(violation) => {
                write!(formatter, "the server broke the protocol: {violation}")
            }
            Self::Options(error) => write!(formatter, "the options make no legal CONNECT: {error}"),
            Self::Closed => formatter.write_str(CLOSED),
        }
    }
}

impl fmt::Display for PublishError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Refused { reason, properties } => {
                refused(formatter, "the server refused the message", *reason, properties)
            }
            Self::QoSNotSupported { maximum_qos } => {
                write!(formatter, "the server takes messages up to QoS {} only", maximum_qos.bits())
            }
            Self::RetainNotSupported => formatter.write_str("the server retains no messages"),
            Self::PacketTooLarge { packet_bytes, maximum_packet_size } => {
                too_large(formatter, *packet_bytes, *maximum_packet_size)
            }
            Self::Encode(error) => error.fmt(formatter),
            Self::QueueFull => formatter.write_str(QUEUE_FULL),
            Self::ConnectionLost => {
                formatter.write_str("the connection was lost before the message was written")
            }
            Self::Closed => formatter.write_str(CLOSED),
        }
    }
}

impl fmt::Display for SubscribeError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Invalid(error) => error.fmt(formatter),
            Self::Refused { reasons, properties } => {
                refused(formatter, "the server refused the subscription", first(reasons), properties)
            }
            Self::WildcardNotSupported => formatter.write_str("the server has no Wildcard Subscriptions"),
            Self::SharedNotSupported => formatter.write_str("the server has no Shared Subscriptions"),
            Self::PacketTooLarge { packet_bytes, maximum_packet_size } => {
                too_large(formatter, *packet_bytes, *maximum_packet_size)
            }
            Self::Encode(error) => error.fmt(formatter),
            Self::QueueFull => formatter.write_str(QUEUE_FULL),
            Self::Closed => formatter.write_str(CLOSED),
        }
    }
}

impl fmt::Display for UnsubscribeError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Invalid(error) => error.fmt(formatter),
            Self::Refused { reasons, properties } => {
                refused(formatter, "the server refused to unsubscribe", first(reasons), properties)
            }
            Self::PacketTooLarge { packet_bytes, maximum_packet_size } => {
                too_large(formatter, *packet_bytes, *maximum_packet_size)
            }
            Self::Encode(error) => error.fmt(formatter),
            Self::QueueFull => formatter.write_str(QUEUE_FULL),
            Self::Closed => formatter.write_str(CLOSED),
        }
    }
}

impl fmt::Display for RequestError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Publish(error) => write!(formatter, "the request was not published: {error}"),
            Self::Closed => formatter.write_str("the response topic is no longer subscribed to"),
        }
    }
}

impl fmt::Display for DisconnectError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Undelivered { publications } => {
                write!(formatter, "{publications} publications were not acknowledged in time")
            }
            Self::SessionExpiry => {
                formatter.write_str("a Session Expiry Interval at the end needs one above 0 at the start")
            }
            Self::Encode(error) => error.fmt(formatter),
            Self::Closed => formatter.write_str(CLOSED),
        }
    }
}

impl fmt::Display for ReasonNotAllowed {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "PUBACK and PUBREC cannot carry {}", self.0)
    }
}

impl Error for InvalidTopic {}
impl Error for NetworkError {}
impl Error for ConnectionError {}
impl Error for PublishError {}
impl Error for SubscribeError {}
impl Error for UnsubscribeError {}
impl Error for RequestError {}
impl Error for DisconnectError {}
impl Error for ReasonNotAllowed {}

const QUEUE_FULL: &str = "the queue of the client is full";
const CLOSED: &str = "the client has disconnected";

fn refused(
    formatter: &mut fmt::Formatter<'_>,
    what: &str,
    reason: ReasonCode,
    properties: &Properties,
) -> fmt::Result {
    write!(formatter, "{what}: {reason}")?;
    match properties.reason_string() {
        Some(text) => write!(formatter, " ({text})"),
        None => Ok(()),
    }
}

fn too_large(
    formatter: &mut fmt::Formatter<'_>,
    packet_bytes: usize,
    maximum_packet_size: u32,
) -> fmt::Result {
    write!(formatter, "the packet has {packet_bytes} bytes and the server takes {maximum_packet_size}")
}

fn first(reasons: &[ReasonCode]) -> ReasonCode {
    reasons.iter().copied().find(|reason| reason.is_error()).unwrap_or(ReasonCode::UnspecifiedError)
}
