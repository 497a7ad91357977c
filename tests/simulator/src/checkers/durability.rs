//! Owns the invariant that nothing that was acknowledged is gone after a restart: messages, subscriptions, sessions,
//! and what either side of a handshake has been told.

use super::{Checker, Scene, Verdict};
use crate::observation::Observation;

#[derive(Debug)]
pub(super) struct Durability;

impl Checker for Durability {
    fn name(&self) -> &'static str {
        "durability"
    }

    fn observe(&mut self, scene: &Scene<'_>) -> Verdict {
        match (scene.observation, scene.truth.broken_promises.first()) {
            (Observation::Restarted { .. }, Some(broken)) => Err(broken.clone()),
            _ => Ok(()),
        }
    }
}
