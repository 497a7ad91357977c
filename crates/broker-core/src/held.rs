//! Owns acknowledgements that a shard holds back until every session they concern has stored the
//! message, and the disk where that was promised. Who tells it so, here or through a mailbox, is not known here.

use crate::{
    config::Durability,
    ids::{ConnectionId, SessionId, ShardId},
};
use mqtt_codec::{QoS, ReasonCode, packet::PacketId};
use slab::Slab;

/// Names an acknowledgement that a shard holds back until others have stored its message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct AcknowledgementToken {
    /// The shard that holds it.
    pub shard: ShardId,
    /// Its place there.
    pub(crate) slot: u32,
    /// Which user of the place.
    pub(crate) generation: u32,
}

/// What is due once nothing is awaited for it any more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Held {
    /// An acknowledgement to a client of this shard.
    Client(HeldAcknowledgement),
    /// A word to another shard, which holds the acknowledgement itself.
    Peer(AcknowledgementToken),
}

/// An acknowledgement to a client of this shard.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct HeldAcknowledgement {
    /// Whose message it acknowledges.
    pub(crate) session: SessionId,
    /// The connection it came on; on another the client sends the message again.
    pub(crate) connection: ConnectionId,
    /// Which message.
    pub(crate) packet_id: PacketId,
    /// PUBACK for 1, PUBREC for 2.
    pub(crate) qos: QoS,
    /// What it says.
    pub(crate) acknowledgement: Acknowledgement,
    /// Whether the disk is among what it awaits.
    pub(crate) waits_for_disk: bool,
}

/// What PUBACK or PUBREC says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Acknowledgement {
    /// Whether it is taken over.
    pub(crate) reason: ReasonCode,
    /// Where the message is, if its publisher asked.
    pub(crate) told: Option<Durability>,
}

impl Acknowledgement {
    /// Taken over, and no more than that.
    pub(crate) const SUCCESS: Self = Self { reason: ReasonCode::Success, told: None };
}

/// What is due while a message is routed. It is held back from the first thing on that it has to await: mostly there
/// is none.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Holding {
    /// Whatever the message meets, it is not held back.
    Nothing,
    /// It would be held back.
    IfNeeded(Held),
    /// It is held back; that the message has been routed is among what it awaits.
    Held(AcknowledgementToken),
}

/// All that one shard holds back.
#[derive(Debug)]
pub(crate) struct HeldAcknowledgements {
    shard: ShardId,
    places: Slab<Place>,
    next_generation: u32,
}

#[derive(Debug)]
struct Place {
    generation: u32,
    awaited: u32,
    held: Held,
}

impl HeldAcknowledgements {
    /// Nothing held.
    pub(crate) fn new(shard: ShardId) -> Self {
        Self { shard, places: Slab::new(), next_generation: 0 }
    }

    /// Holds an acknowledgement. One thing is awaited at first: that its message has been routed.
    fn open(&mut self, held: Held) -> AcknowledgementToken {
        let generation = self.next_generation;
        self.next_generation = generation.wrapping_add(1);
        let slot = self.places.insert(Place { generation, awaited: 1, held });
        let slot = u32::try_from(slot).expect("receive_maximum bounds what one session can have held");
        AcknowledgementToken { shard: self.shard, slot, generation }
    }

    /// One thing more is awaited, which is done with the token.
    pub(crate) fn await_one(&mut self, holding: &mut Holding) -> Option<AcknowledgementToken> {
        let token = match *holding {
            Holding::Nothing => return None,
            Holding::IfNeeded(held) => self.open(held),
            Holding::Held(token) => token,
        };
        *holding = Holding::Held(token);
        if let Some(place) = self.place(token) {
            place.awaited += 1;
        }
        Some(token)
    }

    /// The message has been routed. Whether nothing else is awaited.
    #[inline]
    pub(crate) fn routed(&mut self, holding: &Holding) -> bool {
        match *holding {
            Holding::Nothing | Holding::IfNeeded(_) => true,
            Holding::Held(token) => self.done(token).is_some(),
        }
    }

    /// One thing awaited is done. What is due, if it was the last.
    pub(crate) fn done(&mut self, token: AcknowledgementToken) -> Option<Held> {
        let place = self.place(token)?;
        place.awaited -= 1;
        if place.awaited > 0 {
            return None;
        }
        Some(self.places.remove(token.slot as usize).held)
    }

    fn place(&mut self, token: AcknowledgementToken) -> Option<&mut Place> {
        debug_assert_eq!(token.shard, self.shard);
        self.places.get_mut(token.slot as usize).filter(|place| place.generation == token.generation)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_has_nothing_to_await_is_never_held() {
        let mut acknowledgements = HeldAcknowledgements::new(ShardId(0));
        let due = Held::Peer(AcknowledgementToken { shard: ShardId(1), slot: 7, generation: 9 });
        assert!(acknowledgements.routed(&Holding::Nothing));
        assert!(acknowledgements.routed(&Holding::IfNeeded(due)));
        assert!(acknowledgements.places.is_empty());
        assert_eq!(acknowledgements.await_one(&mut Holding::Nothing), None);
    }

    #[test]
    fn what_awaits_something_is_due_when_all_of_it_is_done_and_the_message_routed() {
        let mut acknowledgements = HeldAcknowledgements::new(ShardId(0));
        let due = Held::Peer(AcknowledgementToken { shard: ShardId(1), slot: 7, generation: 9 });
        let mut holding = Holding::IfNeeded(due);
        let first = acknowledgements.await_one(&mut holding).expect("it is held");
        let second = acknowledgements.await_one(&mut holding).expect("it is held");
        assert_eq!(first, second);
        assert_eq!(acknowledgements.done(first), None);
        assert!(!acknowledgements.routed(&holding));
        assert_eq!(acknowledgements.done(second), Some(due));
        assert!(acknowledgements.places.is_empty());
    }
}
