//! Owns what becomes of the messages of shared subscriptions when the member that had them is gone for
//! good. Choosing a member is `subscriptions`' business.

use super::{Shard, keep::Member, send::send_new};
use crate::{
    effect::Effects,
    held::Holding,
    ids::{GroupId, SessionId, listed},
    journal::{Operation, QueuedRest, QueuedState},
    message::Message,
    outgoing::Outgoing,
    peers::{HandedOver, Recipient, Recorded},
    session::{Outbound, Own, Queued, Session},
    subscriptions::{ShareRequest, Subscriber},
    time::Timestamp,
};
use mqtt_codec::QoS;
use std::sync::Arc;

impl Shard {
    /// Gives the messages that an ended session had from groups to other members: those never sent, and
    /// those in flight at QoS 1. One in flight at QoS 2 is lost with its session: elsewhere it might
    /// arrive twice `[MQTT5-4.8.2-4]` `[MQTT5-4.8.2-5]`.
    pub(super) fn pass_on(
        &mut self,
        from: SessionId,
        outbound: &mut Outbound,
        now: Timestamp,
        effects: &mut Effects,
    ) {
        let mut left = Vec::new();
        for in_flight in outbound.sender.drain() {
            match (in_flight.qos, in_flight.message) {
                (QoS::AtLeastOnce, Some(queued)) => left.push(queued),
                // One that still waited for the disk was seen by nobody.
                (QoS::ExactlyOnce, Some(mut queued)) if queued.is_unsent() => {
                    queued.set_sent();
                    left.push(queued);
                }
                (_, Some(queued)) => self.recorder.release(queued.position()),
                (_, None) => {}
            }
        }
        left.extend(std::iter::from_fn(|| outbound.pop()));
        let mut gifts = Vec::new();
        for queued in left {
            match queued.group() {
                Some(group) if !queued.is_expired(now) => {
                    gifts.extend(self.give(group, from, queued, now, effects));
                }
                Some(_) | None => self.recorder.release(queued.position()),
            }
        }
        self.hand_over(gifts, &mut Holding::Nothing, now, effects);
    }

    /// Notes which messages of groups an ending session had waiting, as this shard knows: what else was recorded
    /// for it is on its way from other shards, and a restart finds another member for it.
    pub(super) fn note_left(&mut self, session: &Session) {
        if self.node.shards().count() == 1 {
            return;
        }
        for queued in session.outbound.waiting().filter(|it| it.group().is_some() && it.is_stored()) {
            let (position, mark) = (queued.position(), queued.mark());
            self.recorder.note(&Operation::Dropped { session: session.id, position, mark });
        }
    }

    /// A message came for a member that has ended: another one gets it.
    pub(super) fn pass_on_received(
        &mut self,
        group: GroupId,
        from: SessionId,
        queued: Queued,
        holding: &mut Holding,
        now: Timestamp,
        effects: &mut Effects,
    ) {
        if from.is_durable() && queued.is_stored() {
            // Nobody knew of it when the session ended: until it is told, a restart finds another member for it.
            let (position, mark) = (queued.position(), queued.mark());
            self.recorder.note(&Operation::Dropped { session: from, position, mark });
        }
        let gift = self.give(group, from, queued, now, effects);
        self.hand_over(gift.into_iter().collect(), holding, now, effects);
    }

    /// Another shard's session has left a message to one of ours.
    pub(super) fn take_over(
        &mut self,
        HandedOver { session: id, queued }: HandedOver,
        holding: &mut Holding,
        now: Timestamp,
        effects: &mut Effects,
    ) {
        if queued.is_expired(now) {
            // On its way here [MQTT5-3.3.2-5].
            self.stats.publishes_expired.add(1);
            return self.drop_recorded(id, queued.position(), queued.mark());
        }
        let Some(session) = self.sessions.get_mut(id) else {
            return match queued.group() {
                Some(group) => self.pass_on_received(group, id, queued, holding, now, effects),
                None => self.recorder.release(queued.position()),
            };
        };
        let stats = &self.stats;
        stats.queued_messages.add(1);
        let is_open = session.connection.as_ref().is_some_and(|connection| !connection.is_congested);
        if let Some(message) = queued.message().cloned()
            && is_open
            && session.outbound.is_clear()
        {
            let mut outgoing = Outgoing::shared(&message);
            send_new(session, queued, &mut outgoing, now, effects, stats, &mut self.recorder);
            return session.report_load();
        }
        self.queue(id, queued, holding, now);
        self.send_waiting(id, now, effects);
    }

    /// Finds who gets a message now, and notes it. A member of QoS 0 gets it at once.
    fn give(
        &mut self,
        group: GroupId,
        from: SessionId,
        queued: Queued,
        now: Timestamp,
        effects: &mut Effects,
    ) -> Option<HandedOver> {
        let message = queued.message().cloned();
        // Of one that is in the journal alone the topic is not known: a sticky strategy sticks to another member.
        let (topic, publisher) =
            message.as_ref().map_or(("", None), |message| (message.topic().text(), message.publisher));
        let request = ShareRequest { topic, publisher, excluding: Some(from) };
        let strategy = self.node.config.share_strategy;
        let Some(member) = self.node.subscriptions.choose(group, strategy, &request) else {
            self.recorder.release(queued.position());
            return None;
        };
        let qos = member.qos.min(message.as_ref().map_or(queued.qos(), |message| message.qos));
        if qos == QoS::AtMostOnce {
            self.recorder.release(queued.position());
            if let Some(message) = message {
                self.give_at_most_once(member, group, &message, now, effects);
            }
            return None;
        }
        let own = Own {
            qos,
            // Of one that is in the journal alone it is not known here; it is seen when it is sent.
            retain: message.as_ref().is_none_or(|message| message.retain) && member.retain_as_published,
            identifiers: listed(&member.identifier),
            group: Some(group),
        };
        let queued = queued.moved(own);
        if member.session.is_durable() && queued.is_stored() {
            let queued = self.queued_state(&queued);
            self.recorder.note(&Operation::Queued { session: member.session, queued });
        }
        Some(HandedOver { session: member.session, queued })
    }

    fn give_at_most_once(
        &mut self,
        member: Subscriber,
        group: GroupId,
        message: &Arc<Message>,
        now: Timestamp,
        effects: &mut Effects,
    ) {
        let (shard, member) = (member.session.shard(), Member { group, subscriber: member });
        let (recipient, mut outgoing) = (Recipient::member(&member), Outgoing::shared(message));
        if shard == self.id {
            self.deliver(recipient, &mut outgoing, &mut Holding::Nothing, now, effects);
        } else {
            outgoing.forward(shard, None, None, std::iter::once(recipient), effects);
        }
    }

    /// Hands over what was noted as given, once it is in the journal: another shard must not be ahead of it.
    fn hand_over(
        &mut self,
        gifts: Vec<HandedOver>,
        holding: &mut Holding,
        now: Timestamp,
        effects: &mut Effects,
    ) {
        if gifts.is_empty() {
            return;
        }
        let position = self.recorder.append_notes();
        let recorded = position.map(|position| Recorded { shard: self.id, position });
        let is_here = |gift: &HandedOver| gift.session.shard() == self.id;
        let (here, mut elsewhere): (Vec<_>, Vec<_>) = gifts.into_iter().partition(is_here);
        while let Some(shard) = elsewhere.first().map(|gift| gift.session.shard()) {
            let messages;
            (messages, elsewhere) = elsewhere.into_iter().partition(|gift| gift.session.shard() == shard);
            effects.mail().hand_over(shard, messages, recorded);
        }
        for gift in here {
            self.take_over(gift, holding, now, effects);
        }
    }

    /// A message in a queue as the journal has it.
    pub(super) fn queued_state(&self, queued: &Queued) -> QueuedState {
        let group = queued.group().and_then(|group| self.node.subscriptions.group_filter(group));
        let identifiers = Box::from(queued.identifiers());
        let has_rest = group.is_some() || !queued.identifiers().is_empty();
        let rest = QueuedRest { identifiers, group: group.map(Box::from) };
        QueuedState {
            position: queued.position(),
            recorded: crate::journal::Position::NONE,
            expires_at: queued.expires_at(),
            rest: has_rest.then(|| Box::new(rest)),
            bytes: u32::try_from(queued.bytes()).unwrap_or(u32::MAX),
            writer: self.id,
            qos: queued.qos(),
            retain: queued.retain(),
        }
    }
}
