//! Owns a journal in memory for the tests: a list of records, and the references to each. When they count as
//! durable is the broker's business.

use broker_core::journal::{Journal, Position, Recovered, Recovery};
use std::{
    collections::BTreeMap,
    sync::{
        Mutex, MutexGuard,
        atomic::{AtomicBool, Ordering::SeqCst},
    },
};

/// Records by position.
#[derive(Debug, Default)]
pub(crate) struct TestJournal {
    contents: Mutex<Contents>,
    is_failing: AtomicBool,
}

#[derive(Debug, Default)]
struct Contents {
    records: BTreeMap<Position, Vec<u8>>,
    references: BTreeMap<Position, i64>,
    end: u64,
}

impl TestJournal {
    /// The bytes of a record.
    pub(crate) fn record(&self, position: Position) -> Option<Vec<u8>> {
        self.contents().records.get(&position).cloned()
    }

    /// Loses every record from a position on, as a crash may, and what was counted.
    pub(crate) fn crash(&self, durable: Position) {
        let mut contents = self.contents();
        contents.records.retain(|&position, _| position < durable);
        contents.references.clear();
    }

    /// Loses every record before a position that nothing refers to, as a checkpoint allows.
    pub(crate) fn forget_before(&self, floor: Position) {
        let mut contents = self.contents();
        let Contents { records, references, .. } = &mut *contents;
        records.retain(|position, _| {
            *position >= floor || references.get(position).is_some_and(|&count| count > 0)
        });
    }

    /// What a restart finds, replayed from a position on.
    pub(crate) fn recover(&self, floor: Position) -> Recovered {
        let mut recovery = Recovery::new();
        let contents = self.contents();
        for (&position, record) in contents.records.range(floor..) {
            recovery.replay(position, record).unwrap();
        }
        let mut recovered = recovery.finish();
        for position in recovered.unread().to_vec() {
            recovered.supply(position, &contents.records[&position]).unwrap();
        }
        recovered
    }

    /// Records that something refers to.
    pub(crate) fn referred(&self) -> usize {
        self.contents().references.values().filter(|&&count| count > 0).count()
    }

    pub(crate) fn fail(&self, is_failing: bool) {
        self.is_failing.store(is_failing, SeqCst);
    }

    fn contents(&self) -> MutexGuard<'_, Contents> {
        self.contents.lock().unwrap()
    }
}

impl Journal for TestJournal {
    fn append(&self, parts: &[&[u8]]) -> Position {
        let mut contents = self.contents();
        let position = Position::new(contents.end + 8);
        let record = parts.concat();
        contents.end += 8 + record.len() as u64;
        contents.records.insert(position, record);
        position
    }

    fn end(&self) -> Position {
        Position::new(self.contents().end + 8)
    }

    fn refer(&self, position: Position, count: u32) {
        let mut contents = self.contents();
        assert!(contents.records.contains_key(&position), "{position:?} is referred to and gone");
        *contents.references.entry(position).or_default() += i64::from(count);
    }

    fn release(&self, positions: &[Position]) {
        let mut contents = self.contents();
        for &position in positions {
            let count = contents.references.entry(position).or_default();
            *count -= 1;
            assert!(*count >= 0, "{position:?} is released more often than referred to");
        }
    }

    fn is_failing(&self) -> bool {
        self.is_failing.load(SeqCst)
    }
}
