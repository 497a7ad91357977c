//! Owns how the engine sees the journal: its records and references, and no disk. How they are kept is the
//! journal's business.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};

use broker_core::journal::Position;

/// The journal, as the engine asks for it.
#[derive(Debug)]
pub(super) struct Adapter {
    pub(super) journal: Arc<journal::Journal>,
    /// Whether the disk has no more room than it takes to make some.
    pub(super) is_full: Arc<AtomicBool>,
}

impl broker_core::journal::Journal for Adapter {
    fn append(&self, parts: &[&[u8]]) -> Position {
        Position::new(self.journal.append(parts).get())
    }

    fn end(&self) -> Position {
        Position::new(self.journal.end().get())
    }

    fn refer(&self, position: Position, count: u32) {
        self.journal.refer(place(position), count);
    }

    fn release(&self, positions: &[Position]) {
        match positions {
            [position] => self.journal.release(place(*position), 1),
            positions => self.journal.release_each(&positions.iter().copied().map(place).collect::<Vec<_>>()),
        }
    }

    fn is_failing(&self) -> bool {
        self.journal.is_failing() || self.is_full.load(Relaxed)
    }
}

/// The same place, in the journal's words.
pub(super) fn place(position: Position) -> journal::Position {
    journal::Position::new(position.get())
}
