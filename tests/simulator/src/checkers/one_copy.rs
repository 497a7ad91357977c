//! Owns the invariant that a session gets one copy of a message, with the highest QoS of the subscriptions
//! that match, their identifiers and their RETAIN flag `[MQTT5-3.3.4-2]` `[MQTT5-3.3.4-4]` `[MQTT5-3.3.1-12]`.

use super::{Checker, Scene, Verdict};
use crate::truth::{Attribution, Consequence};

#[derive(Debug)]
pub(super) struct OneCopy;

impl Checker for OneCopy {
    fn name(&self) -> &'static str {
        "one_copy"
    }

    fn observe(&mut self, scene: &Scene<'_>) -> Verdict {
        let Consequence::Sending(sending) = scene.consequence else { return Ok(()) };
        match &sending.attribution {
            Attribution::Extra => Err(format!("{} was sent once more than is due", sending.key)),
            Attribution::Altered { expected } => {
                Err(format!("{} was to be sent with {expected}", sending.key))
            }
            _ => Ok(()),
        }
    }
}
