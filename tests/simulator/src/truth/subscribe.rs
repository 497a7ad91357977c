//! Owns what SUBSCRIBE and UNSUBSCRIBE make true as soon as they are received. Their answers may come later.

use super::{GroupKey, Request, SessionKey, Subscription, Truth, filter};
use broker_core::ConnectionId;
use mqtt_codec::PacketType;
use mqtt_codec::packet::{RetainHandling, SubAck, Subscribe, SubscriptionOptions, UnsubAck, Unsubscribe};

impl Truth {
    /// Every filter is subscribed to, with the QoS that is asked for: the broker grants all of them, unless it cannot
    /// keep them `[MQTT5-3.8.4-3]` `[MQTT311-3.8.4-3]`.
    pub(super) fn subscribe(&mut self, id: ConnectionId, subscribe: &Subscribe) {
        let Some(connection) = self.connections.get(&id) else { return };
        let (session, step) = (connection.session, self.step);
        let identifier = subscribe.properties.subscription_identifier().map_or(0, Into::into);
        // Refused, now or when the disk is there again to say so.
        let is_refused = self.is_failing && self.sessions[session].is_durable;
        let step = if is_refused { 0 } else { step };
        for asked in subscribe.subscriptions().filter(|_| !is_refused) {
            let text = asked.filter.text();
            self.subscribe_one(session, text, asked.options, identifier);
        }
        if let Some(connection) = self.connections.get_mut(&id) {
            connection.requests.insert(subscribe.packet_id.get(), Request::Subscribe { step });
        }
    }

    /// What was granted holds.
    pub(super) fn subscribed(&mut self, id: ConnectionId, suback: &SubAck) {
        let Some(connection) = self.connections.get_mut(&id) else { return };
        let session = connection.session;
        let request = connection.requests.remove(&suback.packet_id.get());
        let Some(Request::Subscribe { step }) = request else { return };
        let until = self.publications.len();
        let begun = self.sessions[session].retained.iter_mut().filter(|delivery| delivery.made_step == step);
        begun.for_each(|delivery| delivery.until = Some(until));
        self.promise(session, step, PacketType::SubAck);
    }

    fn subscribe_one(
        &mut self,
        session: SessionKey,
        filter: &str,
        options: SubscriptionOptions,
        identifier: u32,
    ) {
        let SubscriptionOptions { maximum_qos: qos, no_local, retain_as_published, retain_handling } =
            options;
        let step = self.step;
        let subscription = Subscription { qos, no_local, retain_as_published, identifier, step };
        if let Some(group) = group(filter) {
            return self.join_group(session, group, subscription);
        }
        let former = self.sessions[session].subscriptions.insert(filter.to_owned(), subscription);
        // [MQTT5-3.3.1-9] [MQTT5-3.3.1-10] [MQTT5-3.3.1-11]
        let wants_retained = match retain_handling {
            RetainHandling::Send => true,
            RetainHandling::SendIfNew => former.is_none(),
            RetainHandling::DoNotSend => false,
        };
        if wants_retained {
            self.deliver_retained(session, filter, subscription);
        } else {
            self.change_retained(session, filter, subscription);
        }
    }

    /// No filter is subscribed to any more `[MQTT5-3.10.4-2]` `[MQTT311-3.10.4-2]`.
    pub(super) fn unsubscribe(&mut self, id: ConnectionId, unsubscribe: &Unsubscribe) {
        let step = self.step;
        let Some(connection) = self.connections.get_mut(&id) else { return };
        let session = connection.session;
        connection.requests.insert(unsubscribe.packet_id.get(), Request::Unsubscribe { step });
        for asked in unsubscribe.filters() {
            match group(asked.text()) {
                Some(group) => self.leave_group(session, &group),
                None => {
                    self.sessions[session].subscriptions.remove(asked.text());
                    self.end_retained(session, asked.text());
                }
            }
        }
    }

    pub(super) fn unsubscribed(&mut self, id: ConnectionId, unsuback: &UnsubAck) {
        let Some(connection) = self.connections.get_mut(&id) else { return };
        let session = connection.session;
        if let Some(Request::Unsubscribe { step }) = connection.requests.remove(&unsuback.packet_id.get()) {
            self.promise(session, step, PacketType::UnsubAck);
        }
    }
}

/// The group of a shared subscription.
fn group(text: &str) -> Option<GroupKey> {
    filter::share(text).map(|(name, matched)| (name.to_owned(), matched.to_owned()))
}
