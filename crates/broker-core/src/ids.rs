//! The keys by which shards, sessions and connections are named: small, `Copy`, ordered. What they
//! name lives in the shard.

use core::fmt;

/// One shard of the node.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ShardId(pub u16);

impl ShardId {
    /// The highest shard there may be. The number above it marks shared groups in the subscription index.
    pub const MAX: Self = Self(0xFFE);
}

/// One network connection, numbered by the daemon and never reused. Opaque to the engine.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ConnectionId(pub u64);

/// One session of one shard: `shard` (12 bits), `slot` in its table (28 bits), whether it is durable (1 bit),
/// `generation` of the slot (23 bits), so that a key that outlives its session never names the slot's next one.
///
/// The order groups sessions by shard.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SessionId(u64);

impl SessionId {
    /// Slots of one shard.
    pub const SLOTS_MAX: u32 = 1 << SLOT_BITS;

    /// Names a session. The generation counts modulo 2^23.
    ///
    /// # Panics
    /// If the shard is above [`ShardId::MAX`] or the slot is not below [`SessionId::SLOTS_MAX`].
    #[must_use]
    pub fn new(shard: ShardId, slot: u32, generation: u32) -> Self {
        assert!(shard <= ShardId::MAX, "{shard:?} is above ShardId::MAX");
        Self(pack(shard.0, slot, generation & GENERATION_MASK))
    }

    /// The shard that owns the session.
    #[must_use]
    pub fn shard(self) -> ShardId {
        ShardId(unpack(self.0).0)
    }

    /// The session's place in its shard's table.
    #[must_use]
    pub fn slot(self) -> u32 {
        unpack(self.0).1
    }

    /// Which user of the slot is meant.
    #[must_use]
    pub fn generation(self) -> u32 {
        unpack(self.0).2 & GENERATION_MASK
    }

    /// The same session as one that outlives its connection and is recorded in the journal, if there is one.
    #[must_use]
    pub fn durable(self) -> Self {
        Self(self.0 | DURABLE)
    }

    /// Whether the session is recorded. It is decided when the session begins, and so can be told from the
    /// subscription index without a look at the session.
    #[must_use]
    pub fn is_durable(self) -> bool {
        self.0 & DURABLE != 0
    }

    pub(crate) fn to_bits(self) -> u64 {
        self.0
    }

    pub(crate) fn from_bits(bits: u64) -> Self {
        debug_assert!(!GroupId::owns(bits), "{bits:#x} names a shared group");
        Self(bits)
    }
}

impl fmt::Debug for SessionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let durable = if self.is_durable() { " durable" } else { "" };
        write!(f, "Session({}.{}.{}{durable})", self.shard().0, self.slot(), self.generation())
    }
}

/// One group of a shared subscription: a share name and a Topic Filter. It outlives its group
/// harmlessly: the index then chooses nobody.
///
/// Packed like a [`SessionId`] of a shard that cannot exist, so that both fit one subscriber list.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct GroupId(u64);

impl GroupId {
    const SHARD: u16 = ShardId::MAX.0 + 1;

    pub(crate) fn new(slot: u32, generation: u32) -> Self {
        Self(pack(Self::SHARD, slot, generation))
    }

    pub(crate) fn slot(self) -> u32 {
        unpack(self.0).1
    }

    pub(crate) fn to_bits(self) -> u64 {
        self.0
    }

    pub(crate) fn from_bits(bits: u64) -> Self {
        debug_assert!(Self::owns(bits), "{bits:#x} names a session");
        Self(bits)
    }

    pub(crate) fn owns(bits: u64) -> bool {
        bits >= pack(Self::SHARD, 0, 0)
    }
}

impl fmt::Debug for GroupId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (_, slot, generation) = unpack(self.0);
        write!(f, "Group({slot}.{generation})")
    }
}

const SLOT_BITS: u32 = 28;
/// Of a group; of a session the highest of them is [`DURABLE`].
const GENERATION_BITS: u32 = 24;
const DURABLE: u64 = 1 << (GENERATION_BITS - 1);
const GENERATION_MASK: u32 = (1 << (GENERATION_BITS - 1)) - 1;

fn pack(shard: u16, slot: u32, generation: u32) -> u64 {
    assert!(slot < SessionId::SLOTS_MAX, "slot {slot} is not below SessionId::SLOTS_MAX");
    let generation = generation & ((1 << GENERATION_BITS) - 1);
    (u64::from(shard) << (SLOT_BITS + GENERATION_BITS))
        | (u64::from(slot) << GENERATION_BITS)
        | u64::from(generation)
}

#[allow(clippy::cast_possible_truncation, reason = "each part is shifted or masked to its bits")]
fn unpack(bits: u64) -> (u16, u32, u32) {
    let slot = (bits >> GENERATION_BITS) as u32 & (SessionId::SLOTS_MAX - 1);
    let generation = bits as u32 & ((1 << GENERATION_BITS) - 1);
    ((bits >> (SLOT_BITS + GENERATION_BITS)) as u16, slot, generation)
}

/// A Subscription Identifier as a list: 0 stands for none.
#[inline]
pub(crate) fn listed(subscription_identifier: &u32) -> &[u32] {
    match subscription_identifier {
        0 => &[],
        some => std::slice::from_ref(some),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_session_id_gives_back_its_parts() {
        for (shard, slot, generation) in [(0, 0, 0), (3, 7, 9), (0xFFE, (1 << 28) - 1, (1 << 23) - 1)] {
            let session = SessionId::new(ShardId(shard), slot, generation);
            assert!(!session.is_durable() && session.durable().is_durable());
            for session in [session, session.durable()] {
                let parts = (session.shard(), session.slot(), session.generation());
                assert_eq!(parts, (ShardId(shard), slot, generation));
            }
        }
        assert_eq!(size_of::<SessionId>(), 8);
    }

    #[test]
    fn a_generation_wraps_into_its_bits() {
        assert_eq!(SessionId::new(ShardId(1), 2, (1 << 23) + 5), SessionId::new(ShardId(1), 2, 5));
    }

    #[test]
    fn sessions_sort_by_shard_first() {
        let low_shard = SessionId::new(ShardId(1), u32::MAX >> 4, 99);
        assert!(low_shard < SessionId::new(ShardId(2), 0, 0));
    }

    #[test]
    fn a_group_is_never_mistaken_for_a_session() {
        let last_session = SessionId::new(ShardId::MAX, (1 << 28) - 1, u32::MAX);
        assert!(!GroupId::owns(last_session.to_bits()));
        assert!(GroupId::owns(GroupId::new(0, 0).to_bits()));
    }

    /// The panic is the contract, see `new`: such a key would be that of a group.
    #[test]
    #[should_panic(expected = "above ShardId::MAX")]
    fn the_shard_of_the_groups_is_refused_to_sessions() {
        let _ = SessionId::new(ShardId(ShardId::MAX.0 + 1), 0, 0);
    }
}
