//! Owns what one match in the subscription index found, for as long as it is true: a client that publishes
//! to the same topic again is matched once. Delivering is `shard`'s business.

use crate::{
    config::{Config, Durability},
    ids::SessionId,
    message::MessageRef,
    subscriptions::{Matches, SubscriptionIndex},
};

/// The receivers of one topic, and what is promised for it.
#[derive(Debug, Default)]
pub(crate) struct Route {
    topic: String,
    /// Its own subscriptions may leave its messages out.
    publisher: Option<SessionId>,
    durability: Durability,
    pub(crate) matches: Matches,
}

/// Receivers of a route that is kept with the connection of its publisher: at most about 2 KB each. A match
/// with more receivers costs little beside their deliveries.
const KEPT_TARGETS_MAX: usize = 64;

impl Route {
    /// Finds the receivers, unless they are what they were.
    #[inline(always)]
    pub(crate) fn find(&mut self, index: &SubscriptionIndex, config: &Config, message: &MessageRef<'_>) {
        let (topic, publisher) = (message.topic.text(), message.publisher);
        let is_current = self.matches.generation() == index.generation()
            && self.publisher == publisher
            && self.topic == topic;
        if !is_current {
            self.find_anew(index, config, message);
        }
    }

    #[inline(never)]
    fn find_anew(&mut self, index: &SubscriptionIndex, config: &Config, message: &MessageRef<'_>) {
        let (topic, publisher) = (message.topic.text(), message.publisher);
        self.topic.clear();
        self.topic.push_str(topic);
        self.publisher = publisher;
        self.durability = config.durability_of(message.topic);
        index.matches(topic, publisher, &mut self.matches);
    }

    /// What an acknowledgement of a message to the topic promises.
    pub(crate) fn durability(&self) -> Durability {
        self.durability
    }

    /// Whether it is small enough for each connection to keep one.
    #[inline]
    pub(crate) fn is_small(&self) -> bool {
        self.matches.targets().len() <= KEPT_TARGETS_MAX
    }
}
