//! Owns the Application Message as the broker keeps it: taken off its PUBLISH once, shared by everyone
//! it is for. What each receiver adds (identifiers, alias, remaining expiry) is `outgoing`'s business.

use crate::{config::Durability, ids::SessionId, journal::Position, retained::Retainable, time::Timestamp};
use bytes::Bytes;
use mqtt_codec::{PropertiesRef, Property, PropertyId, QoS, TopicAlias, TopicNameRef};
use std::sync::Arc;

/// A message that several queues, the retained store or other shards hold.
#[derive(Debug, PartialEq, Eq)]
pub struct Message {
    /// Topic, properties and payload, in this order.
    bytes: Stored,
    topic_bytes: u16,
    property_bytes: u32,
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
        self.share_in(Arc::new(Message::EMPTY))
    }

    /// Copies the message into one that is empty or done with, and that nobody else holds.
    pub(crate) fn share_in(&self, mut shared: Arc<Message>) -> Arc<Message> {
        let message = Arc::get_mut(&mut shared).expect("nobody else holds it");
        let (topic, properties) = (self.topic.as_str().as_bytes(), self.properties);
        message.bytes.fill([topic, properties, self.payload]);
        message.topic_bytes =
            u16::try_from(topic.len()).expect("a topic has no more bytes than the wire can say");
        message.property_bytes = u32::try_from(properties.len()).expect("a packet has less than 4 GiB");
        message.qos = self.qos;
        message.retain = self.retain;
        message.expires_at = self.expires_at;
        message.publisher = self.publisher;
        message.durability = self.durability;
        message.position = self.position;
        shared
    }
}

impl Message {
    /// What a message is before it has been filled in.
    const EMPTY: Self = Self {
        bytes: Stored::EMPTY,
        topic_bytes: 0,
        property_bytes: 0,
        qos: QoS::AtMostOnce,
        retain: false,
        expires_at: Timestamp::NEVER,
        publisher: None,
        durability: Durability::None,
        position: Position::NONE,
    };

    /// The same message as a view.
    #[must_use]
    pub fn borrow(&self) -> MessageRef<'_> {
        MessageRef {
            topic: self.topic(),
            properties: &self.bytes.get()[usize::from(self.topic_bytes)..self.payload_start()],
            payload: &self.bytes.get()[self.payload_start()..],
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
        std::str::from_utf8(&self.bytes.get()[..usize::from(self.topic_bytes)])
            .ok()
            .and_then(|text| TopicNameRef::new(text).ok())
            .expect("a message is made from a checked topic")
    }

    /// The payload, sharing the message's bytes unless they are few.
    #[must_use]
    pub fn payload(&self) -> Bytes {
        self.bytes.share_from(self.payload_start())
    }

    /// The forwarded properties and the payload behind them, as they stand on the wire of 5.0, sharing the
    /// message's bytes unless they are few.
    pub(crate) fn properties_and_payload(&self) -> Bytes {
        self.bytes.share_from(usize::from(self.topic_bytes))
    }

    /// Bytes it counts for against limits: topic, properties and payload.
    #[must_use]
    pub fn len(&self) -> usize {
        self.bytes.get().len()
    }

    /// Whether it has no bytes; it always has a topic.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Whether it is not worth delivering any more `[MQTT5-3.3.2-5]`.
    #[must_use]
    pub fn is_expired(&self, now: Timestamp) -> bool {
        self.expires_at <= now
    }

    fn payload_start(&self) -> usize {
        usize::from(self.topic_bytes) + self.property_bytes as usize
    }
}

/// The bytes of a message: small ones within it, so that it takes one allocation and not two, large ones to be
/// shared further.
#[derive(Debug, PartialEq, Eq)]
enum Stored {
    Within { length: u8, bytes: [u8; Stored::WITHIN_BYTES_MAX] },
    Shared(Bytes),
}

impl Stored {
    /// What fills up the block of memory that a message takes.
    const WITHIN_BYTES_MAX: usize = 118;

    const EMPTY: Self = Self::Within { length: 0, bytes: [0; Self::WITHIN_BYTES_MAX] };

    fn fill(&mut self, parts: [&[u8]; 3]) {
        let total = parts.iter().map(|part| part.len()).sum();
        match (self, u8::try_from(total)) {
            (Self::Within { length, bytes }, Ok(total)) if usize::from(total) <= bytes.len() => {
                *length = total;
                let mut rest = &mut bytes[..];
                for part in parts {
                    let (front, behind) = rest.split_at_mut(part.len());
                    front.copy_from_slice(part);
                    rest = behind;
                }
            }
            (stored, _) => {
                let mut bytes = Vec::with_capacity(total);
                parts.iter().for_each(|part| bytes.extend_from_slice(part));
                *stored = Self::Shared(Bytes::from(bytes));
            }
        }
    }

    #[inline]
    fn get(&self) -> &[u8] {
        match self {
            Self::Within { length, bytes } => &bytes[..usize::from(*length)],
            Self::Shared(bytes) => bytes,
        }
    }

    fn share_from(&self, start: usize) -> Bytes {
        match self {
            Self::Within { .. } => Bytes::copy_from_slice(&self.get()[start..]),
            Self::Shared(bytes) => bytes.slice(start..),
        }
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

/// Messages that nobody holds any more. Those who publish at QoS 1 and 2 need new ones as fast as others are done with,
/// and to make one of another is a tenth of the work of freeing and allocating.
#[derive(Debug, Default)]
pub(crate) struct SpareMessages(Vec<Arc<Message>>);

impl SpareMessages {
    /// What some dozens of publishers have on its way at once: about 750 KB.
    const COUNT_MAX: usize = 4_096;

    #[inline]
    pub(crate) fn take(&mut self) -> Option<Arc<Message>> {
        self.0.pop()
    }

    /// Keeps a message, if its holder was the last.
    #[inline]
    pub(crate) fn give(&mut self, mut message: Arc<Message>) {
        if self.0.len() < Self::COUNT_MAX
            && let Some(last) = Arc::get_mut(&mut message)
        {
            if let Stored::Shared(_) = last.bytes {
                last.bytes = Stored::EMPTY;
            }
            self.0.push(message);
        }
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
#[inline]
pub(crate) fn part_properties<'a>(
    properties: &'a PropertiesRef<'_>,
    scratch: &'a mut Vec<u8>,
) -> (Addressed, &'a [u8]) {
    if properties.is_empty() {
        return (Addressed::default(), &[]);
    }
    part_some(properties, scratch)
}

fn part_some<'a>(properties: &'a PropertiesRef<'_>, scratch: &'a mut Vec<u8>) -> (Addressed, &'a [u8]) {
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_fills_its_block_of_memory() {
        // With the two counters of `Arc`, the largest of a size class of usual allocators.
        assert_eq!(size_of::<Message>() + 2 * size_of::<usize>(), 184);
    }

    #[test]
    fn a_message_of_any_size_is_what_was_published_though_it_was_another_before() {
        let mut spare = SpareMessages::default();
        let overhead = "t".len() + b"properties".len();
        let most = Stored::WITHIN_BYTES_MAX - overhead;
        for payload_bytes in [0, most, most + 1, 300, most, 0] {
            let payload = vec![7; payload_bytes];
            let message = MessageRef {
                topic: TopicNameRef::new("t").expect("a legal topic"),
                properties: b"properties",
                payload: &payload,
                qos: QoS::AtLeastOnce,
                retain: false,
                expires_at: Timestamp::NEVER,
                publisher: None,
                durability: Durability::None,
                position: Position::NONE,
            };
            let shared = match spare.take() {
                Some(done_with) => message.share_in(done_with),
                None => message.share(),
            };
            assert_eq!(matches!(shared.bytes, Stored::Within { .. }), payload_bytes <= most);
            assert_eq!((shared.topic().text(), shared.len()), ("t", overhead + payload_bytes));
            assert_eq!(shared.borrow().properties, b"properties");
            assert_eq!(shared.payload(), payload);
            spare.give(shared);
        }
    }

    #[test]
    fn a_message_that_somebody_holds_is_not_made_into_another() {
        let mut spare = SpareMessages::default();
        let message = Arc::new(Message::EMPTY);
        spare.give(Arc::clone(&message));
        assert!(spare.take().is_none());
        spare.give(message);
        assert!(spare.take().is_some());
    }
}
