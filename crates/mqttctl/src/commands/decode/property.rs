//! Owns how properties are shown. Their order is that of the wire.

use super::field::{Field, Value};
use mqtt_codec::{PropertiesRef, Property, PropertyOwner};

/// The properties as one field; none if there are none.
pub(super) fn field<'a>(properties: &'a PropertiesRef<'a>) -> Option<Field<'a>> {
    if properties.is_empty() {
        return None;
    }
    let fields = properties.iter().map(|property| {
        let id = property.id();
        // What may repeat in a PUBLISH is shown alike wherever it stands.
        let field = if id.may_repeat_in(PropertyOwner::Publish) { Field::many } else { Field::one };
        field(id.name(), value(property))
    });
    Some(Field::one("Properties", Value::Fields(fields.collect())))
}

fn value(property: Property<'_>) -> Value<'_> {
    match property {
        Property::PayloadFormatIndicator(format) => Value::Number(format as u32),
        Property::SubscriptionIdentifier(number) => Value::Number(number.get()),
        Property::MessageExpiryInterval(seconds)
        | Property::SessionExpiryInterval(seconds)
        | Property::WillDelayInterval(seconds) => Value::Number(seconds),
        Property::MaximumPacketSize(bytes) => Value::Number(bytes.get()),
        Property::ServerKeepAlive(number) | Property::TopicAliasMaximum(number) => {
            Value::Number(number.into())
        }
        Property::ReceiveMaximum(number) => Value::Number(number.get().into()),
        Property::TopicAlias(alias) => Value::Number(alias.get().into()),
        Property::MaximumQoS(qos) => Value::Number(qos.bits().into()),
        Property::ContentType(text)
        | Property::AssignedClientIdentifier(text)
        | Property::AuthenticationMethod(text)
        | Property::ResponseInformation(text)
        | Property::ServerReference(text)
        | Property::ReasonString(text) => Value::Text(text),
        Property::ResponseTopic(topic) => Value::Text(topic.text()),
        Property::CorrelationData(bytes) | Property::AuthenticationData(bytes) => Value::Bytes(bytes),
        Property::RequestProblemInformation(flag)
        | Property::RequestResponseInformation(flag)
        | Property::RetainAvailable(flag)
        | Property::WildcardSubscriptionAvailable(flag)
        | Property::SubscriptionIdentifierAvailable(flag)
        | Property::SharedSubscriptionAvailable(flag) => Value::Flag(flag),
        Property::UserProperty(name, value) => Value::Pair(name, value),
    }
}
