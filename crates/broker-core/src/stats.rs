//! Owns the broker's counters: each shard counts for itself, readers add up. What is published of them is
//! `sys`'s business.

use crossbeam_utils::CachePadded;
use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering::Relaxed},
};

/// A number that one shard changes and all read.
#[derive(Debug, Default)]
pub struct Counter(AtomicU64);

impl Counter {
    /// Counts up. Only the owning shard's thread calls it, so no atomic addition is needed.
    #[inline]
    pub fn add(&self, count: u64) {
        self.0.store(self.0.load(Relaxed).wrapping_add(count), Relaxed);
    }

    /// Counts down.
    #[inline]
    pub fn subtract(&self, count: u64) {
        self.0.store(self.0.load(Relaxed).wrapping_sub(count), Relaxed);
    }

    /// The number now.
    #[must_use]
    #[inline]
    pub fn get(&self) -> u64 {
        self.0.load(Relaxed)
    }
}

macro_rules! stats {
    ($($(#[$doc:meta])* $name:ident,)*) => {
        /// What one shard counts.
        #[derive(Debug, Default)]
        pub struct ShardStats { $($(#[$doc])* pub $name: Counter,)* }

        /// The sum over all shards at one moment.
        #[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
        pub struct Totals { $($(#[$doc])* pub $name: u64,)* }

        impl Stats {
            /// Adds up all shards.
            #[must_use]
            pub fn totals(&self) -> Totals {
                let mut totals = Totals::default();
                for shard in &self.shards {
                    $(totals.$name = totals.$name.wrapping_add(shard.$name.get());)*
                }
                totals
            }
        }
    };
}

stats! {
    /// Connections accepted by a listener (counted by the daemon).
    sockets_opened,
    /// CONNECT packets received.
    connects_received,
    /// Clients connected now.
    clients_connected,
    /// Sessions kept now, connected or not.
    sessions,
    /// Sessions that ended because their expiry interval passed.
    sessions_expired,
    /// Packets of any type received.
    messages_received,
    /// Packets of any type sent.
    messages_sent,
    /// Bytes received (counted by the daemon).
    bytes_received,
    /// Bytes sent (counted by the daemon).
    bytes_sent,
    /// PUBLISH packets received.
    publishes_received,
    /// PUBLISH packets sent.
    publishes_sent,
    /// PUBLISH payload bytes received.
    publish_bytes_received,
    /// PUBLISH payload bytes sent.
    publish_bytes_sent,
    /// Messages not delivered because an outbox or a queue was full.
    publishes_dropped,
    /// Messages not delivered because they expired.
    publishes_expired,
    /// Messages not delivered because the journal could not give them back.
    publishes_lost,
    /// Messages waiting in queues and in flight now.
    queued_messages,
    /// Bytes of the messages waiting in queues now.
    queued_bytes,
}

/// The counters of one shard, as it has them at hand: several of them change with every packet.
pub(crate) type OwnStats = Arc<CachePadded<ShardStats>>;

/// The counters of all shards.
#[derive(Debug)]
pub struct Stats {
    shards: Vec<OwnStats>,
}

impl Stats {
    /// Zeroes for `shards` shards.
    #[must_use]
    pub fn new(shards: usize) -> Self {
        Self { shards: (0..shards).map(|_| OwnStats::default()).collect() }
    }

    /// The counters of one shard.
    ///
    /// # Panics
    /// If there is no such shard.
    #[must_use]
    pub fn shard(&self, shard: crate::ids::ShardId) -> &ShardStats {
        &self.shards[usize::from(shard.0)]
    }

    /// The same for the shard itself.
    pub(crate) fn own(&self, shard: crate::ids::ShardId) -> OwnStats {
        Arc::clone(&self.shards[usize::from(shard.0)])
    }
}
