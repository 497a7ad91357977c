//! Owns the invariant that the broker closes a connection when it must, and no other: the clients here break
//! no rule, so it is for DISCONNECT, takeover and silence alone.

use super::{Checker, Scene, Verdict, ensure};
use crate::{
    observation::Observation,
    truth::{Connection, Truth},
};
use broker_core::{CloseCause, ConnectionId};
use mqtt_codec::{Packet, ReasonCode};
use std::collections::{BTreeMap, BTreeSet};

#[derive(Debug, Default)]
pub(super) struct Closing {
    /// Connections the client has ended, with its reason.
    ended: BTreeMap<ConnectionId, ReasonCode>,
    closed: BTreeSet<ConnectionId>,
    /// Connections to be closed within this step.
    due: BTreeSet<ConnectionId>,
}

impl Checker for Closing {
    fn name(&self) -> &'static str {
        "closing"
    }

    fn observe(&mut self, scene: &Scene<'_>) -> Verdict {
        let truth = scene.truth;
        match *scene.observation {
            Observation::Received { connection, packet: Packet::Disconnect(disconnect), .. } => {
                self.ended.insert(connection, disconnect.reason);
                self.due.insert(connection);
                Ok(())
            }
            Observation::Received { connection, packet: Packet::Connect(_), .. } => {
                let session = truth.connections.get(&connection).map(|it| it.session);
                let older = truth
                    .connections
                    .iter()
                    .filter(|&(id, it)| it.is_taken_over && *id != connection && !self.closed.contains(id));
                let client = |key: usize| &truth.sessions[key].client_id;
                let same =
                    older.filter(|(_, it)| session.is_some_and(|key| client(key) == client(it.session)));
                self.due.extend(same.map(|(&id, _)| id));
                Ok(())
            }
            Observation::Closed { connection, cause } => {
                self.closed.insert(connection);
                self.due.remove(&connection);
                self.check_cause(connection, cause, scene)
            }
            Observation::Sent { connection, packet, .. } => {
                ensure(!self.closed.contains(&connection), || {
                    format!("#{} was sent {} after it was closed", connection.0, packet.packet_type())
                })
            }
            Observation::StepEnded => match self.due.pop_first() {
                Some(connection) => Err(format!("#{} should have been closed in this step", connection.0)),
                None => Ok(()),
            },
            _ => Ok(()),
        }
    }
}

impl Closing {
    fn check_cause(&self, id: ConnectionId, cause: CloseCause, scene: &Scene<'_>) -> Verdict {
        let is_shortage = scene.truth.is_failing && cause == CloseCause::Error(ReasonCode::QuotaExceeded);
        let Some(connection) = scene.truth.connections.get(&id) else {
            if is_shortage {
                return Ok(());
            }
            return Err(format!("#{} was closed and never connected", id.0));
        };
        let silent_ms = scene.truth.now_ms - connection.last_received_ms;
        let is_due = match cause {
            CloseCause::Disconnected => self.ended.get(&id).is_some_and(|reason| !reason.is_error()),
            CloseCause::Error(ReasonCode::SessionTakenOver) => connection.is_taken_over,
            // One and a half times the Keep Alive [MQTT5-3.1.2-22] [MQTT311-3.1.2-24].
            CloseCause::Error(ReasonCode::KeepAliveTimeout) => {
                let allowed_ms = u64::from(Self::keep_alive_seconds(connection, scene.truth)) * 1500;
                allowed_ms > 0 && silent_ms >= allowed_ms
            }
            CloseCause::Error(ReasonCode::ServerShuttingDown) => scene.truth.is_shutting_down,
            // A 3.x client cannot be told that its message is not kept.
            CloseCause::Error(ReasonCode::QuotaExceeded) => {
                is_shortage && !connection.version.has_properties()
            }
            CloseCause::Error(_) | CloseCause::Malformed(_) => false,
        };
        ensure(is_due, || {
            format!("#{} was closed for no good reason: {cause:?}, after {silent_ms} ms of silence", id.0)
        })
    }

    /// What the broker goes by, even if a CONNACK that would tell of it waits for the disk.
    fn keep_alive_seconds(connection: &Connection, truth: &Truth) -> u16 {
        let maximum = truth.settings.config.limits.keep_alive_seconds_max;
        match connection.keep_alive_seconds {
            0 if !connection.is_accepted && maximum < u16::MAX => maximum,
            seconds if !connection.is_accepted => seconds.min(maximum),
            seconds => seconds,
        }
    }
}
