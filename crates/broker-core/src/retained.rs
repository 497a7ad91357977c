//! The last retained message of each topic, for all shards of the node. When it is delivered, and to
//! whom, is the shard's business.

use parking_lot::RwLock;

use crate::time::Timestamp;
use map::RetainedMap;
use walk::{Then, Walk, key_of};

mod map;
mod walk;

/// What the store must know of a message. Cloning must be cheap: a reference, not a copy.
pub trait Retainable: Clone {
    /// Bytes it counts for against the limit: topic, payload and properties.
    fn bytes(&self) -> usize;
    /// When it expires: from then on it is not delivered `[MQTT5-3.3.2-5]`. Nothing for never.
    fn expires_at(&self) -> Option<Timestamp>;
}

/// How much the store may hold. At a limit a message for a new topic is refused and one for a topic
/// that is there replaces it if the difference fits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RetainedLimits {
    /// Messages.
    pub messages_max: usize,
    /// Bytes as [`Retainable::bytes`] states them; the store itself adds about 100 and the topic.
    pub bytes_max: u64,
}

/// How much the store holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct RetainedCounts {
    /// Messages, those expired and not yet removed included.
    pub messages: usize,
    /// Their bytes.
    pub bytes: u64,
}

/// What a retained message replaced.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MadeWay<M> {
    /// The topic's former message.
    pub former: Option<M>,
    /// Messages of other topics that had expired.
    pub expired: Vec<M>,
}

/// Why a message was not retained. The operator's limits decide; the former message stays.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RetainedFull {
    /// One message more than [`RetainedLimits::messages_max`].
    Messages,
    /// More bytes than [`RetainedLimits::bytes_max`].
    Bytes,
}

/// Retained messages in the order of their topics, level by level.
///
/// Topic Names and Topic Filters are taken as the codec's types have checked them.
#[derive(Debug)]
pub struct RetainedStore<M> {
    limits: RetainedLimits,
    map: RwLock<RetainedMap<M>>,
}

/// How far the delivery of one subscription's retained messages has come.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RetainedCursor {
    next: Next,
}

impl RetainedCursor {
    /// A cursor that goes on where [`resume_key`](Self::resume_key) said.
    #[must_use]
    pub fn resumed(key: Vec<u8>) -> Self {
        Self { next: Next::From(key) }
    }

    /// Where it goes on, for one that has begun and is not done.
    #[must_use]
    pub fn resume_key(&self) -> Option<&[u8]> {
        match &self.next {
            Next::From(key) => Some(key),
            Next::First | Next::Nothing => None,
        }
    }
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
enum Next {
    #[default]
    First,
    From(Vec<u8>),
    Nothing,
}

/// The most one page may hold. The first message is taken whatever its size, so that every page with
/// a match makes progress.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PageLimits {
    /// Messages.
    pub messages_max: usize,
    /// Bytes as [`Retainable::bytes`] states them.
    pub bytes_max: u64,
}

/// Whether a page was the last.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Page {
    /// There may be more: ask again with the same cursor.
    More,
    /// There is no more.
    Done,
}

/// Topics looked at in one page beyond those it returns: the bound on how long a page may block its
/// shard, about half a millisecond, when a filter such as `+/+/x` meets a million topics that do not match.
const MISSES_PER_PAGE_MAX: usize = 2048;

/// Topics stepped over before the map is searched afresh: a step is a tenth of a search.
const STEPS_BEFORE_SEEK: usize = 4;

/// Expired messages removed at most to make room for one.
const EXPIRE_PER_SET: usize = 256;

impl<M: Retainable> RetainedStore<M> {
    /// An empty store.
    #[must_use]
    pub fn new(limits: RetainedLimits) -> Self {
        Self { limits, map: RwLock::new(RetainedMap::new()) }
    }

    /// Retains a message in place of the topic's former one `[MQTT5-3.3.1-5]` `[MQTT311-3.3.1-5]`, and tells
    /// what made way.
    ///
    /// # Errors
    /// If a limit leaves no room even when what has expired at `now` makes way.
    pub fn set(&self, topic: &str, message: M, now: Timestamp) -> Result<MadeWay<M>, RetainedFull> {
        let bytes = message.bytes();
        self.set_with(topic, bytes, now, || message)
    }

    /// As [`set`](Self::set) with a message of `bytes` that is made once it is sure to be retained, and before
    /// any other change of the store: what `make` writes down elsewhere is in the order of the store.
    ///
    /// # Errors
    /// As [`set`](Self::set); then nothing is made.
    pub fn set_with(
        &self,
        topic: &str,
        bytes: usize,
        now: Timestamp,
        make: impl FnOnce() -> M,
    ) -> Result<MadeWay<M>, RetainedFull> {
        let key = key_of(topic);
        let mut expired = Vec::new();
        let mut map = self.map.write();
        if map.check(&key, bytes, self.limits).is_err() {
            map.expire(now, EXPIRE_PER_SET, &mut expired);
            map.check(&key, bytes, self.limits)?;
        }
        let former = map.insert(&key, make());
        Ok(MadeWay { former, expired })
    }

    /// Removes a topic's message, as an empty payload asks `[MQTT5-3.3.1-6]` `[MQTT311-3.3.1-10]`.
    /// What it was.
    pub fn clear(&self, topic: &str) -> Option<M> {
        self.clear_with(topic, |_| ())
    }

    /// As [`clear`](Self::clear), with a look at the message before any other change of the store.
    pub fn clear_with(&self, topic: &str, look: impl FnOnce(&M)) -> Option<M> {
        let mut map = self.map.write();
        let message = map.remove(&key_of(topic))?;
        look(&message);
        Some(message)
    }

    /// Puts a message in the place of the one there if that is the one expected, of which it is a copy. Whether
    /// it was.
    pub fn replace(&self, topic: &str, copy: M, is_expected: impl FnOnce(&M) -> bool) -> bool {
        let key = key_of(topic);
        let mut map = self.map.write();
        let is_there = map.get(&key).is_some_and(is_expected);
        if is_there {
            map.insert(&key, copy);
        }
        is_there
    }

    /// A topic's message, if it has one that has not expired.
    #[must_use]
    pub fn get(&self, topic: &str, now: Timestamp) -> Option<M> {
        self.map.read().get(&key_of(topic)).filter(|message| is_live(*message, now)).cloned()
    }

    /// Appends the next messages that match the filter to `out`, in the order of their topics. The
    /// cursor starts as [`RetainedCursor::default`] and belongs to this filter.
    ///
    /// What is set or cleared between two pages shows if its topic lies ahead of the cursor: a message
    /// that is there from the first page to the last is returned exactly once. A page may return few
    /// messages or none, and still [`Page::More`], where many topics had to be looked at.
    pub fn page(
        &self,
        filter: &str,
        cursor: &mut RetainedCursor,
        limits: PageLimits,
        now: Timestamp,
        out: &mut Vec<M>,
    ) -> Page {
        let walk = Walk::new(filter);
        let mut next = match core::mem::take(&mut cursor.next) {
            Next::First => walk.first_key(),
            Next::From(key) => key,
            Next::Nothing => {
                cursor.next = Next::Nothing;
                return Page::Done;
            }
        };
        let end = collect(&self.map.read(), &walk, &mut next, limits, now, out);
        cursor.next = match end {
            Page::More => Next::From(next),
            Page::Done => Next::Nothing,
        };
        end
    }

    /// Shows the messages of at most `budget` topics to `visit`, in the order of their topics from the cursor
    /// on, whatever they match and whether or not they have expired. Nothing is set or cleared meanwhile.
    pub fn walk(&self, cursor: &mut RetainedCursor, budget: usize, mut visit: impl FnMut(&M)) -> Page {
        let map = self.map.read();
        let start = match core::mem::take(&mut cursor.next) {
            Next::First => Vec::new(),
            Next::From(key) => key,
            Next::Nothing => {
                cursor.next = Next::Nothing;
                return Page::Done;
            }
        };
        for (count, (key, message)) in map.from(&start).enumerate() {
            if count >= budget {
                cursor.next = Next::From(key.to_vec());
                return Page::More;
            }
            visit(message);
        }
        cursor.next = Next::Nothing;
        Page::Done
    }

    /// Removes at most `budget` messages that have expired, the earliest first, and appends them to `removed`.
    /// Takes no writer's lock if none has.
    pub fn expire(&self, now: Timestamp, budget: usize, removed: &mut Vec<M>) {
        let first = self.map.read().next_expiry();
        if first.is_none_or(|first| now < first) {
            return;
        }
        self.map.write().expire(now, budget, removed);
    }

    /// When [`RetainedStore::expire`] next has something to do.
    #[must_use]
    pub fn next_expiry(&self) -> Option<Timestamp> {
        self.map.read().next_expiry()
    }

    /// How much the store holds.
    #[must_use]
    pub fn counts(&self) -> RetainedCounts {
        self.map.read().counts()
    }
}

/// Walks the map from `next`, which it moves on; [`Page::Done`] when nothing ahead can match.
fn collect<M: Retainable>(
    map: &RetainedMap<M>,
    walk: &Walk<'_>,
    next: &mut Vec<u8>,
    limits: PageLimits,
    now: Timestamp,
    out: &mut Vec<M>,
) -> Page {
    let (mut messages, mut bytes, mut misses) = (0, 0, 0);
    'seek: loop {
        let mut skipped = 0;
        for (key, message) in map.from(next) {
            if misses >= MISSES_PER_PAGE_MAX {
                resume_at(next, key);
                return Page::More;
            }
            if key < next.as_slice() {
                misses += 1;
                skipped += 1;
                if skipped > STEPS_BEFORE_SEEK {
                    continue 'seek;
                }
                continue;
            }
            skipped = 0;
            let step = walk.step(key, next);
            if step.matches && is_live(message, now) {
                let size = message.bytes() as u64;
                if messages > 0 && (messages >= limits.messages_max || bytes + size > limits.bytes_max) {
                    resume_at(next, key);
                    return Page::More;
                }
                messages += 1;
                bytes += size;
                out.push(message.clone());
            } else {
                misses += 1;
            }
            if step.then == Then::End {
                return Page::Done;
            }
        }
        return Page::Done;
    }
}

fn is_live<M: Retainable>(message: &M, now: Timestamp) -> bool {
    message.expires_at().is_none_or(|expiry| now < expiry)
}

fn resume_at(next: &mut Vec<u8>, key: &[u8]) {
    next.clear();
    next.extend_from_slice(key);
}

#[cfg(test)]
mod tests;
