//! Owns how a message becomes PUBLISH packets: encoded once for all receivers that see the same bytes, or
//! as `individual` has it where a receiver has something of its own. Who receives is not known here.

mod individual;
mod run;

pub(crate) use run::OutgoingRun;

use crate::{
    effect::{Effect, Effects, Frame},
    held::AcknowledgementToken,
    ids::ShardId,
    message::{Message, MessageRef},
    peers::{Form, Forwarded, ReceivedFrame, Recipient, Recorded},
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
    /// What the shared message is to be made of.
    pub(crate) spare: Option<Arc<Message>>,
    /// The frame it was received in, if that can go on as it stands, and to whom.
    received: Option<(usize, &'a [u8])>,
    frames: [EncodedOnce; CLASSES],
}

/// Properties or not, three QoS, RETAIN or not.
const CLASSES: usize = 2 * WITH_PROPERTIES;

/// The first class with properties.
const WITH_PROPERTIES: usize = 3 * 2;

/// A frame, and where its Packet Identifier is; no bytes until somebody of the class receives. In sixteen bytes: there
/// is one for each class and message.
#[derive(Clone, Copy, Debug)]
struct EncodedOnce {
    start: usize,
    len: u32,
    packet_id_at: u32,
}

impl EncodedOnce {
    const NOT_YET: Self = Self { start: 0, len: 0, packet_id_at: 0 };

    #[inline]
    fn new(frame: Frame, packet_id_at: usize) -> Self {
        let packet_id_at = u32::try_from(packet_id_at).expect("within the frame");
        Self { start: frame.start, len: frame.len, packet_id_at }
    }

    #[inline]
    fn frame(self) -> Frame {
        Frame { start: self.start, len: self.len }
    }
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
    #[inline]
    pub(crate) fn received(message: MessageRef<'a>) -> Self {
        Self { message, shared: None, spare: None, received: None, frames: [EncodedOnce::NOT_YET; CLASSES] }
    }

    /// A message that still lies where it was received, in a frame that says no more than it. The frame is empty
    /// if it does say more.
    #[inline]
    pub(crate) fn in_frame(
        message: MessageRef<'a>,
        frame: &'a [u8],
        version: ProtocolVersion,
        delivery: Delivery,
    ) -> Self {
        let is_first = !frame.is_empty() && !delivery.dup();
        let received = is_first.then(|| (class(version, delivery.qos(), message.retain), frame));
        Self { received, ..Self::received(message) }
    }

    /// A message that is already shared.
    pub(crate) fn shared(message: &'a Arc<Message>) -> Self {
        Self { shared: Some(Arc::clone(message)), ..Self::received(message.borrow()) }
    }

    /// A message that another shard received.
    #[inline]
    pub(crate) fn forwarded(forwarded: &Forwarded<'a>) -> Self {
        let outgoing = Self::received(forwarded.message);
        match forwarded.form {
            Form::Copied => outgoing,
            Form::InFrame(frame) => {
                Self { received: Some((usize::from(frame.class), frame.bytes)), ..outgoing }
            }
            Form::Shared(message) => Self { shared: Some(Arc::clone(message)), ..outgoing },
        }
    }

    /// Hands the message to another shard, whose sessions it is for.
    #[inline]
    pub(crate) fn forward<'t>(
        &mut self,
        shard: ShardId,
        held: Option<AcknowledgementToken>,
        recorded: Option<Recorded>,
        targets: impl Iterator<Item = Recipient<'t>>,
        effects: &mut Effects,
    ) {
        let Self { message, shared, received, .. } = self;
        let form = if message.properties.len().max(message.payload.len()) >= SHARED_BYTES_MIN {
            Form::Shared(shared.get_or_insert_with(|| message.share()))
        } else {
            match *received {
                Some((class, frame)) => Form::InFrame(received_frame(message, class, frame)),
                None => Form::Copied,
            }
        };
        effects.mail().forward(shard, message, form, held, recorded, targets);
    }

    /// The message as something to keep: copied at the first call.
    pub(crate) fn share(&mut self) -> Arc<Message> {
        let (message, spare) = (&self.message, &mut self.spare);
        Arc::clone(self.shared.get_or_insert_with(|| match spare.take() {
            Some(spare) => message.share_in(spare),
            None => message.share(),
        }))
    }

    /// Writes the message to one connection.
    #[inline(always)]
    pub(crate) fn send(
        &mut self,
        connection: &mut Connection,
        addressing: Addressing<'_>,
        now: Timestamp,
        effects: &mut Effects,
    ) -> Sent {
        if self.is_individual(connection, addressing) {
            // A copy for the rare way, so that the common one has the fields in registers.
            let Addressing { delivery, retain, identifiers } = addressing;
            let addressing = Addressing { delivery, retain, identifiers };
            return self.send_individually(connection, addressing, now, effects);
        }
        let once = self.encode_once(connection.version, addressing.delivery, addressing.retain, effects);
        if once.len > connection.packet_bytes_max {
            return Sent::TooLarge;
        }
        let (connection, frame, packet_id_at) = (connection.id, once.frame(), once.packet_id_at);
        match addressing.delivery.packet_id() {
            Some(packet_id) => {
                effects.push(Effect::SendNumbered { connection, frame, packet_id_at, packet_id });
            }
            None => effects.push(Effect::Send { connection, frame }),
        }
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

    /// Whether this receiver's bytes are unlike those of others of its class, or worth sharing.
    #[inline(always)]
    fn is_individual(&self, connection: &Connection, addressing: Addressing<'_>) -> bool {
        self.message.payload.len() >= SHARED_BYTES_MIN
            || addressing.delivery.dup()
            || has_own_properties(connection, addressing.identifiers)
            || connection.version.has_properties()
                && (self.message.properties.len() >= SHARED_BYTES_MIN
                    || self.message.expires_at != Timestamp::NEVER)
    }

    #[inline(always)]
    fn encode_once(
        &mut self,
        version: ProtocolVersion,
        delivery: Delivery,
        retain: bool,
        effects: &mut Effects,
    ) -> EncodedOnce {
        let class = class(version, delivery.qos(), retain);
        if self.frames[class].len > 0 {
            return self.frames[class];
        }
        let once = match self.received {
            Some((received, frame)) if received == class => self.copy_received(frame, version, effects),
            Some(_) | None => self.encode(version, delivery, retain, effects),
        };
        self.frames[class] = once;
        once
    }

    /// What was received is what is sent, but for the Packet Identifier.
    #[inline(always)]
    fn copy_received(&self, received: &[u8], version: ProtocolVersion, effects: &mut Effects) -> EncodedOnce {
        let (frame, ()) = effects.encode(|out| out.extend_from_slice(received));
        // Behind it are the length of no properties, and the payload.
        let behind = 2 + usize::from(version.has_properties()) + self.message.payload.len();
        EncodedOnce::new(frame, frame.len().saturating_sub(behind))
    }

    #[inline(never)]
    fn encode(
        &self,
        version: ProtocolVersion,
        delivery: Delivery,
        retain: bool,
        effects: &mut Effects,
    ) -> EncodedOnce {
        let addressing = Addressing { delivery, retain, identifiers: &[] };
        let parts = self.parts(addressing, self.message.topic.text(), &[]);
        let (frame, layout) = effects.encode(|out| {
            let start = out.len();
            parts.encode(version, out).map_or(0, |layout| layout.packet_id - start)
        });
        EncodedOnce::new(frame, layout)
    }

    #[inline]
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

/// Whether a receiver gets properties that others do not.
#[inline(always)]
fn has_own_properties(connection: &Connection, identifiers: &[u32]) -> bool {
    connection.version.has_properties()
        && (!identifiers.is_empty() || connection.outbound_aliases.is_enabled())
}

/// A frame in which a message was received, for other shards.
#[inline]
fn received_frame<'a>(message: &MessageRef<'_>, class: usize, bytes: &'a [u8]) -> ReceivedFrame<'a> {
    // Behind the topic are the Packet Identifier, the length of no properties, and the payload.
    let packet_id = if message.qos == QoS::AtMostOnce { 0 } else { 2 };
    let behind = packet_id + usize::from(class >= WITH_PROPERTIES) + message.payload.len();
    let topic_at = bytes.len() - behind - message.topic.text().len();
    let narrow = |number| u8::try_from(number).expect("classes and the bytes of a head are few");
    ReceivedFrame { bytes, class: narrow(class), topic_at: narrow(topic_at) }
}

#[inline]
fn class(version: ProtocolVersion, qos: QoS, retain: bool) -> usize {
    usize::from(version.has_properties()) * WITH_PROPERTIES
        + usize::from(qos.bits()) * 2
        + usize::from(retain)
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
