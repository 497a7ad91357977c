//! Owns how a client subscribes and unsubscribes, and asks again where a crash took the answer. What it is then
//! given is `receiving`'s business.

use super::{Client, LinkState};
use crate::{clock::At, history::Subscription, plan::Wanted, stage::Stage};
use mqtt_codec::{
    Packet, PacketId, Property, PropertyOwner, QoS, ReasonCode,
    packet::{RetainHandling, Subscribe, Subscription as Requested, SubscriptionOptions, Unsubscribe},
};
use std::num::NonZeroU32;

/// SUBSCRIBE or UNSUBSCRIBE, by the subscription's index in the history.
#[derive(Clone, Copy, Debug)]
pub(super) enum Request {
    Subscribe(usize),
    Unsubscribe(usize),
}

impl Client {
    /// Subscribes, now or when it is connected.
    pub(super) fn want(&mut self, wanted: &Wanted, stage: &mut Stage) {
        let Some(session) = self.session else { return };
        self.requests.push_back(Request::Subscribe(stage.history.subscriptions.len()));
        stage.history.subscriptions.push(Subscription {
            session,
            filter: wanted.filter.clone(),
            qos: wanted.qos,
            identifier: wanted.identifier,
            no_local: wanted.no_local,
            retain_as_published: wanted.retain_as_published,
            sent_at: stage.clock.now(),
            acknowledged_at: None,
            unsubscribe_sent_at: None,
            unsubscribed_at: None,
        });
        if self.link.state == LinkState::Up {
            self.ask(stage);
        }
    }

    /// Unsubscribes from the first filter of its session.
    pub(super) fn unwant_first(&mut self, stage: &mut Stage) {
        let mine = |subscription: &Subscription| Some(subscription.session) == self.session;
        let Some(index) = stage.history.subscriptions.iter().position(mine) else { return };
        stage.history.subscriptions[index].unsubscribe_sent_at = Some(stage.clock.now());
        self.requests.push_back(Request::Unsubscribe(index));
        if self.link.state == LinkState::Up {
            self.ask(stage);
        }
    }

    /// Sends what is to be asked for.
    pub(super) fn ask(&mut self, stage: &Stage) {
        while let Some(request) = self.requests.pop_front() {
            let packet_id = self.packet_id();
            self.requested.insert(packet_id, request);
            let packet = match request {
                Request::Subscribe(index) => {
                    self.subscribe_packet(packet_id, &stage.history.subscriptions[index])
                }
                Request::Unsubscribe(index) => {
                    let filter = stage.history.subscriptions[index].filter.borrow();
                    let packet = Unsubscribe::new(
                        packet_id,
                        self.properties(PropertyOwner::Unsubscribe, vec![]),
                        [filter],
                    );
                    Packet::Unsubscribe(packet.expect("one legal filter"))
                }
            };
            self.send(&packet);
        }
    }

    fn subscribe_packet(&self, packet_id: PacketId, subscription: &Subscription) -> Packet {
        let identifier = subscription.identifier.and_then(NonZeroU32::new);
        let properties = identifier.map(Property::SubscriptionIdentifier).into_iter().collect();
        let options = SubscriptionOptions {
            no_local: subscription.no_local,
            retain_as_published: subscription.retain_as_published,
            retain_handling: if subscription.retain_as_published {
                RetainHandling::DoNotSend
            } else {
                RetainHandling::Send
            },
            ..SubscriptionOptions::qos(subscription.qos)
        };
        let requested = Requested { filter: subscription.filter.borrow(), options };
        let properties = self.properties(PropertyOwner::Subscribe, properties);
        Packet::Subscribe(Subscribe::new(packet_id, properties, [requested]).expect("one legal filter"))
    }

    /// What was not answered is to be asked again.
    pub(super) fn requeue(&mut self) {
        for request in std::mem::take(&mut self.requested).into_values().rev() {
            self.requests.push_front(request);
        }
    }

    pub(super) fn suback(&mut self, packet_id: PacketId, codes: &[ReasonCode], at: At, stage: &mut Stage) {
        let Some(Request::Subscribe(index)) = self.requested.remove(&packet_id) else {
            stage.history.odd(at, format!("{} received a SUBACK it had not asked for", self.name()));
            return;
        };
        let subscription = &mut stage.history.subscriptions[index];
        subscription.acknowledged_at = Some(at);
        let expected = match subscription.qos {
            QoS::AtMostOnce => ReasonCode::Success,
            QoS::AtLeastOnce => ReasonCode::GrantedQoS1,
            QoS::ExactlyOnce => ReasonCode::GrantedQoS2,
        };
        if codes != [expected] {
            let text = format!("{} was granted {codes:?} for {}", self.name(), subscription.filter);
            stage.history.odd(at, text);
        }
    }

    pub(super) fn unsuback(&mut self, packet_id: PacketId, at: At, stage: &mut Stage) {
        let Some(Request::Unsubscribe(index)) = self.requested.remove(&packet_id) else {
            stage.history.odd(at, format!("{} received an UNSUBACK it had not asked for", self.name()));
            return;
        };
        stage.history.subscriptions[index].unsubscribed_at = Some(at);
    }
}
