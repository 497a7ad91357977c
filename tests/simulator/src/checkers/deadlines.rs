//! Owns the invariant that sessions end and silent connections are closed when they are due, and not later
//! than a late clock explains.

use super::{Checker, Scene, Verdict, ensure};
use crate::observation::Observation;

#[derive(Debug)]
pub(super) struct Deadlines;

impl Checker for Deadlines {
    fn name(&self) -> &'static str {
        "deadlines"
    }

    fn observe(&mut self, scene: &Scene<'_>) -> Verdict {
        let Observation::StepEnded = *scene.observation else { return Ok(()) };
        let truth = scene.truth;
        for session in truth.sessions.iter().filter(|session| !session.has_ended) {
            if let Some(due_ms) = session.ends_at_ms {
                ensure(truth.now_ms <= truth.overdue_ms(due_ms), || {
                    format!("the session of {} should have ended at {due_ms} ms", session.client_id)
                })?;
            }
            let Some(id) = session.connection else { continue };
            let connection = &truth.connections[&id];
            let allowed_ms = u64::from(connection.keep_alive_seconds) * 1500;
            let due_ms = connection.last_received_ms + allowed_ms;
            ensure(allowed_ms == 0 || truth.now_ms <= truth.overdue_ms(due_ms), || {
                format!("#{} has been silent since {} ms", id.0, connection.last_received_ms)
            })?;
        }
        Ok(())
    }
}
