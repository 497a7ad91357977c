//! Owns the invariant that a client that does not read is sent no messages until it does: what waits for it is
//! bounded by the outbox limit, one step's messages and its own requests' answers.

use super::{Checker, Scene, Verdict, ensure};
use crate::observation::Observation;
use mqtt_codec::{Packet, QoS};

#[derive(Debug, Default)]
pub(super) struct Outbox {
    /// Whether what is sent in this step had waited for the disk: it was under way when the outbox filled up.
    has_waited: bool,
}

impl Checker for Outbox {
    fn name(&self) -> &'static str {
        "outbox"
    }

    fn observe(&mut self, scene: &Scene<'_>) -> Verdict {
        let (connection, publish) = match *scene.observation {
            Observation::Sent { connection, packet: Packet::Publish(publish), .. } => (connection, publish),
            Observation::ToldDurable { .. } => {
                self.has_waited = true;
                return Ok(());
            }
            Observation::StepEnded => {
                self.has_waited = false;
                return Ok(());
            }
            _ => return Ok(()),
        };
        if self.has_waited && publish.delivery.qos() > QoS::AtMostOnce {
            return Ok(());
        }
        let is_congested = scene.truth.connections.get(&connection).is_some_and(|it| it.is_congested);
        ensure(!is_congested, || format!("#{} was sent a message while its outbox is full", connection.0))
    }
}
