//! Owns the `%` parameters: which letter prints which part of a message. JSON has a module of its own.

use super::layout::ValueKind;
use super::time::{ISO_8601, append_unix};
use crate::delivered::Delivered;
use jiff::Zoned;
use mqtt_codec::{PacketId, TopicAlias};
use std::{fmt::Display, io::Write};

/// A part of a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Field {
    TopicAlias,
    ContentType,
    CorrelationData,
    MessageExpiryInterval,
    PayloadFormatIndicator,
    Iso8601,
    PayloadLength,
    PacketId,
    UserProperties,
    Payload,
    QoS,
    ResponseTopic,
    Retain,
    SubscriptionIdentifier,
    Topic,
    UnixTime,
    PayloadHexLower,
    PayloadHexUpper,
}

impl Field {
    /// The parameter that `letter` stands for, if any.
    pub(super) const fn from_letter(letter: char) -> Option<Self> {
        Some(match letter {
            'A' => Self::TopicAlias,
            'C' => Self::ContentType,
            'D' => Self::CorrelationData,
            'E' => Self::MessageExpiryInterval,
            'F' => Self::PayloadFormatIndicator,
            'I' => Self::Iso8601,
            'l' => Self::PayloadLength,
            'm' => Self::PacketId,
            'P' => Self::UserProperties,
            'p' => Self::Payload,
            'q' => Self::QoS,
            'R' => Self::ResponseTopic,
            'r' => Self::Retain,
            'S' => Self::SubscriptionIdentifier,
            't' => Self::Topic,
            'U' => Self::UnixTime,
            'x' => Self::PayloadHexLower,
            'X' => Self::PayloadHexUpper,
            _ => return None,
        })
    }

    /// Appends the value and tells how it may be laid out. A property that is not there is empty.
    pub(super) fn append(self, delivered: &Delivered<'_>, time: &Zoned, out: &mut Vec<u8>) -> ValueKind {
        let properties = &delivered.properties;
        match self {
            Self::Topic => text(out, Some(delivered.topic)),
            Self::ContentType => text(out, properties.content_type()),
            Self::ResponseTopic => text(out, properties.response_topic().map(|topic| topic.text())),
            Self::Iso8601 => {
                ISO_8601.append(time, out);
                ValueKind::Text
            }
            Self::PayloadLength => number(out, Some(delivered.payload.len())),
            Self::PacketId => number(out, Some(delivered.packet_id.map_or(0, PacketId::get))),
            Self::TopicAlias => number(out, properties.topic_alias().map(TopicAlias::get)),
            Self::MessageExpiryInterval => number(out, properties.message_expiry_interval()),
            Self::PayloadFormatIndicator => {
                number(out, properties.payload_format_indicator().map(|format| format as u8))
            }
            Self::SubscriptionIdentifier => number(out, properties.subscription_identifier()),
            Self::QoS => fixed(out, &[b'0' + delivered.qos.bits()]),
            Self::Retain => fixed(out, &[b'0' + u8::from(delivered.retain)]),
            Self::CorrelationData => fixed(out, properties.correlation_data().unwrap_or_default()),
            Self::UserProperties => {
                append_user_properties(delivered, out);
                ValueKind::Fixed
            }
            Self::UnixTime => {
                append_unix(time, out);
                ValueKind::Fixed
            }
            Self::Payload => {
                out.extend_from_slice(delivered.payload);
                ValueKind::Whole
            }
            Self::PayloadHexLower => hexadecimal(out, delivered.payload, b"0123456789abcdef"),
            Self::PayloadHexUpper => hexadecimal(out, delivered.payload, b"0123456789ABCDEF"),
        }
    }
}

/// `name:value` pairs separated by blanks.
fn append_user_properties(delivered: &Delivered<'_>, out: &mut Vec<u8>) {
    let mut separator: &[u8] = b"";
    for (name, value) in delivered.properties.user_properties() {
        out.extend_from_slice(separator);
        out.extend_from_slice(name.as_bytes());
        out.push(b':');
        out.extend_from_slice(value.as_bytes());
        separator = b" ";
    }
}

fn text(out: &mut Vec<u8>, value: Option<&str>) -> ValueKind {
    out.extend_from_slice(value.unwrap_or_default().as_bytes());
    ValueKind::Text
}

fn number(out: &mut Vec<u8>, value: Option<impl Display>) -> ValueKind {
    if let Some(value) = value {
        // Writing into a vector cannot fail.
        let _ = write!(out, "{value}");
    }
    ValueKind::Whole
}

fn fixed(out: &mut Vec<u8>, value: &[u8]) -> ValueKind {
    out.extend_from_slice(value);
    ValueKind::Fixed
}

fn hexadecimal(out: &mut Vec<u8>, payload: &[u8], digits: &[u8; 16]) -> ValueKind {
    out.reserve(payload.len() * 2);
    for byte in payload {
        out.push(digits[usize::from(byte >> 4)]);
        out.push(digits[usize::from(byte & 0xf)]);
    }
    ValueKind::Whole
}
