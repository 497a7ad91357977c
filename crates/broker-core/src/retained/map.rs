//! The ordered map under the retained store, with its sums and the order of expiry. Locking and
//! filters are not its business.

use core::ops::Bound;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::{Retainable, RetainedCounts, RetainedFull, RetainedLimits};
use crate::time::Timestamp;

/// Messages by key. Those that expire are listed by time as well, so removing them searches nothing.
#[derive(Debug)]
pub(super) struct RetainedMap<M> {
    messages: BTreeMap<Arc<[u8]>, M>,
    expiries: BTreeSet<(Timestamp, Arc<[u8]>)>,
    bytes: u64,
}

impl<M: Retainable> RetainedMap<M> {
    pub(super) fn new() -> Self {
        Self { messages: BTreeMap::new(), expiries: BTreeSet::new(), bytes: 0 }
    }

    pub(super) fn get(&self, key: &[u8]) -> Option<&M> {
        self.messages.get(key)
    }

    /// The messages at a key and behind it.
    pub(super) fn from<'a>(&'a self, key: &[u8]) -> impl Iterator<Item = (&'a [u8], &'a M)> + use<'a, M> {
        let bounds = (Bound::Included(key), Bound::Unbounded);
        self.messages.range::<[u8], _>(bounds).map(|(key, message)| (&**key, message))
    }

    /// Whether the limits leave room for a message at a key.
    pub(super) fn check(
        &self,
        key: &[u8],
        message_bytes: usize,
        limits: RetainedLimits,
    ) -> Result<(), RetainedFull> {
        let former = self.messages.get(key);
        if former.is_none() && self.messages.len() >= limits.messages_max {
            return Err(RetainedFull::Messages);
        }
        let bytes = self.bytes - former.map_or(0, bytes_of) + message_bytes as u64;
        if bytes > limits.bytes_max { Err(RetainedFull::Bytes) } else { Ok(()) }
    }

    /// Puts a message at a key, in place of the one there, which it hands back.
    pub(super) fn insert(&mut self, key: &[u8], message: M) -> Option<M> {
        let former = self.remove(key);
        let key: Arc<[u8]> = key.into();
        if let Some(expiry) = message.expires_at() {
            self.expiries.insert((expiry, Arc::clone(&key)));
        }
        self.bytes += bytes_of(&message);
        self.messages.insert(key, message);
        former
    }

    pub(super) fn remove(&mut self, key: &[u8]) -> Option<M> {
        let (key, message) = self.messages.remove_entry(key)?;
        self.bytes -= bytes_of(&message);
        if let Some(expiry) = message.expires_at() {
            let listed = self.expiries.remove(&(expiry, key));
            debug_assert!(listed, "a message that expires is listed by time");
        }
        Some(message)
    }

    /// Removes at most `budget` messages that expire at `now` or before.
    pub(super) fn expire(&mut self, now: Timestamp, budget: usize, removed: &mut Vec<M>) {
        let removed_max = removed.len() + budget;
        while removed.len() < removed_max && self.next_expiry().is_some_and(|expiry| expiry <= now) {
            let (_, key) = self.expiries.pop_first().expect("there is a next expiry");
            let message = self.messages.remove(&key).expect("a listed message is there");
            self.bytes -= bytes_of(&message);
            removed.push(message);
        }
    }

    pub(super) fn next_expiry(&self) -> Option<Timestamp> {
        self.expiries.first().map(|&(expiry, _)| expiry)
    }

    pub(super) fn counts(&self) -> RetainedCounts {
        RetainedCounts { messages: self.messages.len(), bytes: self.bytes }
    }
}

fn bytes_of<M: Retainable>(message: &M) -> u64 {
    message.bytes() as u64
}
