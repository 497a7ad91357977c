//! Owns giving back the space of segments that are nearly empty: what is still needed of the oldest one is
//! copied to the end of the journal, and the next checkpoint goes over to the copies. What is needed is known
//! by the engine; it is read and copied in `relocation/survey`, on another thread than the writer's.
//!
//! The journal is a ring in effect: whatever lives long goes round with it. A segment is moved only while the
//! whole directory is several times as large as what lives in it, so that each byte copied frees three.

mod survey;

use std::sync::Arc;

use broker_core::journal::Position;

use super::Shared;
use super::upkeep::{Errand, Upkeep};
use crate::worker::Mail;

use self::survey::Progress;
pub(super) use self::survey::Survey;

/// How many times as large as what lives in it the journal may be.
const TIMES_LIVE: u64 = 4;

/// Segments that the journal may be larger than that.
const SPARE_SEGMENTS: u64 = 4;

/// Whether a segment is being moved.
///
/// ```text
///          a segment is worth it             all have answered, and what they need is copied, a
/// Nothing ----------------------> UnderWay  -----------------------------------------------------> Nothing
///                                            little at a time: a checkpoint begins
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Relocation {
    /// Nothing is moved.
    #[default]
    Nothing,
    /// Every worker is to say what it needs, and that is copied. No checkpoint may begin: what was copied before it
    /// would be behind its floor, and nobody refers to it yet.
    UnderWay,
}

/// Whether the disk has any.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Room {
    Enough,
    None,
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
        *self = Self::UnderWay;
    }

    /// Has what is needed copied once that is known, a little whenever the little before it is on disk: then no batch is
    /// large because of it. On a disk without room nothing more is copied: the checkpoint may free some. Whether one is
    /// due, to go over to the copies.
    pub(super) fn advance(&mut self, shared: &Shared, upkeep: &Upkeep, room: Room) -> bool {
        if *self != Self::UnderWay {
            return false;
        }
        match shared.survey.progress() {
            Progress::Waiting => false,
            Progress::Copied { .. } if room == Room::None => {
                shared.survey.give_up_the_rest();
                false
            }
            Progress::Copied { until } if shared.journal.durable() < until => false,
            Progress::Copied { .. } => {
                shared.survey.hand_over(|| upkeep.ask(Errand::Copy));
                false
            }
            Progress::Done(copies) => {
                *self = Self::Nothing;
                let copies: Arc<[_]> = copies.into();
                // In front of the checkpoint's mail: a worker takes its mail in order.
                shared.waiting.tell_all(|| Mail::Copied(Arc::clone(&copies)));
                true
            }
        }
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
