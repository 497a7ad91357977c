//! Owns the CONNECT that options amount to. When it is sent is the protocol's business.

use super::{Options, PACKET_BYTES_MAX};
use mqtt_codec::{
    EncodeError, Properties, Property, PropertyId, PropertyOwner, ProtocolVersion, ReasonCode,
    packet::Connect,
};

/// Which session a CONNECT asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum SessionStart {
    /// What the options say.
    First,
    /// The one of the connection before.
    Resume,
}

impl Options {
    /// The CONNECT of a connection. `client_id` is the options' or what the server assigned before.
    pub(crate) fn connect(&self, start: SessionStart, client_id: &str) -> Result<Connect, EncodeError> {
        let clean_start = match (start, self.version) {
            (SessionStart::First, _) => self.clean_start,
            (SessionStart::Resume, ProtocolVersion::V5) => false,
            // A session that is not clean would outlive the client, which nobody asked for.
            (SessionStart::Resume, ProtocolVersion::V31 | ProtocolVersion::V311) => self.clean_start,
        };
        Ok(Connect {
            version: self.version,
            clean_start,
            keep_alive_seconds: self.keep_alive_seconds,
            client_id: client_id.into(),
            will: self.will.clone(),
            user_name: self.user_name.as_deref().map(Into::into),
            password: self.password.clone(),
            properties: self.connect_properties()?,
        })
    }

    fn connect_properties(&self) -> Result<Properties, EncodeError> {
        let (expiry, aliases) = (self.session_expiry_interval, self.topic_alias_maximum);
        let own = [
            (expiry > 0).then_some(Property::SessionExpiryInterval(expiry)),
            Some(Property::ReceiveMaximum(self.receive_maximum)),
            (self.maximum_packet_size < PACKET_BYTES_MAX)
                .then_some(Property::MaximumPacketSize(self.maximum_packet_size)),
            (aliases > 0).then_some(Property::TopicAliasMaximum(aliases)),
        ];
        let rest = self.properties.iter().filter(|property| !has_field(property.id()));
        Properties::new(PropertyOwner::Connect, own.into_iter().flatten().chain(rest))
    }
}

fn has_field(id: PropertyId) -> bool {
    matches!(
        id,
        PropertyId::SessionExpiryInterval
            | PropertyId::ReceiveMaximum
            | PropertyId::MaximumPacketSize
            | PropertyId::TopicAliasMaximum
    )
}

/// The reason a client gives in DISCONNECT must be one that a client may give `[MQTT5-3.14.2-1]`.
pub(crate) fn is_client_disconnect(reason: ReasonCode) -> bool {
    matches!(
        reason,
        ReasonCode::Success
            | ReasonCode::DisconnectWithWill
            | ReasonCode::UnspecifiedError
            | ReasonCode::MalformedPacket
            | ReasonCode::ProtocolError
            | ReasonCode::ImplementationSpecificError
            | ReasonCode::TopicNameInvalid
            | ReasonCode::ReceiveMaximumExceeded
            | ReasonCode::TopicAliasInvalid
            | ReasonCode::PacketTooLarge
            | ReasonCode::MessageRateTooHigh
            | ReasonCode::QuotaExceeded
            | ReasonCode::AdministrativeAction
            | ReasonCode::PayloadFormatInvalid
    )
}
