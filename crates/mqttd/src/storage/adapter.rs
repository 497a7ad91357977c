//! Owns how the engine sees the journal: its records and references, and no disk. How they are kept is the
//! journal's business.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};

use broker_core::journal::{Position, is_of_checkpoint};

/// The journal, as the engine asks for it.
#[derive(Debug)]
pub(super) struct Adapter {
    pub(super) journal: Arc<journal::Journal>,
    /// Whether the disk has no more room than it takes to make some.
    pub(super) is_full: Arc<AtomicBool>,
}

impl broker_core::journal::Journal for Adapter {
    fn append(&self, parts: &[&[u8]]) -> Position {
        let is_of_checkpoint = parts.first().is_some_and(|part| is_of_checkpoint(part));
        let appended =
            if is_of_checkpoint { self.journal.append_of_pass(parts) } else { self.journal.append(parts) };
        Position::new(appended.get())
    }

    fn append_referred(&self, parts: &[&[u8]], references: u32) -> Position {
        Position::new(self.journal.append_referred(parts, references).get())
    }

    fn end(&self) -> Position {
        Position::new(self.journal.end().get())
    }

    fn refer(&self, position: Position, count: u32) {
        self.journal.refer(place(position), count);
    }

    fn release(&self, positions: &[Position]) {
        self.journal.release_each(positions.iter().copied().map(place));
    }

    fn is_failing(&self) -> bool {
        self.journal.is_failing() || self.is_full.load(Relaxed)
    }
}

/// The same place, in the journal's words.
pub(super) fn place(position: Position) -> journal::Position {
    journal::Position::new(position.get())
}
