//! Owns what goes out once a window, an outbox or a connection is there for it: what is to be sent again,
//! then what has waited. What may wait is decided in `deliver`.

use super::Shard;
use crate::{
    effect::Effects,
    ids::SessionId,
    outgoing::{Addressing, Outgoing, Sent, first_delivery, repeated_delivery},
    session::{Queued, Session},
    stats::ShardStats,
    time::Timestamp,
};
use mqtt_codec::{
    ReasonCode,
    flow::{InFlight, Resend},
};
use std::sync::Arc;

impl Shard {
    /// Sends what waits, as far as window and outbox allow: first what was sent on a connection before,
    /// then the queue, then retained messages.
    pub(super) fn send_waiting(&mut self, id: SessionId, now: Timestamp, effects: &mut Effects) {
        self.resend(id, now, effects);
        let stats = self.node.stats.shard(self.id);
        let Some(session) = self.sessions.get_mut(id) else { return };
        let bytes_before = session.outbound.queue_bytes();
        while session.connection.as_ref().is_some_and(|connection| !connection.is_congested)
            && let Some(queued) = session.outbound.next()
        {
            // [MQTT5-3.3.2-5]
            if queued.message.is_expired(now) {
                stats.publishes_expired.add(1);
                stats.queued_messages.subtract(1);
                continue;
            }
            let message = Arc::clone(&queued.message);
            send_new(session, queued, &mut Outgoing::shared(&message), now, effects, stats);
        }
        stats.queued_bytes.subtract(bytes_before - session.outbound.queue_bytes());
        session.report_load();
        let released = session.outbound.release(&self.node.config.limits);
        self.schedule_page(id);
        for token in released {
            self.stored(token, effects);
        }
    }

    /// Sends again what the connection before left unacknowledged, in its order `[MQTT5-4.4.0-1]`
    /// `[MQTT5-4.6.0-1]` `[MQTT311-4.4.0-1]` `[MQTT311-4.6.0-1]`.
    fn resend(&mut self, id: SessionId, now: Timestamp, effects: &mut Effects) {
        loop {
            let stats = self.node.stats.shard(self.id);
            let Some(session) = self.sessions.get_mut(id) else { return };
            let Some(connection) = session.connection.as_deref_mut().filter(|it| !it.is_congested) else {
                return;
            };
            let received = match session.outbound.sender.next_resend() {
                None => return,
                Some(Resend::PubRel(packet_id)) => packet_id,
                Some(Resend::Publish(InFlight { message: None, .. })) => continue,
                Some(Resend::Publish(InFlight { packet_id, qos, message: Some(queued), .. })) => {
                    // Even if it has expired since [MQTT5-4.3.3-7] [MQTT5-4.3.3-13].
                    let delivery = repeated_delivery(*qos, *packet_id);
                    let addressing =
                        Addressing { delivery, retain: queued.retain, identifiers: &queued.identifiers };
                    let mut outgoing = Outgoing::shared(&queued.message);
                    let sent = outgoing.send(connection, addressing, now, effects);
                    count_sent(sent, outgoing.message.payload.len(), stats);
                    if sent == Sent::TooLarge {
                        // As if it had been delivered [MQTT5-3.1.2-25].
                        let packet_id = *packet_id;
                        session.outbound.sender.forget(packet_id);
                        stats.queued_messages.subtract(1);
                    }
                    continue;
                }
            };
            self.send_pubrel(id, received, ReasonCode::Success, effects);
        }
    }
}

/// Writes a message under a free identifier, without DUP, and takes it into flight `[MQTT311-4.3.2-1]`. One
/// that is too large for the client counts as delivered `[MQTT5-3.1.2-25]`.
pub(super) fn send_new(
    session: &mut Session,
    queued: Queued,
    outgoing: &mut Outgoing<'_>,
    now: Timestamp,
    effects: &mut Effects,
    stats: &ShardStats,
) {
    let Some(connection) = session.connection.as_deref_mut() else { return };
    let Some(packet_id) = session.outbound.allocate_packet_id() else { return };
    // [MQTT5-4.3.2-2] [MQTT5-4.3.3-2]
    let delivery = first_delivery(queued.qos, packet_id);
    let addressing = Addressing { delivery, retain: queued.retain, identifiers: &queued.identifiers };
    let sent = outgoing.send(connection, addressing, now, effects);
    match sent {
        Sent::Yes => session.outbound.sender.send(packet_id, queued.qos, Some(queued)),
        Sent::TooLarge => stats.queued_messages.subtract(1),
    }
    count_sent(sent, outgoing.message.payload.len(), stats);
}

pub(super) fn count_sent(sent: Sent, payload_bytes: usize, stats: &ShardStats) {
    match sent {
        Sent::Yes => {
            stats.messages_sent.add(1);
            stats.publishes_sent.add(1);
            stats.publish_bytes_sent.add(payload_bytes as u64);
        }
        Sent::TooLarge => stats.publishes_dropped.add(1),
    }
}
