//! Owns what SUBACK and UNSUBACK make true: from then on a subscription holds, or holds no more.

use super::{Request, SessionKey, Subscription, Truth, filter};
use broker_core::ConnectionId;
use mqtt_codec::{
    QoS,
    packet::{RetainHandling, SubAck, SubscriptionOptions, UnsubAck},
};

impl Truth {
    /// Each filter that was granted is subscribed to `[MQTT5-3.8.4-3]` `[MQTT311-3.8.4-3]`.
    pub(super) fn subscribed(&mut self, id: ConnectionId, suback: &SubAck) {
        let Some(connection) = self.connections.get_mut(&id) else { return };
        let session = connection.session;
        let request = connection.requests.remove(&suback.packet_id.get());
        let Some(Request::Subscribe { filters, identifier }) = request else { return };
        for ((filter, options), code) in filters.into_iter().zip(suback.reason_codes()) {
            let Some(qos) = QoS::from_bits(code.byte()) else { continue };
            self.subscribe_one(session, &filter, qos, options, identifier);
        }
    }

    fn subscribe_one(
        &mut self,
        session: SessionKey,
        filter: &str,
        qos: QoS,
        options: SubscriptionOptions,
        identifier: u32,
    ) {
        let SubscriptionOptions { no_local, retain_as_published, retain_handling, .. } = options;
        let subscription = Subscription { qos, no_local, retain_as_published, identifier };
        if let Some((name, matched)) = filter::share(filter) {
            return self.join_group(session, (name.to_owned(), matched.to_owned()), subscription);
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

    /// Each filter is no longer subscribed to `[MQTT5-3.10.4-2]` `[MQTT311-3.10.4-2]`.
    pub(super) fn unsubscribed(&mut self, id: ConnectionId, unsuback: &UnsubAck) {
        let Some(connection) = self.connections.get_mut(&id) else { return };
        let session = connection.session;
        let request = connection.requests.remove(&unsuback.packet_id.get());
        let Some(Request::Unsubscribe { filters }) = request else { return };
        for filter in filters {
            match filter::share(&filter) {
                Some((name, matched)) => {
                    self.leave_group(session, &(name.to_owned(), matched.to_owned()));
                }
                None => {
                    self.sessions[session].subscriptions.remove(&filter);
                    self.end_retained(session, &filter);
                }
            }
        }
    }
}
