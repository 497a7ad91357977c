//! Owns one message on its way to one client, as small as it can be: a session that is away may have a
//! great many. Where it stands among others is `outbound`'s business.

use crate::{
    ids::{GroupId, SessionId},
    journal::Position,
    message::Message,
    time::Timestamp,
};
use mqtt_codec::QoS;
use std::sync::Arc;

/// A message for one client, with what is the client's own about it: 32 bytes, and the message itself only
/// where it is in memory. One that is in the journal need not be.
#[derive(Clone, Debug)]
pub(crate) struct Queued {
    message: Option<Arc<Message>>,
    /// The journal's position above the flags.
    place: u64,
    rest: Option<Box<Rest>>,
    bytes: u32,
    /// When it expires in seconds, begun ones counted whole; see [`Queued::is_expired`].
    expires_at_seconds: u32,
}

/// What most messages do not have.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Rest {
    identifiers: Box<[u32]>,
    group: Option<GroupId>,
}

const EXACTLY_ONCE: u64 = 1;
const RETAIN: u64 = 1 << 1;
const UNSENT: u64 = 1 << 2;
const FLAG_BITS: u32 = 3;
const NEVER: u32 = u32::MAX;

/// What a receiver has of its own about a message.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Own<'a> {
    /// The QoS it is delivered with: 1 or 2.
    pub(crate) qos: QoS,
    /// The RETAIN flag it is delivered with.
    pub(crate) retain: bool,
    /// The Subscription Identifiers that go with it.
    pub(crate) identifiers: &'a [u32],
    /// The group of the shared subscription it came by.
    pub(crate) group: Option<GroupId>,
}

impl Queued {
    /// A message that is in memory; in the journal as well if its session is recorded and it is.
    #[inline]
    pub(crate) fn new(message: Arc<Message>, session: SessionId, own: Own<'_>) -> Self {
        let position = if session.is_durable() { message.position } else { Position::NONE };
        Self::at(position, message, own)
    }

    /// A message that is in memory alone, as far as this receiver is concerned.
    pub(crate) fn unrecorded(message: Arc<Message>, own: Own<'_>) -> Self {
        Self::at(Position::NONE, message, own)
    }

    #[inline(always)]
    fn at(position: Position, message: Arc<Message>, own: Own<'_>) -> Self {
        let (bytes, expires_at) = (u32::try_from(message.len()).unwrap_or(u32::MAX), message.expires_at);
        Self { message: Some(message), ..Self::stored(position, bytes, expires_at, own) }
    }

    /// A message that is in the journal alone.
    #[inline(always)]
    pub(crate) fn stored(position: Position, bytes: u32, expires_at: Timestamp, own: Own<'_>) -> Self {
        debug_assert!(own.qos > QoS::AtMostOnce, "QoS 0 goes now or never");
        let mut place = position.get() << FLAG_BITS;
        if own.qos == QoS::ExactlyOnce {
            place |= EXACTLY_ONCE;
        }
        if own.retain {
            place |= RETAIN;
        }
        let has_rest = !own.identifiers.is_empty() || own.group.is_some();
        let rest =
            has_rest.then(|| Box::new(Rest { identifiers: Box::from(own.identifiers), group: own.group }));
        Self { message: None, place, rest, bytes, expires_at_seconds: seconds(expires_at) }
    }

    /// The message, if it is in memory.
    pub(crate) fn message(&self) -> Option<&Arc<Message>> {
        self.message.as_ref()
    }

    /// The message alone, if it is in memory.
    pub(crate) fn into_message(self) -> Option<Arc<Message>> {
        self.message
    }

    /// Its record, [`Position::NONE`] if it has none.
    pub(crate) fn position(&self) -> Position {
        Position::new(self.place >> FLAG_BITS)
    }

    /// Whether it is in the journal, so that memory need not keep it.
    pub(crate) fn is_stored(&self) -> bool {
        self.position().is_some()
    }

    /// 1 or 2.
    pub(crate) fn qos(&self) -> QoS {
        if self.place & EXACTLY_ONCE != 0 { QoS::ExactlyOnce } else { QoS::AtLeastOnce }
    }

    /// See [`mark_of`](crate::journal::mark_of).
    pub(crate) fn mark(&self) -> u32 {
        crate::journal::mark_of(self.qos(), self.retain(), self.identifiers(), self.group().is_some())
    }

    /// The RETAIN flag it is delivered with.
    pub(crate) fn retain(&self) -> bool {
        self.place & RETAIN != 0
    }

    /// The Subscription Identifiers that go with it.
    pub(crate) fn identifiers(&self) -> &[u32] {
        self.rest.as_ref().map_or(&[], |rest| &rest.identifiers)
    }

    /// The group of the shared subscription it came by.
    pub(crate) fn group(&self) -> Option<GroupId> {
        self.rest.as_ref().and_then(|rest| rest.group)
    }

    /// The same message for another receiver.
    pub(crate) fn moved(self, own: Own<'_>) -> Self {
        let moved = Self::stored(self.position(), self.bytes, self.expires_at(), own);
        Self { message: self.message, ..moved }
    }

    /// Bytes it counts for against limits.
    pub(crate) fn bytes(&self) -> u64 {
        u64::from(self.bytes)
    }

    /// When it expires, of one that is in the journal alone up to a second late.
    pub(crate) fn expires_at(&self) -> Timestamp {
        match (&self.message, self.expires_at_seconds) {
            (Some(message), _) => message.expires_at,
            (None, NEVER) => Timestamp::NEVER,
            (None, seconds) => Timestamp::ZERO.plus_seconds(u64::from(seconds)),
        }
    }

    /// Whether it is not worth delivering any more `[MQTT5-3.3.2-5]`. Of one that is in the journal alone that
    /// shows up to a second late; before it is sent it is in memory.
    pub(crate) fn is_expired(&self, now: Timestamp) -> bool {
        self.expires_at() <= now
    }

    /// Whether it is in flight by the books and has not been sent, because the books are not on disk yet.
    pub(crate) fn is_unsent(&self) -> bool {
        self.place & UNSENT != 0
    }

    pub(crate) fn set_unsent(&mut self) {
        self.place |= UNSENT;
    }

    pub(crate) fn set_sent(&mut self) {
        self.place &= !UNSENT;
    }

    /// The record is somewhere else from now on.
    pub(crate) fn set_position(&mut self, position: Position) {
        self.place = position.get() << FLAG_BITS | self.place & ((1 << FLAG_BITS) - 1);
    }

    /// Takes the message back into memory.
    pub(crate) fn load(&mut self, message: Arc<Message>) {
        self.message = Some(message);
    }

    /// Leaves the message to the journal, if it is there.
    pub(crate) fn unload(&mut self) {
        if self.is_stored() {
            self.message = None;
        }
    }
}

fn seconds(timestamp: Timestamp) -> u32 {
    if timestamp == Timestamp::NEVER {
        return NEVER;
    }
    u32::try_from(timestamp.as_millis().div_ceil(1000)).unwrap_or(NEVER)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_in_the_journal_costs_thirty_two_bytes_of_a_queue() {
        assert_eq!(size_of::<Queued>(), 32);
    }

    #[test]
    fn what_is_packed_comes_out_again() {
        for (qos, retain, identifiers) in [
            (QoS::AtLeastOnce, true, &[][..]),
            (QoS::ExactlyOnce, false, &[7, 8]),
            (QoS::ExactlyOnce, true, &[]),
        ] {
            let own = Own { qos, retain, identifiers, group: None };
            let mut queued = Queued::stored(Position::MAX, 9, Timestamp::from_millis(1_001), own);
            queued.set_unsent();
            assert_eq!((queued.qos(), queued.retain(), queued.identifiers()), (qos, retain, identifiers));
            assert_eq!((queued.position(), queued.bytes()), (Position::MAX, 9));
            assert!(queued.is_unsent());
            assert_eq!(queued.expires_at(), Timestamp::from_millis(2_000));
        }
    }
}
