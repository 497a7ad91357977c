//! Owns the delivery of one message to one session: at once, by its queue, or not at all. The same
//! function serves messages of this shard and of others; what has waited is sent in `send`.

use super::{
    Shard,
    send::{count_sent, send_new},
};
use crate::{
    config::Durability,
    effect::Effects,
    held::{AcknowledgementToken, Held, Holding},
    ids::SessionId,
    journal::{Operation, Position},
    outgoing::{Addressing, Outgoing, Sent},
    peers::{Forwarded, Recipient},
    session::{Accepted, Connection, Own, Queued},
    time::Timestamp,
};
use mqtt_codec::{QoS, packet::Delivery};

impl<'a> Recipient<'a> {
    /// What it has of its own about a message.
    #[inline]
    fn own(&self, outgoing: &Outgoing<'_>) -> Own<'a> {
        // [MQTT5-3.3.1-12] [MQTT5-3.3.1-13] [MQTT311-3.3.1-9]
        let retain = outgoing.message.retain && self.retain_as_published;
        // Of a group's member, too [MQTT5-3.8.4-8] [MQTT5-4.8.2-3] [MQTT311-3.8.4-6].
        let qos = self.qos.min(outgoing.message.qos);
        Own { qos, retain, identifiers: self.identifiers, group: self.group }
    }
}

impl Shard {
    /// Delivers what another shard forwarded, then tells it so if a publisher waits for it.
    #[inline]
    pub(super) fn deliver_from_peer(
        &mut self,
        forwarded: &Forwarded<'_>,
        now: Timestamp,
        effects: &mut Effects,
    ) {
        let Forwarded { message, targets, held, .. } = *forwarded;
        // The other shard awaits one word from here, however many queues here are full.
        let mut holding = held.map_or(Holding::Nothing, |token| Holding::IfNeeded(Held::Peer(token)));
        // One that expires at once still reaches whoever is there, on every shard alike.
        if message.expires_at < now {
            // On its way here [MQTT5-3.3.2-5].
            self.stats.publishes_expired.add(targets.len() as u64);
            let is_recorded = |target: &Recipient<'_>| {
                target.session.is_durable() && target.qos.min(message.qos) > QoS::AtMostOnce
            };
            let outgoing = Outgoing::forwarded(forwarded);
            for target in targets.filter(is_recorded) {
                let own = target.own(&outgoing);
                let mark = crate::journal::mark_of(own.qos, own.retain, own.identifiers, own.group.is_some());
                self.drop_recorded(target.session, message.position, mark);
            }
        } else {
            let mut outgoing = Outgoing::forwarded(forwarded);
            if message.qos > QoS::AtMostOnce {
                outgoing.spare = self.spare.take();
            }
            for target in targets {
                self.deliver_or_pass_on(target, &mut outgoing, &mut holding, now, effects);
            }
            if let Some(message) = outgoing.spare {
                self.spare.give(message);
            }
        }
        if let Some(token) = held
            && self.held.routed(&holding)
        {
            self.let_go(Held::Peer(token), effects);
        }
    }

    /// Delivers a forwarded message. The member that a group chose may have gone while the message was on
    /// its way, and nothing was sent to it: another member has it then `[MQTT5-4.8.2-4]`.
    fn deliver_or_pass_on(
        &mut self,
        recipient: Recipient<'_>,
        outgoing: &mut Outgoing<'_>,
        holding: &mut Holding,
        now: Timestamp,
        effects: &mut Effects,
    ) {
        match recipient.group {
            Some(group) if self.sessions.get(recipient.session).is_none() => {
                let own = recipient.own(outgoing);
                let queued = match own.qos {
                    // Nothing was recorded for that member.
                    QoS::AtMostOnce => {
                        Queued::unrecorded(outgoing.share(), Own { qos: QoS::AtLeastOnce, ..own })
                    }
                    QoS::AtLeastOnce | QoS::ExactlyOnce => {
                        Queued::new(outgoing.share(), recipient.session, own)
                    }
                };
                self.pass_on_received(group, recipient.session, queued, holding, now, effects);
            }
            Some(_) | None => self.deliver(recipient, outgoing, holding, now, effects),
        }
    }

    /// Delivers a message to one session of this shard; one that has gone is passed over.
    #[inline(always)]
    pub(super) fn deliver(
        &mut self,
        recipient: Recipient<'_>,
        outgoing: &mut Outgoing<'_>,
        holding: &mut Holding,
        now: Timestamp,
        effects: &mut Effects,
    ) {
        let own = recipient.own(outgoing);
        if own.qos == QoS::AtMostOnce {
            self.deliver_at_most_once([recipient].into_iter(), outgoing, now, effects);
        } else {
            self.deliver_acknowledged(recipient.session, own, outgoing, holding, now, effects);
        }
    }

    /// QoS 1 and 2 go now, or wait.
    #[inline(never)]
    fn deliver_acknowledged(
        &mut self,
        id: SessionId,
        own: Own<'_>,
        outgoing: &mut Outgoing<'_>,
        holding: &mut Holding,
        now: Timestamp,
        effects: &mut Effects,
    ) {
        let Some(session) = self.sessions.get_mut(id) else {
            // It has ended since it was matched, and what was recorded for it with it.
            if id.is_durable() {
                self.recorder.release(outgoing.message.position);
            }
            return;
        };
        let stats = &self.stats;
        if session.connection.is_none() && outgoing.message.durability == Durability::None {
            return stats.publishes_dropped.add(1);
        }
        let queued = Queued::new(outgoing.share(), id, own);
        stats.queued_messages.add(1);
        if let Some(connection) = session.connection.as_deref_mut()
            && !connection.is_congested
            && session.outbound.is_clear()
        {
            send_new(session, queued, outgoing, now, effects, stats, &mut self.recorder);
            return session.report_load();
        }
        // Behind those that wait: nothing is overtaken, on any topic [MQTT5-4.6.0-5] [MQTT5-4.6.0-6].
        self.queue(id, queued, holding, now);
    }

    /// QoS 0 goes now or never: to no session without connection, behind no full outbox.
    #[inline(always)]
    pub(super) fn deliver_at_most_once<'a>(
        &mut self,
        recipients: impl Iterator<Item = Recipient<'a>>,
        outgoing: &mut Outgoing<'_>,
        now: Timestamp,
        effects: &mut Effects,
    ) {
        let mut sent = 0;
        for recipient in recipients {
            let Some(connection) = self.receiver(recipient.session, 1) else { continue };
            let Own { retain, identifiers, .. } = recipient.own(outgoing);
            let addressing = Addressing { delivery: Delivery::AtMostOnce, retain, identifiers };
            match outgoing.send(connection, addressing, now, effects) {
                Sent::Yes => sent += 1,
                Sent::TooLarge => self.stats.publishes_dropped.add(1),
            }
        }
        count_sent(sent, sent * outgoing.message.payload.len() as u64, &self.stats);
    }

    /// Where so many QoS 0 messages can go, if anywhere.
    #[inline(always)]
    pub(super) fn receiver(&mut self, session: SessionId, messages: u64) -> Option<&mut Connection> {
        let session = self.sessions.get_mut(session)?;
        let connection = session.connection.as_deref_mut()?;
        if connection.is_congested {
            self.stats.publishes_dropped.add(messages);
            return None;
        }
        Some(connection)
    }

    /// A message that cannot go out now waits, within the limits `[MQTT5-4.5.0-1]` `[MQTT311-4.5.0-1]`;
    /// so does one for a client that is away `[MQTT311-3.1.2-5]`.
    pub(super) fn queue(&mut self, id: SessionId, queued: Queued, holding: &mut Holding, now: Timestamp) {
        let Some(session) = self.sessions.get_mut(id) else { return };
        let (config, is_online) = (&self.node.config, session.connection.is_some());
        let stats = &self.stats;
        let bytes_before = session.outbound.queue_bytes();
        let mut dropped = std::mem::take(&mut self.dropped);
        session.outbound.make_room_for(&queued, &config.limits, now, &mut dropped);
        let expired = dropped.len();
        let accepted =
            session.outbound.push(queued, config.queue_policy, is_online, &config.limits, &mut dropped);
        stats.queued_bytes.add(session.outbound.queue_bytes().wrapping_sub(bytes_before));
        stats.publishes_expired.add(expired as u64);
        stats.publishes_dropped.add((dropped.len() - expired) as u64);
        stats.queued_messages.subtract(dropped.len() as u64);
        match accepted {
            Accepted::Queued | Accepted::Dropped => {}
            Accepted::Beyond => {
                if let Some(token) = self.held.await_one(holding) {
                    session.outbound.hold(token);
                }
            }
        }
        session.report_load();
        for queued in dropped.drain(..) {
            self.drop_recorded(id, queued.position(), queued.mark());
        }
        self.dropped = dropped;
        self.watch_expiry(id, now);
    }

    /// A message that was recorded for a session leaves its queue unsent, or never enters it.
    pub(super) fn drop_recorded(&mut self, session: SessionId, position: Position, mark: u32) {
        if session.is_durable() && position.is_some() {
            self.recorder.note(&Operation::Dropped { session, position, mark });
        }
        self.recorder.release(position);
    }

    /// One thing that a held acknowledgement awaited is done.
    pub(super) fn stored(&mut self, token: AcknowledgementToken, effects: &mut Effects) {
        if let Some(held) = self.held.done(token) {
            self.let_go(held, effects);
        }
    }

    fn let_go(&mut self, held: Held, effects: &mut Effects) {
        match held {
            Held::Client(due) => self.acknowledge_held(due, effects),
            Held::Peer(token) => {
                effects.mail().tell_stored(token);
            }
        }
    }
}
