//! Owns the invariant that DUP is set exactly on what was sent on an earlier connection and is still in
//! flight `[MQTT5-3.3.1-1]` `[MQTT5-4.4.0-1]` `[MQTT311-3.3.1-1]` `[MQTT311-4.4.0-1]`.

use super::{Checker, Scene, Verdict};
use crate::truth::{Attribution, Consequence};

#[derive(Debug)]
pub(super) struct Dup;

impl Checker for Dup {
    fn name(&self) -> &'static str {
        "dup"
    }

    fn observe(&mut self, scene: &Scene<'_>) -> Verdict {
        let Consequence::Sending(sending) = scene.consequence else { return Ok(()) };
        match sending.attribution {
            Attribution::DupMissing => Err(format!("{} was sent again without DUP", sending.key)),
            Attribution::NotInFlight => {
                Err(format!("{} was sent with DUP and not sent on an earlier connection", sending.key))
            }
            _ => Ok(()),
        }
    }
}
