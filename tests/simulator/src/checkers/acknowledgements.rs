//! Owns the invariant that where publishers are held back, an acknowledgement leaves only when the message has
//! reached every shard it is for.

use super::{Checker, Scene, Verdict, ensure};
use crate::observation::Observation;
use broker_core::config::QueuePolicy;
use mqtt_codec::{Packet, packet::Ack};

#[derive(Debug)]
pub(super) struct Acknowledgements;

impl Checker for Acknowledgements {
    fn name(&self) -> &'static str {
        "acknowledgements"
    }

    fn observe(&mut self, scene: &Scene<'_>) -> Verdict {
        let truth = scene.truth;
        if truth.settings.config.queue_policy != QueuePolicy::HoldPublisher {
            return Ok(());
        }
        let Observation::Sent { connection, packet, .. } = *scene.observation else { return Ok(()) };
        let (Packet::PubAck(Ack { packet_id, .. }) | Packet::PubRec(Ack { packet_id, .. })) = packet else {
            return Ok(());
        };
        let published = truth.connections.get(&connection).and_then(|it| it.published.get(&packet_id.get()));
        let Some(publication) = published.map(|&id| &truth.publications[id]) else { return Ok(()) };
        ensure(publication.pending.is_empty(), || {
            let (key, pending) = (&publication.key, &publication.pending);
            format!("{key} was acknowledged while it was on its way to {pending:?}")
        })
    }
}
