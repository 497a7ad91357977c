//! Owns which retained messages there are while the journal is replayed, and which records name them that
//! were not replayed. Handing them out is `recovered`'s business.

use super::RetainedMessage;
use crate::journal::{Position, RetainedSlice};
use std::collections::BTreeMap;

/// The last that was recorded of each topic.
#[derive(Debug, Default)]
pub(super) struct RetainedTopics {
    /// Ordered: strangers choose topics, so no hash of them is to be relied on without a seed.
    pub(super) topics: BTreeMap<Box<str>, LastRetained>,
    /// Messages that are only named by a page of the retained store, with the page's position.
    pub(super) unread: Vec<(Position, Position)>,
    /// Copies that were replayed. By themselves they say nothing, so a page that names one names what is not known.
    copies: std::collections::BTreeSet<Position>,
    /// Where the log begins: what is before it was not replayed.
    first: Option<Position>,
}

/// What a topic's last record said.
#[derive(Debug)]
pub(super) struct LastRetained {
    /// Where it stands; that of the message, if there is one.
    pub(super) position: Position,
    /// The message; none if the topic was cleared.
    pub(super) message: Option<RetainedMessage>,
}

impl RetainedTopics {
    /// A record is replayed.
    #[inline]
    pub(super) fn begin(&mut self, position: Position) {
        self.first.get_or_insert(position);
    }

    /// A message is its topic's last one. Its record was appended under the store's lock, so the order of the log
    /// is that of the store.
    pub(super) fn set(&mut self, message: RetainedMessage) {
        let topic = Box::from(message.message.topic().text());
        let last = LastRetained { position: message.message.position, message: Some(message) };
        self.topics.insert(topic, last);
    }

    /// A topic has none any more.
    pub(super) fn clear(&mut self, topic: &str, position: Position) {
        let cleared = LastRetained { position, message: None };
        match self.topics.get_mut(topic) {
            Some(last) => *last = cleared,
            None => {
                self.topics.insert(Box::from(topic), cleared);
            }
        }
    }

    /// A message was copied.
    pub(super) fn copied(&mut self, position: Position) {
        self.copies.insert(position);
    }

    /// A page of the store names messages. Those that were replayed are known, and so is whatever replaced
    /// them: the page says nothing new. Of the others nothing is known, not even the topic, until they are read.
    pub(super) fn page(&mut self, slice: &RetainedSlice) {
        let first = self.first.unwrap_or(Position::MAX);
        let copies = &self.copies;
        let unread =
            slice.positions.iter().filter(|&&position| position < first || copies.contains(&position));
        self.unread.extend(unread.map(|&position| (position, slice.as_of)));
    }

    /// How many messages that a page names may have been replaced, cleared or copied since, as far as records say.
    pub(super) fn replaced_max(&self) -> usize {
        self.topics.len() + self.copies.len()
    }

    /// A message that only a page named. What was recorded of its topic at or behind the page's position is not
    /// in the page and wins over it; what was recorded before the page was taken into account by it.
    pub(super) fn supply(&mut self, message: RetainedMessage, as_of: Position) {
        let position = message.message.position;
        let topic = message.message.topic();
        let is_outdated = self
            .topics
            .get(topic.text())
            .is_some_and(|last| last.position >= as_of || last.position > position && last.message.is_some());
        if !is_outdated {
            self.set(message);
        }
    }
}
