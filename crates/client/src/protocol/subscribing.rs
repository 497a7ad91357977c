//! Owns SUBSCRIBE and UNSUBSCRIBE from being asked for to being sent, over reconnects. What the server answers is in
//! `answers`.

mod answers;

use super::{
    Effect, Effects, Protocol, Tickets,
    effect::NotSent,
    subscriptions::{Registration, Remaining, SubscriptionKey},
};
use crate::{
    error::{SubscribeError, UnsubscribeError},
    event::Connected,
    request::{Identifying, Subscribe, Unsubscribe},
};
use mqtt_codec::{
    EncodeError, Packet, PacketId, Properties, Property, PropertyId, PropertyOwner, TopicFilter, packet,
    packet::SubscriptionOptions,
};
use std::collections::VecDeque;

/// Requests that are not answered.
pub(super) struct Subscribing<T: Tickets> {
    /// Not sent on this connection.
    waiting: VecDeque<Ask<T>>,
    /// Sent, in order.
    sent: Vec<Sent<T>>,
}

struct Sent<T: Tickets> {
    packet_id: PacketId,
    /// What was asked, in the order of the answers.
    filters: Vec<TopicFilter>,
    ask: Ask<T>,
}

/// What is asked of the server.
enum Ask<T: Tickets> {
    /// By a caller.
    Subscribe(SubscriptionKey, T::Subscribe),
    /// By us, because the server has forgotten.
    Resubscribe(SubscriptionKey),
    Unsubscribe(Unsubscribe, UnsubscribeTarget, T::Unsubscribe),
}

/// Whose filters are unsubscribed from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum UnsubscribeTarget {
    /// All streams'.
    All,
    /// One stream's; the server is asked about those that no other stream has.
    One(SubscriptionKey),
}

impl<T: Tickets> Subscribing<T> {
    pub(super) const fn new() -> Self {
        Self { waiting: VecDeque::new(), sent: Vec::new() }
    }

    pub(super) fn contains(&self, packet_id: PacketId) -> bool {
        self.sent.iter().any(|sent| sent.packet_id == packet_id)
    }

    pub(super) fn is_empty(&self) -> bool {
        self.waiting.is_empty() && self.sent.is_empty()
    }

    /// Whether the server owes an acknowledgement.
    pub(super) fn is_owed(&self) -> bool {
        !self.sent.is_empty()
    }

    /// A new connection: what was not answered is asked again, before the rest.
    pub(super) fn resend_unanswered(&mut self) {
        for sent in self.sent.drain(..).rev() {
            self.waiting.push_front(sent.ask);
        }
    }

    /// The session is new: streams are subscribed again, unless that is being asked anyway.
    pub(super) fn resubscribe(&mut self, keys: impl Iterator<Item = SubscriptionKey>) {
        let is_asked = |key| self.waiting.iter().any(|ask| ask.subscribes(key));
        let keys: Vec<_> = keys.filter(|&key| !is_asked(key)).collect();
        for key in keys.into_iter().rev() {
            self.waiting.push_front(Ask::Resubscribe(key));
        }
    }
}

impl<T: Tickets> Ask<T> {
    fn subscribes(&self, key: SubscriptionKey) -> bool {
        match self {
            Self::Subscribe(own, _) | Self::Resubscribe(own) => *own == key,
            Self::Unsubscribe(..) => false,
        }
    }
}

impl<T: Tickets> Protocol<T> {
    /// A caller subscribes. The stream receives from now on: messages may come before SUBACK does.
    pub(super) fn subscribe(
        &mut self,
        key: SubscriptionKey,
        subscribe: Subscribe,
        ticket: T::Subscribe,
        effects: &mut Effects<T>,
    ) {
        if subscribe.filters.is_empty() {
            let error = EncodeError::Violation(mqtt_codec::Violation::SubscribeEmpty);
            return effects.push(Effect::Subscribed(ticket, key, Err(SubscribeError::Encode(error))));
        }
        self.subscriptions.insert(key, subscribe);
        self.subscribing.waiting.push_back(Ask::Subscribe(key, ticket));
    }

    /// A caller unsubscribes.
    pub(super) fn unsubscribe(
        &mut self,
        unsubscribe: Unsubscribe,
        target: UnsubscribeTarget,
        ticket: T::Unsubscribe,
        effects: &mut Effects<T>,
    ) {
        let asked = match target {
            UnsubscribeTarget::All => unsubscribe.filters.clone(),
            UnsubscribeTarget::One(key) => self.subscriptions.only_in(key, &unsubscribe.filters),
        };
        if let (UnsubscribeTarget::One(_), true) = (target, asked.is_empty()) {
            self.remove_filters(target, &unsubscribe.filters, effects);
            return effects.push(Effect::Unsubscribed(ticket, Ok(Vec::new())));
        }
        if let UnsubscribeTarget::One(_) = target {
            let shared: Vec<_> =
                unsubscribe.filters.iter().filter(|it| !contains(&asked, it)).cloned().collect();
            self.remove_filters(target, &shared, effects);
        }
        let unsubscribe = Unsubscribe { filters: asked, ..unsubscribe };
        self.subscribing.waiting.push_back(Ask::Unsubscribe(unsubscribe, target, ticket));
    }

    /// A stream was dropped.
    pub(super) fn stream_dropped(&mut self, key: SubscriptionKey) {
        if key == SubscriptionKey::UNMATCHED {
            self.unmatched = super::UnmatchedStream::None;
        } else {
            self.subscriptions.stream_dropped(key);
        }
    }

    /// Sends what waits.
    pub(super) fn send_requests(&mut self, effects: &mut Effects<T>) {
        while !self.subscribing.waiting.is_empty() {
            let Some(packet_id) = self.allocate_packet_id() else { return };
            let Some(ask) = self.subscribing.waiting.pop_front() else { return };
            match ask {
                Ask::Subscribe(key, _) | Ask::Resubscribe(key) => {
                    self.send_subscribe(packet_id, key, ask, effects);
                }
                Ask::Unsubscribe(unsubscribe, target, ticket) => {
                    self.send_unsubscribe(packet_id, unsubscribe, target, ticket, effects);
                }
            }
        }
    }

    fn send_subscribe(
        &mut self,
        packet_id: PacketId,
        key: SubscriptionKey,
        ask: Ask<T>,
        effects: &mut Effects<T>,
    ) {
        // The stream was dropped, or its filters were unsubscribed from meanwhile.
        let Some(registration) = self.subscriptions.get(key) else { return };
        let (version, maximum_packet_size) = (self.options.version, self.packet_bytes_max());
        let filters: Vec<_> = registration.filters.iter().map(|(filter, _)| filter.clone()).collect();
        let packet = match self.connected.as_deref() {
            Some(server) => subscribe_packet(packet_id, key, registration, server),
            None => return,
        };
        let sent = packet.and_then(|packet| {
            let sent = effects.try_send(maximum_packet_size, |output| packet.encode(version, output));
            sent.map_err(|error| match error {
                NotSent::Encode(error) => SubscribeError::Encode(error),
                NotSent::TooLarge { packet_bytes } => {
                    SubscribeError::PacketTooLarge { packet_bytes, maximum_packet_size }
                }
            })
        });
        match sent {
            Ok(()) => self.subscribing.sent.push(Sent { packet_id, filters, ask }),
            Err(error) => {
                self.subscriptions.remove_filters(key, &filters);
                self.subscribe_failed(ask, key, error, effects);
            }
        }
    }

    fn send_unsubscribe(
        &mut self,
        packet_id: PacketId,
        unsubscribe: Unsubscribe,
        target: UnsubscribeTarget,
        ticket: T::Unsubscribe,
        effects: &mut Effects<T>,
    ) {
        let (version, maximum_packet_size) = (self.options.version, self.packet_bytes_max());
        let filters = unsubscribe.filters.iter().map(TopicFilter::borrow);
        let packet = packet::Unsubscribe::new(packet_id, unsubscribe.properties.clone(), filters);
        let sent = match packet.map(Packet::Unsubscribe) {
            Ok(packet) => effects.try_send(maximum_packet_size, |output| packet.encode(version, output)),
            Err(error) => Err(NotSent::Encode(error)),
        };
        let error = match sent {
            Ok(()) => {
                let filters = unsubscribe.filters.clone();
                let ask = Ask::Unsubscribe(unsubscribe, target, ticket);
                return self.subscribing.sent.push(Sent { packet_id, filters, ask });
            }
            Err(NotSent::Encode(error)) => UnsubscribeError::Encode(error),
            Err(NotSent::TooLarge { packet_bytes }) => {
                UnsubscribeError::PacketTooLarge { packet_bytes, maximum_packet_size }
            }
        };
        effects.push(Effect::Unsubscribed(ticket, Err(error)));
    }

    fn subscribe_failed(
        &mut self,
        ask: Ask<T>,
        key: SubscriptionKey,
        error: SubscribeError,
        effects: &mut Effects<T>,
    ) {
        match ask {
            Ask::Subscribe(_, ticket) => effects.push(Effect::Subscribed(ticket, key, Err(error))),
            Ask::Resubscribe(_) | Ask::Unsubscribe(..) => effects.push(Effect::StreamEnded(key)),
        }
    }

    fn remove_filters(
        &mut self,
        target: UnsubscribeTarget,
        filters: &[TopicFilter],
        effects: &mut Effects<T>,
    ) {
        let keys: Vec<_> = match target {
            UnsubscribeTarget::All => self.subscriptions.keys().collect(),
            UnsubscribeTarget::One(key) => vec![key],
        };
        for key in keys {
            if self.subscriptions.remove_filters(key, filters) == Remaining::None {
                effects.push(Effect::StreamEnded(key));
            }
        }
    }
}

/// The SUBSCRIBE of a stream, unless the server has announced that it would refuse it.
fn subscribe_packet(
    packet_id: PacketId,
    key: SubscriptionKey,
    registration: &Registration,
    server: &Connected,
) -> Result<Packet, SubscribeError> {
    if let Some(error) = unsupported(&registration.filters, server) {
        return Err(error);
    }
    let properties = match registration.identifying {
        Identifying::Automatic => {
            let own = key.identifier().filter(|_| server.subscription_identifier_available);
            subscribe_properties(own.map(Property::SubscriptionIdentifier), &registration.properties)
        }
        Identifying::Manual => Ok(registration.properties.clone()),
    };
    let subscriptions = registration.filters.iter();
    let subscriptions = subscriptions
        .map(|(filter, options)| packet::Subscription { filter: filter.borrow(), options: *options });
    let subscribe =
        properties.and_then(|properties| packet::Subscribe::new(packet_id, properties, subscriptions));
    subscribe.map(Packet::Subscribe).map_err(SubscribeError::Encode)
}

/// What the server has announced it would refuse.
fn unsupported(filters: &[(TopicFilter, SubscriptionOptions)], server: &Connected) -> Option<SubscribeError> {
    let any = |is_such: fn(&TopicFilter) -> bool| filters.iter().any(|(filter, _)| is_such(filter));
    if !server.wildcard_subscription_available && any(TopicFilter::has_wildcard) {
        return Some(SubscribeError::WildcardNotSupported);
    }
    if !server.shared_subscription_available && any(|filter| filter.share_name().is_some()) {
        return Some(SubscribeError::SharedNotSupported);
    }
    None
}

/// The caller's properties with our own Subscription Identifier.
fn subscribe_properties<'a>(
    own: Option<Property<'a>>,
    given: &'a Properties,
) -> Result<Properties, EncodeError> {
    let rest = given.iter().filter(|property| property.id() != PropertyId::SubscriptionIdentifier);
    Properties::new(PropertyOwner::Subscribe, own.into_iter().chain(rest))
}

fn contains(filters: &[TopicFilter], filter: &TopicFilter) -> bool {
    filters.iter().any(|other| other.as_str() == filter.as_str())
}
