//! Owns SUBSCRIBE and UNSUBSCRIBE. Where subscriptions are kept for matching is `subscriptions`'
//! business.

use super::Shard;
use crate::{
    effect::Effects,
    ids::SessionId,
    retained::RetainedCursor,
    session::{RetainedDelivery, Subscribed},
    subscriptions::Subscriber,
};
use mqtt_codec::{
    Borrowed, Packet, Properties, QoS, ReasonCode, TopicFilterRef,
    packet::{RetainHandling, SubAck, Subscribe, Subscription, UnsubAck, Unsubscribe},
};

impl Shard {
    /// Subscribes to each filter and answers for each in its order `[MQTT5-3.8.4-1]` `[MQTT5-3.8.4-6]`
    /// `[MQTT5-3.9.3-1]` `[MQTT311-3.8.4-1]` `[MQTT311-3.8.4-5]`.
    pub(super) fn subscribe(
        &mut self,
        id: SessionId,
        subscribe: &Subscribe<Borrowed<'_>>,
        effects: &mut Effects,
    ) {
        let identifier = subscribe.properties.subscription_identifier().map_or(0, Into::into);
        let codes: Vec<_> = subscribe
            .subscriptions()
            .map(|subscription| match self.subscribe_one(id, subscription, identifier) {
                Ok(qos) => granted(qos),
                Err(reason) => reason,
            })
            .collect();
        // The codec accepts no SUBSCRIBE without filters, so there is a code, and each is a SUBACK's.
        if let Ok(suback) = SubAck::new(subscribe.packet_id, Properties::default(), codes) {
            self.send(id, &Packet::SubAck(suback), effects);
        }
        self.schedule_page(id);
    }

    fn subscribe_one(
        &mut self,
        id: SessionId,
        Subscription { filter, mut options }: Subscription<'_>,
        identifier: u32,
    ) -> Result<QoS, ReasonCode> {
        self.check_subscription(id, filter, identifier)?;
        options.maximum_qos = options.maximum_qos.min(self.node.config.capabilities.maximum_qos);
        let qos = options.maximum_qos;
        let subscriber = Subscriber {
            session: id,
            qos,
            no_local: options.no_local,
            retain_as_published: options.retain_as_published,
            identifier,
        };
        let session = self.sessions.get_mut(id).ok_or(ReasonCode::UnspecifiedError)?;
        let former =
            session.subscriptions.insert(Box::from(filter.text()), Subscribed { options, identifier });
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
        // [MQTT5-3.3.1-9] [MQTT5-3.3.1-10] [MQTT5-3.3.1-11] [MQTT311-3.3.1-6] [MQTT311-3.8.4-3]
        let wants_retained = match options.retain_handling {
            RetainHandling::Send => true,
            RetainHandling::SendIfNew => former.is_none(),
            RetainHandling::DoNotSend => false,
        };
        if wants_retained {
            // A filter subscribed to again starts over instead of queueing up twice.
            session.retained.retain(|delivery| *delivery.filter != *filter.text());
            session.retained.push_back(RetainedDelivery {
                filter: Box::from(filter.text()),
                cursor: RetainedCursor::default(),
                qos,
                no_local: options.no_local,
                identifier,
            });
        }
        Ok(qos)
    }

    /// Whether a subscription is within what the operator allows and offers.
    fn check_subscription(
        &self,
        id: SessionId,
        filter: TopicFilterRef<'_>,
        identifier: u32,
    ) -> Result<(), ReasonCode> {
        let (limits, capabilities) = (&self.node.config.limits, &self.node.config.capabilities);
        if !self.allows_topic(filter.text()) {
            return Err(ReasonCode::TopicFilterInvalid);
        }
        if !capabilities.shared_subscription_available && filter.share_name().is_some() {
            return Err(ReasonCode::SharedSubscriptionsNotSupported);
        }
        if !capabilities.wildcard_subscription_available && filter.has_wildcard() {
            return Err(ReasonCode::WildcardSubscriptionsNotSupported);
        }
        if !capabilities.subscription_identifier_available && identifier != 0 {
            return Err(ReasonCode::SubscriptionIdentifiersNotSupported);
        }
        let session = self.sessions.get(id).ok_or(ReasonCode::UnspecifiedError)?;
        let is_full = session.subscriptions.len() >= limits.subscriptions_per_session_max as usize;
        if is_full && !session.subscriptions.contains_key(filter.text()) {
            return Err(ReasonCode::QuotaExceeded);
        }
        Ok(())
    }

    /// Ends each subscription and answers for each in its order `[MQTT5-3.10.4-1]` `[MQTT5-3.10.4-4]`
    /// `[MQTT5-3.10.4-6]` `[MQTT5-3.11.3-1]` `[MQTT311-3.10.4-1]` `[MQTT311-3.10.4-4]`.
    pub(super) fn unsubscribe(
        &mut self,
        id: SessionId,
        unsubscribe: &Unsubscribe<Borrowed<'_>>,
        effects: &mut Effects,
    ) {
        let codes: Vec<_> = unsubscribe.filters().map(|filter| self.unsubscribe_one(id, filter)).collect();
        if let Ok(unsuback) = UnsubAck::new(unsubscribe.packet_id, Properties::default(), codes) {
            self.send(id, &Packet::UnsubAck(unsuback), effects);
        }
    }

    fn unsubscribe_one(&mut self, id: SessionId, filter: TopicFilterRef<'_>) -> ReasonCode {
        let Some(session) = self.sessions.get_mut(id) else { return ReasonCode::UnspecifiedError };
        if session.subscriptions.remove(filter.text()).is_none() {
            return ReasonCode::NoSubscriptionExisted;
        }
        session.retained.retain(|delivery| *delivery.filter != *filter.text());
        self.remove_from_index(id, filter.text());
        ReasonCode::Success
    }

    /// Has messages of a filter no longer reach a session. `filter` is one that was subscribed to.
    pub(super) fn remove_from_index(&self, id: SessionId, filter: &str) {
        let Ok(filter) = TopicFilterRef::new(filter) else { return };
        let was_there = match filter.share_name() {
            Some(share_name) => self.node.subscriptions.unsubscribe_shared(share_name, filter.matched(), id),
            None => self.node.subscriptions.unsubscribe(filter.text(), id),
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
