//! Owns the journal of a running broker as the engine sees it, and notes what the engine appends to it. When it is
//! committed is `commits`' business.

use super::disk::LyingDisk;
use crate::observation::{MessageKey, Record};
use broker_core::journal::{Journal, Position, message_of};
use journal::ReadError;
use std::sync::{Arc, Mutex, MutexGuard};

/// The journal of one process, and the notes of what was appended.
#[derive(Debug)]
pub(super) struct Storage {
    pub(super) disk: LyingDisk,
    pub(super) journal: journal::Journal,
    notes: Mutex<Notes>,
}

#[derive(Debug)]
struct Notes {
    /// What was appended since it was last asked for.
    appended: Vec<(Position, Record)>,
    /// The last record.
    last: Position,
}

impl Storage {
    /// `last` is the last record that was recovered.
    pub(super) fn new(disk: LyingDisk, journal: journal::Journal, last: Position) -> Arc<Self> {
        let notes = Mutex::new(Notes { appended: Vec::new(), last });
        Arc::new(Self { disk, journal, notes })
    }

    /// What was appended since it was last asked for.
    pub(super) fn take_appended(&self) -> Vec<(Position, Record)> {
        std::mem::take(&mut self.notes().appended)
    }

    /// The last record there is.
    pub(super) fn last(&self) -> Position {
        self.notes().last
    }

    /// Everything before this is on disk.
    pub(super) fn durable(&self) -> Position {
        Position::new(self.journal.durable().get())
    }

    /// Reads a record.
    pub(super) fn read(&self, position: Position) -> Result<Vec<u8>, ReadError> {
        let mut record = Vec::new();
        self.journal.read(place(position), &mut record).map(|()| record)
    }

    fn notes(&self) -> MutexGuard<'_, Notes> {
        self.notes.lock().expect("one thread uses it")
    }
}

impl Journal for Storage {
    fn append(&self, parts: &[&[u8]]) -> Position {
        let position = Position::new(self.journal.append(parts).get());
        let record = describe(&parts.concat());
        let mut notes = self.notes();
        notes.appended.push((position, record));
        notes.last = position;
        position
    }

    fn end(&self) -> Position {
        Position::new(self.journal.end().get())
    }

    fn refer(&self, position: Position, count: u32) {
        self.journal.refer(place(position), count);
    }

    fn release(&self, positions: &[Position]) {
        positions.iter().for_each(|&position| self.journal.release(place(position), 1));
    }

    fn is_failing(&self) -> bool {
        self.journal.is_failing()
    }
}

/// A place as the journal names it.
pub(super) fn place(position: Position) -> journal::Position {
    journal::Position::new(position.get())
}

/// What a record is, as far as the truth must know.
fn describe(record: &[u8]) -> Record {
    const MESSAGE: u8 = 1;
    const OPERATIONS: u8 = 2;
    const RETAINED_CLEARED: u8 = 4;
    if record.first() == Some(&MESSAGE)
        && let Some(message) = message_of(record)
    {
        return Record::Message(MessageKey::of(message.topic().text(), &message.payload()));
    }
    match record {
        [OPERATIONS, ..] => Record::Operations(words(record)),
        // The topic comes last, behind its length, which is below 128 here.
        [RETAINED_CLEARED, _, topic @ ..] => Record::Cleared(String::from_utf8_lossy(topic).into_owned()),
        _ => Record::Other(words(record)),
    }
}

fn words(record: &[u8]) -> String {
    broker_core::journal::describe(record).unwrap_or_else(|error| error.to_string()).replace('\n', ";")
}
