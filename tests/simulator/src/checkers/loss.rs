//! Owns the invariant that nothing that was accepted is lost: it reaches every session that had subscribed and
//! one member of every group, unless a documented limit explains it.

use super::{Checker, Verdict, ensure};
use crate::truth::{Excuse, SharedCopy, Subscription, Truth};
use mqtt_codec::QoS;

#[derive(Debug, Default)]
pub(super) struct Loss;

impl Checker for Loss {
    fn name(&self) -> &'static str {
        "loss"
    }

    fn finish(&mut self, truth: &Truth) -> Verdict {
        check_copies(truth)?;
        check_groups(truth)?;
        check_retained(truth)
    }
}

fn check_copies(truth: &Truth) -> Verdict {
    for copy in truth.copies.iter().filter(|copy| copy.qos > QoS::AtMostOnce && copy.receipts == 0) {
        ensure(truth.excuse(copy).is_some(), || {
            let (publication, session) = (&truth.publications[copy.publication], &truth.sessions[copy.session]);
            let how_far = if copy.is_sent { "was sent" } else { "was never sent" };
            format!("{} at {} {how_far} and never reached {}", publication.key, publication.topic, session.client_id)
        })?;
    }
    Ok(())
}

fn check_groups(truth: &Truth) -> Verdict {
    let is_lost = |copy: &SharedCopy| copy.sends.iter().all(|&send| truth.shared_sends[send].receipts == 0);
    for copy in truth.shared_copies.iter().filter(|copy| is_lost(copy)) {
        ensure(truth.excuse_shared(copy).is_some(), || {
            let (publication, (name, filter)) = (&truth.publications[copy.publication], &copy.group);
            let members = sessions(truth, copy);
            format!(
                "{} at {} reached no member of {name}/{filter}; it was sent to {members:?}",
                publication.key, publication.topic
            )
        })?;
    }
    Ok(())
}

/// Whom a copy for a group was sent to.
fn sessions<'a>(truth: &'a Truth, copy: &SharedCopy) -> Vec<&'a str> {
    let session = |&send: &usize| truth.sessions[truth.shared_sends[send].session].client_id.as_str();
    copy.sends.iter().map(session).collect()
}

/// What was retained when a session subscribed and is retained still.
fn check_retained(truth: &Truth) -> Verdict {
    for session in truth.sessions.iter().filter(|session| !session.has_ended) {
        let due = session.retained.iter().filter(|delivery| !delivery.is_over && !delivery.was_pressed);
        for delivery in due {
            for &id in delivery.expected.iter().filter(|id| !delivery.receipts.contains_key(id)) {
                let publication = &truth.publications[id];
                let may_miss = |options: &Subscription| {
                    let is_own = options.no_local && truth.sessions[publication.publisher].client_id == session.client_id;
                    options.qos == QoS::AtMostOnce || is_own
                };
                let excuse = if !truth.live_retained().any(|(_, live)| live == id) {
                    Some(Excuse::Expired)
                } else if publication.qos == QoS::AtMostOnce || delivery.options.iter().any(may_miss) {
                    Some(Excuse::AtMostOnce)
                } else if u64::from(session.packet_bytes_max) < publication.packet_bytes_most() {
                    Some(Excuse::TooLarge)
                } else {
                    None
                };
                ensure(excuse.is_some(), || {
                    let (key, client, filter) = (&publication.key, &session.client_id, &delivery.filter);
                    format!("{key} is retained and never reached {client}, which subscribed to {filter}")
                })?;
            }
        }
    }
    Ok(())
}
