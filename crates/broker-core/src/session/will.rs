//! Owns a Will between CONNECT and the moment it is published or discarded. When that is, `shard`
//! decides.

use crate::{
    ids::SessionId,
    message::{Message, MessageRef, expires_at, part_properties},
    time::Timestamp,
};
use mqtt_codec::{Borrowed, packet::Will};
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
        };
        Self {
            message: message.share(),
            delay_seconds: addressed.will_delay_seconds.unwrap_or(0),
            expiry_seconds: addressed.expiry_seconds,
        }
    }

    /// The message to publish now: its expiry counts from its publication.
    pub(crate) fn message(&self, now: Timestamp) -> MessageRef<'_> {
        MessageRef { expires_at: expires_at(self.expiry_seconds, now), ..self.message.borrow() }
    }
}
