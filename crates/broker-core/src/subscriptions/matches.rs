//! What one topic matches: a buffer the caller reuses, and the merging of overlapping subscriptions.
//! Finding the subscriptions is the index's business.

use mqtt_codec::QoS;

use super::subscriber::{Entry, Named, Subscriber};
use super::trie::Frontier;
use crate::ids::{GroupId, SessionId, ShardId};

/// The receivers of one topic, filled by [`SubscriptionIndex::matches`] and reused from one call to
/// the next: it keeps the memory of the largest match it saw and allocates nothing else.
///
/// [`SubscriptionIndex::matches`]: super::SubscriptionIndex::matches
#[derive(Debug, Default)]
pub struct Matches {
    pub(super) generation: u64,
    pub(super) entries: Vec<Entry>,
    pub(super) frontier: Frontier,
    targets: Vec<Target>,
    identifiers: Vec<u32>,
    groups: Vec<GroupId>,
}

/// One session that receives the message, once, whatever the number of its filters that match.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Target {
    /// Who receives.
    pub session: SessionId,
    /// The highest QoS granted to a filter that matches.
    pub qos: QoS,
    /// Whether any filter that matches asked for the RETAIN flag as published.
    pub retain_as_published: bool,
    identifiers_start: u32,
    identifiers_count: u32,
}

impl Matches {
    /// An empty buffer.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// The generation of the index that this is true for.
    #[must_use]
    pub fn generation(&self) -> u64 {
        self.generation
    }

    /// The receivers, in the order of their keys, so grouped by shard.
    #[must_use]
    pub fn targets(&self) -> &[Target] {
        &self.targets
    }

    /// The receivers shard by shard.
    pub fn by_shard(&self) -> impl Iterator<Item = (ShardId, &[Target])> {
        let mut rest = &self.targets[..];
        std::iter::from_fn(move || {
            let shard = rest.first()?.session.shard();
            // Mostly all are on one.
            let is_last = rest.last().is_some_and(|target| target.session.shard() == shard);
            let end =
                if is_last { rest.len() } else { rest.partition_point(|it| it.session.shard() == shard) };
            let (targets, others) = rest.split_at(end);
            rest = others;
            Some((shard, targets))
        })
    }

    /// Whether any of the receivers is on a shard.
    #[must_use]
    pub fn reaches(&self, shard: ShardId) -> bool {
        self.targets.binary_search_by_key(&shard, |target| target.session.shard()).is_ok()
    }

    /// The Subscription Identifiers of a receiver's filters that match `[MQTT5-3.3.4-4]`; one used by
    /// two filters is there twice.
    #[must_use]
    #[inline]
    pub fn identifiers(&self, target: &Target) -> &[u32] {
        if target.identifiers_count == 0 {
            return &[];
        }
        let start = target.identifiers_start as usize;
        &self.identifiers[start..start + target.identifiers_count as usize]
    }

    /// The groups of shared subscriptions that match. Each receives the message once.
    #[must_use]
    pub fn groups(&self) -> &[GroupId] {
        &self.groups
    }

    /// Whether nobody receives.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.targets.is_empty() && self.groups.is_empty()
    }

    pub(super) fn clear(&mut self) {
        self.entries.clear();
        self.targets.clear();
        self.identifiers.clear();
        self.groups.clear();
    }

    /// Turns the entries found into one target a session.
    pub(super) fn merge(&mut self, publisher: Option<SessionId>) {
        self.entries.sort_unstable_by_key(|entry| entry.key());
        for entry in &self.entries {
            match entry.named() {
                Named::Group(group) => self.groups.push(group),
                // [MQTT5-3.8.3-3]: not to the session that published.
                Named::Session(Subscriber { no_local: true, session, .. }) if publisher == Some(session) => {}
                Named::Session(subscriber) => add(&mut self.targets, &mut self.identifiers, subscriber),
            }
        }
    }
}

/// Adds a subscriber to the last target if it is the same session, else as a new one: the message is
/// sent once, at the highest QoS of the subscriptions that overlap `[MQTT5-3.3.4-2]` `[MQTT311-3.3.5-1]`.
fn add(targets: &mut Vec<Target>, identifiers: &mut Vec<u32>, subscriber: Subscriber) {
    let identifiers_start = u32::try_from(identifiers.len()).expect("identifiers are counted in 32 bits");
    if subscriber.identifier != 0 {
        identifiers.push(subscriber.identifier);
    }
    let identifiers_count = u32::from(subscriber.identifier != 0);
    match targets.last_mut() {
        Some(target) if target.session == subscriber.session => {
            target.qos = target.qos.max(subscriber.qos);
            target.retain_as_published |= subscriber.retain_as_published;
            target.identifiers_count += identifiers_count;
        }
        _ => targets.push(Target {
            session: subscriber.session,
            qos: subscriber.qos,
            retain_as_published: subscriber.retain_as_published,
            identifiers_start,
            identifiers_count,
        }),
    }
}
