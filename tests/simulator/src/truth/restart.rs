//! Owns what a crash and a restart make of the truth: it is as it was when the last record that was recovered was
//! made. What was promised and is gone then is told to the checkers.

use super::{
    Copy, CopyId, Excuse, PublicationId, SessionKey, Slot, Truth,
    durable::{Core, Memento},
    session::Stream,
};
use broker_core::{Node, config::Durability, journal::Position};
use mqtt_codec::QoS;
use std::collections::BTreeMap;

impl Truth {
    /// The broker is gone: connections are, and nothing is due any more until it is back.
    pub(super) fn died(&mut self) {
        self.begin_step();
        self.due_now.clear();
        self.is_shutting_down = false;
        self.is_failing = false;
        for connection in self.connections.values_mut() {
            connection.is_open = false;
        }
        for session in &mut self.sessions {
            session.connection = None;
        }
    }

    /// The broker is back, with what was recorded before `cut`.
    pub(super) fn restarted(&mut self, cut: Position, died_ms: u64, node: &Node) {
        self.begin_step();
        self.restarts += 1;
        self.find_broken_promises(cut);
        let survived: Vec<Option<u64>> =
            self.sessions.iter().map(|session| session.surviving(cut).map(|it| it.step)).collect();
        for id in 0..self.publications.len() {
            if !self.publications[id].is_undone && !self.survives(id, cut) {
                self.publications[id].has_cleared = self.publications[id].cleared.is_some_and(|it| it < cut);
                self.undo(id);
            }
            self.publications[id].pending.clear();
        }
        self.retain_again();
        self.unsend(&survived, cut);
        for group in self.groups.values_mut() {
            group.members.clear();
        }
        self.current.clear();
        for key in 0..self.sessions.len() {
            self.restore(key, cut, died_ms, node);
        }
        self.wait_again();
        self.excuse_groups();
        self.cut = cut;
    }

    /// Whether a message is in what was recovered. What is neither retained nor for anybody who is recorded is not
    /// recorded, and nothing of it is left.
    fn survives(&self, id: PublicationId, cut: Position) -> bool {
        let publication = &self.publications[id];
        publication.position.or(publication.cleared).is_some_and(|position| position < cut)
    }

    /// What was acknowledged and is gone.
    fn find_broken_promises(&mut self, cut: Position) {
        self.broken_promises.clear();
        for session in self.sessions.iter().filter(|session| session.is_durable) {
            let survived = session.surviving(cut).map_or(0, |memento| memento.step);
            if let Some((_, by)) = session.promised.filter(|&(step, _)| step > survived) {
                let client = &session.client_id;
                self.broken_promises.push(format!("what {by} told {client} is not in the journal"));
            }
        }
        for id in 0..self.publications.len() {
            let publication = &self.publications[id];
            let is_gone = publication.is_promised && !publication.is_undone && !self.survives(id, cut);
            if is_gone && (self.is_owed(id) || self.is_receipt_owed(id, cut)) {
                self.broken_promises
                    .push(format!("{} was acknowledged and is not in the journal", publication.key));
            }
        }
    }

    /// Whether somebody must get a message although the broker restarts.
    fn is_owed(&self, id: PublicationId) -> bool {
        let publication = &self.publications[id];
        let is_owed_to = |copy: &Copy| {
            copy.publication == id
                && copy.qos > QoS::AtMostOnce
                && self.sessions[copy.session].is_durable
                && self.excuse(copy).is_none()
        };
        if publication.rule < Durability::Disk {
            return false;
        }
        let is_last =
            self.retained.get(&publication.topic) == Some(&id) && !publication.is_expired(self.now_ms);
        is_last || self.copies.iter().any(is_owed_to)
    }

    /// Whether a QoS 2 message must be known when it comes again.
    fn is_receipt_owed(&self, id: PublicationId, cut: Position) -> bool {
        let publication = &self.publications[id];
        let publisher = &self.sessions[publication.publisher];
        let survived = publisher.surviving(cut).map_or(0, |memento| memento.step);
        publication.receipt.is_some() && publisher.is_durable && publication.step > survived
    }

    /// What was sent after the last moment that is recorded will be sent once more: of a group's messages those that
    /// were handed on at QoS 0 as well, to another member.
    fn unsend(&mut self, survived: &[Option<u64>], cut: Position) {
        self.sent_in_turn.clear();
        let is_forgotten = |truth: &Self, send: usize| {
            let send = &truth.sends[send];
            match (send.qos, send.slot) {
                (QoS::AtMostOnce, Some(Slot::Shared(_))) => send.last.is_none_or(|last| last >= cut),
                _ => survived[send.session].is_none_or(|step| send.step > step),
            }
        };
        for send in 0..self.sends.len() {
            if !is_forgotten(self, send) {
                continue;
            }
            let (qos, receipts) = (self.sends[send].qos, self.sends[send].receipts);
            match self.sends[send].slot {
                Some(Slot::Ordinary(copy))
                    if qos > QoS::AtMostOnce && self.copies[copy].sent == Some(send) =>
                {
                    self.copies[copy].sent = None;
                    if qos == QoS::ExactlyOnce {
                        self.copies[copy].receipts = receipts;
                    }
                    if self.publications[self.copies[copy].publication].is_undone {
                        self.miss(copy);
                    }
                }
                Some(Slot::Shared(copy)) => {
                    self.shared_copies[copy].sends.retain(|&other| other != send);
                    let group = self.shared_copies[copy].group.clone();
                    if let Some(group) = self.groups.get_mut(&group)
                        && !group.outstanding.contains(&copy)
                    {
                        group.outstanding.push(copy);
                    }
                }
                Some(Slot::Retained { session, delivery, publication }) => {
                    let sent = &mut self.sessions[session].retained[delivery].sent;
                    if sent.get(&publication) == Some(&send) {
                        sent.remove(&publication);
                    }
                }
                Some(Slot::Ordinary(_)) | None => {}
            }
        }
    }

    /// A session is as it was, but that its client is gone.
    fn restore(&mut self, key: SessionKey, cut: Position, died_ms: u64, node: &Node) {
        let session = &mut self.sessions[key];
        session.mementos.retain(|memento| memento.last < cut);
        session.connection = None;
        session.promised = None;
        session.without_will = None;
        session.released.clear();
        session.is_touched = true;
        let Some(Memento { step, core, .. }) = session.mementos.last() else {
            session.has_ended = true;
            session.will = None;
            session.will_due_ms = None;
            session.ends_at_ms = None;
            session.subscriptions.clear();
            session.groups.clear();
            session.in_flight.clear();
            session.waiting.clear();
            return;
        };
        let (step, core) = (*step, core.clone());
        let Core {
            has_ended, expiry_seconds, subscriptions, groups, unreleased, receipts, in_flight, ..
        } = core;
        session.has_ended = has_ended;
        session.expiry_seconds = expiry_seconds;
        session.subscriptions = subscriptions;
        session.in_flight = in_flight;
        session.unreleased = unreleased;
        session.receipts = receipts;
        session.was_restored = true;
        session.will = core.will;
        session.will_due_ms = core.will_due_ms;
        session.ends_at_ms = core.ends_at_ms;
        session.shard = node.shard_of(&session.client_id);
        session.last_sent = BTreeMap::new();
        session.waiting = Vec::new();
        for delivery in &mut session.retained {
            if delivery.made_step > step {
                delivery.over_step = Some(0);
            }
            delivery.over_step.take_if(|over| *over > step);
            delivery.finished.take_if(|(told, _)| *told >= cut);
            delivery.is_over = delivery.over_step.is_some();
        }
        session.groups = groups.iter().map(|(group, _)| group.clone()).collect();
        if has_ended {
            session.groups.clear();
            return;
        }
        for (group, options) in groups {
            self.groups.entry(group).or_default().members.insert(key, options);
        }
        self.current.insert(self.sessions[key].client_id.clone(), key);
        if core.is_connected {
            self.disconnect_dead(key, died_ms);
        }
        // What was due meanwhile is due now.
        let (session, now_ms) = (&mut self.sessions[key], self.now_ms);
        session.ends_at_ms = session.ends_at_ms.map(|at_ms| at_ms.max(now_ms));
        session.will_due_ms = session.will_due_ms.map(|at_ms| at_ms.max(now_ms));
        self.take_receipts(key, step, cut);
        self.doubt_unrecorded(key);
    }

    /// A connection that the crash ended counts as lost then; nothing is published before the first tick.
    pub(super) fn disconnect_dead(&mut self, key: SessionKey, died_ms: u64) {
        let session = &mut self.sessions[key];
        if session.expiry_seconds != u32::MAX {
            session.ends_at_ms = Some(died_ms + u64::from(session.expiry_seconds) * 1000);
        }
        let delay_seconds = session.will.as_ref().map(|will| will.delay_seconds);
        session.will_due_ms = delay_seconds.map(|seconds| died_ms + u64::from(seconds) * 1000);
    }

    /// A message that a group had first given to a member of QoS 0, or to one that is not recorded, is not recorded,
    /// whoever got it in the end; nor is one whose rule promises less than that. It may be in flight still, or not.
    fn doubt_unrecorded(&mut self, key: SessionKey) {
        let may_be_unrecorded = |slot: &Slot| match *slot {
            Slot::Shared(copy) => {
                let mut members = self.groups[&self.shared_copies[copy].group].options.iter();
                members.any(|(&key, options)| {
                    !self.sessions[key].is_durable || options.iter().any(|it| it.qos == QoS::AtMostOnce)
                })
            }
            Slot::Ordinary(_) | Slot::Retained { .. } => false,
        };
        let in_flight = self.sessions[key].in_flight.iter();
        let doubtful: Vec<u16> = in_flight
            .filter(|(_, it)| {
                self.publication_of(it.source).rule < Durability::Disk
                    || self.slots(&self.sends[it.source]).iter().any(may_be_unrecorded)
            })
            .map(|(&packet_id, _)| packet_id)
            .collect();
        for packet_id in doubtful {
            if let Some(in_flight) = self.sessions[key].in_flight.get_mut(&packet_id) {
                in_flight.is_doubtful = true;
            }
        }
    }

    /// A QoS 2 PUBLISH whose record was recovered counts as received, even if nothing else of its turn was.
    fn take_receipts(&mut self, key: SessionKey, step: u64, cut: Position) {
        for id in 0..self.publications.len() {
            let publication = &self.publications[id];
            let Some(packet_id) = publication.receipt else { continue };
            let is_recorded = publication.position.is_some_and(|position| position < cut);
            if publication.publisher == key && publication.step > step && is_recorded {
                self.sessions[key].unreleased.insert(packet_id);
                self.sessions[key].receipts.insert(packet_id, id);
            }
        }
    }

    /// Every copy that was not sent waits, and the order begins anew with what was sent.
    fn wait_again(&mut self) {
        for copy in 0..self.copies.len() {
            let Copy { session, qos, sent, is_missed, publication, .. } = self.copies[copy];
            if qos == QoS::AtMostOnce && sent.is_none() && !is_missed {
                // It was in a mailbox.
                self.miss(copy);
            }
            if self.sessions[session].has_ended || qos == QoS::AtMostOnce || is_missed {
                continue;
            }
            if sent.is_some() {
                let stream: Stream = self.stream(copy);
                let last = self.sessions[session].last_sent.entry(stream).or_insert(publication);
                *last = (*last).max(publication);
            } else {
                self.sessions[session].waiting.push(copy);
            }
        }
        let doubtful: Vec<CopyId> = (0..self.copies.len()).filter(|&copy| self.is_doubtful(copy)).collect();
        for copy in doubtful {
            self.copies[copy].is_doubtful = true;
        }
        for key in 0..self.sessions.len() {
            if !self.sessions[key].has_ended {
                self.note_pressure(key);
            }
        }
    }

    /// Whether a copy is for a subscription that was not recorded in time and may be gone: it may come or not.
    fn is_doubtful(&self, copy: CopyId) -> bool {
        let Copy { session, subscribed_step, sent: None, .. } = self.copies[copy] else { return false };
        let survived = self.sessions[session].mementos.last().map_or(0, |memento| memento.step);
        subscribed_step > survived
    }

    /// What a group has waiting is lost with members that are not recorded, and may come twice at QoS 1 where one
    /// member had just passed it on to another.
    fn excuse_groups(&mut self) {
        for copy in &mut self.shared_copies {
            let group = &self.groups[&copy.group];
            let is_safe = |key: &SessionKey| self.sessions[*key].is_durable;
            if group.members.is_empty() || !group.options.keys().all(is_safe) {
                copy.excuse.get_or_insert(Excuse::GroupLeft);
            }
        }
    }
}
