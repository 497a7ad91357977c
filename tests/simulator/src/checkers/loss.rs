//! Owns the invariant that nothing that was accepted is lost: it reaches every session that had subscribed, one
//! member of every group, and whoever subscribes while it is retained, unless a documented limit explains it.

use super::{Checker, Verdict};
use crate::truth::{Slot, Truth};

#[derive(Debug)]
pub(super) struct Loss;

impl Checker for Loss {
    fn name(&self) -> &'static str {
        "loss"
    }

    fn finish(&mut self, truth: &Truth) -> Verdict {
        match truth.lost.first() {
            None => Ok(()),
            Some(&slot) => Err(sentence(truth, slot)),
        }
    }
}

fn sentence(truth: &Truth, slot: Slot) -> String {
    let publication = &truth.publications[truth.publication_in(slot)];
    let (key, topic) = (&publication.key, &publication.topic);
    match slot {
        Slot::Ordinary(copy) => {
            let copy = &truth.copies[copy];
            let client = &truth.sessions[copy.session].client_id;
            let how_far = if copy.sent.is_some() { "was sent" } else { "was never sent" };
            format!("{key} at {topic} {how_far} and never reached {client}")
        }
        Slot::Shared(copy) => {
            let copy = &truth.shared_copies[copy];
            let client = |&send: &usize| truth.sessions[truth.sends[send].session].client_id.as_str();
            let clients: Vec<&str> = copy.sends.iter().map(client).collect();
            let (name, filter) = &copy.group;
            format!("{key} at {topic} reached no member of {name}/{filter}; it was sent to {clients:?}")
        }
        Slot::Retained { session, delivery, .. } => {
            let session = &truth.sessions[session];
            let (client, filter) = (&session.client_id, &session.retained[delivery].filter);
            format!("{key} is retained at {topic} and never reached {client}, which subscribed to {filter}")
        }
    }
}
