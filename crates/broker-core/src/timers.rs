//! One hierarchical timing wheel per shard, so that a million deadlines need no runtime timer each.
//! What a key means when it fires is the shard's business.

use crate::time::Timestamp;
use list::{List, Lists};

mod list;

/// Milliseconds of one tick. A timer fires at the first tick at or after its deadline: never early,
/// and late by less than this beyond the caller's own delay.
pub const TICK_MS: u64 = 8;

/// Eleven wheels of 64 slots cover every tick of 64 bits, so no deadline needs an overflow list.
const LEVELS: usize = 11;
const SLOT_BITS: u32 = 6;
const SLOTS: usize = 1 << SLOT_BITS;

/// Deadlines, each with a key of the caller's. `insert` and `cancel` are O(1); a timer is moved at
/// most ten times on its way down the wheels, whatever its deadline.
///
/// A slot of level n spans 64^n ticks. A timer sits on the level of the highest six bits in which its
/// tick differs from the current one, and moves down when the current tick enters its slot.
#[derive(Debug)]
pub struct Timers<T> {
    current_tick: u64,
    /// Which slots of each level hold timers. They are together: the first of them is looked for in every turn.
    occupied: [u64; LEVELS],
    levels: [[List; SLOTS]; LEVELS],
    lists: Lists<T>,
}

/// Names one timer until it fires or is cancelled; harmless afterwards.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct TimerHandle {
    slot: u32,
    generation: u32,
}

/// Where a list hangs, and the first tick of its slot.
#[derive(Clone, Copy)]
struct Place {
    level: usize,
    slot: usize,
    tick: u64,
}

impl<T> Timers<T> {
    /// An empty wheel whose time is `now`.
    #[must_use]
    pub fn new(now: Timestamp) -> Self {
        Self {
            current_tick: now.as_millis() / TICK_MS,
            occupied: [0; LEVELS],
            levels: [[List::EMPTY; SLOTS]; LEVELS],
            lists: Lists::new(),
        }
    }

    /// Has `key` fire at `deadline`; one that has passed fires at the next [`Timers::advance`].
    /// [`Timestamp::NEVER`] is as good as no timer, but is held all the same.
    pub fn insert(&mut self, deadline: Timestamp, key: T) -> TimerHandle {
        let tick = deadline.as_millis().div_ceil(TICK_MS).max(self.current_tick);
        let (slot, generation) = self.lists.insert(tick, key);
        self.hang(slot);
        TimerHandle { slot, generation }
    }

    /// Takes a timer back, with its key; nothing if it has fired or was cancelled.
    pub fn cancel(&mut self, handle: TimerHandle) -> Option<T> {
        if !self.lists.holds(handle.slot, handle.generation) {
            return None;
        }
        let place = self.place(self.lists.tick(handle.slot));
        let list = &mut self.levels[place.level][place.slot];
        self.lists.unlink(list, handle.slot);
        if list.is_empty() {
            self.occupied[place.level] &= !(1 << place.slot);
        }
        Some(self.lists.remove(handle.slot))
    }

    /// Moves the time to `now` and appends the keys that are due to `fired`, tick by tick, those of
    /// one tick in the order they were inserted. A `now` in the past changes nothing.
    pub fn advance(&mut self, now: Timestamp, fired: &mut Vec<T>) {
        let target = now.as_millis() / TICK_MS;
        while let Some(place) = self.next_place()
            && place.tick <= target
        {
            self.current_tick = self.current_tick.max(place.tick);
            let mut list = self.take(place);
            while let Some(slot) = self.lists.pop_front(&mut list) {
                if place.level == 0 {
                    fired.push(self.lists.remove(slot));
                } else {
                    self.hang(slot);
                }
            }
        }
        self.current_tick = self.current_tick.max(target);
    }

    /// When to call [`Timers::advance`] next, nothing if no timer is set. Never later than the first
    /// timer's tick; earlier if that lies beyond the current 64 ticks, because it must be moved down then.
    #[must_use]
    pub fn next_deadline(&self) -> Option<Timestamp> {
        Some(Timestamp::from_millis(self.next_place()?.tick.saturating_mul(TICK_MS)))
    }

    /// Timers set.
    #[must_use]
    pub fn len(&self) -> usize {
        self.lists.len()
    }

    /// Whether no timer is set.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    fn hang(&mut self, slot: u32) {
        let place = self.place(self.lists.tick(slot));
        self.occupied[place.level] |= 1 << place.slot;
        self.lists.push_back(&mut self.levels[place.level][place.slot], slot);
    }

    fn take(&mut self, place: Place) -> List {
        self.occupied[place.level] &= !(1 << place.slot);
        core::mem::replace(&mut self.levels[place.level][place.slot], List::EMPTY)
    }

    /// The place of a tick that is not in the past. It stays the same until `advance` moves the timer,
    /// because the current tick cannot enter a slot without `advance` emptying it.
    fn place(&self, tick: u64) -> Place {
        debug_assert!(tick >= self.current_tick, "tick {tick} has passed");
        let level = level_of(tick ^ self.current_tick);
        Place { level, slot: slot_of(tick, level), tick }
    }

    /// The first occupied slot. Lower levels come before higher ones: they lie within the slot of the
    /// higher level that the current tick is in, and that slot itself is empty.
    fn next_place(&self) -> Option<Place> {
        let (level, occupied) = self.occupied.iter().enumerate().find(|(_, occupied)| **occupied != 0)?;
        let slot = occupied.trailing_zeros() as usize;
        debug_assert!(slot >= slot_of(self.current_tick, level), "level {level} holds a slot of the past");
        let shift = SLOT_BITS * u32::try_from(level).expect("there are few levels");
        let above = self.current_tick.checked_shr(shift + SLOT_BITS).unwrap_or(0);
        let tick = above.checked_shl(shift + SLOT_BITS).unwrap_or(0) | (slot as u64) << shift;
        Some(Place { level, slot, tick })
    }
}

fn level_of(difference: u64) -> usize {
    difference.checked_ilog2().map_or(0, |bit| bit / SLOT_BITS) as usize
}

fn slot_of(tick: u64, level: usize) -> usize {
    usize::try_from(tick >> (SLOT_BITS as usize * level)).unwrap_or(usize::MAX) % SLOTS
}

#[cfg(test)]
mod tests;
