//! Owns the invariant that what the journal has called durable is there after every restart.

use super::{Checker, Scene, Verdict, ensure};
use crate::observation::Observation;
use broker_core::journal::Position;

#[derive(Debug, Default)]
pub(super) struct Restart {
    /// Records that are not on disk, as far as anybody has said.
    pending: Vec<Position>,
    /// The last one that is.
    durable: Position,
}

impl Checker for Restart {
    fn name(&self) -> &'static str {
        "restart"
    }

    fn observe(&mut self, scene: &Scene<'_>) -> Verdict {
        match *scene.observation {
            Observation::Recorded { position, .. } => {
                self.pending.push(position);
                Ok(())
            }
            Observation::Committed { durable } => {
                let count = self.pending.partition_point(|&position| position < durable);
                self.durable = self.pending.drain(..count).next_back().unwrap_or(self.durable);
                Ok(())
            }
            Observation::Died => {
                self.pending.clear();
                Ok(())
            }
            Observation::Restarted { cut, .. } => {
                ensure(self.durable == Position::NONE || self.durable < cut, || {
                    let (durable, cut) = (self.durable.get(), cut.get());
                    format!("the record at {durable:#x} was on disk, and the journal ends at {cut:#x}")
                })
            }
            _ => Ok(()),
        }
    }
}
