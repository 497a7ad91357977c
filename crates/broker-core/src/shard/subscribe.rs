//! Owns SUBSCRIBE and UNSUBSCRIBE. Where subscriptions are kept for matching is `subscriptions`'
//! business.

use super::Shard;
use crate::{
    effect::Effects,
    ids::SessionId,
    journal::Operation,
    outgoing::Sent,
    recorder::{Answer, Leaving},
    session::{RetainedDelivery, Session, Subscribed},
    subscriptions::Subscriber,
    time::Timestamp,
};
use mqtt_codec::{
    Borrowed, Packet, Properties, PropertyOwner, QoS, ReasonCode, TopicFilterRef,
    packet::{PacketId, RetainHandling, SubAck, Subscribe, Subscription, UnsubAck, Unsubscribe},
};

/// Why a filter is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Refused {
    reason: ReasonCode,
    text: &'static str,
}

impl Shard {
    /// Subscribes to each filter as if it came alone and answers for each in its order, with the QoS granted
    /// or why not `[MQTT5-3.8.4-5]` `[MQTT5-3.8.4-7]` `[MQTT5-3.8.4-1]` `[MQTT5-3.8.4-6]`
    /// `[MQTT5-3.9.3-1]` `[MQTT311-3.8.4-1]` `[MQTT311-3.8.4-4]` `[MQTT311-3.8.4-5]` `[MQTT311-3.9.3-1]`.
    pub(super) fn subscribe(
        &mut self,
        id: SessionId,
        subscribe: &Subscribe<Borrowed<'_>>,
        now: Timestamp,
        effects: &mut Effects,
    ) {
        let identifier = subscribe.properties.subscription_identifier().map_or(0, Into::into);
        let mut refused = None;
        let codes: Vec<_> = (1..)
            .zip(subscribe.subscriptions())
            .map(|(number, subscription)| {
                let granted = self.subscribe_one(id, subscription, identifier).map(granted);
                granted.unwrap_or_else(|Refused { reason, text }| {
                    refused.get_or_insert_with(|| format!("filter {number}: {text}"));
                    reason
                })
            })
            .collect();
        // What is refused altogether promises nothing that must be on disk.
        if id.is_durable()
            && codes.iter().any(|code| !code.is_error())
            && let Some(connection) = self.sessions.get(id).and_then(Session::connection_id)
        {
            let packet_id = subscribe.packet_id;
            let answer = Box::new(Answer::Subscribe { packet_id, codes, refused });
            return self.recorder.leave(Leaving::Answer { session: id, connection, answer });
        }
        self.send_suback(id, subscribe.packet_id, &codes, refused, now, effects);
    }

    /// Answers a SUBSCRIBE, and begins with the retained messages.
    pub(super) fn send_suback(
        &mut self,
        id: SessionId,
        packet_id: PacketId,
        codes: &[ReasonCode],
        refused: Option<String>,
        now: Timestamp,
        effects: &mut Effects,
    ) {
        // The codec accepts no SUBSCRIBE without filters, so there is a code, and each is a SUBACK's.
        // It has their packet's identifier [MQTT5-2.2.1-6] [MQTT5-3.8.4-2] [MQTT311-2.3.1-7] [MQTT311-3.8.4-2].
        let suback = |properties| {
            let suback = SubAck::new(packet_id, properties, codes.iter().copied());
            Packet::SubAck(suback.expect("each filter has one of its codes"))
        };
        let sent = match refused {
            None => self.send(id, &suback(Properties::default()), effects),
            Some(text) => self.send_explained(id, PropertyOwner::SubAck, &text, suback, effects),
        };
        match sent {
            Sent::Yes => self.begin_pages(id, now, effects),
            Sent::TooLarge => self.unanswerable(id, now, effects),
        }
    }

    fn subscribe_one(
        &mut self,
        id: SessionId,
        Subscription { filter, mut options }: Subscription<'_>,
        identifier: u32,
    ) -> Result<QoS, Refused> {
        self.check_subscription(id, filter, identifier)?;
        // A lower QoS is granted, none is refused [MQTT5-3.2.2-10].
        options.maximum_qos = options.maximum_qos.min(self.node.config.capabilities.maximum_qos);
        let qos = options.maximum_qos;
        let subscriber = Subscriber {
            session: id,
            qos,
            no_local: options.no_local,
            retain_as_published: options.retain_as_published,
            identifier,
        };
        let Some(session) = self.sessions.get_mut(id) else { return Ok(qos) };
        let share_name_bytes = filter.share_name().map(str::len);
        let subscribed = Subscribed::new(options, identifier, share_name_bytes);
        let former = session.subscriptions.insert(filter.text(), subscribed);
        // A subscription that is replaced, too [MQTT5-3.8.4-4].
        // [MQTT5-3.3.1-9] [MQTT5-3.3.1-10] [MQTT5-3.3.1-11] [MQTT311-3.3.1-6] [MQTT311-3.8.4-3]
        let wants_retained = filter.share_name().is_none()
            && match options.retain_handling {
                RetainHandling::Send => true,
                RetainHandling::SendIfNew => former.is_none(),
                RetainHandling::DoNotSend => false,
            };
        if id.is_durable() {
            self.recorder.note(&Operation::Subscribed {
                session: id,
                filter: filter.text(),
                options,
                identifier,
                share_name_bytes,
                wants_retained,
            });
        }
        match filter.share_name() {
            Some(share_name) => {
                self.node.subscriptions.subscribe_shared(share_name, filter.matched(), subscriber);
                session.load = self.node.subscriptions.load_gauge(id);
                session.report_load();
                // A shared subscription gets no retained messages: which member should?
                return Ok(qos);
            }
            None => {
                self.node.subscriptions.subscribe(filter.text(), subscriber);
            }
        }
        let RetainedDelivery { cursor, awaited, .. } = match session.retained.remove(filter.text()) {
            // What is still on its way goes on as the new subscription has it.
            Some(pending) if !wants_retained => pending,
            None if !wants_retained => return Ok(qos),
            // A filter subscribed to again starts over.
            Some(_) | None => {
                RetainedDelivery { awaited: self.node.retaining.begun(), ..RetainedDelivery::default() }
            }
        };
        let delivery = RetainedDelivery { cursor, qos, no_local: options.no_local, identifier, awaited };
        session.retained.insert(Box::from(filter.text()), delivery);
        Ok(qos)
    }

    /// Whether a subscription is within what the operator allows and offers.
    fn check_subscription(
        &self,
        id: SessionId,
        filter: TopicFilterRef<'_>,
        identifier: u32,
    ) -> Result<(), Refused> {
        let (limits, capabilities) = (&self.node.config.limits, &self.node.config.capabilities);
        let refused = |reason, text| Err(Refused { reason, text });
        if !self.allows_topic(filter.text()) {
            let text = "the Topic Filter has more bytes or levels than the broker allows";
            return refused(ReasonCode::TopicFilterInvalid, text);
        }
        if id.is_durable() && self.recorder.is_failing() {
            let text = "the broker's disk is full or failing";
            return refused(ReasonCode::QuotaExceeded, text);
        }
        if !capabilities.shared_subscription_available && filter.share_name().is_some() {
            let text = "the broker has no shared subscriptions";
            return refused(ReasonCode::SharedSubscriptionsNotSupported, text);
        }
        // [MQTT311-3.8.3-2]
        if !capabilities.wildcard_subscription_available && filter.has_wildcard() {
            let text = "the broker has no wildcard subscriptions";
            return refused(ReasonCode::WildcardSubscriptionsNotSupported, text);
        }
        if !capabilities.subscription_identifier_available && identifier != 0 {
            let text = "the broker has no Subscription Identifiers";
            return refused(ReasonCode::SubscriptionIdentifiersNotSupported, text);
        }
        let Some(session) = self.sessions.get(id) else { return Ok(()) };
        let is_full = session.subscriptions.len() >= limits.subscriptions_per_session_max as usize;
        if is_full && !session.subscriptions.contains(filter.text()) {
            let text = "the session has as many subscriptions as it may";
            return refused(ReasonCode::QuotaExceeded, text);
        }
        Ok(())
    }

    /// Ends each subscription and answers for each in its order `[MQTT5-3.10.4-1]` `[MQTT5-3.10.4-4]`
    /// `[MQTT5-3.10.4-6]` `[MQTT5-3.11.3-1]` `[MQTT311-3.10.4-1]` `[MQTT311-3.10.4-4]`
    /// `[MQTT311-3.10.4-5]` `[MQTT311-3.10.4-6]`, under the identifier of the request `[MQTT311-2.3.1-7]`.
    pub(super) fn unsubscribe(
        &mut self,
        id: SessionId,
        unsubscribe: &Unsubscribe<Borrowed<'_>>,
        now: Timestamp,
        effects: &mut Effects,
    ) {
        let codes: Vec<_> = unsubscribe.filters().map(|filter| self.unsubscribe_one(id, filter)).collect();
        // Whatever was there to end [MQTT5-2.2.1-6] [MQTT5-3.10.4-5], and without properties that might not
        // fit [MQTT5-3.11.2-1] [MQTT5-3.11.2-2].
        let unsuback = UnsubAck::new(unsubscribe.packet_id, Properties::default(), codes);
        let unsuback = unsuback.expect("each filter has one of its codes");
        if id.is_durable()
            && let Some(connection) = self.sessions.get(id).and_then(Session::connection_id)
        {
            let answer = Box::new(Answer::Unsubscribe(unsuback));
            return self.recorder.leave(Leaving::Answer { session: id, connection, answer });
        }
        self.send_unsuback(id, unsuback, now, effects);
    }

    /// Answers an UNSUBSCRIBE.
    pub(super) fn send_unsuback(
        &mut self,
        id: SessionId,
        unsuback: UnsubAck,
        now: Timestamp,
        effects: &mut Effects,
    ) {
        let unsuback = Packet::UnsubAck(unsuback);
        if self.send(id, &unsuback, effects) == Sent::TooLarge {
            self.unanswerable(id, now, effects);
        }
    }

    fn unsubscribe_one(&mut self, id: SessionId, filter: TopicFilterRef<'_>) -> ReasonCode {
        let Some(session) = self.sessions.get_mut(id) else { return ReasonCode::UnspecifiedError };
        let Some(subscribed) = session.subscriptions.remove(filter.text()) else {
            return ReasonCode::NoSubscriptionExisted;
        };
        session.retained.remove(filter.text());
        if id.is_durable() {
            self.recorder.note(&Operation::Unsubscribed { session: id, filter: filter.text() });
        }
        // No new message comes by it [MQTT5-3.10.4-2] [MQTT311-3.10.4-2]; what is in flight or waits stays
        // [MQTT5-3.10.4-3] [MQTT311-3.10.4-3].
        self.remove_from_index(id, filter.text(), subscribed);
        ReasonCode::Success
    }

    /// Has messages of a filter no longer reach a session. `filter` is one that was subscribed to.
    pub(super) fn remove_from_index(&self, id: SessionId, filter: &str, subscribed: Subscribed) {
        let was_there = match subscribed.parts(filter) {
            (Some(share_name), matched) => {
                self.node.subscriptions.unsubscribe_shared(share_name, matched, id)
            }
            (None, matched) => self.node.subscriptions.unsubscribe(matched, id),
        };
        debug_assert!(was_there, "{id:?} knew of {filter}, the index did not");
    }
}

fn granted(qos: QoS) -> ReasonCode {
    match qos {
        QoS::AtMostOnce => ReasonCode::Success,
        QoS::AtLeastOnce => ReasonCode::GrantedQoS1,
        QoS::ExactlyOnce => ReasonCode::GrantedQoS2,
    }
}
