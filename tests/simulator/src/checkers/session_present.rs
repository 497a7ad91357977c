//! Owns the invariant that CONNACK accepts unless the disk fails, and says truly whether there was a session `[MQTT5-3.2.2-2]`
//! `[MQTT5-3.2.2-3]` `[MQTT311-3.2.2-1]` `[MQTT311-3.2.2-2]`.

use super::{Checker, Scene, Verdict, ensure};
use crate::observation::Observation;
use mqtt_codec::{Packet, ReasonCode};

#[derive(Debug)]
pub(super) struct SessionPresent;

impl Checker for SessionPresent {
    fn name(&self) -> &'static str {
        "session_present"
    }

    fn observe(&mut self, scene: &Scene<'_>) -> Verdict {
        let Observation::Sent { connection, packet: Packet::ConnAck(connack), .. } = *scene.observation
        else {
            return Ok(());
        };
        let is_refused = scene.truth.is_failing && !scene.truth.connections.contains_key(&connection);
        if is_refused && is_shortage(connack.reason) {
            return Ok(());
        }
        ensure(connack.reason == ReasonCode::Success, || {
            format!("#{} was refused: {}", connection.0, connack.reason)
        })?;
        let Some(known) = scene.truth.connections.get(&connection) else { return Ok(()) };
        ensure(connack.session_present == known.session_present, || {
            let client = &scene.truth.sessions[known.session].client_id;
            format!(
                "#{} of {client} was told session present = {}, the truth is {}",
                connection.0, connack.session_present, known.session_present
            )
        })
    }
}

/// What a CONNECT is refused with that would begin a session while the disk fails; 3.x has a coarser word for it.
fn is_shortage(reason: ReasonCode) -> bool {
    matches!(reason, ReasonCode::QuotaExceeded | ReasonCode::ServerUnavailable)
}
