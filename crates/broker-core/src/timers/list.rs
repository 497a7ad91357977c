//! Doubly linked lists of timers through one slab, so that a timer owns no allocation. Which list a
//! timer belongs to is the wheel's business.

use slab::Slab;

const NONE: u32 = u32::MAX;

/// The ends of one list.
#[derive(Clone, Copy, Debug)]
pub(super) struct List {
    first: u32,
    last: u32,
}

impl List {
    pub(super) const EMPTY: Self = Self { first: NONE, last: NONE };

    pub(super) fn is_empty(&self) -> bool {
        self.first == NONE
    }
}

/// Every timer of the wheel, with its generation counter.
#[derive(Debug)]
pub(super) struct Lists<T> {
    timers: Slab<Timer<T>>,
    generation: u32,
}

#[derive(Debug)]
struct Timer<T> {
    tick: u64,
    generation: u32,
    previous: u32,
    next: u32,
    key: T,
}

impl<T> Lists<T> {
    pub(super) fn new() -> Self {
        Self { timers: Slab::new(), generation: 0 }
    }

    pub(super) fn len(&self) -> usize {
        self.timers.len()
    }

    /// Adds a timer to no list yet; its slot and generation.
    ///
    /// # Panics
    /// At 2^32 - 1 timers of one shard: far beyond what its sessions can set.
    pub(super) fn insert(&mut self, tick: u64, key: T) -> (u32, u32) {
        self.generation = self.generation.wrapping_add(1);
        let timer = Timer { tick, generation: self.generation, previous: NONE, next: NONE, key };
        let slot = u32::try_from(self.timers.insert(timer)).expect("timers are counted in 32 bits");
        assert_ne!(slot, NONE, "timers are counted in 32 bits");
        (slot, self.generation)
    }

    /// Frees a timer that hangs in no list.
    pub(super) fn remove(&mut self, slot: u32) -> T {
        self.timers.remove(slot as usize).key
    }

    pub(super) fn holds(&self, slot: u32, generation: u32) -> bool {
        self.timers.get(slot as usize).is_some_and(|timer| timer.generation == generation)
    }

    pub(super) fn tick(&self, slot: u32) -> u64 {
        self.timers[slot as usize].tick
    }

    pub(super) fn push_back(&mut self, list: &mut List, slot: u32) {
        let timer = &mut self.timers[slot as usize];
        timer.previous = list.last;
        timer.next = NONE;
        if list.last == NONE {
            list.first = slot;
        } else {
            self.timers[list.last as usize].next = slot;
        }
        list.last = slot;
    }

    pub(super) fn pop_front(&mut self, list: &mut List) -> Option<u32> {
        let slot = list.first;
        if slot == NONE {
            return None;
        }
        self.unlink(list, slot);
        Some(slot)
    }

    pub(super) fn unlink(&mut self, list: &mut List, slot: u32) {
        let timer = &self.timers[slot as usize];
        let (previous, next) = (timer.previous, timer.next);
        match previous {
            NONE => list.first = next,
            _ => self.timers[previous as usize].next = next,
        }
        match next {
            NONE => list.last = previous,
            _ => self.timers[next as usize].previous = previous,
        }
    }
}
