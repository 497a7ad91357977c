//! Owns which streams there are, by what filters, and which of them a message goes to. SUBSCRIBE and its answer are
//! `subscribing`'s.

use crate::request::{Identifying, Subscribe};
use mqtt_codec::{Properties, TopicFilter, TopicName, packet::SubscriptionOptions};
use std::{
    collections::{BTreeMap, HashMap},
    num::NonZeroU32,
};

/// Names a stream, each once; also its Subscription Identifier where the server has those.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct SubscriptionKey(u32);

impl SubscriptionKey {
    /// The stream of what no other matches.
    pub(crate) const UNMATCHED: Self = Self(0);

    /// The key after this one.
    pub(crate) const fn next(self) -> Self {
        Self(self.0 + 1)
    }

    /// The key as Subscription Identifier, as long as it can be one.
    pub(super) fn identifier(self) -> Option<NonZeroU32> {
        NonZeroU32::new(self.0).filter(|number| number.get() <= 268_435_455)
    }
}

/// All subscriptions of the session, as far as this process made them.
#[derive(Debug, Default)]
pub(super) struct Subscriptions {
    registrations: BTreeMap<SubscriptionKey, Registration>,
    /// In how many registrations each filter stands.
    filter_counts: HashMap<String, usize>,
    /// How many filters stand in more than one.
    repeated_filters: usize,
    /// Whether there ever was a stream that the client has not given an identifier.
    some_manual: bool,
}

/// One SUBSCRIBE.
#[derive(Debug)]
pub(super) struct Registration {
    pub(super) filters: Vec<(TopicFilter, SubscriptionOptions)>,
    pub(super) properties: Properties,
    pub(super) identifying: Identifying,
    stream: Stream,
}

/// Whether somebody receives. A dropped stream's subscription still stands at the server under its identifier.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stream {
    Open,
    Dropped,
}

impl Subscriptions {
    /// A stream begins. A filter that a dropped stream has is this one's now: the server replaces the subscription.
    pub(super) fn insert(&mut self, key: SubscriptionKey, subscribe: Subscribe) {
        let Subscribe { filters, properties, identifying, .. } = subscribe;
        let texts: Vec<_> = filters.iter().map(|(filter, _)| filter.clone()).collect();
        let dropped = self.registrations.iter().filter(|(_, it)| it.stream == Stream::Dropped);
        let dropped: Vec<_> = dropped.map(|(&key, _)| key).collect();
        for key in dropped {
            self.remove_filters(key, &texts);
        }
        filters.iter().for_each(|(filter, _)| self.count(filter));
        self.some_manual |= identifying == Identifying::Manual;
        self.registrations
            .insert(key, Registration { filters, properties, identifying, stream: Stream::Open });
    }

    pub(super) fn get(&self, key: SubscriptionKey) -> Option<&Registration> {
        self.registrations.get(&key).filter(|registration| registration.stream == Stream::Open)
    }

    /// Every stream, oldest first.
    pub(super) fn keys(&self) -> impl Iterator<Item = SubscriptionKey> {
        self.registrations.keys().copied()
    }

    /// Takes filters from one stream. Tells whether it has none left and so is over.
    pub(super) fn remove_filters(&mut self, key: SubscriptionKey, filters: &[TopicFilter]) -> Remaining {
        let Some(registration) = self.registrations.get_mut(&key) else { return Remaining::Some };
        let is_removed = |filter: &TopicFilter| filters.iter().any(|other| other.as_str() == filter.as_str());
        let removed: Vec<_> = registration.filters.extract_if(.., |(filter, _)| is_removed(filter)).collect();
        let remaining = if registration.filters.is_empty() { Remaining::None } else { Remaining::Some };
        removed.iter().for_each(|(filter, _)| self.uncount(filter));
        if remaining == Remaining::None {
            self.registrations.remove(&key);
        }
        remaining
    }

    /// The filters among `filters` that no other stream has.
    pub(super) fn only_in(&self, key: SubscriptionKey, filters: &[TopicFilter]) -> Vec<TopicFilter> {
        let is_elsewhere = |filter: &TopicFilter| {
            let others =
                self.registrations.iter().filter(|(other, it)| **other != key && it.stream == Stream::Open);
            others.into_iter().any(|(_, other)| other.has_filter(filter))
        };
        filters.iter().filter(|filter| !is_elsewhere(filter)).cloned().collect()
    }

    /// A stream was dropped; nobody has unsubscribed.
    pub(super) fn stream_dropped(&mut self, key: SubscriptionKey) {
        if let Some(registration) = self.registrations.get_mut(&key) {
            registration.stream = Stream::Dropped;
        }
    }

    /// The server has forgotten the session, and with it what dropped streams left there.
    pub(super) fn forget_dropped(&mut self) {
        let mut filters = Vec::new();
        self.registrations.retain(|_, it| {
            let is_open = it.stream == Stream::Open;
            if !is_open {
                filters.append(&mut it.filters);
            }
            is_open
        });
        filters.iter().for_each(|(filter, _)| self.uncount(filter));
    }

    /// The streams a message goes to.
    ///
    /// With Subscription Identifiers the server names them. If two streams have the same filter, the server knows
    /// the later one alone, so the other is added. Without identifiers, or with those of an earlier process, every
    /// stream whose filters match receives, and so does in any case one whose identifier is the caller's affair.
    pub(super) fn targets(
        &self,
        topic: &TopicName,
        identifiers: impl Iterator<Item = NonZeroU32>,
    ) -> Vec<SubscriptionKey> {
        let mut targets = Vec::new();
        let mut is_identified = false;
        for key in identifiers.map(|number| SubscriptionKey(number.get())) {
            let registration = self.registrations.get(&key);
            // A caller's own identifier may look like a key, but names none.
            let Some(registration) = registration.filter(|it| it.identifying == Identifying::Automatic)
            else {
                continue;
            };
            is_identified = true;
            if registration.stream == Stream::Open && !targets.contains(&key) {
                targets.push(key);
            }
            if self.repeated_filters > 0 {
                self.add_twins(registration, topic, &mut targets);
            }
        }
        if !is_identified || self.some_manual {
            let unidentified =
                self.open().filter(|(_, it)| !is_identified || it.identifying == Identifying::Manual);
            let matching =
                unidentified.filter(|(_, it)| it.filters.iter().any(|(filter, _)| filter.matches(topic)));
            let mut missing: Vec<_> = matching.map(|(key, _)| key).collect();
            missing.retain(|key| !targets.contains(key));
            targets.append(&mut missing);
        }
        targets
    }

    /// Adds the streams that share a matching filter with `registration`.
    fn add_twins(&self, registration: &Registration, topic: &TopicName, targets: &mut Vec<SubscriptionKey>) {
        let matching =
            registration.filters.iter().map(|(filter, _)| filter).filter(|filter| filter.matches(topic));
        for filter in matching {
            let twins = self.open().filter(|(_, it)| it.has_filter(filter)).map(|(key, _)| key);
            for key in twins {
                if !targets.contains(&key) {
                    targets.push(key);
                }
            }
        }
    }

    fn open(&self) -> impl Iterator<Item = (SubscriptionKey, &Registration)> {
        self.registrations.iter().map(|(&key, it)| (key, it)).filter(|(_, it)| it.stream == Stream::Open)
    }

    fn count(&mut self, filter: &TopicFilter) {
        let count = self.filter_counts.entry(filter.as_str().to_owned()).or_insert(0);
        *count += 1;
        self.repeated_filters += usize::from(*count == 2);
    }

    fn uncount(&mut self, filter: &TopicFilter) {
        let Some(count) = self.filter_counts.get_mut(filter.as_str()) else { return };
        *count -= 1;
        self.repeated_filters -= usize::from(*count == 1);
        if *count == 0 {
            self.filter_counts.remove(filter.as_str());
        }
    }
}

/// Whether a stream has filters left.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Remaining {
    Some,
    None,
}

impl Registration {
    fn has_filter(&self, filter: &TopicFilter) -> bool {
        self.filters.iter().any(|(own, _)| own.as_str() == filter.as_str())
    }
}
