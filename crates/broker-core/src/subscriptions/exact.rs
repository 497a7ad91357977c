//! Filters without wildcards, found by their whole text in one step. Filters with wildcards are in
//! the trie.

use super::arena::Arena;
use super::hashing::Seed;
use super::subscriber::Subscribers;
use super::table::SlotTable;
use crate::text::Text;

/// Most filters name one topic. In the trie each would cost a lookup per level, cold ones at that, and
/// its nodes; here it is one lookup, and the trie stays small.
#[derive(Debug)]
pub(super) struct ExactFilters {
    seed: Seed,
    numbers: SlotTable,
    filters: Arena<ExactFilter>,
    owned_bytes: usize,
}

/// 64 bytes: one cache line.
#[derive(Debug, Default)]
#[repr(align(64))]
struct ExactFilter {
    text: Text<46>,
    subscribers: Subscribers,
}

impl ExactFilters {
    pub(super) fn new(seed: Seed) -> Self {
        Self { seed, numbers: SlotTable::default(), filters: Arena::default(), owned_bytes: 0 }
    }

    /// The number of a filter somebody subscribes to.
    pub(super) fn find(&self, filter: &str) -> Option<u32> {
        let text = filter.as_bytes();
        self.numbers.find(self.seed.hash_text(text), |number| self.filters[number].text.as_bytes() == text)
    }

    /// The number of a filter, added without subscribers if it is not there.
    pub(super) fn find_or_insert(&mut self, filter: &str) -> u32 {
        self.find(filter).unwrap_or_else(|| self.insert(filter.as_bytes()))
    }

    /// Removes a filter if nobody subscribes to it any more.
    pub(super) fn prune(&mut self, number: u32) {
        if !self.filters[number].subscribers.is_empty() {
            return;
        }
        let text = self.filters.remove(number).text;
        self.numbers.remove(self.seed.hash_text(text.as_bytes()), number);
        self.owned_bytes -= text.owned_bytes();
    }

    pub(super) fn subscribers(&self, number: u32) -> Subscribers {
        self.filters[number].subscribers
    }

    pub(super) fn subscribers_mut(&mut self, number: u32) -> &mut Subscribers {
        &mut self.filters[number].subscribers
    }

    /// Filters held.
    pub(super) fn len(&self) -> usize {
        self.filters.len()
    }

    pub(super) fn memory_bytes(&self) -> usize {
        self.numbers.memory_bytes() + self.filters.memory_bytes() + self.owned_bytes
    }

    fn insert(&mut self, text: &[u8]) -> u32 {
        let filter = ExactFilter { text: Text::new(text), subscribers: Subscribers::default() };
        self.owned_bytes += filter.text.owned_bytes();
        let number = self.filters.insert(filter);
        self.numbers.insert(self.seed.hash_text(text), number);
        number
    }
}
