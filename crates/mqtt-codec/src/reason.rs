//! Owns the Reason Codes of every version and which packet may carry which. The return codes of 3.x are
//! the same type: each maps to the 5.0 code that means the same.

use crate::{packet::PacketType, version::ProtocolVersion};
use core::fmt;

macro_rules! reason_codes {
    ($($(#[$doc:meta])* $name:ident = $code:literal, $text:literal, [$($packet:ident)*];)*) => {
        /// The result of an operation. Codes below 0x80 are successes.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[repr(u8)]
        pub enum ReasonCode { $($(#[$doc])* $name = $code,)* }

        impl ReasonCode {
            /// The code of a byte, whatever packet it stands in.
            #[must_use]
            pub const fn from_byte(byte: u8) -> Option<Self> {
                match byte { $($code => Some(Self::$name),)* _ => None }
            }

            /// The name the specification gives it.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self { $(Self::$name => $text,)* }
            }

            /// Whether a packet of this type may carry it in MQTT 5.0 `[MQTT5-3.2.2-8]`
            /// `[MQTT5-3.4.2-1]` `[MQTT5-3.9.3-2]` `[MQTT5-3.14.2-1]` `[MQTT5-3.15.2-1]`.
            #[must_use]
            pub const fn is_allowed_in(self, packet: PacketType) -> bool {
                match self { $(Self::$name => matches!(packet, $(PacketType::$packet)|*),)* }
            }
        }
    };
}

reason_codes! {
    /// Also: normal disconnection, and granted QoS 0.
    Success = 0x00, "Success", [ConnAck PubAck PubRec PubRel PubComp SubAck UnsubAck Disconnect Auth];
    /// The subscription is accepted at QoS 1 at most.
    GrantedQoS1 = 0x01, "Granted QoS 1", [SubAck];
    /// The subscription is accepted at QoS 2 at most.
    GrantedQoS2 = 0x02, "Granted QoS 2", [SubAck];
    /// The client leaves and wants its Will published all the same.
    DisconnectWithWill = 0x04, "Disconnect with Will Message", [Disconnect];
    /// Accepted, and nobody had subscribed.
    NoMatchingSubscribers = 0x10, "No matching subscribers", [PubAck PubRec];
    /// There was nothing to unsubscribe.
    NoSubscriptionExisted = 0x11, "No subscription existed", [UnsubAck];
    /// The authentication exchange goes on.
    ContinueAuthentication = 0x18, "Continue authentication", [Auth];
    /// The client starts a new authentication exchange.
    ReAuthenticate = 0x19, "Re-authenticate", [Auth];
    /// No further detail is told.
    UnspecifiedError = 0x80, "Unspecified error", [ConnAck PubAck PubRec SubAck UnsubAck Disconnect];
    /// The packet could not be parsed.
    MalformedPacket = 0x81, "Malformed Packet", [ConnAck Disconnect];
    /// The packet could be parsed and was not allowed.
    ProtocolError = 0x82, "Protocol Error", [ConnAck Disconnect];
    /// Valid, but not accepted by this receiver.
    ImplementationSpecificError = 0x83, "Implementation specific error", [ConnAck PubAck PubRec SubAck UnsubAck Disconnect];
    /// The server does not speak the version asked for.
    UnsupportedProtocolVersion = 0x84, "Unsupported Protocol Version", [ConnAck];
    /// The client identifier is not accepted.
    ClientIdentifierNotValid = 0x85, "Client Identifier not valid", [ConnAck];
    /// The user name or password is not accepted.
    BadUserNameOrPassword = 0x86, "Bad User Name or Password", [ConnAck];
    /// The operation is not allowed to this client.
    NotAuthorized = 0x87, "Not authorized", [ConnAck PubAck PubRec SubAck UnsubAck Disconnect];
    /// The server cannot serve at present.
    ServerUnavailable = 0x88, "Server unavailable", [ConnAck];
    /// The server has too much to do.
    ServerBusy = 0x89, "Server busy", [ConnAck Disconnect];
    /// The client is barred by the operator.
    Banned = 0x8A, "Banned", [ConnAck];
    /// The server is going away.
    ServerShuttingDown = 0x8B, "Server shutting down", [Disconnect];
    /// The authentication method is unknown or not the one agreed on.
    BadAuthenticationMethod = 0x8C, "Bad authentication method", [ConnAck Disconnect];
    /// Nothing arrived for one and a half times the Keep Alive.
    KeepAliveTimeout = 0x8D, "Keep Alive timeout", [Disconnect];
    /// Another connection uses the same client identifier.
    SessionTakenOver = 0x8E, "Session taken over", [Disconnect];
    /// The filter is well formed and not accepted.
    TopicFilterInvalid = 0x8F, "Topic Filter invalid", [SubAck UnsubAck Disconnect];
    /// The topic is well formed and not accepted.
    TopicNameInvalid = 0x90, "Topic Name invalid", [ConnAck PubAck PubRec Disconnect];
    /// The packet identifier is already in use.
    PacketIdentifierInUse = 0x91, "Packet Identifier in use", [PubAck PubRec SubAck UnsubAck];
    /// The packet identifier is not known.
    PacketIdentifierNotFound = 0x92, "Packet Identifier not found", [PubRel PubComp];
    /// More publications in flight than the receiver allows.
    ReceiveMaximumExceeded = 0x93, "Receive Maximum exceeded", [Disconnect];
    /// A topic alias above the maximum, or never defined.
    TopicAliasInvalid = 0x94, "Topic Alias invalid", [Disconnect];
    /// The packet is larger than the receiver allows.
    PacketTooLarge = 0x95, "Packet too large", [ConnAck Disconnect];
    /// Packets arrive too fast.
    MessageRateTooHigh = 0x96, "Message rate too high", [Disconnect];
    /// A limit of the implementation or the operator is reached.
    QuotaExceeded = 0x97, "Quota exceeded", [ConnAck PubAck PubRec SubAck Disconnect];
    /// An operator closed the connection.
    AdministrativeAction = 0x98, "Administrative action", [Disconnect];
    /// The payload is not what its Payload Format Indicator says.
    PayloadFormatInvalid = 0x99, "Payload format invalid", [ConnAck PubAck PubRec Disconnect];
    /// The server retains no messages.
    RetainNotSupported = 0x9A, "Retain not supported", [ConnAck Disconnect];
    /// The QoS is above the Maximum QoS of the server.
    QoSNotSupported = 0x9B, "QoS not supported", [ConnAck Disconnect];
    /// For the time being, another server should be used.
    UseAnotherServer = 0x9C, "Use another server", [ConnAck Disconnect];
    /// For good, another server should be used.
    ServerMoved = 0x9D, "Server moved", [ConnAck Disconnect];
    /// The server has no shared subscriptions.
    SharedSubscriptionsNotSupported = 0x9E, "Shared Subscriptions not supported", [SubAck Disconnect];
    /// Connections are opened too fast.
    ConnectionRateExceeded = 0x9F, "Connection rate exceeded", [ConnAck Disconnect];
    /// The longest time allowed for this connection is over.
    MaximumConnectTime = 0xA0, "Maximum connect time", [Disconnect];
    /// The server has no subscription identifiers.
    SubscriptionIdentifiersNotSupported = 0xA1, "Subscription Identifiers not supported", [SubAck Disconnect];
    /// The server has no wildcard subscriptions.
    WildcardSubscriptionsNotSupported = 0xA2, "Wildcard Subscriptions not supported", [SubAck Disconnect];
}

impl ReasonCode {
    /// The byte on the wire of MQTT 5.0.
    #[must_use]
    pub const fn byte(self) -> u8 {
        self as u8
    }

    /// Whether the operation failed.
    #[must_use]
    pub const fn is_error(self) -> bool {
        self.byte() >= 0x80
    }

    /// The CONNACK code of a byte, in the numbering of `version`.
    #[must_use]
    pub const fn from_connack_byte(byte: u8, version: ProtocolVersion) -> Option<Self> {
        match version {
            ProtocolVersion::V5 => match Self::from_byte(byte) {
                Some(code) if code.is_allowed_in(PacketType::ConnAck) => Some(code),
                _ => None,
            },
            ProtocolVersion::V31 | ProtocolVersion::V311 => match byte {
                0 => Some(Self::Success),
                1 => Some(Self::UnsupportedProtocolVersion),
                2 => Some(Self::ClientIdentifierNotValid),
                3 => Some(Self::ServerUnavailable),
                4 => Some(Self::BadUserNameOrPassword),
                5 => Some(Self::NotAuthorized),
                _ => None,
            },
        }
    }

    /// The CONNACK byte in the numbering of `version`. The six codes of 3.x are all there are, so every
    /// refusal they cannot name becomes "server unavailable" or "not authorized".
    #[must_use]
    pub const fn connack_byte(self, version: ProtocolVersion) -> u8 {
        match version {
            ProtocolVersion::V5 => self.byte(),
            ProtocolVersion::V31 | ProtocolVersion::V311 => match self {
                code if !code.is_error() => 0,
                Self::UnsupportedProtocolVersion => 1,
                Self::ClientIdentifierNotValid => 2,
                Self::BadUserNameOrPassword | Self::BadAuthenticationMethod => 4,
                Self::NotAuthorized | Self::Banned => 5,
                _ => 3,
            },
        }
    }
}

impl fmt::Display for ReasonCode {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "0x{:02X} {}", self.byte(), self.name())
    }
}
