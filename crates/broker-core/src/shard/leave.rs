//! Owns what leaves once the disk has what it promises. What waits, and why, is decided where it is recorded.

use super::Shard;
use crate::{
    effect::{Effect, Effects},
    ids::{ConnectionId, SessionId},
    journal::Position,
    recorder::{Answer, Leaving},
    time::Timestamp,
};
use mqtt_codec::packet::ConnAck;

impl Shard {
    /// Everything before `durable` is on disk: what waited for it leaves, in its order.
    pub(super) fn leave(&mut self, durable: Position, now: Timestamp, effects: &mut Effects) {
        self.recorder.set_durable(durable);
        while let Some(leaving) = self.recorder.next_leaving() {
            match leaving {
                Leaving::Acknowledgement(token) => self.stored(token, effects),
                Leaving::Handshake { session, connection, packet_id, step } => {
                    if self.sessions.of_connection(connection) == Some(session) {
                        self.send_handshake(session, packet_id, step, effects);
                    }
                }
                Leaving::Publish { session, connection, packet_id } => {
                    self.send_recorded(session, connection, packet_id, now, effects);
                }
                Leaving::Answer { session, connection, answer } => {
                    if self.sessions.of_connection(connection) == Some(session) {
                        self.answer(session, *answer, now, effects);
                    }
                }
            }
        }
    }

    fn answer(&mut self, id: SessionId, answer: Answer, now: Timestamp, effects: &mut Effects) {
        match answer {
            Answer::Connect(connack) => self.open(id, connack, now, effects),
            Answer::Subscribe { packet_id, codes, refused } => {
                self.send_suback(id, packet_id, &codes, refused, now, effects);
            }
            Answer::Unsubscribe(unsuback) => self.send_unsuback(id, unsuback, now, effects),
        }
    }

    /// Has CONNACK wait for the disk, and everything else to that client for CONNACK.
    pub(super) fn leave_connack(
        &mut self,
        session: SessionId,
        connection_id: ConnectionId,
        connack: ConnAck,
    ) {
        if let Some(connection) = self.connection_mut(session) {
            // Messages wait as they do behind a full outbox, answers in a buffer of their own.
            connection.is_congested = true;
            connection.behind_connack = Some(Box::default());
        }
        let answer = Box::new(Answer::Connect(connack));
        self.recorder.leave(Leaving::Answer { session, connection: connection_id, answer });
    }

    /// Sends a CONNACK that waited, and what waited for it.
    fn open(&mut self, id: SessionId, connack: ConnAck, now: Timestamp, effects: &mut Effects) {
        let Some(connection) = self.connection_mut(id) else { return };
        connection.is_congested = false;
        let (connection_id, behind) = (connection.id, connection.behind_connack.take().unwrap_or_default());
        self.send(id, &mqtt_codec::Packet::ConnAck(connack), effects);
        if !behind.is_empty() {
            let (frame, ()) = effects.encode(|out| out.extend_from_slice(&behind));
            effects.push(Effect::Send { connection: connection_id, frame });
        }
        self.send_waiting(id, now, effects);
    }
}
