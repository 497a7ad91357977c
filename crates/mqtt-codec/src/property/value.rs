//! Owns the value of each property as a type and as bytes. Which packet may carry it is in `catalogue`, and
//! whether its bytes are legal in `check`.

use super::catalogue::PropertyId;
use crate::{
    error::{EncodeError, Violation},
    qos::QoS,
    read::{self, Parsed},
    topic::TopicNameRef,
    varint,
    write::{self, Output},
};
use core::num::{NonZeroU16, NonZeroU32};

/// One property with its value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Property<'a> {
    /// What the payload is.
    PayloadFormatIndicator(PayloadFormat),
    /// Seconds the message is worth delivering.
    MessageExpiryInterval(u32),
    /// What the content is, in the application's words.
    ContentType(&'a str),
    /// Where a response is expected.
    ResponseTopic(TopicNameRef<'a>),
    /// What ties a response to its request.
    CorrelationData(&'a [u8]),
    /// A number for a subscription, 1 to 268,435,455.
    SubscriptionIdentifier(NonZeroU32),
    /// Seconds a session outlives its connection; 4,294,967,295 is for ever.
    SessionExpiryInterval(u32),
    /// The client identifier the server chose.
    AssignedClientIdentifier(&'a str),
    /// Seconds of Keep Alive the server demands.
    ServerKeepAlive(u16),
    /// The name of the authentication exchange.
    AuthenticationMethod(&'a str),
    /// The content of the authentication exchange.
    AuthenticationData(&'a [u8]),
    /// Whether reason strings and user properties are wanted on failures.
    RequestProblemInformation(bool),
    /// Seconds between losing the connection and publishing the Will.
    WillDelayInterval(u32),
    /// Whether Response Information is wanted.
    RequestResponseInformation(bool),
    /// The basis for response topics.
    ResponseInformation(&'a str),
    /// Another server to use.
    ServerReference(&'a str),
    /// Diagnosis for people.
    ReasonString(&'a str),
    /// QoS 1 and 2 publications the sender of this is willing to have in flight.
    ReceiveMaximum(NonZeroU16),
    /// The highest topic alias the sender of this accepts.
    TopicAliasMaximum(u16),
    /// A number that stands for a topic.
    TopicAlias(TopicAlias),
    /// The highest QoS the server supports: 0 or 1.
    MaximumQoS(QoS),
    /// Whether the server retains messages.
    RetainAvailable(bool),
    /// A name and a value, in the application's words.
    UserProperty(&'a str, &'a str),
    /// The largest packet the sender of this accepts, in bytes.
    MaximumPacketSize(NonZeroU32),
    /// Whether the server accepts wildcards.
    WildcardSubscriptionAvailable(bool),
    /// Whether the server accepts subscription identifiers.
    SubscriptionIdentifierAvailable(bool),
    /// Whether the server accepts shared subscriptions.
    SharedSubscriptionAvailable(bool),
}

/// What the Payload Format Indicator says of a payload.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum PayloadFormat {
    /// Bytes of no stated kind.
    Unspecified = 0,
    /// UTF-8 text.
    Utf8 = 1,
}

/// A Topic Alias: a number that stands for a topic on one connection in one direction, never zero
/// `[MQTT5-3.3.2-8]`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TopicAlias(NonZeroU16);

impl TopicAlias {
    /// The alias of a number; none for zero.
    #[must_use]
    pub const fn new(number: u16) -> Option<Self> {
        match NonZeroU16::new(number) {
            Some(number) => Some(Self(number)),
            None => None,
        }
    }

    /// The number on the wire.
    #[must_use]
    pub const fn get(self) -> u16 {
        self.0.get()
    }
}

impl<'a> Property<'a> {
    /// Reads the value at the front of `input`. It was judged before, so it is there.
    pub(super) fn read(id: PropertyId, input: &'a [u8]) -> Option<Self> {
        use PropertyId as Id;
        Some(match id {
            Id::PayloadFormatIndicator => Self::PayloadFormatIndicator(match flag(input)? {
                true => PayloadFormat::Utf8,
                false => PayloadFormat::Unspecified,
            }),
            Id::MessageExpiryInterval => Self::MessageExpiryInterval(value(read::four_bytes(input))?),
            Id::ContentType => Self::ContentType(value(read::string(input))?),
            Id::ResponseTopic => {
                Self::ResponseTopic(TopicNameRef::decode(value(read::topic_text(input))?).ok()?)
            }
            Id::CorrelationData => Self::CorrelationData(value(read::binary(input))?),
            Id::SubscriptionIdentifier => {
                Self::SubscriptionIdentifier(NonZeroU32::new(value(read::variable(input))?)?)
            }
            Id::SessionExpiryInterval => Self::SessionExpiryInterval(value(read::four_bytes(input))?),
            Id::AssignedClientIdentifier => Self::AssignedClientIdentifier(value(read::string(input))?),
            Id::ServerKeepAlive => Self::ServerKeepAlive(value(read::two_bytes(input))?),
            Id::AuthenticationMethod => Self::AuthenticationMethod(value(read::string(input))?),
            Id::AuthenticationData => Self::AuthenticationData(value(read::binary(input))?),
            Id::RequestProblemInformation => Self::RequestProblemInformation(flag(input)?),
            Id::WillDelayInterval => Self::WillDelayInterval(value(read::four_bytes(input))?),
            Id::RequestResponseInformation => Self::RequestResponseInformation(flag(input)?),
            Id::ResponseInformation => Self::ResponseInformation(value(read::string(input))?),
            Id::ServerReference => Self::ServerReference(value(read::string(input))?),
            Id::ReasonString => Self::ReasonString(value(read::string(input))?),
            Id::ReceiveMaximum => Self::ReceiveMaximum(NonZeroU16::new(value(read::two_bytes(input))?)?),
            Id::TopicAliasMaximum => Self::TopicAliasMaximum(value(read::two_bytes(input))?),
            Id::TopicAlias => Self::TopicAlias(TopicAlias::new(value(read::two_bytes(input))?)?),
            Id::MaximumQoS => Self::MaximumQoS(match flag(input)? {
                true => QoS::AtLeastOnce,
                false => QoS::AtMostOnce,
            }),
            Id::RetainAvailable => Self::RetainAvailable(flag(input)?),
            Id::UserProperty => {
                let (rest, name) = read::string(input).ok()?;
                Self::UserProperty(name, value(read::string(rest))?)
            }
            Id::MaximumPacketSize => {
                Self::MaximumPacketSize(NonZeroU32::new(value(read::four_bytes(input))?)?)
            }
            Id::WildcardSubscriptionAvailable => Self::WildcardSubscriptionAvailable(flag(input)?),
            Id::SubscriptionIdentifierAvailable => Self::SubscriptionIdentifierAvailable(flag(input)?),
            Id::SharedSubscriptionAvailable => Self::SharedSubscriptionAvailable(flag(input)?),
        })
    }

    /// Which property it is.
    #[must_use]
    pub const fn id(&self) -> PropertyId {
        match self {
            Self::PayloadFormatIndicator(_) => PropertyId::PayloadFormatIndicator,
            Self::MessageExpiryInterval(_) => PropertyId::MessageExpiryInterval,
            Self::ContentType(_) => PropertyId::ContentType,
            Self::ResponseTopic(_) => PropertyId::ResponseTopic,
            Self::CorrelationData(_) => PropertyId::CorrelationData,
            Self::SubscriptionIdentifier(_) => PropertyId::SubscriptionIdentifier,
            Self::SessionExpiryInterval(_) => PropertyId::SessionExpiryInterval,
            Self::AssignedClientIdentifier(_) => PropertyId::AssignedClientIdentifier,
            Self::ServerKeepAlive(_) => PropertyId::ServerKeepAlive,
            Self::AuthenticationMethod(_) => PropertyId::AuthenticationMethod,
            Self::AuthenticationData(_) => PropertyId::AuthenticationData,
            Self::RequestProblemInformation(_) => PropertyId::RequestProblemInformation,
            Self::WillDelayInterval(_) => PropertyId::WillDelayInterval,
            Self::RequestResponseInformation(_) => PropertyId::RequestResponseInformation,
            Self::ResponseInformation(_) => PropertyId::ResponseInformation,
            Self::ServerReference(_) => PropertyId::ServerReference,
            Self::ReasonString(_) => PropertyId::ReasonString,
            Self::ReceiveMaximum(_) => PropertyId::ReceiveMaximum,
            Self::TopicAliasMaximum(_) => PropertyId::TopicAliasMaximum,
            Self::TopicAlias(_) => PropertyId::TopicAlias,
            Self::MaximumQoS(_) => PropertyId::MaximumQoS,
            Self::RetainAvailable(_) => PropertyId::RetainAvailable,
            Self::UserProperty(..) => PropertyId::UserProperty,
            Self::MaximumPacketSize(_) => PropertyId::MaximumPacketSize,
            Self::WildcardSubscriptionAvailable(_) => PropertyId::WildcardSubscriptionAvailable,
            Self::SubscriptionIdentifierAvailable(_) => PropertyId::SubscriptionIdentifierAvailable,
            Self::SharedSubscriptionAvailable(_) => PropertyId::SharedSubscriptionAvailable,
        }
    }

    /// Appends the property as bytes on the wire.
    ///
    /// # Errors
    /// A string or binary value over 65,535 bytes, a subscription identifier over 268,435,455, or a
    /// Maximum QoS of 2, which is told by leaving the property out. Nothing may then be relied on in `out`.
    pub fn encode(&self, out: &mut impl Output) -> Result<(), EncodeError> {
        out.put(&[self.id() as u8]);
        match *self {
            Self::PayloadFormatIndicator(format) => out.put(&[format as u8]),
            Self::RequestProblemInformation(flag)
            | Self::RequestResponseInformation(flag)
            | Self::RetainAvailable(flag)
            | Self::WildcardSubscriptionAvailable(flag)
            | Self::SubscriptionIdentifierAvailable(flag)
            | Self::SharedSubscriptionAvailable(flag) => out.put(&[u8::from(flag)]),
            Self::MaximumQoS(QoS::ExactlyOnce) => {
                return Err(EncodeError::Violation(Violation::PropertyValue));
            }
            Self::MaximumQoS(qos) => out.put(&[qos.bits()]),
            Self::MessageExpiryInterval(seconds)
            | Self::SessionExpiryInterval(seconds)
            | Self::WillDelayInterval(seconds) => out.put(&seconds.to_be_bytes()),
            Self::MaximumPacketSize(bytes) => out.put(&bytes.get().to_be_bytes()),
            Self::ServerKeepAlive(number) | Self::TopicAliasMaximum(number) => out.put(&number.to_be_bytes()),
            Self::ReceiveMaximum(number) => out.put(&number.get().to_be_bytes()),
            Self::TopicAlias(alias) => out.put(&alias.get().to_be_bytes()),
            Self::SubscriptionIdentifier(id) => {
                if id.get() > varint::MAXIMUM {
                    return Err(EncodeError::Violation(Violation::PropertyValue));
                }
                write::variable(out, id.get());
            }
            Self::CorrelationData(bytes) | Self::AuthenticationData(bytes) => put(out, bytes)?,
            Self::ResponseTopic(topic) => put(out, topic.text().as_bytes())?,
            Self::ContentType(text)
            | Self::AssignedClientIdentifier(text)
            | Self::AuthenticationMethod(text)
            | Self::ResponseInformation(text)
            | Self::ServerReference(text)
            | Self::ReasonString(text) => put(out, text.as_bytes())?,
            Self::UserProperty(name, value) => {
                put(out, name.as_bytes())?;
                put(out, value.as_bytes())?;
            }
        }
        Ok(())
    }
}

fn put(out: &mut impl Output, bytes: &[u8]) -> Result<(), EncodeError> {
    write::prefixed_len(bytes.len())?;
    write::prefixed(out, bytes);
    Ok(())
}

fn flag(input: &[u8]) -> Option<bool> {
    input.first().map(|&byte| byte != 0)
}

fn value<T>(parsed: Parsed<'_, T>) -> Option<T> {
    parsed.ok().map(|(_, value)| value)
}
