//! Owns what recovery hands over. How it came to be is `recovery`'s business.

use super::{InvalidRecord, retained::RetainedTopics};
use crate::{
    journal::{
        Position, SessionState,
        record::{MessageRecord, Record},
        wire::Problem,
    },
    message::{Message, MessageRef},
};
use std::sync::Arc;

/// What there was when the journal ended.
#[derive(Debug)]
pub struct Recovered {
    pub(super) sessions: Vec<SessionState>,
    retained: RetainedTopics,
    unread: Vec<Position>,
    /// The latest page that names each of them.
    as_of: Vec<Position>,
}

/// A retained message that was recovered.
#[derive(Clone, Debug)]
pub(crate) struct RetainedMessage {
    /// The message, with its position.
    pub(crate) message: Arc<Message>,
    /// The client identifier of its publisher, empty for the broker itself.
    pub(crate) client_id: Box<str>,
}

impl Recovered {
    pub(super) fn new(sessions: Vec<SessionState>, mut retained: RetainedTopics) -> Self {
        let mut unread = std::mem::take(&mut retained.unread);
        unread.sort_unstable();
        // Several pages may name a message: the last one knows most.
        unread.dedup_by(|later, kept| {
            let is_same = later.0 == kept.0;
            if is_same {
                kept.1 = kept.1.max(later.1);
            }
            is_same
        });
        let (unread, as_of) = unread.into_iter().unzip();
        Self { sessions, retained, unread, as_of }
    }

    /// The records of retained messages that are still to be read and [supplied](Self::supply), ascending.
    #[must_use]
    pub fn unread(&self) -> &[Position] {
        &self.unread
    }

    /// How many of them may be gone without a fault, because something took their place. Before any is supplied. Those
    /// that have expired come on top: of that there is no record.
    #[must_use]
    pub fn replaced_max(&self) -> usize {
        self.retained.replaced_max()
    }

    /// Supplies one of the records that were [unread](Self::unread).
    ///
    /// # Errors
    /// It is no record of a retained message.
    pub fn supply(&mut self, position: Position, record: &[u8]) -> Result<(), InvalidRecord> {
        let (Record::Message(record @ MessageRecord { retained_by: Some(client_id), .. })
        | Record::Copy(record @ MessageRecord { retained_by: Some(client_id), .. })) =
            Record::decode(record)?
        else {
            return Err(InvalidRecord::new("a retained message", "kind", Problem::Meaningless));
        };
        let Ok(index) = self.unread.binary_search(&position) else { return Ok(()) };
        let message = MessageRef { position, ..record.message()? }.share();
        let client_id = Box::from(client_id);
        self.retained.supply(RetainedMessage { message, client_id }, self.as_of[index]);
        Ok(())
    }

    /// The retained messages, sorted by topic. They may have expired since.
    pub(crate) fn retained(&self) -> impl Iterator<Item = &RetainedMessage> {
        self.retained.topics.values().filter_map(|last| last.message.as_ref())
    }

    /// Every record that something recovered points to, once for each time it does; to be asked when all is
    /// supplied.
    pub fn references(&self) -> impl Iterator<Item = Position> {
        let queued = self.sessions.iter().flat_map(|session| {
            let in_flight = session.in_flight.iter().filter_map(|in_flight| in_flight.queued.as_ref());
            in_flight.chain(&session.queue).map(|queued| queued.position)
        });
        queued.chain(self.retained().map(|retained| retained.message.position))
    }

    /// The sessions, sorted by client identifier. Their time may have run out since.
    pub(crate) fn into_sessions(self) -> Vec<SessionState> {
        self.sessions
    }

    /// How many sessions there are.
    #[must_use]
    pub fn session_count(&self) -> usize {
        self.sessions.len()
    }

    /// How many messages wait for a session or are in flight to it, each counted once for each session.
    #[must_use]
    pub fn queued_count(&self) -> usize {
        self.sessions.iter().map(|session| session.in_flight.len() + session.queue.len()).sum()
    }

    /// How many retained messages there are, without those that are still to be supplied.
    #[must_use]
    pub fn retained_count(&self) -> usize {
        self.retained().count()
    }
}
