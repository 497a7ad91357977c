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
                    self.append(connection, |outbox, pool| outbox.copy(contents.bytes(frame), pool).len());
                }
                Effect::SendNumbered { connection, frame, packet_id_at, packet_id } => {
                    self.append(connection, |outbox, pool| {
                        let at = packet_id_at as usize;
                        let copied = outbox.copy(contents.bytes(frame), pool);
                        copied[at..at + 2].copy_from_slice(&packet_id.get().to_be_bytes());
                        copied.len()
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
                    let appended = outbox.copy(contents.bytes(frame), pool).len() + payload.len();
                    outbox.share(payload, pool);
                    appended
                });
            }
            OtherEffect::Close { connection, cause } => self.close(connection, cause),
            OtherEffect::Load { session, positions } => self.load(session, positions),
            OtherEffect::CheckpointWritten => self.has_recorded = true,
            OtherEffect::Surveyed(found) => self.surveyed(found),
        }
    }

    #[inline(always)]
    pub(super) fn append(
        &mut self,
        id: ConnectionId,
        append: impl FnOnce(&mut Outbox, &mut BufferPool) -> usize,
    ) {
        let Some(connection) = self.connections.get_mut(id) else { return };
        if connection.writing == Writing::Broken {
            return;
        }
        let appended = append(&mut connection.outbox, &mut self.pool);
        self.appended_bytes += appended as u64;
        self.dirty.count(appended);
        if connection.writing == Writing::Idle {
            connection.writing = Writing::Dirty;
            self.dirty.add(id);
        }
        if connection.outbox.len() > self.node.config.limits.outbox_bytes_max && !connection.is_full {
            self.write_or_report_full(id);
        }
        if self.dirty.is_large() {
            self.flush();
        }
    }
}
