//! Owns the invariant that a Packet Identifier is given to no second message while the first is in flight
//! `[MQTT5-2.2.1-4]` `[MQTT311-2.3.1-4]`.

use super::{Checker, Scene, Verdict};
use crate::truth::{Attribution, Consequence};

#[derive(Debug)]
pub(super) struct PacketIds;

impl Checker for PacketIds {
    fn name(&self) -> &'static str {
        "packet_ids"
    }

    fn observe(&mut self, scene: &Scene<'_>) -> Verdict {
        let Consequence::Sending(sending) = scene.consequence else { return Ok(()) };
        match &sending.attribution {
            Attribution::IdInUse { by } => {
                Err(format!("{} was sent under the identifier of {by}, which is in flight", sending.key))
            }
            _ => Ok(()),
        }
    }
}
