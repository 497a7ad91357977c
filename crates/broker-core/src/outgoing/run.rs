//! Owns how plain messages, one or several to one topic in frames one behind the other, go on: as these frames, or each
//! as a message of its own. Who receives is not known here.

use super::{Outgoing, class, has_own_properties};
use crate::{
    config::Durability,
    effect::{Effect, Effects, Frame},
    ids::{SessionId, ShardId},
    journal::Position,
    message::MessageRef,
    peers::{ForwardedRun, Recipient},
    session::Connection,
    time::Timestamp,
};
use mqtt_codec::{ProtocolVersion, QoS, packet::PublishRun};

/// QoS 0 messages to one topic while they are delivered to any number of receivers.
#[derive(Debug)]
pub(crate) struct OutgoingRun<'a> {
    pub(crate) run: PublishRun<'a>,
    publisher: Option<SessionId>,
    /// To whom the frames can go as they stand.
    class: usize,
    /// The frames, once somebody of the class receives.
    frames: Option<Frame>,
}

impl<'a> OutgoingRun<'a> {
    pub(crate) fn received(run: PublishRun<'a>, publisher: SessionId, version: ProtocolVersion) -> Self {
        let class = class(version, QoS::AtMostOnce, false);
        Self { run, publisher: Some(publisher), class, frames: None }
    }

    pub(crate) fn forwarded(forwarded: ForwardedRun<'a>) -> Self {
        let ForwardedRun { run, class, .. } = forwarded;
        // Whom its own messages leave out was decided where it was.
        Self { run, publisher: None, class: class.into(), frames: None }
    }

    /// One of the messages, but for its payload.
    pub(crate) fn message(&self) -> MessageRef<'a> {
        MessageRef {
            topic: self.run.topic,
            properties: &[],
            payload: &[],
            qos: QoS::AtMostOnce,
            retain: false,
            expires_at: Timestamp::NEVER,
            publisher: self.publisher,
            durability: Durability::None,
            position: Position::NONE,
        }
    }

    /// Each of the messages.
    pub(crate) fn each(&self) -> impl Iterator<Item = Outgoing<'a>> {
        let (message, class) = (self.message(), self.class);
        self.run.packets().map(move |(frame, packet)| {
            let message = MessageRef { payload: packet.payload, ..message };
            Outgoing { received: Some((class, frame)), ..Outgoing::received(message) }
        })
    }

    /// Hands the messages to another shard, whose sessions they are for.
    pub(crate) fn forward<'t>(
        &self,
        shard: ShardId,
        targets: impl Iterator<Item = Recipient<'t>>,
        effects: &mut Effects,
    ) {
        effects.mail().forward_run(shard, self.run, self.class, targets);
    }

    /// Whether a receiver gets the frames as they stand.
    #[inline]
    pub(crate) fn suits(&self, connection: &Connection, identifiers: &[u32]) -> bool {
        class(connection.version, QoS::AtMostOnce, false) == self.class
            && self.run.packet_bytes_max <= connection.packet_bytes_max
            && !has_own_properties(connection, identifiers)
    }

    /// Writes the frames to a connection that they suit.
    #[inline]
    pub(crate) fn send(&mut self, connection: &Connection, effects: &mut Effects) {
        let run = &self.run;
        let encode = || effects.encode(|out| out.extend_from_slice(run.bytes)).0;
        let frame = *self.frames.get_or_insert_with(encode);
        effects.push(Effect::Send { connection: connection.id, frame });
    }
}
