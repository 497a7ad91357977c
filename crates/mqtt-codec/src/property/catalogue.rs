//! Owns the catalogue of properties: identifier, name, kind of value, and the packets that may carry
//! each (table 2-4 of the 5.0 standard). How values are read is in `value`.

use core::fmt;

/// What may carry properties.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u16)]
#[expect(missing_docs, reason = "the names are those of the packets")]
pub enum PropertyOwner {
    Connect = 1,
    /// The Will inside CONNECT.
    Will = 1 << 1,
    ConnAck = 1 << 2,
    Publish = 1 << 3,
    PubAck = 1 << 4,
    PubRec = 1 << 5,
    PubRel = 1 << 6,
    PubComp = 1 << 7,
    Subscribe = 1 << 8,
    SubAck = 1 << 9,
    Unsubscribe = 1 << 10,
    UnsubAck = 1 << 11,
    Disconnect = 1 << 12,
    Auth = 1 << 13,
}

/// What a value is: its data type, and the range the standard gives it.
#[derive(Clone, Copy)]
pub(super) enum Kind {
    /// A Byte of 0 or 1.
    Flag,
    TwoByteInteger,
    PositiveTwoByteInteger,
    FourByteInteger,
    PositiveFourByteInteger,
    PositiveVariableByteInteger,
    /// A Two Byte Integer with a reason code of its own for zero.
    TopicAlias,
    BinaryData,
    Text,
    TopicName,
    TextPair,
}

/// Every owner there is: User Property goes everywhere.
const EVERYWHERE: u16 = (1 << 14) - 1;

macro_rules! properties {
    ($($name:ident = $id:literal, $text:literal, $kind:ident, $owners:expr;)*) => {
        /// The identifier of a property.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[repr(u8)]
        #[expect(missing_docs, reason = "the names are the specification's")]
        pub enum PropertyId { $($name = $id,)* }

        impl PropertyId {
            /// Every property there is.
            pub const ALL: &'static [Self] = &[$(Self::$name,)*];

            /// The property of an identifier.
            #[must_use]
            #[inline]
            pub const fn from_number(number: u32) -> Option<Self> {
                match number { $($id => Some(Self::$name),)* _ => None }
            }

            /// The name the specification gives it.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self { $(Self::$name => $text,)* }
            }

            /// What its value is.
            #[inline]
            pub(super) const fn kind(self) -> Kind {
                match self { $(Self::$name => Kind::$kind,)* }
            }

            const fn owners(self) -> u16 {
                use PropertyOwner::*;
                match self { $(Self::$name => $owners,)* }
            }
        }
    };
}

properties! {
    PayloadFormatIndicator = 0x01, "Payload Format Indicator", Flag, Publish as u16 | Will as u16;
    MessageExpiryInterval = 0x02, "Message Expiry Interval", FourByteInteger, Publish as u16 | Will as u16;
    ContentType = 0x03, "Content Type", Text, Publish as u16 | Will as u16;
    ResponseTopic = 0x08, "Response Topic", TopicName, Publish as u16 | Will as u16;
    CorrelationData = 0x09, "Correlation Data", BinaryData, Publish as u16 | Will as u16;
    SubscriptionIdentifier = 0x0B, "Subscription Identifier", PositiveVariableByteInteger, Publish as u16 | Subscribe as u16;
    SessionExpiryInterval = 0x11, "Session Expiry Interval", FourByteInteger, Connect as u16 | ConnAck as u16 | Disconnect as u16;
    AssignedClientIdentifier = 0x12, "Assigned Client Identifier", Text, ConnAck as u16;
    ServerKeepAlive = 0x13, "Server Keep Alive", TwoByteInteger, ConnAck as u16;
    AuthenticationMethod = 0x15, "Authentication Method", Text, Connect as u16 | ConnAck as u16 | Auth as u16;
    AuthenticationData = 0x16, "Authentication Data", BinaryData, Connect as u16 | ConnAck as u16 | Auth as u16;
    RequestProblemInformation = 0x17, "Request Problem Information", Flag, Connect as u16;
    WillDelayInterval = 0x18, "Will Delay Interval", FourByteInteger, Will as u16;
    RequestResponseInformation = 0x19, "Request Response Information", Flag, Connect as u16;
    ResponseInformation = 0x1A, "Response Information", Text, ConnAck as u16;
    ServerReference = 0x1C, "Server Reference", Text, ConnAck as u16 | Disconnect as u16;
    ReasonString = 0x1F, "Reason String", Text,
        EVERYWHERE & !(Connect as u16 | Will as u16 | Publish as u16 | Subscribe as u16 | Unsubscribe as u16);
    ReceiveMaximum = 0x21, "Receive Maximum", PositiveTwoByteInteger, Connect as u16 | ConnAck as u16;
    TopicAliasMaximum = 0x22, "Topic Alias Maximum", TwoByteInteger, Connect as u16 | ConnAck as u16;
    TopicAlias = 0x23, "Topic Alias", TopicAlias, Publish as u16;
    MaximumQoS = 0x24, "Maximum QoS", Flag, ConnAck as u16;
    RetainAvailable = 0x25, "Retain Available", Flag, ConnAck as u16;
    UserProperty = 0x26, "User Property", TextPair, EVERYWHERE;
    MaximumPacketSize = 0x27, "Maximum Packet Size", PositiveFourByteInteger, Connect as u16 | ConnAck as u16;
    WildcardSubscriptionAvailable = 0x28, "Wildcard Subscription Available", Flag, ConnAck as u16;
    SubscriptionIdentifierAvailable = 0x29, "Subscription Identifier Available", Flag, ConnAck as u16;
    SharedSubscriptionAvailable = 0x2A, "Shared Subscription Available", Flag, ConnAck as u16;
}

impl PropertyId {
    /// Whether the owner may carry it.
    #[must_use]
    #[inline]
    pub const fn is_allowed_in(self, owner: PropertyOwner) -> bool {
        self.owners() & owner as u16 != 0
    }

    /// Whether the owner may carry it more than once: User Property anywhere, Subscription Identifier
    /// in a PUBLISH that matched several subscriptions.
    #[must_use]
    #[inline]
    pub const fn may_repeat_in(self, owner: PropertyOwner) -> bool {
        match self {
            Self::UserProperty => true,
            Self::SubscriptionIdentifier => matches!(owner, PropertyOwner::Publish),
            _ => false,
        }
    }
}

impl fmt::Display for PropertyId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.name())
    }
}
