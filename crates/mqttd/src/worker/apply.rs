//! Owns what each effect comes to: bytes in an outbox, mail for another worker, the end of a
//! connection. When the bytes are written is `flush`'s business.

use broker_core::{ConnectionId, Contents, Effect, Effects, OtherEffect};

use super::Worker;
use crate::connection::Writing;
use crate::outbox::{BufferPool, Outbox};

impl Worker {
    /// Carries out what the last step wants, in its order.
    #[inline(never)]
    pub(super) fn apply(&mut self, effects: &mut Effects) {
        let (list, mut contents) = effects.contents();
        for effect in list {
            match *effect {
                Effect::Send { connection, frame } => {
                    self.append(connection, |outbox, pool| {
                        outbox.copy(contents.bytes(frame), pool);
                    });
                }
                Effect::SendNumbered { connection, frame, packet_id_at, packet_id } => {
                    self.append(connection, |outbox, pool| {
                        let at = packet_id_at as usize;
                        let copied = outbox.copy(contents.bytes(frame), pool);
                        copied[at..at + 2].copy_from_slice(&packet_id.get().to_be_bytes());
                    });
                }
                Effect::Other => self.apply_other(&mut contents),
            }
        }
        effects.clear();
    }

    #[inline(never)]
    fn apply_other(&mut self, contents: &mut Contents<'_>) {
        match contents.next_other() {
            OtherEffect::SendShared { connection, frame, payload } => {
                self.append(connection, |outbox, pool| {
                    outbox.copy(contents.bytes(frame), pool);
                    outbox.share(payload, pool);
                });
            }
            OtherEffect::Close { connection, cause } => self.close(connection, cause),
            OtherEffect::Forward { shard, message } => self.outgoing.push(shard, message),
            OtherEffect::Load { session, positions } => self.load(session, positions),
            OtherEffect::CheckpointWritten => self.has_recorded = true,
            OtherEffect::Surveyed(found) => self.surveyed(found),
        }
    }

    #[inline]
    fn append(&mut self, id: ConnectionId, append: impl FnOnce(&mut Outbox, &mut BufferPool)) {
        let Some(connection) = self.connections.get_mut(id) else { return };
        if connection.writing == Writing::Broken {
            return;
        }
        let before = connection.outbox.len();
        append(&mut connection.outbox, &mut self.pool);
        let after = connection.outbox.len();
        self.appended_bytes += (after - before) as u64;
        let overflows = after > self.node.config.limits.outbox_bytes_max && !connection.is_full;
        let is_new = connection.writing == Writing::Idle;
        if is_new {
            connection.writing = Writing::Dirty;
        }
        self.dirty.add(is_new.then_some(id), after - before);
        if overflows {
            self.write_or_report_full(id);
        }
        if self.dirty.is_large() {
            self.flush();
        }
    }
}
