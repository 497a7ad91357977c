//! Owns the invariant that the disk holds what is needed and little else: when everything is acknowledged and a
//! checkpoint was done, a few segments and those that hold what is retained or still waits for somebody.

use super::{Checker, Scene, Verdict, ensure};
use crate::{observation::Observation, truth::Truth};

/// Segments that are there whatever there is to keep: the one that is written, those of the last checkpoint, one that
/// a failed write has ended early.
const SEGMENTS_MAX: usize = 4;

#[derive(Debug)]
pub(super) struct Space;

impl Checker for Space {
    fn name(&self) -> &'static str {
        "space"
    }

    fn observe(&mut self, scene: &Scene<'_>) -> Verdict {
        let Observation::Stored { files, bytes } = *scene.observation else { return Ok(()) };
        let needed = needed(scene.truth);
        ensure(files <= needed + SEGMENTS_MAX, || {
            format!("{bytes} bytes are on disk in {files} files for {needed} messages that are needed")
        })
    }
}

/// Messages that are retained, or for sessions that still are to get them or to acknowledge them. Each may keep a
/// segment of its own.
fn needed(truth: &Truth) -> usize {
    let alive = truth.sessions.iter().filter(|session| !session.has_ended);
    let waiting: usize = alive.map(|session| session.waiting.len() + session.in_flight.len()).sum();
    let shared: usize = truth.groups.values().map(|group| group.outstanding.len()).sum();
    truth.retained.len() + waiting + shared
}
