//! Owns how the engine sees the journal: its records and references, and no disk. How they are kept is the
//! journal's business.

use std::sync::Arc;

use broker_core::journal::Position;

/// The journal, as the engine asks for it.
#[derive(Debug)]
pub(super) struct Adapter(pub(super) Arc<journal::Journal>);

impl broker_core::journal::Journal for Adapter {
    fn append(&self, parts: &[&[u8]]) -> Position {
        Position::new(self.0.append(parts).get())
    }

    fn end(&self) -> Position {
        Position::new(self.0.end().get())
    }

    fn refer(&self, position: Position, count: u32) {
        self.0.refer(place(position), count);
    }

    fn release(&self, positions: &[Position]) {
        match positions {
            [position] => self.0.release(place(*position), 1),
            positions => self.0.release_each(&positions.iter().copied().map(place).collect::<Vec<_>>()),
        }
    }

    fn is_failing(&self) -> bool {
        self.0.is_failing()
    }
}

/// The same place, in the journal's words.
pub(super) fn place(position: Position) -> journal::Position {
    journal::Position::new(position.get())
}
