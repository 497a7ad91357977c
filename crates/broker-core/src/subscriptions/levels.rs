//! The texts of topic levels, each held once and numbered. Where a level stands in a filter is the
//! trie's business.

use super::arena::Arena;
use super::hashing::Seed;
use super::table::SlotTable;
use crate::text::Text;

/// Level texts, counted by reference: a text goes with its last use.
#[derive(Debug)]
pub(super) struct Levels {
    seed: Seed,
    numbers: SlotTable,
    levels: Arena<Level>,
    owned_bytes: usize,
}

/// 32 bytes, and never in two cache lines.
#[derive(Debug, Default)]
#[repr(align(32))]
struct Level {
    text: Text<22>,
    references: u32,
}

impl Levels {
    pub(super) fn new(seed: Seed) -> Self {
        Self { seed, numbers: SlotTable::default(), levels: Arena::default(), owned_bytes: 0 }
    }

    /// The number of a text, if any filter uses it.
    pub(super) fn find(&self, text: &[u8]) -> Option<u32> {
        self.numbers.find(self.seed.hash_text(text), |number| self.levels[number].text.as_bytes() == text)
    }

    /// The number of a text, with one reference more.
    pub(super) fn acquire(&mut self, text: &[u8]) -> u32 {
        let number = self.find(text).unwrap_or_else(|| self.insert(text));
        self.levels[number].references += 1;
        number
    }

    /// Takes one reference back.
    pub(super) fn release(&mut self, number: u32) {
        self.levels[number].references -= 1;
        if self.levels[number].references == 0 {
            self.remove(number);
        }
    }

    /// Texts in use.
    pub(super) fn len(&self) -> usize {
        self.levels.len()
    }

    pub(super) fn memory_bytes(&self) -> usize {
        self.numbers.memory_bytes() + self.levels.memory_bytes() + self.owned_bytes
    }

    fn insert(&mut self, text: &[u8]) -> u32 {
        let level = Level { text: Text::new(text), references: 0 };
        self.owned_bytes += level.text.owned_bytes();
        let number = self.levels.insert(level);
        self.numbers.insert(self.seed.hash_text(text), number);
        number
    }

    fn remove(&mut self, number: u32) {
        let text = self.levels.remove(number).text;
        self.numbers.remove(self.seed.hash_text(text.as_bytes()), number);
        self.owned_bytes -= text.owned_bytes();
    }
}
