//! Owns who is just now about to retain a message for which it has found the receivers already. Who waits until that is
//! over is `shard/pages`'s business.

use crate::ids::ShardId;
use std::sync::atomic::{AtomicU32, Ordering, fence};

/// Of each shard, whether it is between finding the receivers of a message and retaining it.
///
/// A session that subscribes just then, on another shard, is not among those receivers, and would not find the message
/// among those that are retained: it would never hear of it. So it looks for them when this is over. The one says that
/// it has begun and *then* finds the receivers, the other subscribes and *then* looks who has begun: in the one order of
/// both fences whoever comes second sees the first.
#[derive(Debug)]
pub(crate) struct Retaining {
    /// How often each shard has begun or ended: odd means that it has begun.
    turns: Box<[AtomicU32]>,
}

/// Shards that had begun, with the turn that each was in. There are hardly ever any.
#[derive(Debug, Default)]
#[allow(clippy::box_collection, reason = "each filter of a SUBSCRIBE has one, and it is to be small")]
pub(crate) struct Begun(Option<Box<Vec<(ShardId, u32)>>>);

impl Retaining {
    pub(crate) fn new(shards: usize) -> Self {
        Self { turns: (0..shards).map(|_| AtomicU32::new(0)).collect() }
    }

    /// A shard is about to find the receivers of a message that it will retain.
    pub(crate) fn begin(&self, shard: ShardId) {
        let before = self.turn(shard).fetch_add(1, Ordering::Relaxed);
        debug_assert!(before.is_multiple_of(2), "{shard:?} has begun already");
        fence(Ordering::SeqCst);
    }

    /// It has retained it, or has not.
    pub(crate) fn end(&self, shard: ShardId) {
        let before = self.turn(shard).fetch_add(1, Ordering::Release);
        debug_assert!(!before.is_multiple_of(2), "{shard:?} has not begun");
    }

    /// Who has begun. Whoever is not among them retains what this caller's subscriptions are found for.
    pub(crate) fn begun(&self) -> Begun {
        fence(Ordering::SeqCst);
        let turns = (0..).map(ShardId).zip(&self.turns);
        let turns = turns.map(|(shard, turn)| (shard, turn.load(Ordering::Acquire)));
        let begun: Vec<_> = turns.filter(|(_, turn)| !turn.is_multiple_of(2)).collect();
        Begun((!begun.is_empty()).then(|| Box::new(begun)))
    }

    /// Whether all of them have ended that turn.
    pub(crate) fn have_ended(&self, begun: &mut Begun) -> bool {
        let Some(begun) = &mut begun.0 else { return true };
        begun.retain(|&(shard, turn)| self.turn(shard).load(Ordering::Acquire) == turn);
        begun.is_empty()
    }

    fn turn(&self, shard: ShardId) -> &AtomicU32 {
        &self.turns[usize::from(shard.0)]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ONE: ShardId = ShardId(0);
    const OTHER: ShardId = ShardId(1);

    #[test]
    fn who_has_begun_is_waited_for_and_nobody_else() {
        let retaining = Retaining::new(2);
        assert!(retaining.have_ended(&mut retaining.begun()), "nobody has");
        retaining.begin(ONE);
        let mut begun = retaining.begun();
        retaining.begin(OTHER);
        assert!(!retaining.have_ended(&mut begun));
        retaining.end(ONE);
        assert!(retaining.have_ended(&mut begun), "the other has begun later");
    }

    #[test]
    fn a_turn_that_follows_is_not_waited_for() {
        let retaining = Retaining::new(2);
        retaining.begin(ONE);
        let mut begun = retaining.begun();
        retaining.end(ONE);
        retaining.begin(ONE);
        assert!(retaining.have_ended(&mut begun));
    }
}
