//! Owns the invariant that no packet is larger than its client takes `[MQTT5-3.1.2-24]`.

use super::{Checker, Scene, Verdict, ensure};
use crate::observation::Observation;

#[derive(Debug)]
pub(super) struct PacketSize;

impl Checker for PacketSize {
    fn name(&self) -> &'static str {
        "packet_size"
    }

    fn observe(&mut self, scene: &Scene<'_>) -> Verdict {
        let Observation::Sent { connection, packet, bytes } = *scene.observation else { return Ok(()) };
        let maximum = scene.truth.connections.get(&connection).map_or(u32::MAX, |it| it.packet_bytes_max);
        ensure(bytes as u64 <= u64::from(maximum), || {
            let name = packet.packet_type();
            format!("#{} takes {maximum} bytes and was sent {name} of {bytes}", connection.0)
        })
    }
}
