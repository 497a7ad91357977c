//! Owns how effects are carried out: bytes into outboxes, mail into the mailbox, as the daemon would.

use super::{Broker, Wire, disk::Load};
use broker_core::{ConnectionId, Contents, Effect, Input, OtherEffect};
use std::collections::BTreeMap;

impl Broker {
    pub(super) fn apply(&mut self) {
        let mut effects = std::mem::take(&mut self.effects);
        let (list, mut contents) = effects.contents();
        let mut encoded_bytes = 0;
        for effect in list {
            match *effect {
                Effect::Send { connection, frame } => {
                    let bytes = contents.bytes(frame);
                    encoded_bytes += bytes.len();
                    open(&mut self.wires, connection).outbox.extend_from_slice(bytes);
                }
                Effect::SendNumbered { connection, frame, packet_id_at, packet_id } => {
                    let outbox = &mut open(&mut self.wires, connection).outbox;
                    let at = outbox.len() + packet_id_at as usize;
                    outbox.extend_from_slice(contents.bytes(frame));
                    outbox[at..at + 2].copy_from_slice(&packet_id.get().to_be_bytes());
                }
                Effect::Other => encoded_bytes += self.apply_other(&mut contents),
            }
        }
        effects.clear();
        self.mail.extend(effects.mail().take_singly());
        self.effects = effects;
        self.encoded_bytes_max = self.encoded_bytes_max.max(encoded_bytes);
        self.tell_of_full_outboxes();
    }

    /// How many bytes were encoded for it.
    fn apply_other(&mut self, contents: &mut Contents<'_>) -> usize {
        match contents.next_other() {
            OtherEffect::SendShared { connection, frame, payload } => {
                let outbox = &mut open(&mut self.wires, connection).outbox;
                outbox.extend_from_slice(contents.bytes(frame));
                outbox.extend_from_slice(&payload);
                return frame.len();
            }
            OtherEffect::Close { connection, .. } => open(&mut self.wires, connection).is_closed = true,
            OtherEffect::Load { session, positions } => {
                let shard = usize::from(session.shard().0);
                self.loads.push_back(Load { shard, session, positions });
            }
            OtherEffect::CheckpointWritten => self.checkpoints_due -= 1,
            OtherEffect::Surveyed(found) => self.surveyed.extend(found),
        }
        0
    }

    fn tell_of_full_outboxes(&mut self) {
        let limit = self.node.config.limits.outbox_bytes_max;
        for (&connection, wire) in &mut self.wires {
            if wire.outbox.len() > limit && !wire.is_full && !wire.is_closed {
                wire.is_full = true;
                let input = Input::OutboxFull { connection };
                self.shards[wire.shard].handle(input, self.now, &mut self.effects);
                assert!(self.effects.list().is_empty(), "a full outbox is no reason to send");
            }
        }
    }
}

/// A connection that effects may still concern: after Close none may `[MQTT5-3.14.4-1]`.
fn open(wires: &mut BTreeMap<ConnectionId, Wire>, connection: ConnectionId) -> &mut Wire {
    let wire = wires.get_mut(&connection).unwrap();
    assert!(!wire.is_closed, "{connection:?} is closed");
    wire
}
