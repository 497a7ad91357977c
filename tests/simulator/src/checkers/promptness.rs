//! Owns the invariant that what can go out goes out in the same step: to other shards, to clients that are
//! there and have room. Without it a dropped QoS 0 message would look like one that nobody was there for.

use super::{Checker, Scene, Verdict, ensure};
use crate::{
    observation::{Mail, MessageKey, Observation},
    truth::{Copy, Group, Progress, SessionKey, Truth},
};
use mqtt_codec::QoS;

#[derive(Debug, Default)]
pub(super) struct Promptness {
    missed: Missed,
}

impl Checker for Promptness {
    fn name(&self) -> &'static str {
        "promptness"
    }

    fn observe(&mut self, scene: &Scene<'_>) -> Verdict {
        self.missed.observe(scene, |key| !key.is_will())
    }
}

/// Finds what should have gone out within a step. Wills are told from the rest by their key.
#[derive(Debug, Default)]
pub(super) struct Missed {
    forwarded: Vec<(MessageKey, broker_core::ShardId)>,
}

impl Missed {
    pub(super) fn observe(&mut self, scene: &Scene<'_>, is_mine: impl Fn(&MessageKey) -> bool) -> Verdict {
        match *scene.observation {
            Observation::Forwarded { to, mail: Mail::Message(key), .. } => {
                self.forwarded.push((key.clone(), to));
                Ok(())
            }
            Observation::StepEnded => {
                let forwarded = std::mem::take(&mut self.forwarded);
                check_forwards(scene.truth, &forwarded, &is_mine)?;
                check_copies(scene.truth, &is_mine)
            }
            _ => Ok(()),
        }
    }
}

fn check_forwards(
    truth: &Truth,
    forwarded: &[(MessageKey, broker_core::ShardId)],
    is_mine: impl Fn(&MessageKey) -> bool,
) -> Verdict {
    for &(publication, shard) in &truth.forwards_due_now {
        let publication = &truth.publications[publication];
        let is_forwarded = forwarded.iter().any(|(key, to)| *key == publication.key && *to == shard);
        ensure(is_forwarded || !is_mine(&publication.key), || {
            format!("{} should have been forwarded to shard {}", publication.key, shard.0)
        })?;
    }
    Ok(())
}

fn check_copies(truth: &Truth, is_mine: impl Fn(&MessageKey) -> bool) -> Verdict {
    for &id in &truth.due_now {
        let copy = &truth.copies[id];
        let publication = &truth.publications[copy.publication];
        let session = &truth.sessions[copy.session];
        let is_excused =
            copy.sent.is_some() || truth.excuse(copy).is_some() || !can_take(truth, copy.session, copy.qos);
        let is_fine = is_excused || !is_mine(&publication.key) || truth.may_be_sent_now(id);
        ensure(is_fine, || {
            let (key, client) = (&publication.key, &session.client_id);
            format!("{key} should have been sent to {client} in this step: it is there and has room")
        })?;
    }
    Ok(())
}

/// Whether a session can be sent one more message now, with nothing before it.
fn can_take(truth: &Truth, key: SessionKey, qos: QoS) -> bool {
    let session = &truth.sessions[key];
    let Some(id) = session.connection else { return false };
    let connection = &truth.connections[&id];
    // A CONNACK that waits for the disk keeps everything waiting, QoS 2 waits by itself, and what had waited for the
    // client comes off the disk.
    let has_just_come = session.is_durable && connection.step == truth.step;
    if !connection.is_accepted || has_just_come || session.is_durable && qos == QoS::ExactlyOnce {
        return false;
    }
    if connection.is_congested || qos == QoS::AtMostOnce {
        return !connection.is_congested;
    }
    let is_waiting = |copy: &Copy| copy.qos > QoS::AtMostOnce;
    let waiting = session.waiting.iter().filter(|&&copy| is_waiting(&truth.copies[copy])).count();
    let unsent = |it: &&crate::truth::InFlight| it.progress == Progress::Published && it.connection != id;
    waiting <= 1
        && !session.is_held_back()
        && session.groups.is_empty()
        && !truth.groups.values().any(|group| may_have_come(group, key))
        && !session.retained.iter().any(|delivery| truth.may_bring(session, delivery))
        && session.in_flight.len() < usize::from(connection.receive_maximum)
        && !session.in_flight.values().any(|it| unsent(&it))
}

/// Whether a session may have got something of a group that it is no member of any more: what had been on its way to
/// it before it left.
fn may_have_come(group: &Group, session: SessionKey) -> bool {
    group.options.contains_key(&session) && !group.outstanding.is_empty()
}
