//! Growable storage with 32-bit numbers: a row, and slots that are reused. What is stored, and who
//! points at it, is the caller's business.

use core::ops::{Index, IndexMut};

const CHUNK_BITS: u32 = 12;
const CHUNK: usize = 1 << CHUNK_BITS;

/// A row that grows and shrinks at its end, by chunks of 4,096 instead of by doubling: ten million
/// entries are never copied under the writer's lock, and no more than one chunk is spare.
#[derive(Debug)]
pub(super) struct Row<T> {
    chunks: Vec<Vec<T>>,
}

impl<T> Row<T> {
    pub(super) fn push(&mut self, value: T) {
        match self.chunks.last_mut() {
            Some(last) if last.len() < CHUNK => last.push(value),
            // The first chunk starts small: most brokers hold few filters.
            None => self.chunks.push(vec![value]),
            Some(_) => {
                let mut chunk = Vec::with_capacity(CHUNK);
                chunk.push(value);
                self.chunks.push(chunk);
            }
        }
    }

    pub(super) fn pop(&mut self) -> Option<T> {
        let last = self.chunks.last_mut()?;
        let value = last.pop();
        if last.is_empty() {
            self.chunks.pop();
        }
        value
    }

    pub(super) fn get(&self, number: u32) -> Option<&T> {
        self.chunks.get((number >> CHUNK_BITS) as usize)?.get(number as usize % CHUNK)
    }

    pub(super) fn len(&self) -> usize {
        self.chunks.last().map_or(0, |last| (self.chunks.len() - 1) * CHUNK + last.len())
    }

    /// Bytes held, what the values themselves own not counted.
    pub(super) fn memory_bytes(&self) -> usize {
        let values: usize = self.chunks.iter().map(Vec::capacity).sum();
        values * size_of::<T>() + self.chunks.capacity() * size_of::<Vec<T>>()
    }
}

impl<T> Default for Row<T> {
    fn default() -> Self {
        Self { chunks: Vec::new() }
    }
}

impl<T> Index<u32> for Row<T> {
    type Output = T;

    fn index(&self, number: u32) -> &T {
        &self.chunks[(number >> CHUNK_BITS) as usize][number as usize % CHUNK]
    }
}

impl<T> IndexMut<u32> for Row<T> {
    fn index_mut(&mut self, number: u32) -> &mut T {
        &mut self.chunks[(number >> CHUNK_BITS) as usize][number as usize % CHUNK]
    }
}

/// Numbered slots. One that was emptied is used again; the numbers of the others never change.
#[derive(Debug, Default)]
pub(super) struct Arena<T> {
    slots: Row<T>,
    free: Vec<u32>,
}

impl<T: Default> Arena<T> {
    /// Puts a value into a slot.
    ///
    /// # Panics
    /// At 2^32 - 2 slots, so that two numbers stay free to mean something else. Limits on sessions and
    /// on the subscriptions of one lie far below.
    pub(super) fn insert(&mut self, value: T) -> u32 {
        if let Some(slot) = self.free.pop() {
            self[slot] = value;
            return slot;
        }
        let slot = u32::try_from(self.slots.len()).ok().filter(|&slot| slot < u32::MAX - 1);
        self.slots.push(value);
        slot.expect("slots are counted in 32 bits")
    }

    /// Empties a slot, which the next insertion reuses. The last one gives all memory back.
    pub(super) fn remove(&mut self, slot: u32) -> T {
        let value = core::mem::take(&mut self[slot]);
        self.free.push(slot);
        if self.len() == 0 {
            *self = Self { slots: Row::default(), free: Vec::new() };
        }
        value
    }

    /// The value of a slot that may not be there.
    pub(super) fn get(&self, slot: u32) -> Option<&T> {
        self.slots.get(slot)
    }

    /// Slots in use.
    pub(super) fn len(&self) -> usize {
        self.slots.len() - self.free.len()
    }

    /// Bytes held, what the values themselves own not counted.
    pub(super) fn memory_bytes(&self) -> usize {
        self.slots.memory_bytes() + self.free.capacity() * size_of::<u32>()
    }
}

impl<T> Index<u32> for Arena<T> {
    type Output = T;

    fn index(&self, slot: u32) -> &T {
        &self.slots[slot]
    }
}

impl<T> IndexMut<u32> for Arena<T> {
    fn index_mut(&mut self, slot: u32) -> &mut T {
        &mut self.slots[slot]
    }
}

/// Bytes the allocator takes for a block: its own word and its rounding, as the common ones do it.
pub(crate) fn block_bytes(bytes: usize) -> usize {
    if bytes == 0 { 0 } else { (bytes + size_of::<usize>()).next_multiple_of(16).max(32) }
}
