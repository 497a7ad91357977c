//! Owns how a message becomes a PUBLISH, and which messages the server has said it does not take.

use crate::{error::PublishError, event::Connected, message::Message};
use mqtt_codec::{
    EncodeError, PacketId, Properties, PropertiesRef, PropertyId, PropertyOwner, ProtocolVersion, QoS,
    flow::OutboundAlias,
    packet::{Delivery, PublishParts},
};

/// Whether a PUBLISH may have been sent before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Attempt {
    First,
    Again,
}

/// The QoS of a PUBLISH with what belongs to it: DUP is not set at first `[MQTT5-3.3.1-1]` and never at QoS 0
/// `[MQTT5-3.3.1-2]`.
pub(super) fn delivery(qos: QoS, packet_id: PacketId, attempt: Attempt) -> Delivery {
    let dup = attempt == Attempt::Again;
    match qos {
        QoS::AtMostOnce => Delivery::AtMostOnce,
        QoS::AtLeastOnce => Delivery::AtLeastOnce { packet_id, dup },
        QoS::ExactlyOnce => Delivery::ExactlyOnce { packet_id, dup },
    }
}

/// The parts of a PUBLISH; `alias_bytes` is [`alias_property`] of `alias`.
pub(super) fn parts<'a>(
    message: &'a Message,
    delivery: Delivery,
    alias: OutboundAlias,
    alias_bytes: &'a [u8],
) -> PublishParts<'a> {
    PublishParts {
        delivery,
        retain: message.retain,
        topic: match alias {
            OutboundAlias::None | OutboundAlias::Define(_) => message.topic.as_str(),
            OutboundAlias::Use(_) => "",
        },
        first_properties: alias_bytes,
        properties: message.properties.raw(),
        payload: &message.payload,
    }
}

/// The property that carries an alias.
pub(super) fn alias_property(alias: OutboundAlias) -> Option<[u8; 3]> {
    match alias {
        OutboundAlias::None => None,
        OutboundAlias::Define(alias) | OutboundAlias::Use(alias) => {
            let [high, low] = alias.get().to_be_bytes();
            Some([PropertyId::TopicAlias as u8, high, low])
        }
    }
}

/// Whether a message is within the limit even if its alias is defined along with it.
pub(super) fn fits_with_alias(
    message: &Message,
    delivery: Delivery,
    packet_bytes_max: u32,
) -> Result<bool, EncodeError> {
    const PLACEHOLDER: &[u8] = &[PropertyId::TopicAlias as u8, 0, 1];
    let parts = parts(message, delivery, OutboundAlias::None, PLACEHOLDER);
    Ok(parts.encoded_len(ProtocolVersion::V5)? <= packet_bytes_max as usize)
}

/// What the server has announced it would refuse.
pub(super) fn unsupported(message: &Message, server: &Connected) -> Option<PublishError> {
    // [MQTT5-3.2.2-11]
    if message.qos > server.maximum_qos {
        return Some(PublishError::QoSNotSupported { maximum_qos: server.maximum_qos });
    }
    // [MQTT5-3.2.2-14]
    if message.retain && !server.retain_available {
        return Some(PublishError::RetainNotSupported);
    }
    None
}

/// The message with the properties its PUBLISH will have: none in 3.x, and without those that the connection owns: a
/// Topic Alias, and a Subscription Identifier, which no client may send `[MQTT5-3.3.4-6]`.
pub(super) fn without_connection_properties(
    message: Message,
    version: ProtocolVersion,
) -> Result<Message, PublishError> {
    if message.properties.is_empty() {
        return Ok(message);
    }
    if !version.has_properties() {
        return Ok(Message { properties: Properties::NONE, ..message });
    }
    let is_ours = |id| matches!(id, PropertyId::TopicAlias | PropertyId::SubscriptionIdentifier);
    let properties = if message.properties.iter().any(|property| is_ours(property.id())) {
        let kept = message.properties.iter().filter(|property| !is_ours(property.id()));
        Properties::new(PropertyOwner::Publish, kept)?
    } else {
        // They may have been collected for another packet.
        PropertiesRef::from_raw(PropertyOwner::Publish, message.properties.raw())
            .map_err(EncodeError::from)?;
        message.properties
    };
    Ok(Message { properties, ..message })
}
