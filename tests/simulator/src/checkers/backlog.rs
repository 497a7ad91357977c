//! Owns the invariant that no more waits for an offline session than its queue may hold: what it gets when it
//! comes back is at most that.

use super::{Checker, Scene, Verdict, ensure};
use crate::{
    observation::Observation,
    truth::{Attribution, Consequence, CopyId, SessionKey, Slot, Truth},
};
use broker_core::config::QueuePolicy;
use mqtt_codec::{Packet, QoS};
use std::collections::{BTreeMap, BTreeSet};

#[derive(Debug, Default)]
pub(super) struct Backlog {
    /// What had arrived for a session and waited when it came back, and how much of it was sent since.
    waiting: BTreeMap<SessionKey, (BTreeSet<CopyId>, u32)>,
}

impl Checker for Backlog {
    fn name(&self) -> &'static str {
        "backlog"
    }

    fn observe(&mut self, scene: &Scene<'_>) -> Verdict {
        let truth = scene.truth;
        // There the queue of an online session may go beyond its limit.
        if truth.settings.config.queue_policy == QueuePolicy::HoldPublisher {
            return Ok(());
        }
        match (*scene.observation, scene.consequence) {
            (Observation::Received { connection, packet: Packet::Connect(_), .. }, _) => {
                if let Some(connection) = truth.connections.get(&connection) {
                    let waiting = arrived(truth, connection.session);
                    self.waiting.insert(connection.session, (waiting, 0));
                }
                Ok(())
            }
            (_, Consequence::Sending(sending)) => match sending.attribution {
                // What may be another copy may have taken a dropped one's place.
                Attribution::First(send) if truth.is_certain(send) => match truth.sends[send].slot {
                    Some(Slot::Ordinary(copy)) => self.count(copy, truth),
                    _ => Ok(()),
                },
                _ => Ok(()),
            },
            _ => Ok(()),
        }
    }
}

impl Backlog {
    fn count(&mut self, copy: CopyId, truth: &Truth) -> Verdict {
        let session = truth.copies[copy].session;
        let Some((waiting, sent)) = self.waiting.get_mut(&session) else { return Ok(()) };
        *sent += u32::from(waiting.remove(&copy));
        let maximum = truth.settings.config.limits.queue_messages_max;
        ensure(*sent <= maximum, || {
            let client = &truth.sessions[session].client_id;
            format!("{sent} messages had waited for {client}, whose queue holds {maximum}")
        })
    }
}

/// What waits for a session and is not still in a mailbox.
fn arrived(truth: &Truth, key: SessionKey) -> BTreeSet<CopyId> {
    let session = &truth.sessions[key];
    let has_arrived = |copy: &&CopyId| {
        let copy = &truth.copies[**copy];
        let publication = &truth.publications[copy.publication];
        // What is recorded may have left the queue and wait for the disk before it is sent.
        copy.qos > QoS::AtMostOnce && !session.is_durable && !publication.pending.contains(&session.shard)
    };
    session.waiting.iter().filter(has_arrived).copied().collect()
}
