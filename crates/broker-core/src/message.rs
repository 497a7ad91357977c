//! Owns the Application Message as the broker keeps it: taken off its PUBLISH once, shared by everyone
//! it is for. What each receiver adds (identifiers, alias, remaining expiry) is `outgoing`'s business.

use crate::{config::Durability, ids::SessionId, journal::Position, retained::Retainable, time::Timestamp};
use bytes::Bytes;
use mqtt_codec::{PropertiesRef, Property, PropertyId, QoS, TopicAlias, TopicNameRef};
use std::sync::Arc;

/// A message that several queues, the retained store or other shards hold.
#[derive(Debug, PartialEq, Eq)]
pub struct Message {
    /// Topic, properties and payload, in this order and in one allocation.
    bytes: Bytes,
    topic_bytes: usize,
    property_bytes: usize,
    /// The QoS it was published with.
    pub qos: QoS,
    /// The RETAIN flag it was published with.
    pub retain: bool,
    /// When it expires; [`Timestamp::NEVER`] for never.
    pub expires_at: Timestamp,
    /// The session that published it; none for the broker itself.
    pub publisher: Option<SessionId>,
    /// What its acknowledgement promises.
    pub durability: Durability,
    /// Its record in the journal, [`Position::NONE`] if it has none.
    pub position: Position,
}

/// A message that still lies in the buffer it was received in: what most deliveries need.
#[derive(Clone, Copy, Debug)]
pub struct MessageRef<'a> {
    /// Where it was published.
    pub topic: TopicNameRef<'a>,
    /// The properties that are forwarded unaltered and in order, raw `[MQTT5-3.3.2-4]` `[MQTT5-3.3.2-15]`
    /// `[MQTT5-3.3.2-16]` `[MQTT5-3.3.2-17]` `[MQTT5-3.3.2-18]` `[MQTT5-3.3.2-20]`.
    pub properties: &'a [u8],
    /// What was published.
    pub payload: &'a [u8],
    /// The QoS it was published with.
    pub qos: QoS,
    /// The RETAIN flag it was published with.
    pub retain: bool,
    /// When it expires; [`Timestamp::NEVER`] for never.
    pub expires_at: Timestamp,
    /// The session that published it; none for the broker itself.
    pub publisher: Option<SessionId>,
    /// What its acknowledgement promises.
    pub durability: Durability,
    /// Its record in the journal, [`Position::NONE`] if it has none.
    pub position: Position,
}

impl MessageRef<'_> {
    /// Bytes it counts for against limits: topic, properties and payload.
    #[must_use]
    pub fn len(&self) -> usize {
        self.topic.text().len() + self.properties.len() + self.payload.len()
    }

    /// Whether it has no bytes; it always has a topic.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The same view for a shorter time.
    pub(crate) fn reborrow(&self) -> MessageRef<'_> {
        let Self { topic: _, properties, payload, qos, retain, expires_at, publisher, durability, position } =
            *self;
        let topic = self.topic.borrow();
        MessageRef { topic, properties, payload, qos, retain, expires_at, publisher, durability, position }
    }

    /// Copies the message out of its buffer, to be shared from now on.
    #[must_use]
    pub fn share(&self) -> Arc<Message> {
        let (topic, properties) = (self.topic.as_str().as_bytes(), self.properties);
        let mut bytes = Vec::with_capacity(topic.len() + properties.len() + self.payload.len());
        bytes.extend_from_slice(topic);
        bytes.extend_from_slice(properties);
        bytes.extend_from_slice(self.payload);
        Arc::new(Message {
            bytes: Bytes::from(bytes),
            topic_bytes: topic.len(),
            property_bytes: properties.len(),
            qos: self.qos,
            retain: self.retain,
            expires_at: self.expires_at,
            publisher: self.publisher,
            durability: self.durability,
            position: self.position,
        })
    }
}

impl Message {
    /// The same message as a view.
    #[must_use]
    pub fn borrow(&self) -> MessageRef<'_> {
        MessageRef {
            topic: self.topic(),
            properties: &self.bytes[self.topic_bytes..self.topic_bytes + self.property_bytes],
            payload: &self.bytes[self.payload_start()..],
            qos: self.qos,
            retain: self.retain,
            expires_at: self.expires_at,
            publisher: self.publisher,
            durability: self.durability,
            position: self.position,
        }
    }

    /// Where it was published.
    #[must_use]
    pub fn topic(&self) -> TopicNameRef<'_> {
        std::str::from_utf8(&self.bytes[..self.topic_bytes])
            .ok()
            .and_then(|text| TopicNameRef::new(text).ok())
            .expect("a message is made from a checked topic")
    }

    /// The payload, sharing the message's bytes.
    #[must_use]
    pub fn payload(&self) -> Bytes {
        self.bytes.slice(self.payload_start()..)
    }

    /// The forwarded properties and the payload behind them, as they stand on the wire of 5.0, sharing the
    /// message's bytes.
    pub(crate) fn properties_and_payload(&self) -> Bytes {
        self.bytes.slice(self.topic_bytes..)
    }

    /// Bytes it counts for against limits: topic, properties and payload.
    #[must_use]
    pub fn len(&self) -> usize {
        self.bytes.len()
    }

    /// Whether it has no bytes; it always has a topic.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.bytes.is_empty()
    }

    /// Whether it is not worth delivering any more `[MQTT5-3.3.2-5]`.
    #[must_use]
    pub fn is_expired(&self, now: Timestamp) -> bool {
        self.expires_at <= now
    }

    fn payload_start(&self) -> usize {
        self.topic_bytes + self.property_bytes
    }
}

impl Retainable for Arc<Message> {
    fn bytes(&self) -> usize {
        self.len()
    }

    fn expires_at(&self) -> Option<Timestamp> {
        (self.expires_at != Timestamp::NEVER).then_some(self.expires_at)
    }
}

/// What the properties of a PUBLISH or a Will say to the broker itself, apart from what it forwards.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Addressed {
    /// The Topic Alias.
    pub(crate) alias: Option<TopicAlias>,
    /// The Message Expiry Interval.
    pub(crate) expiry_seconds: Option<u32>,
    /// The Will Delay Interval.
    pub(crate) will_delay_seconds: Option<u32>,
    /// Whether a client sent a Subscription Identifier, which only a server may.
    pub(crate) has_subscription_identifier: bool,
}

/// Parts properties into what is for the broker and what is forwarded: all of them as they stand where none
/// is for the broker, otherwise a copy of the others in `scratch`.
pub(crate) fn part_properties<'a>(
    properties: &'a PropertiesRef<'_>,
    scratch: &'a mut Vec<u8>,
) -> (Addressed, &'a [u8]) {
    let addressed = Addressed::of(properties);
    if addressed == Addressed::default() {
        return (addressed, properties.raw());
    }
    scratch.clear();
    for property in properties {
        match property.id() {
            PropertyId::TopicAlias
            | PropertyId::MessageExpiryInterval
            | PropertyId::WillDelayInterval
            | PropertyId::SubscriptionIdentifier => {}
            _ => property.encode(scratch).expect("a decoded property can be encoded"),
        }
    }
    (addressed, scratch)
}

impl Addressed {
    fn of(properties: &PropertiesRef<'_>) -> Self {
        let mut addressed = Self::default();
        for property in properties {
            match property {
                Property::TopicAlias(alias) => addressed.alias = Some(alias),
                Property::MessageExpiryInterval(seconds) => addressed.expiry_seconds = Some(seconds),
                Property::WillDelayInterval(seconds) => addressed.will_delay_seconds = Some(seconds),
                Property::SubscriptionIdentifier(_) => addressed.has_subscription_identifier = true,
                _ => {}
            }
        }
        addressed
    }
}

/// When a message with this Message Expiry Interval expires.
pub(crate) fn expires_at(expiry_seconds: Option<u32>, now: Timestamp) -> Timestamp {
    expiry_seconds.map_or(Timestamp::NEVER, |seconds| now.plus_seconds(u64::from(seconds)))
}
