//! Owns what all shards of a node share: configuration, subscriptions, retained messages, counters, and
//! which shard a client identifier belongs to. Sessions are the shards' own.

use crate::{
    config::Config,
    ids::ShardId,
    journal::Journal,
    message::Message,
    retained::{RetainedLimits, RetainedStore},
    retaining::Retaining,
    stats::Stats,
    subscriptions::SubscriptionIndex,
};
use std::{
    hash::{BuildHasher, Hasher},
    sync::{Arc, atomic::AtomicUsize},
};

/// One broker process as its shards see it.
#[derive(Debug)]
pub struct Node {
    /// Limits and policies.
    pub config: Config,
    /// Who subscribed to what.
    pub subscriptions: SubscriptionIndex,
    /// The last retained message of each topic.
    pub retained: RetainedStore<Arc<Message>>,
    /// Who is about to retain a message.
    pub(crate) retaining: Retaining,
    /// The counters of each shard.
    pub stats: Stats,
    /// Where what must survive the process is recorded.
    pub(crate) journal: Option<Arc<dyn Journal>>,
    /// Clients connected, against `connections_max`.
    pub(crate) connections: AtomicUsize,
    /// Sessions kept, against `sessions_max`.
    pub(crate) sessions: AtomicUsize,
    shards: u16,
}

impl Node {
    /// A node of `shards` shards that keeps everything in memory. `seed` keeps strangers from choosing topics
    /// that collide.
    ///
    /// # Panics
    /// If there is no shard, or more than [`ShardId::MAX`] allows.
    #[must_use]
    pub fn new(config: Config, shards: usize, seed: u64) -> Arc<Self> {
        Self::assemble(config, shards, seed, None)
    }

    /// A node whose acknowledgements wait until a journal has on disk what they promise. What the journal
    /// holds of an earlier process is [restored](Self::restore) first.
    ///
    /// # Panics
    /// As [`Node::new`].
    #[must_use]
    pub fn with_journal(config: Config, shards: usize, seed: u64, journal: Arc<dyn Journal>) -> Arc<Self> {
        Self::assemble(config, shards, seed, Some(journal))
    }

    fn assemble(config: Config, shards: usize, seed: u64, journal: Option<Arc<dyn Journal>>) -> Arc<Self> {
        let count = u16::try_from(shards).expect("at most 4095 shards");
        assert!(count > 0 && count - 1 <= ShardId::MAX.0, "1 to 4095 shards, not {shards}");
        let limits = RetainedLimits {
            messages_max: config.limits.retained_messages_max,
            bytes_max: config.limits.retained_bytes_max,
        };
        Arc::new(Self {
            config,
            subscriptions: SubscriptionIndex::new(seed),
            retained: RetainedStore::new(limits),
            retaining: Retaining::new(shards),
            stats: Stats::new(shards),
            journal,
            connections: AtomicUsize::new(0),
            sessions: AtomicUsize::new(0),
            shards: count,
        })
    }

    /// The shard that owns the sessions of a client identifier. An empty one, which asks for an
    /// assigned identifier, may be taken by any shard.
    #[must_use]
    pub fn shard_of(&self, client_id: &str) -> ShardId {
        let mut hasher = rustc_hash::FxBuildHasher.build_hasher();
        hasher.write(client_id.as_bytes());
        // The high bits are the well mixed ones.
        let spread = u128::from(hasher.finish()) * u128::from(self.shards);
        ShardId(u16::try_from(spread >> 64).expect("below the number of shards"))
    }

    /// All shards.
    pub fn shards(&self) -> impl Iterator<Item = ShardId> + use<> {
        (0..self.shards).map(ShardId)
    }
}
