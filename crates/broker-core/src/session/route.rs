//! Owns what one match in the subscription index found, for as long as it is true: a client that publishes
//! to the same topic again is matched once. Delivering is `shard`'s business.

use crate::{
    ids::SessionId,
    subscriptions::{Matches, SubscriptionIndex},
};

/// The receivers of one topic.
#[derive(Debug, Default)]
pub(crate) struct Route {
    topic: String,
    /// Its own subscriptions may leave its messages out.
    publisher: Option<SessionId>,
    matches: Matches,
}

/// Receivers of a route that is kept with the connection of its publisher: at most about 2 KB each. A match
/// with more receivers costs little beside their deliveries.
const KEPT_TARGETS_MAX: usize = 64;

impl Route {
    /// Finds the receivers, unless they are what they were.
    #[inline]
    pub(crate) fn find(
        &mut self,
        index: &SubscriptionIndex,
        topic: &str,
        publisher: Option<SessionId>,
    ) -> &Matches {
        let is_current = self.matches.generation() == index.generation()
            && self.publisher == publisher
            && self.topic == topic;
        if !is_current {
            self.topic.clear();
            self.topic.push_str(topic);
            self.publisher = publisher;
            index.matches(topic, publisher, &mut self.matches);
        }
        &self.matches
    }

    /// Whether it is small enough for each connection to keep one.
    #[inline]
    pub(crate) fn is_small(&self) -> bool {
        self.matches.targets().len() <= KEPT_TARGETS_MAX
    }
}
