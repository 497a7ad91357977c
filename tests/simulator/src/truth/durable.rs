//! Owns what a crash cannot take away: how each session was when its shard last told the journal, and which
//! acknowledgements have left. What a crash makes of it is told in `restart`.

use super::{GroupKey, InFlight, PublicationId, Session, SessionKey, Subscription, Truth, Will};
use crate::observation::Record;
use broker_core::{ConnectionId, ShardId, journal::Position};
use mqtt_codec::{PacketType, QoS, packet::Ack};
use std::collections::{BTreeMap, BTreeSet};

/// A session as it was when the journal was told.
#[derive(Debug)]
pub(super) struct Memento {
    /// The last record at that moment: the session is like this after a crash that leaves it.
    pub(super) last: Position,
    /// The last step that is part of it.
    pub(super) step: u64,
    pub(super) core: Core,
}

/// What of a session survives a crash.
#[derive(Clone, Debug)]
pub(super) struct Core {
    pub(super) is_connected: bool,
    pub(super) has_ended: bool,
    pub(super) expiry_seconds: u32,
    pub(super) ends_at_ms: Option<u64>,
    pub(super) will: Option<Will>,
    pub(super) will_due_ms: Option<u64>,
    pub(super) subscriptions: BTreeMap<String, Subscription>,
    pub(super) groups: Vec<(GroupKey, Subscription)>,
    pub(super) unreleased: BTreeSet<u16>,
    pub(super) receipts: BTreeMap<u16, PublicationId>,
    pub(super) in_flight: BTreeMap<u16, InFlight>,
}

impl Truth {
    /// A record was appended: the message of this step that it is of has its place.
    pub(super) fn recorded(&mut self, shard: ShardId, position: Position, record: &Record) {
        let step = self.step;
        match record {
            Record::Message(key) => {
                let candidates = self.publications_by_key.get(key);
                if let Some(&id) = candidates.and_then(|it| it.last())
                    && self.publications[id].step == step
                {
                    self.publications[id].position.get_or_insert(position);
                }
            }
            Record::Cleared(topic) => {
                let is_it = |it: &&mut super::Publication| it.retain && it.topic == *topic;
                let of_step = self.publications.iter_mut().rev().take_while(|it| it.step == step);
                if let Some(publication) = of_step.filter(is_it).find(|it| it.payload.is_empty()) {
                    publication.cleared.get_or_insert(position);
                }
            }
            Record::Operations(words) => {
                self.remember_wills(words, position);
                self.remember_early(shard, position, words);
                self.remember_ended(words, position);
            }
            Record::Other(_) => {}
        }
    }

    /// A shard's turn is over: what has changed in its sessions is in the journal up to `last`.
    pub(super) fn flushed(&mut self, shard: ShardId, last: Position) {
        let last = last.max(self.cut);
        let (sessions, sends) = (&self.sessions, &mut self.sends);
        self.sent_in_turn.retain(|&send| {
            let is_elsewhere = sessions[sends[send].session].shard != shard;
            if !is_elsewhere {
                sends[send].last = Some(last);
            }
            is_elsewhere
        });
        for key in 0..self.sessions.len() {
            let session = &mut self.sessions[key];
            if session.shard != shard || !std::mem::take(&mut session.is_touched) || !session.is_durable {
                continue;
            }
            let core = self.core(key);
            self.sessions[key].mementos.push(Memento { last, step: self.step + 1, core });
        }
    }

    /// A shard may tell the journal of its sessions within a step: before anything is sent to the session that the
    /// step is about, and after what was sent to others. That a former session has ended comes before that the new one
    /// has begun, and may come alone.
    fn remember_early(&mut self, shard: ShardId, last: Position, words: &str) {
        let Some(own) = self.provisional.as_ref().map(|(own, _)| *own) else { return };
        for key in 0..self.sessions.len() {
            let session = &self.sessions[key];
            if key != own && session.shard == shard && session.is_touched && session.is_durable {
                let core = self.core(key);
                self.sessions[key].mementos.push(Memento { last, step: self.step + 1, core });
            }
        }
        if words.contains(" is connected")
            && let Some((own, core)) = self.provisional.take_if(|(own, _)| self.sessions[*own].is_durable)
        {
            self.sessions[own].mementos.push(Memento { last, step: self.step, core });
        }
    }

    /// That a Will has been published may be told before the turn is over: with what is handed over of a session that
    /// ends in the same turn. After a crash behind that it is not published again.
    fn remember_wills(&mut self, words: &str, last: Position) {
        for operation in words.split(';').map(str::trim) {
            let gone = operation.strip_suffix(" has no Will any more");
            let Some(client_id) = gone.and_then(|session| self.recorded_names.get(session)) else { continue };
            for session in self.sessions.iter_mut().filter(|it| it.is_durable && it.client_id == *client_id) {
                if let Some((step, core)) = session.without_will.take() {
                    session.mementos.push(Memento { last, step, core });
                }
            }
        }
    }

    /// Sessions that end within a step may be told of one by one.
    fn remember_ended(&mut self, words: &str, last: Position) {
        for operation in words.split(';').map(str::trim) {
            let begun = operation.split_once(" begins for ").or_else(|| operation.split_once(" is that of "));
            if let Some((session, client_id)) = begun {
                self.recorded_names.insert(session.to_owned(), client_id.trim_matches('"').to_owned());
            }
            let ended =
                operation.strip_suffix(" has ended").and_then(|session| self.recorded_names.get(session));
            let Some(client_id) = ended else { continue };
            let is_it = |key: &SessionKey| {
                let session = &self.sessions[*key];
                session.is_durable && session.has_ended && session.client_id == *client_id
            };
            if let Some(key) = (0..self.sessions.len()).rev().find(is_it) {
                let core = self.core(key);
                self.sessions[key].mementos.push(Memento { last, step: self.step + 1, core });
            }
        }
    }

    pub(super) fn note_provisional(&mut self, id: ConnectionId) {
        if let Some(connection) = self.connections.get(&id) {
            self.provisional = Some((connection.session, self.core(connection.session)));
        }
    }

    /// What is on disk for good makes older mementos needless.
    pub(super) fn committed(&mut self, durable: Position) {
        for session in &mut self.sessions {
            let sure = session.mementos.partition_point(|memento| memento.last < durable);
            session.mementos.drain(..sure.saturating_sub(1));
        }
    }

    pub(super) fn core(&self, key: SessionKey) -> Core {
        let session = &self.sessions[key];
        let options = |group: &GroupKey| Some((group.clone(), *self.groups.get(group)?.members.get(&key)?));
        Core {
            is_connected: session.connection.is_some(),
            has_ended: session.has_ended,
            expiry_seconds: session.expiry_seconds,
            ends_at_ms: session.ends_at_ms,
            will: session.will.clone(),
            will_due_ms: session.will_due_ms,
            subscriptions: session.subscriptions.clone(),
            groups: session.groups.iter().filter_map(options).collect(),
            unreleased: session.unreleased.clone(),
            receipts: session.receipts.clone(),
            in_flight: session.in_flight.clone(),
        }
    }

    /// Something has happened to the session of a connection.
    pub(super) fn touch(&mut self, id: ConnectionId) {
        if let Some(connection) = self.connections.get(&id) {
            self.sessions[connection.session].is_touched = true;
        }
    }

    /// Something that was done in a step, or before, has been acknowledged.
    pub(super) fn promise(&mut self, key: SessionKey, step: u64, by: PacketType) {
        let session = &mut self.sessions[key];
        if session.promised.is_none_or(|(promised, _)| promised < step) {
            session.promised = Some((step, by));
        }
    }

    /// PUBACK or PUBREC: the message is the broker's from now on.
    pub(super) fn promise_publication(&mut self, id: ConnectionId, ack: &Ack) {
        let Some(connection) = self.connections.get(&id) else { return };
        let session = &self.sessions[connection.session];
        let packet_id = ack.packet_id.get();
        let by_connection = connection.published.get(&packet_id);
        let Some(&publication) = by_connection.or_else(|| session.receipts.get(&packet_id)) else { return };
        if ack.reason.is_error() {
            return self.take_back(publication, connection.session, packet_id);
        }
        self.publications[publication].is_promised = true;
    }

    /// A client that cannot be told was disconnected instead: what it has just published nobody gets.
    pub(super) fn take_back_last(&mut self, id: ConnectionId) {
        let Some(connection) = self.connections.get(&id) else { return };
        let (session, last) = (connection.session, self.publications.len().checked_sub(1));
        let Some(last) = last.filter(|&last| self.publications[last].step == self.step) else { return };
        let publication = &self.publications[last];
        if publication.publisher == session && !publication.key.is_will() {
            let packet_id = publication.receipt.unwrap_or_default();
            self.take_back(last, session, packet_id);
        }
    }

    /// A message was refused: nobody gets it.
    pub(super) fn take_back(&mut self, id: PublicationId, publisher: SessionKey, packet_id: u16) {
        if self.publications[id].qos == QoS::ExactlyOnce {
            self.sessions[publisher].unreleased.remove(&packet_id);
            self.sessions[publisher].receipts.remove(&packet_id);
        }
        self.undo(id);
        self.retain_again();
    }

    /// A message was not published after all: no copy of it is due to anybody.
    pub(super) fn undo(&mut self, id: PublicationId) {
        self.publications[id].is_undone = true;
        self.publications[id].pending.clear();
        self.forwards_due_now.retain(|&(publication, _)| publication != id);
        for copy in 0..self.copies.len() {
            if self.copies[copy].publication == id && self.copies[copy].sent.is_none() {
                self.miss(copy);
            }
        }
        let copies = &self.copies;
        self.due_now.retain(|&copy| copies[copy].publication != id);
        for copy in self.shared_copies.iter_mut().filter(|copy| copy.publication == id) {
            copy.excuse.get_or_insert(super::Excuse::Undone);
        }
    }

    /// What is retained follows from what was published and not undone.
    pub(super) fn retain_again(&mut self) {
        self.retained.clear();
        for id in 0..self.publications.len() {
            let publication = &mut self.publications[id];
            if !publication.retain {
                continue;
            }
            publication.retained_until = None;
            if publication.is_undone && !publication.has_cleared {
                publication.retained_until = Some(id);
                continue;
            }
            let topic = publication.topic.clone();
            let former = match publication.payload.is_empty() {
                true => self.retained.remove(&topic),
                false => self.retained.insert(topic, id),
            };
            if let Some(former) = former {
                self.publications[former].retained_until = Some(id);
            }
        }
    }
}

impl Session {
    /// The last step whose changes a crash leaves that keeps what is before `cut`. None if it leaves nothing.
    pub(super) fn surviving(&self, cut: Position) -> Option<&Memento> {
        self.mementos.iter().rev().find(|memento| memento.last < cut)
    }
}
