//! Owns the invariant that a session gets nothing it did not subscribe to.

use super::{Checker, Scene, Verdict};
use crate::{
    observation::Observation,
    truth::{Attribution, Consequence},
};

#[derive(Debug)]
pub(super) struct Unasked;

impl Checker for Unasked {
    fn name(&self) -> &'static str {
        "unasked"
    }

    fn observe(&mut self, scene: &Scene<'_>) -> Verdict {
        match (scene.observation, scene.consequence) {
            (Observation::Sent { connection, .. }, Consequence::Sending(sending))
                if sending.attribution == Attribution::Unasked =>
            {
                Err(format!("#{} did not subscribe to {} at {}", connection.0, sending.key, sending.topic))
            }
            (Observation::Delivered { connection, delivered }, Consequence::ReceiptOfNothing) => {
                Err(format!("the client of #{} got {}, which nobody sent it", connection.0, delivered.key))
            }
            _ => Ok(()),
        }
    }
}
