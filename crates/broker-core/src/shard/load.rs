//! Owns what is read back from the journal for clients that are connected: asked for ahead of its sending,
//! read by somebody else, taken into the queue. What is kept in memory at all is `session::outbound`'s business.

use super::Shard;
use crate::{
    effect::{Effects, OtherEffect},
    ids::SessionId,
    journal::{Operation, Position},
    message::Message,
    session::Lost,
    time::Timestamp,
};
use std::sync::Arc;

impl Shard {
    /// Asks for the messages that are to be sent next and are in the journal alone.
    pub(super) fn read_ahead(&mut self, id: SessionId, effects: &mut Effects) {
        let Some(session) = self.sessions.get_mut(id) else { return };
        if session.connection.is_none() {
            return;
        }
        let positions = session.outbound.wanted();
        if !positions.is_empty() {
            session.outbound.is_loading = true;
            effects.push_other(OtherEffect::Load { session: id, positions });
        }
    }

    /// What was asked for is here. What could not be read is lost, which its reader has reported.
    pub(super) fn loaded(
        &mut self,
        id: SessionId,
        messages: Vec<(Position, Option<Arc<Message>>)>,
        now: Timestamp,
        effects: &mut Effects,
    ) {
        let Some(session) = self.sessions.get_mut(id) else { return };
        // An answer for a connection that has gone would only take memory.
        if session.connection.is_none() {
            return;
        }
        session.outbound.is_loading = false;
        let bytes_before = session.outbound.queue_bytes();
        let lost = session.outbound.load(messages);
        let bytes_lost = bytes_before - session.outbound.queue_bytes();
        let stats = &self.stats;
        stats.queued_bytes.subtract(bytes_lost);
        stats.queued_messages.subtract(lost.len() as u64);
        stats.publishes_lost.add(lost.len() as u64);
        for lost in lost {
            match lost {
                Lost::Waiting(queued) => self.drop_recorded(id, queued.position(), queued.mark()),
                Lost::InFlight(packet_id, queued) => {
                    self.recorder.note(&Operation::Acked { session: id, packet_id });
                    self.recorder.release(queued.position());
                }
            }
        }
        self.send_waiting(id, now, effects);
    }
}
