//! Owns the mail between shards: in order from one shard to another, in any order otherwise. What it says
//! is the shards' business.

use broker_core::{PeerBatch, ShardId};
use std::collections::{BTreeMap, VecDeque};

/// A mailbox for each pair of shards that has mail; none is empty.
#[derive(Default)]
pub(super) struct Mail(BTreeMap<(usize, usize), VecDeque<PeerBatch>>);

impl Mail {
    pub(super) fn post(&mut self, source: usize, target: ShardId, letter: PeerBatch) {
        let target = usize::from(target.0);
        assert_ne!(source, target, "no shard writes to itself");
        self.0.entry((source, target)).or_default().push_back(letter);
    }

    /// The first letter of a mailbox, counted round those that hold any, and the shard it is for.
    pub(super) fn take(&mut self, number: usize) -> Option<(usize, PeerBatch)> {
        let key = *self.0.keys().nth(number % self.0.len().max(1))?;
        let mailbox = self.0.get_mut(&key)?;
        let letter = mailbox.pop_front()?;
        if mailbox.is_empty() {
            self.0.remove(&key);
        }
        Some((key.1, letter))
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}
