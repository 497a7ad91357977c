//! Owns the invariant that a message goes to one member of a group: of QoS 2 never to a second one, of QoS 1
//! only if the first has ended without acknowledging it `[MQTT5-4.8.2-4]` `[MQTT5-4.8.2-5]`.

use super::{Checker, Scene, Verdict};
use crate::truth::{Attribution, Consequence};

#[derive(Debug)]
pub(super) struct Groups;

impl Checker for Groups {
    fn name(&self) -> &'static str {
        "groups"
    }

    fn observe(&mut self, scene: &Scene<'_>) -> Verdict {
        let Consequence::Sending(sending) = scene.consequence else { return Ok(()) };
        match sending.attribution {
            Attribution::SharedTwice => {
                Err(format!("{} was sent to a second member of its group", sending.key))
            }
            _ => Ok(()),
        }
    }
}
