//! Owns SUBSCRIBE, UNSUBSCRIBE and PINGREQ of a client.

use super::{Client, Output};
use crate::scenario::SubscribePlan;
use mqtt_codec::{
    Packet, Properties, Property, PropertyOwner, TopicFilterRef,
    packet::{Subscribe, Subscription, Unsubscribe},
};
use std::num::NonZeroU32;

impl Client {
    /// Subscribes.
    pub(crate) fn subscribe(&mut self, plan: &SubscribePlan, output: &mut Output) {
        let packet_id = self.next_packet_id();
        let Some(connection) = &mut self.connection else { return };
        connection.requests.insert(packet_id);
        let identifier = NonZeroU32::new(plan.identifier).map(Property::SubscriptionIdentifier);
        let properties =
            Properties::new(PropertyOwner::Subscribe, identifier).expect("a number can be encoded");
        let subscriptions =
            plan.filters.iter().map(|&(text, options)| Subscription { filter: filter(text), options });
        let subscribe = Subscribe::new(packet_id, properties, subscriptions).expect("the filters are legal");
        output.packets.push(Packet::Subscribe(subscribe));
    }

    /// Unsubscribes.
    pub(crate) fn unsubscribe(&mut self, filters: &[&'static str], output: &mut Output) {
        let packet_id = self.next_packet_id();
        let Some(connection) = &mut self.connection else { return };
        connection.requests.insert(packet_id);
        let filters = filters.iter().map(|text| filter(text));
        let unsubscribe =
            Unsubscribe::new(packet_id, Properties::default(), filters).expect("the filters are legal");
        output.packets.push(Packet::Unsubscribe(unsubscribe));
    }

    /// Says that it is there.
    pub(crate) fn ping(&mut self, output: &mut Output) {
        if self.is_connected() {
            output.packets.push(Packet::PingReq);
        }
    }
}

fn filter(text: &str) -> TopicFilterRef<'_> {
    TopicFilterRef::new(text).expect("the filters are legal")
}
