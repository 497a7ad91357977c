//! Owns giving back the space of segments that are nearly empty: what is still needed of the oldest one is
//! copied to the end of the journal, and the next checkpoint goes over to the copies. What is needed is known
//! by the engine.
//!
//! The journal is a ring in effect: whatever lives long goes round with it. A segment is moved only while the
//! whole directory is several times as large as what lives in it, so that each byte copied frees three.

use std::fmt::Display;
use std::sync::Arc;

use broker_core::journal::{Position, copied};
use journal::ReadError;
use parking_lot::Mutex;

use super::Shared;
use super::adapter::place;
use crate::log::Log;
use crate::worker::Mail;

/// How many times as large as what lives in it the journal may be.
const TIMES_LIVE: u64 = 4;

/// Segments that the journal may be larger than that.
const SPARE_SEGMENTS: u64 = 4;

/// What the workers have said so far.
#[derive(Debug, Default)]
pub(super) struct Survey(Mutex<Answers>);

#[derive(Debug, Default)]
struct Answers {
    awaited: usize,
    found: Vec<Position>,
}

impl Survey {
    /// One worker's answer.
    pub(super) fn answer(&self, found: Vec<Position>) {
        let mut answers = self.0.lock();
        answers.found.extend(found);
        answers.awaited = answers.awaited.saturating_sub(1);
    }

    fn begin(&self, workers: usize) {
        *self.0.lock() = Answers { awaited: workers, found: Vec::new() };
    }

    /// Everything, once all have answered.
    fn take(&self) -> Option<Vec<Position>> {
        let mut answers = self.0.lock();
        (answers.awaited == 0).then(|| std::mem::take(&mut answers.found))
    }
}

/// How far the move of a segment has come.
///
/// ```text
///          a segment is worth it              all have answered, what they need is copied
/// Nothing ----------------------> Surveying ---------------------------------------------> Nothing
///                                                                     a checkpoint begins
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Relocation {
    /// Nothing is moved.
    #[default]
    Nothing,
    /// Every worker is to say what it needs.
    Surveying,
}

impl Relocation {
    /// Asks every worker about the oldest segment, if moving it is worth while.
    pub(super) fn begin(&mut self, shared: &Shared) {
        if *self != Self::Nothing {
            return;
        }
        let Some((from, to)) = oldest_if_sparse(shared) else { return };
        shared.survey.begin(shared.waiting.workers());
        shared.waiting.tell_all(|| Mail::Survey { from, to });
        *self = Self::Surveying;
    }

    /// Copies what is needed once that is known. Whether a checkpoint is due, to go over to the copies.
    pub(super) fn advance(&mut self, shared: &Shared, log: &Log) -> bool {
        if *self != Self::Surveying {
            return false;
        }
        let Some(found) = shared.survey.take() else { return false };
        *self = Self::Nothing;
        let copies: Arc<[_]> = copy(shared, found, log).into();
        // In front of the checkpoint's mail: a worker takes its mail in order.
        shared.waiting.tell_all(|| Mail::Copied(Arc::clone(&copies)));
        true
    }
}

/// The places of the oldest segment that is needed, if the journal is much larger than what lives in it.
fn oldest_if_sparse(shared: &Shared) -> Option<(Position, Position)> {
    let segments = shared.journal.segments();
    let bytes: u64 = segments.iter().map(|segment| segment.bytes).sum();
    let queued_bytes = shared.node.stats.totals().queued_bytes;
    let live_bytes = queued_bytes.saturating_add(shared.node.retained.counts().bytes);
    let bytes_max = live_bytes
        .saturating_mul(TIMES_LIVE)
        .saturating_add(SPARE_SEGMENTS.saturating_mul(shared.segment_bytes));
    let oldest = segments.iter().position(|segment| segment.references > 0)?;
    // The last one is being written.
    let (segment, next) = (segments.get(oldest)?, segments.get(oldest + 1)?);
    (bytes > bytes_max).then(|| (Position::new(segment.first.get()), Position::new(next.first.get())))
}

/// Copies records to the end of the journal and tells where each of them is now. One that cannot be read stays
/// where it is, and its segment with it.
fn copy(shared: &Shared, mut found: Vec<Position>, log: &Log) -> Vec<(Position, Position)> {
    found.sort_unstable();
    found.dedup();
    let mut reader = shared.journal.reader();
    let (mut record, mut copy) = (Vec::new(), Vec::new());
    let mut copies = Vec::new();
    for position in found {
        copy.clear();
        let outcome = match reader.read(place(position), &mut record) {
            // Given up since the worker named it, and its segment with it.
            Err(ReadError::Missing(_)) => continue,
            outcome => outcome.map_err(|error| error.to_string()),
        };
        match outcome.and_then(|()| copied(&record, &mut copy).map_err(|error| error.to_string())) {
            Ok(()) => copies.push((position, Position::new(shared.journal.append(&[&copy]).get()))),
            Err(reason) => {
                let fields: [(&str, &dyn Display); 2] = [("position", &position.get()), ("reason", &reason)];
                log.error("a message cannot be read, nor its file given back", &fields);
            }
        }
    }
    copies
}
