//! Owns what each effect comes to: bytes in an outbox, mail for another worker, a connection
//! closed. Nothing is written or posted here unless an outbox overflows; that is `flush`.

use broker_core::{ConnectionId, Effect};
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
                Effect::Forward { shard, message } => {
                    if !self.outgoing.is_waiting() {
                        self.wake_tick();
                    }
                    self.outgoing.push(shard, message);
                }
            }
        }
        self.effect_list = list;
        self.effects.clear();
    }

    #[inline]
    fn append(&mut self, id: ConnectionId, frame: broker_core::Frame, rest: Rest) {
        let Some(connection) = self.connections.get_mut(id) else { return };
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
        let is_new = connection.writing == Writing::Idle;
        if is_new {
            connection.writing = Writing::Dirty;
        }
        let is_full = after > self.node.config.limits.outbox_bytes_max && !connection.is_full;
        if self.dirty.add(is_new.then_some(id), after - before) {
            self.wake_tick();
        }
        if is_full {
            self.write_or_find_full(id);
        }
    }
}
