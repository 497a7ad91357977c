//! Owns who needs which record: a count per segment. Deleting what nobody needs is another file's.

use super::Journal;
use crate::Position;

impl Journal {
    /// `count` references more to the record at `position`: its segment stays. Referring to a record that is no longer
    /// there does nothing.
    pub fn refer(&self, position: Position, count: u32) {
        if let Some(references) = self.state.lock().references_of(position.get()) {
            references.refer(count.into());
        }
    }

    /// One reference more to each of these records.
    pub fn refer_each(&self, positions: &[Position]) {
        let mut state = self.state.lock();
        for position in positions {
            if let Some(references) = state.references_of(position.get()) {
                references.refer(1);
            }
        }
    }

    /// `count` references fewer to the record at `position`. Call it when the record that says why was appended: the
    /// segment goes only when all that has been appended up to now is durable.
    ///
    /// # Panics
    /// If there were not so many.
    pub fn release(&self, position: Position, count: u32) {
        let mut state = self.state.lock();
        let end = state.end();
        if let Some(references) = state.references_of(position.get()) {
            references.release(count.into(), end);
        }
    }

    /// One reference fewer to each of these records, as [`Journal::release`] has it. It is fastest if those of one segment
    /// stand together.
    ///
    /// # Panics
    /// If one had none.
    pub fn release_each(&self, positions: impl IntoIterator<Item = Position>) {
        let mut state = self.state.lock();
        let end = state.end();
        let mut positions = positions.into_iter().map(Position::get).peekable();
        while let Some(first) = positions.next() {
            let Some((references, stretch)) = state.references_around(first) else { continue };
            let mut count = 1;
            while positions.next_if(|position| stretch.contains(position)).is_some() {
                count += 1;
            }
            references.release(count, end);
        }
    }
}
