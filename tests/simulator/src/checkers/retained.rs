//! Owns the invariant that what is retained is the last message of each topic, and nothing else: the auditor,
//! which subscribes to everything at the end, gets exactly that `[MQTT5-3.3.1-5]` `[MQTT5-3.3.1-8]`
//! `[MQTT311-3.3.1-5]` `[MQTT311-3.3.1-7]`.

use super::{Checker, Scene, Verdict, ensure};
use crate::{
    observation::Observation,
    truth::{Attribution, Consequence, PublicationId, Sending, Slot, Truth},
};
use std::collections::BTreeSet;

/// The client identifier of the auditor.
pub(crate) const AUDITOR: &str = "auditor";

#[derive(Debug, Default)]
pub(super) struct Retained {
    sent_to_auditor: BTreeSet<PublicationId>,
}

impl Checker for Retained {
    fn name(&self) -> &'static str {
        "retained"
    }

    fn observe(&mut self, scene: &Scene<'_>) -> Verdict {
        let (
            Observation::Sent { connection, .. },
            Consequence::Sending(Sending { key, topic, attribution, .. }),
        ) = (*scene.observation, scene.consequence)
        else {
            return Ok(());
        };
        let session = scene.truth.session_of(connection);
        if session.is_none_or(|session| session.client_id != AUDITOR) {
            return Ok(());
        }
        let publication = match *attribution {
            Attribution::First(send) => match scene.truth.sends[send].slot {
                Some(Slot::Retained { publication, .. }) => publication,
                _ => return Ok(()),
            },
            Attribution::Unasked => return Err(format!("{key} is retained at {topic} and should not be")),
            _ => return Ok(()),
        };
        self.sent_to_auditor.insert(publication);
        ensure(scene.truth.retained.get(topic) == Some(&publication), || {
            format!("{key} is retained at {topic} and is not the last message there")
        })
    }

    fn finish(&mut self, truth: &Truth) -> Verdict {
        for (topic, publication) in truth.live_retained() {
            ensure(self.sent_to_auditor.contains(&publication), || {
                format!("{} should be retained at {topic}", truth.publications[publication].key)
            })?;
        }
        Ok(())
    }
}
