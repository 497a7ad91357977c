//! Owns a Will between CONNECT and the moment it is published or discarded. When that is, `shard`
//! decides.

use crate::{
    config::Durability,
    ids::SessionId,
    journal::{Position, WillState},
    message::{Message, MessageRef, expires_at, part_properties},
    time::Timestamp,
};
use mqtt_codec::{Borrowed, TopicNameRef, packet::Will};
use std::sync::Arc;

/// A Will that may still be published.
#[derive(Debug)]
pub(crate) struct PendingWill {
    message: Arc<Message>,
    /// Seconds between losing the connection and publishing.
    pub(crate) delay_seconds: u32,
    expiry_seconds: Option<u32>,
}

impl PendingWill {
    /// Keeps the Will of a CONNECT, its User Properties in their order `[MQTT5-3.1.3-10]`.
    pub(crate) fn new(will: &Will<Borrowed<'_>>, publisher: SessionId) -> Self {
        let mut scratch = Vec::new();
        let (addressed, properties) = part_properties(&will.properties, &mut scratch);
        let message = MessageRef {
            topic: will.topic.borrow(),
            properties,
            payload: will.payload,
            qos: will.qos,
            retain: will.retain,
            expires_at: Timestamp::NEVER,
            publisher: Some(publisher),
            durability: Durability::Disk,
            position: Position::NONE,
        };
        Self {
            message: message.share(),
            delay_seconds: addressed.will_delay_seconds.unwrap_or(0),
            expiry_seconds: addressed.expiry_seconds,
        }
    }

    /// The Will that a journal has kept.
    pub(crate) fn restored(will: &WillState, publisher: SessionId) -> Option<Self> {
        let message = MessageRef {
            topic: TopicNameRef::new(&will.topic).ok()?,
            properties: &will.properties,
            payload: &will.payload,
            qos: will.qos,
            retain: will.retain,
            expires_at: Timestamp::NEVER,
            publisher: Some(publisher),
            durability: Durability::Disk,
            position: Position::NONE,
        };
        let (delay_seconds, expiry_seconds) = (will.delay_seconds, will.expiry_seconds);
        Some(Self { message: message.share(), delay_seconds, expiry_seconds })
    }

    /// The Will as a journal keeps it.
    pub(crate) fn state(&self) -> WillState {
        let MessageRef { topic, properties, payload, qos, retain, .. } = self.message.borrow();
        WillState {
            topic: Box::from(topic.text()),
            properties: Box::from(properties),
            payload: Box::from(payload),
            qos,
            retain,
            delay_seconds: self.delay_seconds,
            expiry_seconds: self.expiry_seconds,
        }
    }

    /// The message to publish now: its expiry counts from its publication.
    pub(crate) fn message(&self, now: Timestamp) -> MessageRef<'_> {
        MessageRef { expires_at: expires_at(self.expiry_seconds, now), ..self.message.borrow() }
    }
}
