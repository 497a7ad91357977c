//! Owns what the workers need of a segment that is to be given up, and copying it. When that is done, and what follows,
//! is decided in `relocation`.

use std::fmt::Display;

use broker_core::journal::{Position, copied};
use journal::{Journal, ReadError};
use parking_lot::Mutex;

use super::super::adapter::place;
use crate::log::Log;

/// Bytes that are copied at once: about what a disk writes in a millisecond, since whoever waits for the disk then waits
/// for them too.
const COPIED_BYTES_MAX: u64 = 512 * 1024;

/// A record, by where it was and where it is as well.
type Copy = (Position, Position);

/// What is needed, and what of it is copied.
#[derive(Debug, Default)]
pub(in crate::storage) struct Survey(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    /// Answers that are awaited: of each worker, and then of the thread that copies.
    awaited: usize,
    /// What is needed and not copied. Once all have answered it descends, so that the first is taken from the end.
    needed: Vec<Position>,
    copies: Vec<Copy>,
    /// Where the last copy ends.
    until: journal::Position,
}

/// How far it is.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Progress {
    /// Somebody has not answered.
    Waiting,
    /// There is more to copy, and what is copied ends here.
    Copied { until: journal::Position },
    /// There is nothing left to copy.
    Done(Vec<Copy>),
}

impl Survey {
    /// So many will answer.
    pub(super) fn begin(&self, workers: usize) {
        *self.0.lock() = State { awaited: workers, ..State::default() };
    }

    /// One worker's answer.
    pub(in crate::storage) fn answer(&self, found: Vec<Position>) {
        let mut state = self.0.lock();
        state.needed.extend(found);
        state.awaited = state.awaited.saturating_sub(1);
        if state.awaited == 0 {
            state.needed.sort_unstable_by(|one, other| other.cmp(one));
            state.needed.dedup();
        }
    }

    pub(super) fn progress(&self) -> Progress {
        let mut state = self.0.lock();
        match (state.awaited, state.needed.is_empty()) {
            (0, true) => Progress::Done(std::mem::take(&mut state.copies)),
            (0, false) => Progress::Copied { until: state.until },
            (_, _) => Progress::Waiting,
        }
    }

    /// Notes that somebody copies, if `ask` finds one.
    pub(super) fn hand_over(&self, ask: impl FnOnce() -> bool) {
        let mut state = self.0.lock();
        state.awaited = usize::from(ask());
    }

    /// What is not copied stays where it is.
    pub(super) fn give_up_the_rest(&self) {
        self.0.lock().needed.clear();
    }

    /// Copies some records to the end of the journal. One that cannot be read stays where it is, and its segment with
    /// it.
    pub(in crate::storage) fn copy_some(&self, journal: &Journal, log: &Log) {
        // Nobody else uses them while this is awaited, and nobody waits for the lock while they are read.
        let (mut needed, mut copies) = {
            let mut state = self.0.lock();
            (std::mem::take(&mut state.needed), std::mem::take(&mut state.copies))
        };
        let mut reader = journal.reader();
        let (mut record, mut copy) = (Vec::new(), Vec::new());
        let mut bytes = 0;
        while bytes < COPIED_BYTES_MAX
            && let Some(position) = needed.pop()
        {
            copy.clear();
            let outcome = match reader.read(place(position), &mut record) {
                // Given up since the worker named it, and its segment with it.
                Err(ReadError::Missing(_)) => continue,
                outcome => outcome.map_err(|error| error.to_string()),
            };
            match outcome.and_then(|()| copied(&record, &mut copy).map_err(|error| error.to_string())) {
                Ok(()) => {
                    bytes += copy.len() as u64;
                    copies.push((position, Position::new(journal.append(&[&copy]).get())));
                }
                Err(reason) => {
                    let fields: [(&str, &dyn Display); 2] =
                        [("position", &place(position)), ("reason", &reason)];
                    log.error("a message cannot be read, nor its file given back", &fields);
                }
            }
        }
        *self.0.lock() = State { awaited: 0, needed, copies, until: journal.end() };
    }
}

#[cfg(test)]
mod tests {
    use super::super::super::Shared;
    use super::*;

    #[test]
    fn what_cannot_be_read_is_told_and_stays() {
        let (_directory, shared) = Shared::for_test(1);
        let journal = &shared.journal;
        let positions = [b"no message", b"nor is it."].map(|it| Position::new(journal.append(&[it]).get()));
        let survey = Survey::default();
        survey.begin(2);
        survey.answer(vec![positions[1], positions[0]]);
        assert_eq!(survey.progress(), Progress::Waiting);
        survey.answer(vec![positions[1]]);
        assert_eq!(survey.progress(), Progress::Copied { until: journal::Position::NONE });
        let (log, lines) = Log::to_memory();
        survey.copy_some(journal, &log);
        assert_eq!(survey.progress(), Progress::Done(Vec::new()));
        assert_eq!(lines.text().matches("a message cannot be read, nor its file given back").count(), 2);
    }
}
