//! Owns the invariant that a publisher that asks is told by the acknowledgement where its message is, and one that
//! does not ask is told nothing.

use super::{Checker, Scene, Verdict, ensure};
use crate::{observation::Observation, truth};
use mqtt_codec::{Packet, packet::Ack};

#[derive(Debug)]
pub(super) struct Told;

impl Checker for Told {
    fn name(&self) -> &'static str {
        "told"
    }

    fn observe(&mut self, scene: &Scene<'_>) -> Verdict {
        let Observation::Sent { connection, packet: Packet::PubAck(ack) | Packet::PubRec(ack), .. } =
            *scene.observation
        else {
            return Ok(());
        };
        let Ack { packet_id, reason, properties } = ack;
        let told: Vec<&str> = truth::told(properties).collect();
        // Not known is one that was received on a connection before: it is acknowledged again, and no more is said.
        let known = scene.truth.connections.get(&connection);
        let published = known.and_then(|it| it.published.get(&packet_id.get()));
        let publication = published.map(|&id| &scene.truth.publications[id]);
        let asked = publication.filter(|publication| publication.asks && !reason.is_error());
        let Some(publication) = asked else {
            return ensure(told.is_empty(), || {
                format!("#{} was told {told:?} of {packet_id} and had not asked", connection.0)
            });
        };
        let expected: Vec<&str> = publication.reachable.iter().copied().map(truth::word).collect();
        ensure(told.len() == 1 && expected.contains(&told[0]), || {
            format!("{} is {expected:?}, and #{} was told {told:?}", publication.key, connection.0)
        })
    }
}
