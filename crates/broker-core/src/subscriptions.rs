//! The subscription index: which sessions and which groups of shared subscriptions a Topic Name
//! reaches, for all shards of the node. What a session subscribed to is the session's own knowledge.

use core::sync::atomic::{AtomicU64, Ordering};
use std::sync::PoisonError;

use crossbeam_utils::sync::{ShardedLock, ShardedLockReadGuard, ShardedLockWriteGuard};

use crate::config::ShareStrategy;
use crate::ids::{GroupId, SessionId};
pub(crate) use arena::block_bytes;
use exact::ExactFilters;
use hashing::Seed;
use lists::Lists;
use share::{Groups, Left};
use subscriber::{Entry, Subscribers};
use trie::Trie;

pub use matches::{Matches, Target};
pub use share::{LoadGauge, Presence, ShareRequest};
pub use subscriber::Subscriber;

mod arena;
mod exact;
mod hashing;
mod levels;
mod lists;
mod matches;
mod share;
mod subscriber;
mod table;
mod trie;

/// All subscriptions of the node. Every shard matches in it at once, through a lock that costs a
/// reader one uncontended atomic; a writer shuts all readers out for about a microsecond.
///
/// Topic Names, Topic Filters and share names are taken as the codec's types have checked them:
/// a malformed filter is not refused here, it just never matches what was meant.
#[derive(Debug)]
pub struct SubscriptionIndex {
    generation: AtomicU64,
    index: ShardedLock<Index>,
}

/// What a subscription did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Subscribed {
    /// The session did not subscribe to this filter before.
    New,
    /// It did, and its options are now the new ones `[MQTT5-3.8.4-3]`.
    Replaced,
}

/// How much the index holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct SubscriptionCounts {
    /// Subscriptions, the shared ones included.
    pub subscriptions: usize,
    /// Shared subscriptions: memberships in groups.
    pub shared_subscriptions: usize,
    /// Groups of shared subscriptions: pairs of a share name and a Topic Filter.
    pub shared_groups: usize,
    /// Filters without wildcards.
    pub exact_filters: usize,
    /// Nodes of the trie of filters with wildcards.
    pub trie_nodes: usize,
    /// Texts of levels in that trie, each counted once.
    pub trie_levels: usize,
    /// Filters with more than one subscriber.
    pub lists: usize,
}

#[derive(Debug)]
struct Index {
    exact: ExactFilters,
    trie: Trie,
    lists: Lists,
    groups: Groups,
    ordinary_subscriptions: usize,
}

impl SubscriptionIndex {
    /// An empty index. The seed keeps strangers from choosing filters that collide: make it from
    /// randomness in a daemon and from the run's seed in a simulator.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        Self { generation: AtomicU64::new(0), index: ShardedLock::new(Index::new(Seed::new(seed))) }
    }

    /// Fills `matches` with the sessions and groups that a message of `publisher` to `topic` reaches.
    /// Allocates nothing once the buffer has grown to what it meets.
    pub fn matches(&self, topic: &str, publisher: Option<SessionId>, matches: &mut Matches) {
        matches.clear();
        let index = self.read();
        // Read under the lock: no change can lie between it and the match.
        matches.generation = self.generation();
        index.collect(topic, matches);
        drop(index);
        matches.merge(publisher);
    }

    /// Chooses the member of a group that receives a message: one that is online if any is, else a
    /// session that is not. Nobody, if the group has gone or has no member but the excluded one.
    ///
    /// [`ShareStrategy::LeastInFlight`] looks at every member of the group, the others at one or two.
    #[must_use]
    pub fn choose(
        &self,
        group: GroupId,
        strategy: ShareStrategy,
        request: &ShareRequest<'_>,
    ) -> Option<Subscriber> {
        self.read().groups.choose(group, strategy, request)
    }

    /// Subscribes a session to a filter, or gives its subscription new options.
    pub fn subscribe(&self, filter: &str, subscriber: Subscriber) -> Subscribed {
        let entry = Entry::from_subscriber(subscriber);
        let mut index = self.write();
        let replaced = index.insert(filter, entry);
        index.ordinary_subscriptions += usize::from(replaced.is_none());
        // A client that comes back and subscribes as before leaves every route cache valid.
        if replaced != Some(entry) {
            self.changed();
        }
        replaced.map_or(Subscribed::New, |_| Subscribed::Replaced)
    }

    /// Ends a subscription. Whether there was one.
    pub fn unsubscribe(&self, filter: &str, session: SessionId) -> bool {
        let mut index = self.write();
        let removed = index.remove(filter, session.to_bits());
        if removed {
            index.ordinary_subscriptions -= 1;
            self.changed();
        }
        removed
    }

    /// Makes a session a member of the group `share_name` on a filter, or gives it new options. A
    /// session that becomes a member of its first group counts as online and idle.
    pub fn subscribe_shared(&self, share_name: &str, filter: &str, subscriber: Subscriber) -> Subscribed {
        let mut index = self.write();
        let joined = index.groups.insert(share_name, filter, subscriber);
        if index.insert(filter, Entry::from_group(joined.group)).is_none() {
            self.changed();
        }
        joined.replaced.map_or(Subscribed::New, |_| Subscribed::Replaced)
    }

    /// Ends a session's membership of a group. Whether there was one.
    pub fn unsubscribe_shared(&self, share_name: &str, filter: &str, session: SessionId) -> bool {
        let mut index = self.write();
        match index.groups.remove(share_name, filter, session) {
            None => false,
            Some(Left::GroupStays) => true,
            Some(Left::GroupEnds(group)) => {
                let removed = index.remove(filter, group.to_bits());
                debug_assert!(removed, "{group:?} was not in the index");
                self.changed();
                true
            }
        }
    }

    /// States that a session's connection has come or gone. Costs a reader's lock and one lookup for a
    /// session that is a member of no group or whose presence does not change.
    pub fn set_presence(&self, session: SessionId, presence: Presence) {
        let former = self.read().groups.presence(session);
        if former.is_some_and(|former| former != presence) {
            self.write().groups.set_presence(session, presence);
        }
    }

    /// The whole Topic Filter of a shared subscription, as its members have it, while there is one. Another
    /// process knows the group by it.
    #[must_use]
    pub fn group_filter(&self, group: GroupId) -> Option<String> {
        let index = self.read();
        let (share_name, filter) = index.groups.name_and_filter(group)?;
        Some(format!("$share/{share_name}/{filter}"))
    }

    /// The group `share_name` on a filter, if it has a member.
    #[must_use]
    pub fn group(&self, share_name: &str, filter: &str) -> Option<GroupId> {
        self.read().groups.group(share_name, filter)
    }

    /// The gauge of a session that is a member of a group; valid until it leaves its last group.
    #[must_use]
    pub fn load_gauge(&self, session: SessionId) -> Option<LoadGauge> {
        self.read().groups.load_gauge(session)
    }

    /// A number that grows with each change of what [`SubscriptionIndex::matches`] says of some topic.
    /// The members of a group are no part of that: [`SubscriptionIndex::choose`] sees them as they are.
    #[must_use]
    pub fn generation(&self) -> u64 {
        self.generation.load(Ordering::Acquire)
    }

    /// How much the index holds.
    #[must_use]
    pub fn counts(&self) -> SubscriptionCounts {
        let index = self.read();
        SubscriptionCounts {
            subscriptions: index.ordinary_subscriptions + index.groups.members(),
            shared_subscriptions: index.groups.members(),
            shared_groups: index.groups.len(),
            exact_filters: index.exact.len(),
            trie_nodes: index.trie.nodes(),
            trie_levels: index.trie.levels(),
            lists: index.lists.len(),
        }
    }

    /// Bytes held, the text of the filters and the allocator's share included.
    #[must_use]
    pub fn memory_bytes(&self) -> usize {
        let Index { exact, trie, lists, groups, ordinary_subscriptions: _ } = &*self.read();
        exact.memory_bytes() + trie.memory_bytes() + lists.memory_bytes() + groups.memory_bytes()
    }

    /// To be called before the writer's lock is released: whoever reads the old number may still use
    /// what it matched, whoever reads the new one finds the change.
    fn changed(&self) {
        self.generation.fetch_add(1, Ordering::Release);
    }

    // A panic under the lock is a bug that ends its shard; the others go on with what they can read.
    fn read(&self) -> ShardedLockReadGuard<'_, Index> {
        self.index.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self) -> ShardedLockWriteGuard<'_, Index> {
        self.index.write().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Index {
    fn new(seed: Seed) -> Self {
        let (exact, trie) = (ExactFilters::new(seed), Trie::new(seed));
        Self { exact, trie, lists: Lists::default(), groups: Groups::new(seed), ordinary_subscriptions: 0 }
    }

    fn collect(&self, topic: &str, matches: &mut Matches) {
        let Matches { entries, frontier, .. } = matches;
        if let Some(number) = self.exact.find(topic) {
            self.lists.collect(self.exact.subscribers(number), entries);
        }
        self.trie.walk(topic, frontier, |subscribers: Subscribers| self.lists.collect(subscribers, entries));
    }

    fn insert(&mut self, filter: &str, entry: Entry) -> Option<Entry> {
        let subscribers = if has_wildcard(filter) {
            let node = self.trie.find_or_insert(filter);
            self.trie.subscribers_mut(node)
        } else {
            let number = self.exact.find_or_insert(filter);
            self.exact.subscribers_mut(number)
        };
        self.lists.insert(subscribers, entry)
    }

    fn remove(&mut self, filter: &str, key: u64) -> bool {
        if has_wildcard(filter) {
            let Some(node) = self.trie.find(filter) else { return false };
            let removed = self.lists.remove(self.trie.subscribers_mut(node), key);
            self.trie.prune(node);
            removed.is_some()
        } else {
            let Some(number) = self.exact.find(filter) else { return false };
            let removed = self.lists.remove(self.exact.subscribers_mut(number), key);
            self.exact.prune(number);
            removed.is_some()
        }
    }
}

/// In a Topic Filter these two stand for wildcards wherever they are.
fn has_wildcard(filter: &str) -> bool {
    filter.bytes().any(|byte| matches!(byte, b'+' | b'#'))
}

#[cfg(test)]
mod tests;
