//! Owns the invariant that the broker sends nothing but legal packets, and none that a client must refuse.

use super::{Checker, Scene, Verdict};
use crate::observation::Observation;

#[derive(Debug)]
pub(super) struct Legality;

impl Checker for Legality {
    fn name(&self) -> &'static str {
        "legality"
    }

    fn observe(&mut self, scene: &Scene<'_>) -> Verdict {
        match *scene.observation {
            Observation::SentGarbage { connection, text } => {
                Err(format!("#{} was sent bytes that are no packet: {text}", connection.0))
            }
            Observation::Complained { connection, text } => {
                Err(format!("the client of #{} must refuse what it received: {text}", connection.0))
            }
            _ => Ok(()),
        }
    }
}
