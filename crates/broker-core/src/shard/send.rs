//! Owns what goes out once a window, an outbox or a connection is there for it: what is to be sent again,
//! then what has waited. What may wait is decided in `deliver`.

use super::Shard;
use crate::{
    effect::Effects,
    ids::{ConnectionId, SessionId},
    journal::{Operation, Position},
    outgoing::{Addressing, Outgoing, Sent, first_delivery, repeated_delivery},
    recorder::{Handshake, Leaving, RECOVERED, Recorder},
    session::{Queued, Session},
    stats::ShardStats,
    time::Timestamp,
};
use mqtt_codec::{
    QoS, ReasonCode,
    flow::{InFlight, Resend},
    packet::PacketId,
};

impl Shard {
    /// Sends what waits, as far as window and outbox allow: first what was sent on a connection before,
    /// then the queue, then retained messages.
    pub(super) fn send_waiting(&mut self, id: SessionId, now: Timestamp, effects: &mut Effects) {
        self.resend(id, now, effects);
        let stats = &self.stats;
        let Some(session) = self.sessions.get_mut(id) else { return };
        let bytes_before = session.outbound.queue_bytes();
        let mut dropped = std::mem::take(&mut self.dropped);
        while session.connection.as_ref().is_some_and(|connection| !connection.is_congested)
            && let Some(queued) = session.outbound.next()
        {
            // [MQTT5-3.3.2-5]
            if queued.is_expired(now) {
                stats.publishes_expired.add(1);
                stats.queued_messages.subtract(1);
                dropped.push(queued);
                continue;
            }
            // It was next because it is in memory.
            let Some(message) = queued.message().cloned() else { continue };
            let mut outgoing = Outgoing::shared(&message);
            send_new(session, queued, &mut outgoing, now, effects, stats, &mut self.recorder);
        }
        stats.queued_bytes.subtract(bytes_before - session.outbound.queue_bytes());
        session.report_load();
        let released = session.outbound.release(&self.node.config.limits);
        for queued in dropped.drain(..) {
            self.drop_recorded(id, queued.position(), queued.mark());
        }
        self.dropped = dropped;
        self.read_ahead(id, effects);
        self.schedule_page(id);
        for token in released {
            self.stored(token, effects);
        }
    }

    /// Sends again what the connection before left unacknowledged, in its order `[MQTT5-4.4.0-1]`
    /// `[MQTT5-4.6.0-1]` `[MQTT311-4.4.0-1]` `[MQTT311-4.6.0-1]`, once all of it is in memory.
    fn resend(&mut self, id: SessionId, now: Timestamp, effects: &mut Effects) {
        loop {
            let Some(session) = self.sessions.get_mut(id) else { return };
            let Some(connection) = session.connection.as_deref().filter(|it| !it.is_congested) else {
                return;
            };
            if session.outbound.lacks_in_flight() {
                return;
            }
            let connection = connection.id;
            // That PUBREC came may not be: it came on a connection before, and the disk may be slow.
            let is_on_disk = self.recorder.is_durable(session.outbound.pubrec_turn);
            let is_recovered_on_disk = self.recorder.is_durable(RECOVERED);
            match session.outbound.sender.next_resend() {
                None => return,
                Some(Resend::PubRel(packet_id)) => {
                    if id.is_durable() && !is_on_disk {
                        self.leave_handshake(id, packet_id, Handshake::Released);
                    } else {
                        self.send_pubrel(id, packet_id, ReasonCode::Success, effects);
                    }
                }
                Some(Resend::Publish(InFlight { message: None, .. })) => {}
                Some(Resend::Publish(InFlight { packet_id, qos, message: Some(queued), .. })) => {
                    let packet_id = *packet_id;
                    let rests_on_disk = id.is_durable() && *qos == QoS::ExactlyOnce;
                    let waits = queued.is_unsent() || rests_on_disk && !is_recovered_on_disk;
                    // Behind one that waits: the order stays.
                    if waits || session.outbound.unsent > 0 {
                        // The connection before ended while it waited for the disk, or the process did: it waits on.
                        session.outbound.unsent += 1;
                        self.recorder.leave(Leaving::Publish { session: id, connection, packet_id });
                    } else {
                        self.send_in_flight(id, packet_id, now, effects);
                    }
                }
            }
        }
    }

    /// Sends what waited for the disk, if its connection is still there.
    pub(super) fn send_recorded(
        &mut self,
        id: SessionId,
        connection: ConnectionId,
        packet_id: PacketId,
        now: Timestamp,
        effects: &mut Effects,
    ) {
        if self.sessions.of_connection(connection) != Some(id) {
            return;
        }
        if let Some(session) = self.sessions.get_mut(id) {
            session.outbound.unsent -= 1;
        }
        self.send_in_flight(id, packet_id, now, effects);
        // If it was not sent after all, its place in the window is free, also for what is to be sent again.
        let is_forgotten = |session: &Session| !session.outbound.sender.contains(packet_id);
        if self.sessions.get(id).is_some_and(is_forgotten) {
            self.send_waiting(id, now, effects);
        }
    }

    /// Writes a message that is in flight: with DUP, unless it was never sent.
    fn send_in_flight(&mut self, id: SessionId, packet_id: PacketId, now: Timestamp, effects: &mut Effects) {
        let stats = &self.stats;
        let Some(session) = self.sessions.get_mut(id) else { return };
        let Some(connection) = session.connection.as_deref_mut() else { return };
        let Some(Some(queued)) = session.outbound.sender.message_mut(packet_id) else { return };
        let Some(message) = queued.message().cloned() else { return };
        let delivery = if queued.is_unsent() {
            if message.is_expired(now) {
                // While it waited: nobody has begun to deliver it [MQTT5-3.3.2-5].
                stats.publishes_expired.add(1);
                return self.forget_in_flight(id, packet_id);
            }
            first_delivery(queued.qos(), packet_id)
        } else {
            // Even if it has expired since [MQTT5-4.3.3-7] [MQTT5-4.3.3-13].
            repeated_delivery(queued.qos(), packet_id)
        };
        queued.set_sent();
        let retain = queued.retain() && message.retain;
        let addressing = Addressing { delivery, retain, identifiers: queued.identifiers() };
        let mut outgoing = Outgoing::shared(&message);
        match outgoing.send(connection, addressing, now, effects) {
            Sent::Yes => count_sent(1, outgoing.message.payload.len() as u64, stats),
            Sent::TooLarge => {
                // As if it had been delivered [MQTT5-3.1.2-25].
                stats.publishes_dropped.add(1);
                self.forget_in_flight(id, packet_id);
            }
        }
    }

    /// A message in flight is not sent, and done all the same.
    fn forget_in_flight(&mut self, id: SessionId, packet_id: PacketId) {
        self.stats.queued_messages.subtract(1);
        let Some(session) = self.sessions.get_mut(id) else { return };
        let position = session.outbound.forget(packet_id).map_or(Position::NONE, |it| it.position());
        if id.is_durable() {
            self.recorder.note(&Operation::Acked { session: id, packet_id });
        }
        self.recorder.release(position);
    }
}

/// Writes a message under a free identifier, without DUP, and takes it into flight `[MQTT311-4.3.2-1]`. One
/// that is too large for the client counts as delivered `[MQTT5-3.1.2-25]`.
///
/// A client that gets a QoS 2 message under an identifier that a crash makes the broker forget would get it
/// again under another: where it is recorded it is sent only when that is on disk, and what comes behind it
/// waits as well. One of QoS 1 may come again, so it need not wait.
#[inline(always)]
pub(super) fn send_new(
    session: &mut Session,
    mut queued: Queued,
    outgoing: &mut Outgoing<'_>,
    now: Timestamp,
    effects: &mut Effects,
    stats: &ShardStats,
    recorder: &mut Recorder,
) {
    let Some(connection) = session.connection.as_deref_mut() else { return };
    let Some(packet_id) = session.outbound.allocate_packet_id() else { return };
    let (id, position, qos) = (session.id, queued.position(), queued.qos());
    let is_recorded = id.is_durable() && position.is_some();
    // Whether the message is in the journal or not, its identifier is.
    let is_identifier_recorded = id.is_durable() && qos == QoS::ExactlyOnce;
    if session.outbound.unsent > 0 || is_identifier_recorded {
        if is_recorded || is_identifier_recorded {
            recorder.note(&Operation::Sent { session: id, position, packet_id, mark: queued.mark() });
        }
        queued.set_unsent();
        session.outbound.unsent += 1;
        session.outbound.sender.send(packet_id, qos, Some(queued));
        return recorder.leave(Leaving::Publish { session: id, connection: connection.id, packet_id });
    }
    // [MQTT5-4.3.2-2] [MQTT5-4.3.3-2]
    let delivery = first_delivery(qos, packet_id);
    let retain = queued.retain() && outgoing.message.retain;
    let addressing = Addressing { delivery, retain, identifiers: queued.identifiers() };
    match outgoing.send(connection, addressing, now, effects) {
        Sent::Yes => {
            count_sent(1, outgoing.message.payload.len() as u64, stats);
            if is_recorded {
                recorder.note(&Operation::Sent { session: id, position, packet_id, mark: queued.mark() });
            }
            session.outbound.sender.send(packet_id, qos, Some(queued));
        }
        Sent::TooLarge => {
            stats.publishes_dropped.add(1);
            stats.queued_messages.subtract(1);
            if is_recorded {
                recorder.note(&Operation::Dropped { session: id, position, mark: queued.mark() });
            }
            recorder.release(position);
        }
    }
}

/// Messages with so many bytes of payload in all have been sent.
#[inline]
pub(super) fn count_sent(messages: u64, payload_bytes: u64, stats: &ShardStats) {
    stats.messages_sent.add(messages);
    stats.publishes_sent.add(messages);
    stats.publish_bytes_sent.add(payload_bytes);
}
