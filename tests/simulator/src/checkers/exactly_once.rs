//! Owns the invariant that a message of QoS 2 reaches the application once, over reconnects, and one of QoS 0
//! at most once `[MQTT5-4.3.1-1]` `[MQTT5-4.3.3-10]` `[MQTT311-4.3.3-2]`.

use super::{Checker, Scene, Verdict, ensure};
use crate::{observation::Observation, truth::Consequence};
use mqtt_codec::QoS;

#[derive(Debug)]
pub(super) struct ExactlyOnce;

impl Checker for ExactlyOnce {
    fn name(&self) -> &'static str {
        "exactly_once"
    }

    fn observe(&mut self, scene: &Scene<'_>) -> Verdict {
        let (Observation::Delivered { connection, delivered }, &Consequence::Receipt { times }) =
            (*scene.observation, scene.consequence)
        else {
            return Ok(());
        };
        ensure(times == 1 || delivered.qos == QoS::AtLeastOnce, || {
            format!("the client of #{} got {} {times} times", connection.0, delivered.key)
        })
    }
}
