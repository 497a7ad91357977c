//! Owns what each effect comes to: bytes in an outbox, mail for another worker, the end of a
//! connection. When the bytes are written is `flush`'s business.

use broker_core::{ConnectionId, Effect, Frame, PeerMessage, ShardId};
use bytes::Bytes;
use mqtt_codec::PacketId;

use super::Worker;
use crate::connection::Writing;

/// What follows the copied bytes of a frame.
enum Rest {
    Nothing,
    PacketId { at: u32, packet_id: PacketId },
    Payload(Bytes),
}

impl Worker {
    /// Carries out what the last step wants, in its order.
    pub(super) fn apply(&mut self) {
        let mut list = std::mem::take(&mut self.effect_list);
        self.effects.take_list(&mut list);
        for effect in list.drain(..) {
            match effect {
                Effect::Send { connection, frame } => self.append(connection, frame, Rest::Nothing),
                Effect::SendNumbered { connection, frame, packet_id_at, packet_id } => {
                    self.append(connection, frame, Rest::PacketId { at: packet_id_at, packet_id });
                }
                Effect::SendShared { connection, frame, payload } => {
                    self.append(connection, frame, Rest::Payload(payload));
                }
                Effect::Close { connection, cause } => self.close(connection, cause),
                Effect::Forward { shard, message } => self.forward(shard, message),
                Effect::Load { session, positions } => self.load(session, positions),
                Effect::CheckpointWritten => self.has_recorded = true,
                Effect::Surveyed(found) => self.surveyed(found),
            }
        }
        self.effect_list = list;
        self.effects.clear();
    }

    #[inline]
    fn append(&mut self, id: ConnectionId, frame: Frame, rest: Rest) {
        let Some(connection) = self.connections.get_mut(id) else { return };
        if connection.writing == Writing::Broken {
            return;
        }
        let before = connection.outbox.len();
        let copied = connection.outbox.copy(self.effects.bytes(frame), &mut self.pool);
        match rest {
            Rest::Nothing => {}
            Rest::PacketId { at, packet_id } => {
                let at = at as usize;
                copied[at..at + 2].copy_from_slice(&packet_id.get().to_be_bytes());
            }
            Rest::Payload(payload) => connection.outbox.share(payload),
        }
        let after = connection.outbox.len();
        self.appended_bytes += (after - before) as u64;
        let overflows = after > self.node.config.limits.outbox_bytes_max && !connection.is_full;
        let is_new = connection.writing == Writing::Idle;
        if is_new {
            connection.writing = Writing::Dirty;
        }
        if self.dirty.add(is_new.then_some(id), after - before) {
            self.wake_tick();
        }
        if overflows {
            self.write_or_report_full(id);
        }
        if self.dirty.is_large() {
            self.flush();
        }
    }

    fn forward(&mut self, shard: ShardId, message: PeerMessage) {
        if !self.outgoing.is_waiting() {
            self.wake_tick();
        }
        self.outgoing.push(shard, message);
    }
}
