//! Owns what a shard wants done: a list and the bytes it refers to, reused from step to step. Doing it
//! is the caller's business.

use crate::{
    ids::{ConnectionId, SessionId},
    journal::Position,
    peers::PeerMail,
};
use bytes::Bytes;
use mqtt_codec::packet::PacketId;
use std::collections::VecDeque;

/// One thing to be done, in the order of the list. Nearly always that is to send what is encoded: to move effects at
/// the size of the largest would take as long as to copy small messages.
#[derive(Clone, Copy, Debug)]
pub enum Effect {
    /// Append a frame to the connection's outbox.
    Send {
        /// Where.
        connection: ConnectionId,
        /// Whole packets, see [`Contents::bytes`].
        frame: Frame,
    },
    /// Append a frame that other connections get as well, with this Packet Identifier written over
    /// the two bytes at `packet_id_at`, counted from the start of the frame.
    SendNumbered {
        /// Where.
        connection: ConnectionId,
        /// A whole PUBLISH.
        frame: Frame,
        /// Where its Packet Identifier is.
        packet_id_at: u32,
        /// The identifier for this connection.
        packet_id: PacketId,
    },
    /// Something larger, see [`Contents::next_other`].
    Other,
}

/// What is to be done and is rarer, or larger, than to send a frame.
#[derive(Debug)]
pub enum OtherEffect {
    /// Append a frame and, right behind it, bytes that are shared and worth not copying.
    SendShared {
        /// Where.
        connection: ConnectionId,
        /// A PUBLISH up to its payload, or up to its properties where those are large as well.
        frame: Frame,
        /// The rest of it.
        payload: Bytes,
    },
    /// Flush the outbox, shut down writing, drain what the peer still sends for a moment, close. The
    /// shard has forgotten the connection: no more inputs for it.
    Close {
        /// Which.
        connection: ConnectionId,
        /// Why.
        cause: CloseCause,
    },
    /// Read these records of the journal, away from the shard, and answer with
    /// [`Input::Loaded`](crate::Input::Loaded). There is one request per session at a time.
    Load {
        /// For whom.
        session: SessionId,
        /// Which records.
        positions: Vec<Position>,
    },
    /// The answer to [`Input::Survey`](crate::Input::Survey): what of this shard is needed there.
    Surveyed(Vec<Position>),
    /// The shard has recorded everything it knows since [`Input::Checkpoint`](crate::Input::Checkpoint).
    CheckpointWritten,
}

/// Why a connection is closed, for the log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CloseCause {
    /// The client said DISCONNECT.
    Disconnected,
    /// The client or the server broke off with this reason.
    Error(mqtt_codec::ReasonCode),
    /// The client sent what is no packet.
    Malformed(mqtt_codec::DecodeError),
}

/// Bytes of [`Effects`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Frame {
    pub(crate) start: usize,
    pub(crate) len: u32,
}

impl Frame {
    /// How many bytes it has.
    #[must_use]
    pub fn len(self) -> usize {
        self.len as usize
    }

    /// Whether it has none; no packet has.
    #[must_use]
    pub fn is_empty(self) -> bool {
        self.len == 0
    }
}

/// What a list of effects refers to.
#[derive(Debug)]
pub struct Contents<'a> {
    bytes: &'a [u8],
    others: &'a mut VecDeque<OtherEffect>,
}

impl<'a> Contents<'a> {
    /// The bytes of a frame.
    ///
    /// # Panics
    /// If the frame is of other effects.
    #[must_use]
    #[inline]
    pub fn bytes(&self, frame: Frame) -> &'a [u8] {
        &self.bytes[frame.start..frame.start + frame.len()]
    }

    /// What the next [`Effect::Other`] is.
    ///
    /// # Panics
    /// If there were no more of them in the list.
    #[must_use]
    pub fn next_other(&mut self) -> OtherEffect {
        self.others.pop_front().expect("the list says how many there are")
    }
}

/// What steps want done. The caller owns it, empties it after each step, or after a few, and keeps its memory.
#[derive(Debug, Default)]
pub struct Effects {
    list: Vec<Effect>,
    /// As many as the list says.
    others: VecDeque<OtherEffect>,
    bytes: Vec<u8>,
    mail: PeerMail,
    /// A buffer for what is put together before it is encoded.
    scratch: Vec<u8>,
}

impl Effects {
    /// Nothing to be done.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// What is to be done, in order.
    #[must_use]
    #[inline]
    pub fn list(&self) -> &[Effect] {
        &self.list
    }

    /// Whether it is to be carried out before a further step is taken. Frames that go into outboxes may wait for those
    /// of the next steps, as long as they are few; what else is to be done may decide whether there is a next step.
    #[must_use]
    #[inline]
    pub fn are_due(&self) -> bool {
        const LIST_MAX: usize = 64;
        const BYTES_MAX: usize = 16 * 1024;
        self.list.len() >= LIST_MAX
            || self.bytes.len() >= BYTES_MAX
            || !self.others.is_empty()
            || self.mail.is_large()
    }

    /// What is to be done, in order, to be carried out now, and what it refers to. Then comes [`clear`](Self::clear).
    #[inline]
    pub fn contents(&mut self) -> (&[Effect], Contents<'_>) {
        (&self.list, Contents { bytes: &self.bytes, others: &mut self.others })
    }

    /// What is to be said to other shards, in order for each. It stays through [`clear`](Self::clear) until it is
    /// taken, at the end of the turn at the latest.
    #[inline]
    pub fn mail(&mut self) -> &mut PeerMail {
        &mut self.mail
    }

    /// Forgets everything but the mail, keeping the memory up to what an ordinary step needs.
    #[inline]
    pub fn clear(&mut self) {
        const KEPT_BYTES: usize = 1024 * 1024;
        self.list.clear();
        if !self.others.is_empty() {
            self.others.clear();
        }
        self.bytes.clear();
        if self.bytes.capacity() > KEPT_BYTES {
            self.bytes.shrink_to(KEPT_BYTES);
        }
    }

    #[inline]
    pub(crate) fn push(&mut self, effect: Effect) {
        debug_assert!(!matches!(effect, Effect::Other), "they are pushed as what they are");
        self.list.push(effect);
    }

    pub(crate) fn push_other(&mut self, effect: OtherEffect) {
        self.list.push(Effect::Other);
        self.others.push_back(effect);
    }

    /// The bytes of a frame that was encoded just now.
    pub(crate) fn bytes(&self, frame: Frame) -> &[u8] {
        &self.bytes[frame.start..frame.start + frame.len()]
    }

    /// Lends an empty buffer, so that none is allocated per receiver.
    pub(crate) fn take_scratch(&mut self) -> Vec<u8> {
        std::mem::take(&mut self.scratch)
    }

    /// Takes the buffer back.
    pub(crate) fn put_scratch(&mut self, mut scratch: Vec<u8>) {
        scratch.clear();
        self.scratch = scratch;
    }

    /// Appends to the bytes and tells what was appended.
    #[inline(always)]
    pub(crate) fn encode<T>(&mut self, encode: impl FnOnce(&mut Vec<u8>) -> T) -> (Frame, T) {
        let start = self.bytes.len();
        let value = encode(&mut self.bytes);
        let len = u32::try_from(self.bytes.len() - start).expect("a packet has less than 4 GiB");
        (Frame { start, len }, value)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FRAME: Frame = Frame { start: 0, len: 1 };
    const CONNECTION: ConnectionId = ConnectionId(1);

    #[test]
    fn few_frames_may_wait_for_those_of_the_next_step_and_nothing_else_may() {
        let mut effects = Effects::new();
        for _ in 0..63 {
            assert!(!effects.are_due());
            effects.push(Effect::Send { connection: CONNECTION, frame: FRAME });
        }
        assert!(!effects.are_due());
        effects.push(Effect::Send { connection: CONNECTION, frame: FRAME });
        assert!(effects.are_due(), "64 frames");
        effects.clear();
        effects.encode(|out| out.resize(16 * 1024 - 1, 0));
        assert!(!effects.are_due());
        effects.encode(|out| out.push(0));
        assert!(effects.are_due(), "16 KiB");
        effects.clear();
        assert!(!effects.are_due());
        effects.push_other(OtherEffect::Close { connection: CONNECTION, cause: CloseCause::Disconnected });
        assert!(effects.are_due(), "a connection that ends");
    }

    #[test]
    fn what_stands_beside_the_list_comes_in_its_place() {
        let mut effects = Effects::new();
        effects.push_other(OtherEffect::CheckpointWritten);
        effects.push(Effect::Send { connection: CONNECTION, frame: FRAME });
        effects.push_other(OtherEffect::Close { connection: CONNECTION, cause: CloseCause::Disconnected });
        let (list, mut contents) = effects.contents();
        assert!(matches!(list, [Effect::Other, Effect::Send { .. }, Effect::Other]));
        assert!(matches!(contents.next_other(), OtherEffect::CheckpointWritten));
        assert!(matches!(contents.next_other(), OtherEffect::Close { .. }));
    }

    #[test]
    fn two_effects_are_one_line_of_the_processors_cache() {
        assert_eq!(size_of::<Effect>(), 32);
    }
}
