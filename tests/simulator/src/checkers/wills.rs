//! Owns the invariant that every Will is published exactly when it is due, or not at all if it was discarded
//! `[MQTT5-3.1.2-8]` `[MQTT5-3.1.2-10]` `[MQTT5-3.1.3-9]` `[MQTT5-3.14.4-3]` `[MQTT311-3.1.2-8]`
//! `[MQTT311-3.1.2-10]`.

use super::{Checker, Scene, Verdict, ensure, promptness::Missed};
use crate::{
    observation::{Mail, MessageKey, Observation},
    truth::{Attribution, Consequence, Sending},
};

#[derive(Debug, Default)]
pub(super) struct Wills {
    missed: Missed,
}

impl Checker for Wills {
    fn name(&self) -> &'static str {
        "wills"
    }

    fn observe(&mut self, scene: &Scene<'_>) -> Verdict {
        let truth = scene.truth;
        self.missed.observe(scene, MessageKey::is_will)?;
        match (scene.observation, scene.consequence) {
            (Observation::StepEnded, _) => truth.sessions.iter().try_for_each(|session| {
                let due_ms = session.will_due_ms.unwrap_or(u64::MAX >> 1);
                ensure(truth.now_ms <= truth.overdue_ms(due_ms), || {
                    format!("the Will of {} should have been published at {due_ms} ms", session.client_id)
                })
            }),
            (Observation::Forwarded { mail: Mail::Message(key) | Mail::SharedMessage(key), .. }, _) => {
                ensure(!key.is_will() || truth.is_published(key), || {
                    format!("the Will {key} is forwarded and was not due")
                })
            }
            (_, Consequence::Sending(Sending { key, attribution, .. })) if key.is_will() => {
                let is_unpublished = *attribution == Attribution::Unasked && !truth.is_published(key);
                ensure(!is_unpublished, || format!("the Will {key} was sent and was not due"))
            }
            _ => Ok(()),
        }
    }
}
