//! Owns how messages that were received in frames one behind the other, to one topic, go on: as these frames, or each as
//! a message of its own. Who receives is not known here.

use super::{Outgoing, class};
use crate::{
    effect::{Effect, Effects, Frame},
    ids::ShardId,
    message::MessageRef,
    peers::{Form, Forwarded, ReceivedRun, Recipient},
    session::Connection,
};
use mqtt_codec::{ProtocolVersion, QoS, packet::PublishRun};

/// QoS 0 messages to one topic while they are delivered to any number of receivers.
#[derive(Debug)]
pub(crate) struct OutgoingRun<'a> {
    /// The first of them.
    first: MessageRef<'a>,
    pub(crate) run: PublishRun<'a>,
    /// To whom the frames can go as they stand.
    class: usize,
    /// The frames, once somebody of the class receives.
    frames: Option<Frame>,
}

impl<'a> OutgoingRun<'a> {
    pub(crate) fn received(first: MessageRef<'a>, run: PublishRun<'a>, version: ProtocolVersion) -> Self {
        Self { first, run, class: class(version, QoS::AtMostOnce, false), frames: None }
    }

    pub(crate) fn forwarded(
        forwarded: &Forwarded<'a>,
        ReceivedRun { run, class, .. }: ReceivedRun<'a>,
    ) -> Self {
        Self { first: forwarded.message, run, class: class.into(), frames: None }
    }

    /// Hands the messages to another shard, whose sessions they are for.
    pub(crate) fn forward<'t>(
        &self,
        shard: ShardId,
        targets: impl Iterator<Item = Recipient<'t>>,
        effects: &mut Effects,
    ) {
        let run = ReceivedRun::new(self.run, self.class, self.first.topic);
        effects.mail().forward(shard, &self.first, Form::Run(run), None, None, targets);
    }

    /// Whether a receiver gets the frames as they stand.
    #[inline]
    pub(crate) fn suits(&self, connection: &Connection, identifiers: &[u32]) -> bool {
        let own = identifiers.len() + usize::from(connection.outbound_aliases.is_enabled());
        class(connection.version, QoS::AtMostOnce, false) == self.class
            && self.run.packet_bytes_max <= connection.packet_bytes_max
            && (own == 0 || !connection.version.has_properties())
    }

    /// Writes the frames to a connection that they suit.
    #[inline]
    pub(crate) fn send(&mut self, connection: &Connection, effects: &mut Effects) {
        let run = &self.run;
        let encode = || effects.encode(|out| out.extend_from_slice(run.bytes)).0;
        let frame = *self.frames.get_or_insert_with(encode);
        effects.push(Effect::Send { connection: connection.id, frame });
    }

    /// Each of the messages.
    pub(crate) fn each(&self) -> impl Iterator<Item = Outgoing<'a>> {
        let (first, class) = (self.first, self.class);
        self.run.packets().map(move |(frame, payload)| {
            let message = MessageRef { payload, ..first };
            Outgoing { received: Some((class, frame)), ..Outgoing::received(message) }
        })
    }
}
