//! Owns the Will Message of a CONNECT. When it is published is the server's business.

use crate::{
    error::EncodeError,
    property::{Properties, PropertiesRef, PropertyOwner},
    qos::QoS,
    read::{self, Parsed},
    storage::{Borrowed, Owned, Storage, share_bytes},
    topic::{TopicName, TopicNameRef},
    version::ProtocolVersion,
    write::{self, Output},
};
use bytes::Bytes;

/// The message a server publishes when the connection ends without a DISCONNECT.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Will<S: Storage = Owned> {
    /// The QoS it is published with.
    pub qos: QoS,
    /// Whether it is retained.
    pub retain: bool,
    /// Where it is published: legal text `[MQTT311-3.1.3-10]`.
    pub topic: TopicName<S>,
    /// What is published, at most 65,535 bytes.
    pub payload: S::Bytes,
    /// 5.0: Will Delay Interval and the properties of the PUBLISH to come.
    pub properties: Properties<S>,
}

impl<'a> Will<Borrowed<'a>> {
    /// All of it must be there `[MQTT5-3.1.2-9]`.
    pub(super) fn parse(
        qos: QoS,
        retain: bool,
        input: &'a [u8],
        version: ProtocolVersion,
    ) -> Parsed<'a, Self> {
        let (rest, properties) = if version.has_properties() {
            PropertiesRef::parse(PropertyOwner::Will, input)?
        } else {
            (input, PropertiesRef::NONE)
        };
        // [MQTT5-3.1.3-11]
        let (rest, topic) = read::string(rest)?;
        let topic = TopicNameRef::decode(topic).map_err(nom::Err::Failure)?;
        let (rest, payload) = read::binary(rest)?;
        Ok((rest, Self { qos, retain, topic, payload, properties }))
    }

    pub(super) fn into_owned(self, frame: &Bytes) -> Will {
        Will {
            qos: self.qos,
            retain: self.retain,
            topic: self.topic.into_owned(frame),
            payload: share_bytes(frame, self.payload),
            properties: self.properties.into_owned(frame),
        }
    }
}

impl<S: Storage> Will<S> {
    pub(super) fn encoded_len(&self, version: ProtocolVersion) -> Result<usize, EncodeError> {
        let properties = if version.has_properties() { self.properties.encoded_len() } else { 0 };
        Ok(properties
            + write::prefixed_len(self.topic.as_str().len())?
            + write::prefixed_len(self.payload.as_ref().len())?)
    }

    #[inline]
    pub(super) fn encode(&self, version: ProtocolVersion, out: &mut impl Output) -> Result<(), EncodeError> {
        if version.has_properties() {
            self.properties.encode(out)?;
        }
        write::prefixed(out, self.topic.as_str().as_bytes());
        write::prefixed(out, self.payload.as_ref());
        Ok(())
    }
}
