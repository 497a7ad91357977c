//! Owns the invariant that a client that does not read is sent no messages until it does: what waits for it is
//! bounded by the outbox limit, one step's messages and its own requests' answers.

use super::{Checker, Scene, Verdict, ensure};
use crate::observation::Observation;
use mqtt_codec::Packet;

#[derive(Debug)]
pub(super) struct Outbox;

impl Checker for Outbox {
    fn name(&self) -> &'static str {
        "outbox"
    }

    fn observe(&mut self, scene: &Scene<'_>) -> Verdict {
        let Observation::Sent { connection, packet: Packet::Publish(_), .. } = *scene.observation else {
            return Ok(());
        };
        let is_congested = scene.truth.connections.get(&connection).is_some_and(|it| it.is_congested);
        ensure(!is_congested, || format!("#{} was sent a message while its outbox is full", connection.0))
    }
}
