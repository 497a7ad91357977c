//! Owns the writing of checkpoints: everything the shard knows and the journal has, recorded once more, so that
//! what is before need not be read after a restart. When it is time for one is the caller's business.
//!
//! A checkpoint is no picture of one moment. Each session is written as it is when its turn comes, and what
//! happens to it afterwards stands behind it in the journal. A message that another shard had recorded for a
//! session before the checkpoint began, and that is still on its way here, would be in neither: so each shard tells
//! all others when it begins, and writes nothing before it has heard that of all of them. Messages between two
//! shards keep their order, so what was on its way has arrived then.

use super::{Shard, relocate::copy_of};
use crate::{
    effect::{Effects, OtherEffect},
    ids::SessionId,
    journal::{
        ConnectionState, InFlightState, QUEUE_PART_MAX, RetainedSlice, RetainedState, SessionPlace,
        SessionState, SliceHead, SubscriptionState,
    },
    retained::{Page, RetainedCursor},
    session::Session,
};
use mqtt_codec::{QoS, flow::Step};
use std::{collections::VecDeque, sync::Arc};

/// Bytes of one slice beyond which no further session is added: a tick's work, about 0.1 ms.
const SLICE_BYTES: usize = 64 * 1024;

/// Retained messages in one slice.
const RETAINED_PER_SLICE: usize = 4_096;

/// How far a checkpoint has come.
#[derive(Debug)]
pub(super) struct Walk {
    /// Whether all that was recorded before has arrived.
    has_everything: bool,
    /// The place of the next session in the table.
    place: usize,
    /// The next retained message; none on all shards but the first.
    retained: Option<RetainedCursor>,
}

impl Shard {
    /// Begins a checkpoint. The one before is done.
    pub(super) fn begin_checkpoint(&mut self, effects: &mut Effects) {
        if self.recorder.journal().is_none() {
            return;
        }
        let retained = (self.id.0 == 0).then(RetainedCursor::default);
        self.checkpoint = Some(Walk { has_everything: false, place: 0, retained });
        for shard in self.node.shards().filter(|&shard| shard != self.id) {
            effects.mail().tell_checkpoint_begun(shard);
        }
        self.look_whether_everything_is_here();
    }

    /// Another shard has begun the checkpoint, perhaps before this one.
    pub(super) fn note_checkpoint_begun(&mut self) {
        self.begun_elsewhere += 1;
        self.look_whether_everything_is_here();
    }

    fn look_whether_everything_is_here(&mut self) {
        let others = self.node.shards().count() - 1;
        if let Some(walk) = &mut self.checkpoint
            && !walk.has_everything
            && self.begun_elsewhere >= others
        {
            walk.has_everything = true;
            self.begun_elsewhere -= others;
        }
    }

    /// Whether there is a slice to be written with the next tick.
    pub(super) fn is_writing_checkpoint(&self) -> bool {
        self.checkpoint.as_ref().is_some_and(|walk| walk.has_everything)
    }

    /// Writes the next slice.
    pub(super) fn write_slice(&mut self, effects: &mut Effects) {
        let Some(mut walk) = self.checkpoint.take_if(|walk| walk.has_everything) else { return };
        // What was noted is in the sessions already: behind them it would happen twice.
        self.recorder.append_notes();
        if self.write_sessions(&mut walk) == Page::More || self.write_retained(&mut walk) == Page::More {
            self.checkpoint = Some(walk);
            return;
        }
        self.copies = Arc::default();
        effects.push_other(OtherEffect::CheckpointWritten);
    }

    fn write_sessions(&mut self, walk: &mut Walk) -> Page {
        let mut record = Vec::new();
        self.begin_slice(&mut record);
        let head_bytes = record.len();
        let mut end = Page::More;
        while record.len() < SLICE_BYTES {
            let Some((id, next)) = self.sessions.next_from(walk.place) else {
                end = Page::Done;
                break;
            };
            walk.place = next;
            self.go_over_to_copies(id);
            if id.is_durable() {
                self.write_session(id, &mut record);
            }
        }
        if record.len() > head_bytes {
            self.recorder.append(&[&record]);
        }
        end
    }

    fn begin_slice(&self, record: &mut Vec<u8>) {
        record.clear();
        SliceHead { writer: self.id, seen: self.recorder.seen() }.encode(record);
    }

    /// Puts a session into the slice; a long queue goes through several, so that it is never in memory twice.
    fn write_session(&mut self, id: SessionId, record: &mut Vec<u8>) {
        let Some(mut state) = self.sessions.get(id).map(|session| self.state(session)) else { return };
        let mut written = 0;
        loop {
            let Some(session) = self.sessions.get(id) else { return };
            let is_first = written == 0;
            let waiting = session.outbound.waiting();
            let is_last = waiting.len() <= written + QUEUE_PART_MAX;
            let waiting = waiting.skip(written).take(QUEUE_PART_MAX).filter(|queued| queued.is_stored());
            state.queue.clear();
            state.queue.extend(waiting.map(|queued| self.queued_state(queued)));
            state.encode_part(SessionPlace { is_first, is_last }, record);
            if is_last {
                return;
            }
            written += QUEUE_PART_MAX;
            self.recorder.append(&[record]);
            self.begin_slice(record);
        }
    }

    fn write_retained(&mut self, walk: &mut Walk) -> Page {
        let (Some(cursor), Some(journal)) = (&mut walk.retained, self.recorder.journal()) else {
            return Page::Done;
        };
        // Before the page is read: what is set or cleared from here on has a record behind this place.
        let as_of = journal.end();
        let (mut positions, mut former) = (Vec::new(), Vec::new());
        let end = self.node.retained.walk(cursor, RETAINED_PER_SLICE, |message| {
            let copy = copy_of(&self.copies, message.position);
            former.extend(copy.map(|_| Arc::clone(message)));
            let position = copy.unwrap_or(message.position);
            positions.extend(position.is_some().then_some(position));
        });
        self.retain_copies(&former);
        if !positions.is_empty() {
            let mut record = Vec::new();
            RetainedSlice { as_of, positions }.encode(&mut record);
            self.recorder.append(&[&record]);
        }
        end
    }

    /// A session as plain data, without what is in memory alone and without what waits.
    fn state(&self, session: &Session) -> SessionState {
        let connection = match session.connection {
            Some(_) => ConnectionState::Connected,
            None => ConnectionState::DisconnectedSince(session.disconnected_at),
        };
        let subscriptions = session.subscriptions.iter().map(|(filter, subscribed)| SubscriptionState {
            filter: Box::from(filter),
            options: subscribed.options(),
            identifier: subscribed.identifier,
            share_name_bytes: subscribed.share_name_bytes(),
            retained: match session.retained.get(filter).map(|delivery| delivery.cursor.resume_key()) {
                None => RetainedState::Nothing,
                Some(None) => RetainedState::FromStart,
                Some(Some(key)) => RetainedState::From(key.to_vec()),
            },
        });
        let in_flight = session.outbound.sender.iter().filter_map(|it| {
            let stored = it.message.as_ref().filter(|queued| queued.is_stored());
            // Of a QoS 2 message that is in memory alone, the identifier is kept, as if PUBREC had come.
            let step = if stored.is_some() { it.step } else { Step::Received };
            let is_kept = stored.is_some() || it.qos == QoS::ExactlyOnce;
            let queued = stored.map(|queued| self.queued_state(queued));
            is_kept.then_some(InFlightState { packet_id: it.packet_id, qos: it.qos, step, queued })
        });
        SessionState {
            id: session.id,
            client_id: session.client_id.clone(),
            expiry_seconds: session.expiry_seconds,
            connection,
            will: session.will.as_ref().map(|will| will.state()),
            subscriptions: subscriptions.collect(),
            unreleased: session.receiver.unreleased().collect(),
            in_flight: in_flight.collect(),
            queue: VecDeque::new(),
        }
    }
}
