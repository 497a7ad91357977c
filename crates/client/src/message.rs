//! Owns a message to publish or delivered, and what a publication came to. How it travels is not known here.

use crate::error::InvalidTopic;
use bytes::Bytes;
use mqtt_codec::{PacketId, Properties, QoS, ReasonCode, TopicName};

/// An Application Message. Cloning shares topic, payload and properties.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Message {
    /// Where it is published.
    pub topic: TopicName,
    /// What is said; may be empty.
    pub payload: Bytes,
    /// How often it may arrive; default 0.
    pub qos: QoS,
    /// Publishing: whether the server keeps it for subscribers to come; default not. Delivered: the RETAIN flag.
    pub retain: bool,
    /// 5.0: the properties of the PUBLISH; 3.x leaves them out. A delivered message has them as they came; when it is
    /// published, Topic Alias and Subscription Identifier among them are left out, since the connection owns those.
    pub properties: Properties,
}

impl Message {
    /// A message of QoS 0, not retained, without properties.
    ///
    /// # Errors
    /// `topic` is no Topic Name: empty, with a wildcard or U+0000, or over 65,535 bytes.
    pub fn new(topic: &str, payload: impl Into<Bytes>) -> Result<Self, InvalidTopic> {
        match TopicName::owned(topic) {
            Ok(topic) => Ok(Self::to(topic, payload)),
            Err(violation) => Err(InvalidTopic { text: topic.to_owned(), violation }),
        }
    }

    /// As [`new`](Self::new), to a topic that has been checked before.
    pub fn to(topic: TopicName, payload: impl Into<Bytes>) -> Self {
        Self {
            topic,
            payload: payload.into(),
            qos: QoS::AtMostOnce,
            retain: false,
            properties: Properties::NONE,
        }
    }

    /// The same message with this QoS.
    #[must_use]
    pub fn qos(self, qos: QoS) -> Self {
        Self { qos, ..self }
    }

    /// The same message, retained by the server.
    #[must_use]
    pub fn retained(self) -> Self {
        Self { retain: true, ..self }
    }

    /// The same message with these properties; collect them with [`Properties::new`] for
    /// [`PropertyOwner::Publish`](mqtt_codec::PropertyOwner::Publish).
    #[must_use]
    pub fn properties(self, properties: Properties) -> Self {
        Self { properties, ..self }
    }

    /// What it takes of a queue's byte limit.
    pub(crate) fn queued_bytes(&self) -> usize {
        size_of::<Self>() + self.topic.as_str().len() + self.payload.len() + self.properties.raw().len()
    }
}

/// The server has taken over a message; at QoS 0 it is only known to have been written to the socket.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Published {
    /// Success, or that nobody had subscribed. QoS 2 has this from PUBREC.
    pub reason: ReasonCode,
    /// 5.0: Reason String and User Properties of the acknowledgement.
    pub properties: Properties,
    /// The identifier it was sent with; none at QoS 0.
    pub packet_id: Option<PacketId>,
}
