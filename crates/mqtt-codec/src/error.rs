//! Owns what can be wrong with a packet: each violation with its reason code and the statement it
//! breaks. Finding violations is the parsers' business.

use crate::{packet::PacketType, reason::ReasonCode, version::ProtocolVersion};
use core::fmt;

macro_rules! violations {
    ($($(#[$doc:meta])* $name:ident: $reason:ident, $v5:literal, $v311:literal, $text:literal;)*) => {
        /// One way to break the protocol. An empty statement id means that the version has no numbered
        /// statement for it; the text then stands for itself.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum Violation { $($(#[$doc])* $name,)* }

        impl Violation {
            /// Every violation there is, for reports and tests.
            pub const ALL: &'static [Self] = &[$(Self::$name,)*];

            /// The reason code a receiver answers with.
            #[must_use]
            pub const fn reason(self) -> ReasonCode {
                match self { $(Self::$name => ReasonCode::$reason,)* }
            }

            /// The id of the normative statement it breaks, such as `MQTT5-3.1.2-3`, whatever packet it
            /// was found in.
            #[must_use]
            pub const fn statement(self, version: ProtocolVersion) -> Option<&'static str> {
                match self { $(Self::$name => numbered($v5, $v311, version),)* }
            }

            /// What is wrong, in a clause that names the guilty field.
            #[must_use]
            pub const fn text(self) -> &'static str {
                match self { $(Self::$name => $text,)* }
            }
        }
    };
}

violations! {
    /// Packet type 0, or 15 in a version without AUTH.
    PacketTypeReserved: MalformedPacket, "", "", "the packet type is reserved";
    /// The low four bits of the first byte are not what the type prescribes.
    FixedHeaderFlags: MalformedPacket, "MQTT5-2.1.3-1", "MQTT311-2.2.2-2", "the reserved flags of the fixed header are wrong";
    /// PUBLISH with both QoS bits set.
    PublishQoS3: MalformedPacket, "MQTT5-3.3.1-4", "MQTT311-3.3.1-4", "both QoS bits are set";
    /// DUP on a QoS 0 PUBLISH.
    DupAtQoS0: MalformedPacket, "MQTT5-3.3.1-2", "MQTT311-3.3.1-2", "DUP is set at QoS 0";
    /// Remaining Length in five bytes, or padded.
    RemainingLength: MalformedPacket, "MQTT5-1.5.5-1", "", "Remaining Length is not a valid Variable Byte Integer";
    /// The frame is larger than the receiver's limit.
    PacketTooLarge: PacketTooLarge, "MQTT5-3.2.2-15", "", "the packet is larger than the receiver allows";
    /// A field reaches past the end of its packet.
    FieldPastEnd: MalformedPacket, "", "", "a field reaches past the end of the packet";
    /// Bytes follow the last field.
    TrailingBytes: MalformedPacket, "", "", "bytes follow the last field of the packet";
    /// A string is not well-formed UTF-8.
    TextNotUtf8: MalformedPacket, "MQTT5-1.5.4-1", "MQTT311-1.5.3-1", "a string is not well-formed UTF-8";
    /// A string contains U+0000.
    TextHasNul: MalformedPacket, "MQTT5-1.5.4-2", "MQTT311-1.5.3-2", "a string contains the null character";
    /// A Variable Byte Integer inside the packet in five bytes, or padded.
    VariableByteInteger: MalformedPacket, "MQTT5-1.5.5-1", "", "a Variable Byte Integer is too long or padded";
    /// Packet Identifier 0.
    PacketIdZero: ProtocolError, "MQTT5-2.2.1-3", "MQTT311-2.3.1-1", "the Packet Identifier is zero";
    /// The protocol name is neither MQTT nor MQIsdp.
    ProtocolName: UnsupportedProtocolVersion, "MQTT5-3.1.2-1", "MQTT311-3.1.2-1", "the Protocol Name is not MQTT";
    /// The protocol name is known and the level is not.
    ProtocolLevel: UnsupportedProtocolVersion, "MQTT5-3.1.2-2", "MQTT311-3.1.2-2", "the Protocol Version is not supported";
    /// Bit 0 of the connect flags.
    ConnectFlagReserved: MalformedPacket, "MQTT5-3.1.2-3", "MQTT311-3.1.2-3", "the reserved connect flag is set";
    /// Will QoS without a Will.
    WillQoSWithoutWill: MalformedPacket, "MQTT5-3.1.2-11", "MQTT311-3.1.2-13", "Will QoS is set without a Will";
    /// Will QoS 3.
    WillQoS3: MalformedPacket, "MQTT5-3.1.2-12", "MQTT311-3.1.2-14", "Will QoS is 3";
    /// Will Retain without a Will.
    WillRetainWithoutWill: MalformedPacket, "MQTT5-3.1.2-13", "MQTT311-3.1.2-15", "Will Retain is set without a Will";
    /// 3.1.1: a password without a user name.
    PasswordWithoutUserName: MalformedPacket, "", "MQTT311-3.1.2-22", "a Password is given without a User Name";
    /// CONNACK flags other than Session Present.
    ConnAckFlagsReserved: MalformedPacket, "MQTT5-3.2.2-1", "", "reserved CONNACK flags are set";
    /// Session Present together with a refusal.
    SessionPresentOnError: ProtocolError, "MQTT5-3.2.2-6", "MQTT311-3.2.2-4", "Session Present is set on a refused connection";
    /// The reason code is unknown or not for this packet.
    ReasonCodeUnknown: MalformedPacket, "", "", "the Reason Code is not one this packet may carry";
    /// A Topic Name or Filter of no characters.
    TopicEmpty: MalformedPacket, "MQTT5-4.7.3-1", "MQTT311-4.7.3-1", "the topic is empty";
    /// A Topic Name or Filter of more than 65,535 bytes, which no packet can carry.
    TopicTooLong: MalformedPacket, "MQTT5-4.7.3-3", "MQTT311-4.7.3-3", "the topic is longer than 65,535 bytes";
    /// A zero length Topic Name without Topic Alias.
    TopicEmptyWithoutAlias: ProtocolError, "MQTT5-4.7.3-1", "MQTT311-4.7.3-1", "the Topic Name is empty and there is no Topic Alias";
    /// A wildcard in a Topic Name.
    TopicNameWildcard: MalformedPacket, "MQTT5-3.3.2-2", "MQTT311-3.3.2-2", "the Topic Name contains a wildcard";
    /// `#` not last, or not alone in its level.
    MultiLevelWildcard: MalformedPacket, "MQTT5-4.7.1-1", "MQTT311-4.7.1-2", "# is not the whole last level of the Topic Filter";
    /// `+` not alone in its level.
    SingleLevelWildcard: MalformedPacket, "MQTT5-4.7.1-2", "MQTT311-4.7.1-3", "+ is not a whole level of the Topic Filter";
    /// `$share//filter`.
    ShareNameEmpty: MalformedPacket, "MQTT5-4.8.2-1", "", "the ShareName is empty";
    /// `$share/a+b/filter`.
    ShareNameWildcard: MalformedPacket, "MQTT5-4.8.2-2", "", "the ShareName contains a wildcard";
    /// `$share/name` without a filter behind it.
    ShareFilterMissing: MalformedPacket, "MQTT5-4.8.2-2", "", "the ShareName is not followed by a Topic Filter";
    /// SUBSCRIBE without a filter.
    SubscribeEmpty: ProtocolError, "MQTT5-3.8.3-2", "MQTT311-3.8.3-3", "there is no Topic Filter";
    /// UNSUBSCRIBE without a filter.
    UnsubscribeEmpty: ProtocolError, "MQTT5-3.10.3-2", "MQTT311-3.10.3-2", "there is no Topic Filter";
    /// SUBACK or UNSUBACK without a reason code.
    ReasonCodesMissing: ProtocolError, "MQTT5-3.8.4-6", "MQTT311-3.8.4-5", "there is no Reason Code";
    /// Reserved bits of the subscription options.
    SubscriptionOptionsReserved: MalformedPacket, "MQTT5-3.8.3-5", "MQTT311-3.8.3-4", "reserved bits of the Subscription Options are set";
    /// A subscription with QoS 3.
    SubscriptionQoS3: ProtocolError, "", "MQTT311-3.8.3-4", "the subscription asks for QoS 3";
    /// Retain Handling 3.
    RetainHandling3: ProtocolError, "", "", "Retain Handling is 3";
    /// No Local on a shared subscription.
    NoLocalOnShared: ProtocolError, "MQTT5-3.8.3-4", "", "No Local is set on a Shared Subscription";
    /// An unknown property identifier.
    PropertyUnknown: MalformedPacket, "", "", "a property identifier is not known";
    /// A known property in the wrong packet.
    PropertyNotAllowed: MalformedPacket, "", "", "a property is not allowed in this packet";
    /// A property that may stand once stands twice.
    PropertyRepeated: ProtocolError, "", "", "a property stands more than once";
    /// A value outside the property's range.
    PropertyValue: ProtocolError, "", "", "a property has a value outside its range";
    /// Topic Alias 0.
    TopicAliasZero: TopicAliasInvalid, "MQTT5-3.3.2-8", "", "the Topic Alias is zero";
    /// A Topic Alias above the maximum.
    TopicAliasAboveMaximum: TopicAliasInvalid, "MQTT5-3.3.2-9", "", "the Topic Alias is above the maximum";
    /// A wildcard in the Response Topic.
    ResponseTopicWildcard: MalformedPacket, "MQTT5-3.3.2-14", "", "the Response Topic contains a wildcard";
    /// A Topic Alias that stands for nothing, without a topic.
    TopicAliasUndefined: ProtocolError, "", "", "the Topic Alias was never defined";
    /// Authentication Data without Authentication Method.
    AuthenticationDataWithoutMethod: ProtocolError, "", "", "Authentication Data is given without an Authentication Method";
    /// AUTH without Authentication Method.
    AuthenticationMethodMissing: ProtocolError, "MQTT5-4.12.0-5", "", "there is no Authentication Method";
}

impl Violation {
    /// The id of the normative statement it breaks in a packet of this type: that of the packet's own
    /// section where there is one, the general one otherwise.
    #[must_use]
    pub const fn statement_in(
        self,
        packet_type: PacketType,
        version: ProtocolVersion,
    ) -> Option<&'static str> {
        use PacketType as Type;
        let (v5, v311) = match (self, packet_type) {
            (Self::FixedHeaderFlags, Type::PubRel) => ("MQTT5-3.6.1-1", "MQTT311-3.6.1-1"),
            (Self::FixedHeaderFlags, Type::Subscribe) => ("MQTT5-3.8.1-1", "MQTT311-3.8.1-1"),
            (Self::FixedHeaderFlags, Type::Unsubscribe) => ("MQTT5-3.10.1-1", "MQTT311-3.10.1-1"),
            (Self::FixedHeaderFlags, Type::Disconnect) => ("MQTT5-3.14.1-1", "MQTT311-3.14.1-1"),
            (Self::FixedHeaderFlags, Type::Auth) => ("MQTT5-3.15.1-1", ""),
            (Self::PacketIdZero, Type::PubAck | Type::PubRec | Type::PubRel | Type::PubComp) => {
                ("MQTT5-2.2.1-5", "MQTT311-2.3.1-6")
            }
            (Self::PacketIdZero, Type::SubAck | Type::UnsubAck) => ("MQTT5-2.2.1-6", "MQTT311-2.3.1-7"),
            (Self::ReasonCodeUnknown, Type::ConnAck) => ("MQTT5-3.2.2-8", ""),
            (Self::ReasonCodeUnknown, Type::PubAck) => ("MQTT5-3.4.2-1", ""),
            (Self::ReasonCodeUnknown, Type::PubRec) => ("MQTT5-3.5.2-1", ""),
            (Self::ReasonCodeUnknown, Type::PubRel) => ("MQTT5-3.6.2-1", ""),
            (Self::ReasonCodeUnknown, Type::PubComp) => ("MQTT5-3.7.2-1", ""),
            (Self::ReasonCodeUnknown, Type::SubAck) => ("MQTT5-3.9.3-2", "MQTT311-3.9.3-2"),
            (Self::ReasonCodeUnknown, Type::UnsubAck) => ("MQTT5-3.11.3-2", ""),
            (Self::ReasonCodeUnknown, Type::Disconnect) => ("MQTT5-3.14.2-1", ""),
            (Self::ReasonCodeUnknown, Type::Auth) => ("MQTT5-3.15.2-1", ""),
            (Self::ReasonCodesMissing, Type::UnsubAck) => ("MQTT5-3.11.3-2", ""),
            _ => return self.statement(version),
        };
        numbered(v5, v311, version)
    }
}

const fn numbered(v5: &'static str, v311: &'static str, version: ProtocolVersion) -> Option<&'static str> {
    let id = match version {
        ProtocolVersion::V5 => v5,
        ProtocolVersion::V31 | ProtocolVersion::V311 => v311,
    };
    if id.is_empty() { None } else { Some(id) }
}

/// Why a frame is no packet. Small enough to return by value everywhere.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct DecodeError {
    /// What is wrong.
    pub violation: Violation,
    /// The packet it was found in, as far as its first byte tells.
    pub packet_type: Option<PacketType>,
    /// The version whose rules were broken: of a CONNECT the one it names, if it names one.
    pub version: ProtocolVersion,
}

impl DecodeError {
    /// The reason code to end the connection with.
    #[must_use]
    pub const fn reason(&self) -> ReasonCode {
        self.violation.reason()
    }

    /// The id of the normative statement that was broken, where the version numbers it.
    #[must_use]
    pub const fn statement(&self) -> Option<&'static str> {
        match self.packet_type {
            Some(packet_type) => self.violation.statement_in(packet_type, self.version),
            None => self.violation.statement(self.version),
        }
    }
}

impl fmt::Display for DecodeError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.packet_type {
            Some(packet_type) => write!(formatter, "{packet_type}: {}", self.violation.text())?,
            None => formatter.write_str(self.violation.text())?,
        }
        write!(formatter, " (MQTT {}, {}", self.version, self.reason())?;
        match self.statement() {
            Some(statement) => write!(formatter, ", [{statement}])"),
            None => formatter.write_str(")"),
        }
    }
}

impl fmt::Debug for DecodeError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "DecodeError({self})")
    }
}

impl core::error::Error for DecodeError {}

/// Why a packet cannot be encoded. The fault is the caller's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EncodeError {
    /// A string or binary field is longer than 65,535 bytes. Shorten it.
    FieldTooLong,
    /// The packet would exceed 268,435,460 bytes. Split the payload.
    PacketTooLarge,
    /// The version has no such packet or field: AUTH in 3.x.
    NotInVersion,
    /// The packet breaks a rule that a decoder would refuse it for.
    Violation(Violation),
}

impl fmt::Display for EncodeError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::FieldTooLong => "a string or binary field is longer than 65,535 bytes",
            Self::PacketTooLarge => "the packet is larger than 268,435,460 bytes",
            Self::NotInVersion => "this protocol version has no such packet",
            Self::Violation(violation) => violation.text(),
        })
    }
}

impl core::error::Error for EncodeError {}

impl From<Violation> for EncodeError {
    fn from(violation: Violation) -> Self {
        Self::Violation(violation)
    }
}
