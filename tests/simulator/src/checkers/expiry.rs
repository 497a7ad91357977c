//! Owns the invariant that a message is not sent once it has expired, and says how long it is still good for
//! `[MQTT5-3.3.2-5]` `[MQTT5-3.3.2-6]`.

use super::{Checker, Scene, Verdict, ensure};
use crate::{
    observation::Observation,
    truth::{Attribution, Consequence},
};
use mqtt_codec::Packet;

#[derive(Debug)]
pub(super) struct Expiry;

impl Checker for Expiry {
    fn name(&self) -> &'static str {
        "expiry"
    }

    fn observe(&mut self, scene: &Scene<'_>) -> Verdict {
        let (
            Observation::Sent { connection, packet: Packet::Publish(publish), .. },
            Consequence::Sending(sending),
        ) = (*scene.observation, scene.consequence)
        else {
            return Ok(());
        };
        let Attribution::First(source) = sending.attribution else { return Ok(()) };
        // In flight since before a crash, and perhaps sent then [MQTT5-4.3.3-7] [MQTT5-4.3.3-13].
        if publish.delivery.dup() {
            return Ok(());
        }
        let (truth, key) = (scene.truth, &sending.key);
        let publication = truth.publication_of(source);
        ensure(!publication.is_past(truth.now_ms), || {
            format!("{key} was sent to #{} and has expired", connection.0)
        })?;
        let left = publication.seconds_left(truth.now_ms);
        let said = publish.properties.message_expiry_interval().map(u64::from);
        let is_v5 = truth.connections[&connection].version.has_properties();
        ensure(!is_v5 || left == said, || format!("{key} is good for {left:?} s and was sent with {said:?}"))
    }
}
