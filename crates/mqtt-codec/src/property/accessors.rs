//! Owns the questions that are asked of properties by name. Each walks over a few bytes and reads one value.

use super::{
    Properties, PropertyIter,
    catalogue::PropertyId,
    value::{PayloadFormat, Property, TopicAlias},
};
use crate::{qos::QoS, storage::Storage, topic::TopicNameRef};
use core::num::{NonZeroU16, NonZeroU32};

macro_rules! accessors {
    ($($(#[$doc:meta])* $name:ident: $variant:ident -> $type:ty;)*) => {
        impl<S: Storage> Properties<S> {
            $($(#[$doc])*
            #[must_use]
            pub fn $name(&self) -> Option<$type> {
                match self.find(PropertyId::$variant)? {
                    Property::$variant(value) => Some(value),
                    _ => None,
                }
            })*
        }
    };
}

accessors! {
    /// What the payload is said to be.
    payload_format_indicator: PayloadFormatIndicator -> PayloadFormat;
    /// Seconds the message is worth delivering.
    message_expiry_interval: MessageExpiryInterval -> u32;
    /// What the content is.
    content_type: ContentType -> &str;
    /// Where a response is expected.
    response_topic: ResponseTopic -> TopicNameRef<'_>;
    /// What ties a response to its request.
    correlation_data: CorrelationData -> &[u8];
    /// The first Subscription Identifier; a PUBLISH may have several.
    subscription_identifier: SubscriptionIdentifier -> NonZeroU32;
    /// Seconds a session outlives its connection.
    session_expiry_interval: SessionExpiryInterval -> u32;
    /// The client identifier the server chose.
    assigned_client_identifier: AssignedClientIdentifier -> &str;
    /// Seconds of Keep Alive the server demands.
    server_keep_alive: ServerKeepAlive -> u16;
    /// The name of the authentication exchange.
    authentication_method: AuthenticationMethod -> &str;
    /// The content of the authentication exchange.
    authentication_data: AuthenticationData -> &[u8];
    /// Whether reason strings and user properties are wanted on failures.
    request_problem_information: RequestProblemInformation -> bool;
    /// Seconds between losing the connection and publishing the Will.
    will_delay_interval: WillDelayInterval -> u32;
    /// Whether Response Information is wanted.
    request_response_information: RequestResponseInformation -> bool;
    /// The basis for response topics.
    response_information: ResponseInformation -> &str;
    /// Another server to use.
    server_reference: ServerReference -> &str;
    /// Diagnosis for people.
    reason_string: ReasonString -> &str;
    /// Publications in flight the peer is willing to have.
    receive_maximum: ReceiveMaximum -> NonZeroU16;
    /// The highest topic alias the peer accepts.
    topic_alias_maximum: TopicAliasMaximum -> u16;
    /// The alias of the topic.
    topic_alias: TopicAlias -> TopicAlias;
    /// The highest QoS the server supports.
    maximum_qos: MaximumQoS -> QoS;
    /// Whether the server retains messages.
    retain_available: RetainAvailable -> bool;
    /// The largest packet the peer accepts.
    maximum_packet_size: MaximumPacketSize -> NonZeroU32;
    /// Whether the server accepts wildcards.
    wildcard_subscription_available: WildcardSubscriptionAvailable -> bool;
    /// Whether the server accepts subscription identifiers.
    subscription_identifier_available: SubscriptionIdentifierAvailable -> bool;
    /// Whether the server accepts shared subscriptions.
    shared_subscription_available: SharedSubscriptionAvailable -> bool;
}

impl<S: Storage> Properties<S> {
    /// The name and value pairs, in order, names repeated as sent.
    pub fn user_properties(&self) -> impl Iterator<Item = (&str, &str)> {
        self.all(PropertyId::UserProperty).filter_map(|property| match property {
            Property::UserProperty(name, value) => Some((name, value)),
            _ => None,
        })
    }

    /// The identifiers of all subscriptions a PUBLISH matched.
    pub fn subscription_identifiers(&self) -> impl Iterator<Item = NonZeroU32> {
        self.all(PropertyId::SubscriptionIdentifier).filter_map(|property| match property {
            Property::SubscriptionIdentifier(id) => Some(id),
            _ => None,
        })
    }
}

impl<'a, S: Storage> IntoIterator for &'a Properties<S> {
    type Item = Property<'a>;
    type IntoIter = PropertyIter<'a>;

    fn into_iter(self) -> PropertyIter<'a> {
        self.iter()
    }
}
