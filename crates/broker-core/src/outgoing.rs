//! Owns how a message becomes PUBLISH packets: encoded once for all receivers that see the same bytes, or
//! as `individual` has it where a receiver has something of its own. Who receives is not known here.

mod individual;

use crate::{
    effect::{Effect, Effects, Frame},
    message::{Message, MessageRef},
    session::Connection,
    time::Timestamp,
};
use mqtt_codec::{
    ProtocolVersion, QoS,
    packet::{Delivery, PacketId, PublishParts},
};
use std::sync::Arc;

/// From this size on payload or properties are shared and written vectored; below, copying them is
/// cheaper than counting their references.
const SHARED_BYTES_MIN: usize = 800;

/// The end of a PUBLISH that goes by reference, because it is large and the same for all.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Tail {
    Nothing,
    Payload,
    PropertiesAndPayload,
}

/// One message while it is delivered to any number of receivers.
#[derive(Debug)]
pub(crate) struct Outgoing<'a> {
    /// The message.
    pub(crate) message: MessageRef<'a>,
    shared: Option<Arc<Message>>,
    frames: [Option<EncodedOnce>; CLASSES],
}

/// Properties or not, three QoS, RETAIN or not.
const CLASSES: usize = 2 * 3 * 2;

#[derive(Clone, Copy, Debug)]
struct EncodedOnce {
    frame: Frame,
    packet_id_at: u32,
}

/// How one receiver gets a message.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Addressing<'a> {
    /// QoS, identifier, DUP.
    pub(crate) delivery: Delivery,
    /// The RETAIN flag.
    pub(crate) retain: bool,
    /// The Subscription Identifiers.
    pub(crate) identifiers: &'a [u32],
}

/// Whether a message went out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Sent {
    /// It did.
    Yes,
    /// The client does not take packets of this size: the message counts as sent `[MQTT5-3.1.2-25]`.
    TooLarge,
}

impl<'a> Outgoing<'a> {
    /// A message that still lies where it was received.
    pub(crate) fn received(message: MessageRef<'a>) -> Self {
        Self { message, shared: None, frames: [None; CLASSES] }
    }

    /// A message that is already shared.
    pub(crate) fn shared(message: &'a Arc<Message>) -> Self {
        Self { shared: Some(Arc::clone(message)), ..Self::received(message.borrow()) }
    }

    /// The message as something to keep: copied at the first call.
    pub(crate) fn share(&mut self) -> Arc<Message> {
        Arc::clone(self.shared.get_or_insert_with(|| self.message.share()))
    }

    /// Writes the message to one connection.
    pub(crate) fn send(
        &mut self,
        connection: &mut Connection,
        addressing: Addressing<'_>,
        now: Timestamp,
        effects: &mut Effects,
    ) -> Sent {
        let tail = self.tail(connection.version);
        if tail != Tail::Nothing || self.is_individual(connection, addressing) {
            let mut properties = effects.take_scratch();
            let sent = self.send_individually(connection, addressing, tail, &mut properties, now, effects);
            effects.put_scratch(properties);
            return sent;
        }
        let once = self.encode_once(connection.version, addressing, effects);
        if once.frame.len() > connection.packet_bytes_max as usize {
            return Sent::TooLarge;
        }
        let (connection, frame, packet_id_at) = (connection.id, once.frame, once.packet_id_at);
        effects.push(match addressing.delivery.packet_id() {
            Some(packet_id) => Effect::SendNumbered { connection, frame, packet_id_at, packet_id },
            None => Effect::Send { connection, frame },
        });
        Sent::Yes
    }

    /// What of the message is worth sharing with a receiver of this version.
    fn tail(&self, version: ProtocolVersion) -> Tail {
        if version.has_properties() && self.message.properties.len() >= SHARED_BYTES_MIN {
            Tail::PropertiesAndPayload
        } else if self.message.payload.len() >= SHARED_BYTES_MIN {
            Tail::Payload
        } else {
            Tail::Nothing
        }
    }

    /// Whether this receiver's bytes are unlike those of others of its class.
    fn is_individual(&self, connection: &Connection, addressing: Addressing<'_>) -> bool {
        addressing.delivery.dup()
            || connection.version.has_properties()
                && (!addressing.identifiers.is_empty()
                    || connection.outbound_aliases.is_enabled()
                    || self.message.expires_at != Timestamp::NEVER)
    }

    fn encode_once(
        &mut self,
        version: ProtocolVersion,
        addressing: Addressing<'_>,
        effects: &mut Effects,
    ) -> EncodedOnce {
        let class = class(version, addressing);
        if let Some(once) = self.frames[class] {
            return once;
        }
        let parts = self.parts(addressing, self.message.topic.text(), &[]);
        let (frame, layout) = effects.encode(|out| {
            let start = out.len();
            parts.encode(version, out).map_or(0, |layout| layout.packet_id - start)
        });
        let once = EncodedOnce { frame, packet_id_at: u32::try_from(layout).expect("behind the topic") };
        self.frames[class] = Some(once);
        once
    }

    fn parts<'b>(
        &self,
        addressing: Addressing<'_>,
        topic: &'b str,
        first_properties: &'b [u8],
    ) -> PublishParts<'b>
    where
        'a: 'b,
    {
        PublishParts {
            delivery: addressing.delivery,
            retain: addressing.retain,
            topic,
            first_properties,
            properties: self.message.properties,
            payload: self.message.payload,
        }
    }
}

fn class(version: ProtocolVersion, addressing: Addressing<'_>) -> usize {
    let qos = usize::from(addressing.delivery.qos().bits());
    usize::from(version.has_properties()) * 6 + qos * 2 + usize::from(addressing.retain)
}

/// A delivery of this QoS that was not sent before, whatever DUP it was received with `[MQTT5-3.3.1-3]`
/// `[MQTT311-3.3.1-3]`.
pub(crate) fn first_delivery(qos: QoS, packet_id: PacketId) -> Delivery {
    delivery(qos, packet_id, Again::No)
}

/// A delivery of this QoS that may have arrived before `[MQTT5-3.3.1-1]`.
pub(crate) fn repeated_delivery(qos: QoS, packet_id: PacketId) -> Delivery {
    delivery(qos, packet_id, Again::Yes)
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Again {
    No,
    Yes,
}

fn delivery(qos: QoS, packet_id: PacketId, again: Again) -> Delivery {
    let dup = again == Again::Yes;
    match qos {
        QoS::AtMostOnce => Delivery::AtMostOnce,
        QoS::AtLeastOnce => Delivery::AtLeastOnce { packet_id, dup },
        QoS::ExactlyOnce => Delivery::ExactlyOnce { packet_id, dup },
    }
}
