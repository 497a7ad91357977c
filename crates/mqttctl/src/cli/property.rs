//! Owns the words after `-D`: packet, property and value. Which packet may carry which property is the codec's
//! knowledge; which of those a client may choose is said here.

use super::fold;
use crate::{
    error::Error,
    property_name::{KebabCase, from_kebab_case},
};
use mqtt_codec::{PayloadFormat, Properties, Property, PropertyId, PropertyOwner, TopicAlias, TopicNameRef};
use std::str::FromStr;

/// The properties of each packet that a client sends.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct PropertyList {
    /// For CONNECT.
    pub(crate) connect: Properties,
    /// For the Will in CONNECT.
    pub(crate) will: Properties,
    /// For every PUBLISH.
    pub(crate) publish: Properties,
    /// For SUBSCRIBE.
    pub(crate) subscribe: Properties,
    /// For UNSUBSCRIBE.
    pub(crate) unsubscribe: Properties,
    /// For DISCONNECT.
    pub(crate) disconnect: Properties,
}

/// The packets by the names that `-D` knows them by.
const OWNERS: [(&str, PropertyOwner); 6] = [
    ("connect", PropertyOwner::Connect),
    ("publish", PropertyOwner::Publish),
    ("subscribe", PropertyOwner::Subscribe),
    ("unsubscribe", PropertyOwner::Unsubscribe),
    ("disconnect", PropertyOwner::Disconnect),
    ("will", PropertyOwner::Will),
];

impl PropertyList {
    /// Parses each folded argument of `-D`.
    ///
    /// # Errors
    /// The first that names no packet or property, has the wrong number of words or a value out of range, or that
    /// the packet cannot carry, or not twice.
    pub(crate) fn parse(folded: &[String]) -> Result<Self, Error> {
        let mut properties = Vec::with_capacity(folded.len());
        for words in folded {
            properties.push(parse_one(words).map_err(|error| {
                let shown = words.replace(fold::SEPARATOR, " ");
                Error::usage(format!("-D {shown}: {}", error.problem)).with_hint(error.hint)
            })?);
        }
        let collect = |owner| {
            let of_owner =
                properties.iter().filter(|(found, _)| *found == owner).map(|(_, property)| *property);
            <Properties>::new(owner, of_owner)
                .map_err(|error| Error::usage(format!("-D: {error} ({owner:?})")))
        };
        Ok(Self {
            connect: collect(PropertyOwner::Connect)?,
            will: collect(PropertyOwner::Will)?,
            publish: collect(PropertyOwner::Publish)?,
            subscribe: collect(PropertyOwner::Subscribe)?,
            unsubscribe: collect(PropertyOwner::Unsubscribe)?,
            disconnect: collect(PropertyOwner::Disconnect)?,
        })
    }
}

/// What is wrong with one `-D`, and what would be right.
struct PropertyError {
    problem: String,
    hint: String,
}

fn parse_one(words: &str) -> Result<(PropertyOwner, Property<'_>), PropertyError> {
    let mut words = words.split(fold::SEPARATOR);
    let packet = words.next().unwrap_or_default();
    let owner = OWNERS.iter().find(|(name, _)| name.eq_ignore_ascii_case(packet)).map(|(_, owner)| *owner);
    let Some(owner) = owner else {
        let names = OWNERS.map(|(name, _)| name).join(", ");
        return Err(PropertyError {
            problem: format!("unknown packet \"{packet}\""),
            hint: format!("one of {names}"),
        });
    };
    let name = words.next().unwrap_or_default();
    let Some(id) = from_kebab_case(name).filter(|id| client_may_choose(owner, *id)) else {
        let problem = match name {
            "" => "the property is missing".to_owned(),
            _ => format!("{packet} has no property \"{name}\" that a client may choose"),
        };
        return Err(PropertyError { problem, hint: format!("one of {}", names_for(owner)) });
    };
    match value(id, words.next(), words.next()) {
        Some(property) => Ok((owner, property)),
        None => {
            Err(PropertyError { problem: format!("wrong value for {name}"), hint: value_hint(id).to_owned() })
        }
    }
}

/// Whether the packet can carry it, and in this direction: only servers tell subscription identifiers of messages
/// and refer to other servers.
fn client_may_choose(owner: PropertyOwner, id: PropertyId) -> bool {
    let from_server_only = matches!(
        (owner, id),
        (PropertyOwner::Publish, PropertyId::SubscriptionIdentifier) | (_, PropertyId::ServerReference)
    );
    id.is_allowed_in(owner) && !from_server_only
}

fn names_for(owner: PropertyOwner) -> String {
    let allowed = PropertyId::ALL.iter().filter(|id| client_may_choose(owner, **id));
    allowed.map(|id| KebabCase(*id).to_string()).collect::<Vec<_>>().join(", ")
}

/// The property with its value, if the words are what it takes.
fn value<'a>(id: PropertyId, first: Option<&'a str>, second: Option<&'a str>) -> Option<Property<'a>> {
    let text = first?;
    Some(match id {
        PropertyId::UserProperty => Property::UserProperty(text, second?),
        PropertyId::PayloadFormatIndicator => Property::PayloadFormatIndicator(match text {
            "0" => PayloadFormat::Unspecified,
            "1" => PayloadFormat::Utf8,
            _ => return None,
        }),
        PropertyId::MessageExpiryInterval => Property::MessageExpiryInterval(number(text)?),
        PropertyId::ContentType => Property::ContentType(text),
        PropertyId::ResponseTopic => Property::ResponseTopic(TopicNameRef::new(text).ok()?),
        PropertyId::CorrelationData => Property::CorrelationData(text.as_bytes()),
        PropertyId::SubscriptionIdentifier => Property::SubscriptionIdentifier(number(text)?),
        PropertyId::SessionExpiryInterval => Property::SessionExpiryInterval(number(text)?),
        PropertyId::AuthenticationMethod => Property::AuthenticationMethod(text),
        PropertyId::AuthenticationData => Property::AuthenticationData(text.as_bytes()),
        PropertyId::RequestProblemInformation => Property::RequestProblemInformation(flag(text)?),
        PropertyId::WillDelayInterval => Property::WillDelayInterval(number(text)?),
        PropertyId::RequestResponseInformation => Property::RequestResponseInformation(flag(text)?),
        PropertyId::ReasonString => Property::ReasonString(text),
        PropertyId::ReceiveMaximum => Property::ReceiveMaximum(number(text)?),
        PropertyId::TopicAliasMaximum => Property::TopicAliasMaximum(number(text)?),
        PropertyId::TopicAlias => Property::TopicAlias(TopicAlias::new(number(text)?)?),
        PropertyId::MaximumPacketSize => Property::MaximumPacketSize(number(text)?),
        // Servers alone send these; `client_may_choose` has refused them.
        PropertyId::AssignedClientIdentifier
        | PropertyId::ServerKeepAlive
        | PropertyId::ResponseInformation
        | PropertyId::ServerReference
        | PropertyId::MaximumQoS
        | PropertyId::RetainAvailable
        | PropertyId::WildcardSubscriptionAvailable
        | PropertyId::SubscriptionIdentifierAvailable
        | PropertyId::SharedSubscriptionAvailable => return None,
    })
}

fn number<T: FromStr>(text: &str) -> Option<T> {
    text.parse().ok()
}

fn flag(text: &str) -> Option<bool> {
    match text {
        "0" => Some(false),
        "1" => Some(true),
        _ => None,
    }
}

/// What would be a value.
const fn value_hint(id: PropertyId) -> &'static str {
    match id {
        PropertyId::UserProperty => "two words, a name and a value",
        PropertyId::PayloadFormatIndicator
        | PropertyId::RequestProblemInformation
        | PropertyId::RequestResponseInformation => "0 or 1",
        PropertyId::MessageExpiryInterval
        | PropertyId::SessionExpiryInterval
        | PropertyId::WillDelayInterval => "a number of seconds up to 4294967295",
        PropertyId::ReceiveMaximum | PropertyId::TopicAlias => "a number from 1 to 65535",
        PropertyId::TopicAliasMaximum | PropertyId::ServerKeepAlive => "a number from 0 to 65535",
        PropertyId::MaximumPacketSize => "a number of bytes from 1 to 4294967295",
        PropertyId::SubscriptionIdentifier => "a number from 1 to 268435455",
        PropertyId::ResponseTopic => "a topic without wildcards",
        PropertyId::ContentType
        | PropertyId::CorrelationData
        | PropertyId::AuthenticationMethod
        | PropertyId::AuthenticationData
        | PropertyId::ReasonString
        | PropertyId::AssignedClientIdentifier
        | PropertyId::ResponseInformation
        | PropertyId::ServerReference
        | PropertyId::MaximumQoS
        | PropertyId::RetainAvailable
        | PropertyId::WildcardSubscriptionAvailable
        | PropertyId::SubscriptionIdentifierAvailable
        | PropertyId::SharedSubscriptionAvailable => "one word",
    }
}

#[cfg(test)]
mod tests {
    use super::PropertyList;
    use mqtt_codec::{Property, PropertyId};

    fn parse(lines: &[&str]) -> Result<PropertyList, String> {
        let folded: Vec<String> = lines.iter().map(|line| line.replace(' ', "\0")).collect();
        PropertyList::parse(&folded).map_err(|error| error.to_string())
    }

    #[test]
    fn every_property_a_client_may_choose_reaches_its_packet() {
        let list = parse(&[
            "connect session-expiry-interval 60",
            "connect receive-maximum 65535",
            "connect maximum-packet-size 1",
            "connect topic-alias-maximum 0",
            "connect request-response-information 1",
            "connect request-problem-information 0",
            "connect authentication-method m",
            "connect authentication-data d",
            "CONNECT user-property a b",
            "publish payload-format-indicator 1",
            "publish message-expiry-interval 5",
            "publish topic-alias 1",
            "publish response-topic a/b",
            "publish correlation-data c",
            "publish content-type t",
            "publish user-property a b",
            "publish user-property a b",
            "will will-delay-interval 4294967295",
            "subscribe subscription-identifier 268435455",
            "unsubscribe user-property a b",
            "disconnect session-expiry-interval 0",
        ])
        .unwrap();
        assert_eq!(list.connect.iter().count(), 9);
        assert_eq!(list.connect.session_expiry_interval(), Some(60));
        assert_eq!(
            list.publish.iter().filter(|property| property.id() == PropertyId::UserProperty).count(),
            2
        );
        assert_eq!(list.publish.correlation_data(), Some(&b"c"[..]));
        assert_eq!(list.will.will_delay_interval(), Some(u32::MAX));
        assert_eq!(list.subscribe.subscription_identifier().map(u32::from), Some(268_435_455));
        assert_eq!(list.unsubscribe.iter().next(), Some(Property::UserProperty("a", "b")));
        assert_eq!(list.disconnect.session_expiry_interval(), Some(0));
    }

    #[test]
    fn a_wrong_property_is_refused_with_what_would_be_right() {
        let wrong = [
            (
                "connnect x 1",
                "error: -D connnect x 1: unknown packet \"connnect\"\n hint: one of connect, publish, subscribe, unsubscribe, disconnect, will",
            ),
            ("puback reason-string x", "error: -D puback reason-string x: unknown packet \"puback\""),
            (
                "subscribe",
                "error: -D subscribe: the property is missing\n hint: one of subscription-identifier, user-property",
            ),
            (
                "publish foo 1",
                "error: -D publish foo 1: publish has no property \"foo\" that a client may choose\n hint: one of payload-format-indicator, message-expiry-interval, content-type, response-topic, correlation-data, topic-alias, user-property",
            ),
            (
                "connect content-type x",
                "error: -D connect content-type x: connect has no property \"content-type\"",
            ),
            (
                "publish subscription-identifier 1",
                "error: -D publish subscription-identifier 1: publish has no property",
            ),
            (
                "disconnect server-reference x",
                "error: -D disconnect server-reference x: disconnect has no property",
            ),
            (
                "connect receive-maximum",
                "error: -D connect receive-maximum: wrong value for receive-maximum\n hint: a number from 1 to 65535",
            ),
            (
                "connect receive-maximum 0",
                "error: -D connect receive-maximum 0: wrong value for receive-maximum",
            ),
            (
                "connect receive-maximum 70000",
                "error: -D connect receive-maximum 70000: wrong value for receive-maximum",
            ),
            (
                "connect request-problem-information 2",
                "error: -D connect request-problem-information 2: wrong value for request-problem-information\n hint: 0 or 1",
            ),
            (
                "publish user-property a",
                "error: -D publish user-property a: wrong value for user-property\n hint: two words, a name and a value",
            ),
            (
                "publish response-topic a/#",
                "error: -D publish response-topic a/#: wrong value for response-topic\n hint: a topic without wildcards",
            ),
            (
                "subscribe subscription-identifier 268435456",
                "error: -D: a property has a value outside its range (Subscribe)",
            ),
        ];
        for (line, expected) in wrong {
            let error = parse(&[line]).unwrap_err();
            assert!(error.starts_with(expected), "{line}: {error}");
        }
        let twice = parse(&["publish content-type a", "publish content-type b"]).unwrap_err();
        assert_eq!(twice, "error: -D: a property stands more than once (Publish)");
    }
}
