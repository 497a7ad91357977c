//! A hash table of slot numbers that grows and shrinks by one bucket at a time. The keys live in the
//! arenas the numbers point into; what they are, and how they hash, is the caller's business.

use super::arena::{Arena, Row};

/// Entries in one bucket, which is one cache line.
const BUCKET: usize = 7;
/// Entries per bucket on average. Buckets not yet split hold up to twice as many as those that are: at five, some
/// of them are chained, at six most would be.
const LOAD: usize = 5;

/// A set of slot numbers found by hash: linear hashing, as Litwin described it.
///
/// A table that doubles would rehash ten million entries at once under the writer's lock, and be
/// half empty from then on. Here an insertion splits at most one bucket in two, a removal joins at
/// most one pair, and a lookup reads one cache line, seldom two, before the entry itself.
#[derive(Debug, Default)]
pub(super) struct SlotTable {
    /// Bucket n holds the hashes that end in the bits of n: as many bits as the last bucket's number
    /// has, or one less where that bucket does not exist yet.
    buckets: Row<Bucket>,
    /// What did not fit into a bucket, chained.
    overflow: Arena<Bucket>,
    len: usize,
    mask: u32,
}

#[derive(Clone, Copy, Debug)]
#[repr(align(64))]
struct Bucket {
    hashes: [u32; BUCKET],
    slots: [u32; BUCKET],
    /// The number of an overflow bucket, or [`NONE`].
    next: u32,
}

const NONE: u32 = u32::MAX;

impl SlotTable {
    /// The slot with this hash that is the one sought.
    pub(super) fn find(&self, hash: u32, is_sought: impl Fn(u32) -> bool) -> Option<u32> {
        let mut bucket = self.buckets.get(self.bucket_of(hash))?;
        loop {
            let mut places = bucket.places_of_hash(hash);
            while places != 0 {
                let slot = bucket.slots[places.trailing_zeros() as usize];
                if slot != NONE && is_sought(slot) {
                    return Some(slot);
                }
                places &= places - 1;
            }
            if bucket.next == NONE {
                return None;
            }
            bucket = &self.overflow[bucket.next];
        }
    }

    /// Adds a slot that is not there yet.
    pub(super) fn insert(&mut self, hash: u32, slot: u32) {
        debug_assert_ne!(slot, NONE, "the number means an empty place");
        if self.len == self.buckets.len() * LOAD {
            self.split();
        }
        self.put(hash, slot);
        self.len += 1;
    }

    /// Removes a slot that is there.
    pub(super) fn remove(&mut self, hash: u32, slot: u32) {
        self.take(hash, slot);
        self.len -= 1;
        if self.len == 0 {
            *self = Self::default();
        } else if self.len + 2 * LOAD <= self.buckets.len() * LOAD {
            // One bucket more than needed, so that a table on the edge does not split and join each time.
            self.join();
        }
    }

    pub(super) fn memory_bytes(&self) -> usize {
        self.buckets.memory_bytes() + self.overflow.memory_bytes()
    }

    fn bucket_of(&self, hash: u32) -> u32 {
        let bucket = hash & self.mask;
        if (bucket as usize) < self.buckets.len() { bucket } else { bucket & (self.mask >> 1) }
    }

    /// Adds a bucket and shares out what the one that stood in for it holds.
    fn split(&mut self) {
        self.buckets.push(Bucket::EMPTY);
        self.count_buckets();
        let added = self.last_bucket();
        if added == 0 {
            return;
        }
        for (hash, slot) in self.drain(added & (self.mask >> 1)) {
            self.put(hash, slot);
        }
    }

    /// Removes the last bucket; the one that then stands in for it takes what it holds.
    fn join(&mut self) {
        let entries = self.drain(self.last_bucket());
        self.buckets.pop();
        self.count_buckets();
        for (hash, slot) in entries {
            self.put(hash, slot);
        }
    }

    fn count_buckets(&mut self) {
        let power = self.buckets.len().next_power_of_two();
        self.mask = u32::try_from(power - 1).expect("there are fewer buckets than slots");
    }

    fn last_bucket(&self) -> u32 {
        u32::try_from(self.buckets.len() - 1).expect("there are fewer buckets than slots")
    }

    fn put(&mut self, hash: u32, slot: u32) {
        let number = self.bucket_of(hash);
        if self.buckets[number].put(hash, slot) {
            return;
        }
        let first = self.buckets[number].next;
        let mut next = first;
        while next != NONE {
            if self.overflow[next].put(hash, slot) {
                return;
            }
            next = self.overflow[next].next;
        }
        let added = self.overflow.insert(Bucket { next: first, ..Bucket::EMPTY });
        let fits = self.overflow[added].put(hash, slot);
        debug_assert!(fits, "an empty bucket has room");
        self.buckets[number].next = added;
    }

    fn take(&mut self, hash: u32, slot: u32) {
        let number = self.bucket_of(hash);
        if self.buckets[number].take(slot) {
            return;
        }
        let mut next = self.buckets[number].next;
        while !self.overflow[next].take(slot) {
            next = self.overflow[next].next;
        }
        // Chains are short and seldom: closing the gap anew is simpler than unlinking.
        if self.overflow[next].is_empty() {
            for (hash, slot) in self.drain(number) {
                self.put(hash, slot);
            }
        }
    }

    /// Takes everything out of a bucket and its chain.
    fn drain(&mut self, number: u32) -> Vec<(u32, u32)> {
        let mut entries = Vec::with_capacity(2 * BUCKET);
        let mut bucket = core::mem::take(&mut self.buckets[number]);
        loop {
            let places = bucket.hashes.into_iter().zip(bucket.slots);
            entries.extend(places.filter(|&(_, slot)| slot != NONE));
            if bucket.next == NONE {
                return entries;
            }
            bucket = self.overflow.remove(bucket.next);
        }
    }
}

impl Bucket {
    const EMPTY: Self = Self { hashes: [0; BUCKET], slots: [NONE; BUCKET], next: NONE };

    /// A bit for each place with this hash. Without a branch a place, because nobody can predict them.
    fn places_of_hash(&self, hash: u32) -> u32 {
        (0..BUCKET).fold(0, |places, place| places | u32::from(self.hashes[place] == hash) << place)
    }

    fn put(&mut self, hash: u32, slot: u32) -> bool {
        let Some(place) = self.place_of(NONE) else { return false };
        self.hashes[place] = hash;
        self.slots[place] = slot;
        true
    }

    fn take(&mut self, slot: u32) -> bool {
        let Some(place) = self.place_of(slot) else { return false };
        self.slots[place] = NONE;
        true
    }

    fn place_of(&self, slot: u32) -> Option<usize> {
        self.slots.iter().position(|&present| present == slot)
    }

    fn is_empty(&self) -> bool {
        self.slots == [NONE; BUCKET]
    }
}

impl Default for Bucket {
    fn default() -> Self {
        Self::EMPTY
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::testing::Random;

    #[test]
    fn random_slots_are_found_as_an_ordered_set_says() {
        for seed in 1..=10 {
            let mut random = Random(seed);
            let (mut table, mut reference) = (SlotTable::default(), BTreeSet::new());
            for round in 1..4000 {
                let slot = u32::try_from(random.below(1000)).expect("it is small");
                // Few hashes, so that most slots share theirs with others and buckets overflow.
                let hash = (slot % 60).wrapping_mul(0x9E37_79B9);
                if random.below(4000) > round {
                    if reference.insert(slot) {
                        table.insert(hash, slot);
                    }
                } else if reference.remove(&slot) {
                    table.remove(hash, slot);
                }
                let found = table.find(hash, |candidate| candidate == slot);
                assert_eq!(found.is_some(), reference.contains(&slot), "seed {seed}, round {round}");
                assert_eq!(table.len, reference.len(), "seed {seed}, round {round}");
                if round % 50 == 0 {
                    assert!(!has_empty_overflow(&table), "seed {seed}, round {round}");
                }
            }
            for &slot in &reference {
                let hash = (slot % 60).wrapping_mul(0x9E37_79B9);
                assert_eq!(table.find(hash, |candidate| candidate == slot), Some(slot), "seed {seed}");
                table.remove(hash, slot);
            }
            assert_eq!(table.memory_bytes(), 0, "seed {seed}: an empty table owns nothing");
        }
    }

    fn has_empty_overflow(table: &SlotTable) -> bool {
        (0..=table.last_bucket()).any(|number| {
            let mut next = table.buckets[number].next;
            while next != NONE && !table.overflow[next].is_empty() {
                next = table.overflow[next].next;
            }
            next != NONE
        })
    }

    #[test]
    fn a_table_of_any_size_is_neither_sparse_nor_chained() {
        let mut table = SlotTable::default();
        for slot in 0..100_000_u32 {
            table.insert(slot.wrapping_mul(0x9E37_79B9).rotate_left(16), slot);
            if slot > 50_000 && slot % 7919 == 0 {
                let bytes_each = table.memory_bytes() / table.len;
                assert!(bytes_each <= 24, "{bytes_each} bytes an entry at {slot}");
            }
        }
    }
}
