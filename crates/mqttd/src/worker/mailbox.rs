//! Owns what one worker is told by other threads: the mail and the wake-up. What the mail means is the
//! receiving worker's business.

use std::sync::atomic::{
    AtomicBool,
    Ordering::{Relaxed, SeqCst},
};
use std::sync::{Arc, OnceLock};

use broker_core::journal::Position;
use broker_core::{Message, PeerBatch, SessionId, ShardId};
use mio::Waker;
use parking_lot::{Mutex, MutexGuard};

use crate::handshake::Arrival;
use crate::listener::Doors;

/// Bytes of messages that may wait in one mailbox. A sender that reaches it reads nothing more from its
/// clients until the mailbox is empty, so that publishers feel a worker that is behind just as they
/// would feel a single one. What the sender still has to post (Wills, answers) is taken all the same,
/// except for QoS 0 messages, which are dropped and counted. Worst case this plus what each worker
/// posts at once, see `outgoing`.
pub(super) const MAIL_BYTES_MAX: usize = 8 * 1024 * 1024;

/// Batches that have been read and are kept for those who post: more than are on their way at a time, unless the reader
/// is far behind.
const SPARE_MAX: usize = 16;

/// A batch changes hands several times, and is as large as four lines of the processor's cache.
#[allow(clippy::vec_box, reason = "the boxes go on, out of the list")]
pub(super) type Batches = Vec<Box<PeerBatch>>;

/// What a worker is told.
#[derive(Debug)]
pub(crate) enum Mail {
    /// Connections for sessions that are, or will be, here.
    Arrivals(Vec<Arrival>),
    /// Clients are to be accepted here.
    Doors(Doors),
    /// What another shard says to this one.
    Peers(Box<PeerBatch>),
    /// What a session has asked the journal for. There is one per session at a time.
    Loaded {
        /// For whom.
        session: SessionId,
        /// In the order of the request; none for what cannot be read.
        messages: Vec<(Position, Option<Arc<Message>>)>,
    },
    /// Everything that is still true is to be recorded.
    Checkpoint,
    /// What is still needed of these places of the journal is to be told.
    Survey {
        /// The first.
        from: Position,
        /// Behind the last.
        to: Position,
    },
    /// Records that are somewhere else as well, sorted by where they were.
    Copied(Arc<[(Position, Position)]>),
    /// The broker goes down.
    Shutdown,
}

/// The mailbox of one worker.
///
/// A wake-up is a system call, so there is one only if the reader has said that it sleeps: it sets
/// `is_parked`, *then* looks at `has_mail`; a sender sets `has_mail`, *then* looks at `is_parked`. In
/// the one order of all these accesses whoever comes second sees the first, so no mail is slept over.
/// A reader that is awake looks at `has_mail` in each of its turns.
#[derive(Debug, Default)]
pub(crate) struct Mailbox {
    contents: Mutex<Contents>,
    has_mail: AtomicBool,
    is_parked: AtomicBool,
    /// Wakes the thread that reads it, once there is one.
    reader: OnceLock<Waker>,
}

#[derive(Debug, Default)]
struct Contents {
    mail: Vec<Mail>,
    /// Bytes of the peers' messages among it.
    bytes: usize,
    /// Whether some of it comes from another thread.
    is_from_afar: bool,
    /// Senders that want to know when it is empty.
    held_back: Vec<ShardId>,
    /// Batches that have been read, for senders to fill again: so memory goes to and fro between threads instead of
    /// being asked for by one and given up by the other.
    spare: Batches,
}

/// What became of messages from another worker.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Posted {
    /// Deliveries of QoS 0 messages that were dropped.
    pub(super) dropped: u64,
    /// Whether the sender is to hold back until it is nudged.
    pub(super) is_full: bool,
}

impl Mailbox {
    /// Puts one piece of mail in, whatever waits already.
    pub(crate) fn put(&self, mail: Mail) {
        self.reach_from_afar().mail.push(mail);
        self.nudge();
    }

    /// The same for a sender on the reader's thread, which is still to be made to look.
    pub(super) fn lay_down(&self, mail: Mail) {
        self.contents.lock().mail.push(mail);
    }

    /// Puts the messages of another worker in, leaving an empty batch in the place of `batch`.
    pub(super) fn post(&self, sender: ShardId, batch: &mut Box<PeerBatch>) -> Posted {
        let posted = self.reach_from_afar().add(sender, batch);
        self.nudge();
        posted
    }

    /// The same for a sender on the reader's thread, which is still to be made to look.
    pub(super) fn leave(&self, sender: ShardId, batch: &mut Box<PeerBatch>) -> Posted {
        self.contents.lock().add(sender, batch)
    }

    /// Takes everything out, and who waits for that. What was taken before and has been `read` goes back to those who
    /// post, as far as they have use for it. Tells whether any of it comes from another thread.
    pub(super) fn take(
        &self,
        mail: &mut Vec<Mail>,
        held_back: &mut Vec<ShardId>,
        read: &mut Batches,
    ) -> bool {
        debug_assert!(mail.is_empty() && held_back.is_empty());
        let mut contents = self.contents.lock();
        let wanted = SPARE_MAX.saturating_sub(contents.spare.len()).min(read.len());
        contents.spare.extend(read.drain(..wanted));
        self.has_mail.store(false, SeqCst);
        std::mem::swap(&mut contents.mail, mail);
        std::mem::swap(&mut contents.held_back, held_back);
        contents.bytes = 0;
        std::mem::take(&mut contents.is_from_afar)
    }

    /// Whether a sender need not hold back.
    pub(super) fn has_room(&self) -> bool {
        self.contents.lock().bytes < MAIL_BYTES_MAX
    }

    /// Whether there is something to take, or something to look at again.
    pub(crate) fn has_mail(&self) -> bool {
        self.has_mail.load(SeqCst)
    }

    /// Makes the reader look, waking it if it sleeps.
    pub(crate) fn nudge(&self) {
        self.has_mail.store(true, SeqCst);
        if self.is_parked.swap(false, SeqCst) {
            self.wake_reader();
        }
    }

    /// Makes the reader look as soon as it is awake, and tells whether it was not to look yet. Who calls it is on its
    /// thread, and sees to it that it is awake.
    pub(super) fn note(&self) -> bool {
        !self.has_mail.swap(true, SeqCst)
    }

    /// Says how to wake the thread that reads.
    pub(super) fn set_reader(&self, reader: Waker) {
        let former = self.reader.set(reader);
        debug_assert!(former.is_ok(), "a mailbox has one reader");
    }

    /// The reader wants to sleep, and may if this tells so: from here on it is woken.
    pub(super) fn park(&self) -> bool {
        self.is_parked.store(true, SeqCst);
        let has_mail = self.has_mail();
        if has_mail {
            self.unpark();
        }
        !has_mail
    }

    /// The reader is awake again. A sender that does not see it yet wakes it in vain, so it need not wait, as the
    /// others do, until all see it.
    pub(super) fn unpark(&self) {
        self.is_parked.store(false, Relaxed);
    }

    fn reach_from_afar(&self) -> MutexGuard<'_, Contents> {
        let mut contents = self.contents.lock();
        contents.is_from_afar = true;
        contents
    }

    fn wake_reader(&self) {
        let Some(reader) = self.reader.get() else { return };
        reader.wake().expect("a counter of the system's that exists can be counted up");
    }
}

impl Contents {
    fn add(&mut self, sender: ShardId, batch: &mut Box<PeerBatch>) -> Posted {
        // Judged once: whoever was not told to hold back loses nothing.
        let was_full = self.bytes >= MAIL_BYTES_MAX;
        let dropped = if was_full { batch.drop_at_most_once() } else { 0 };
        if !batch.is_empty() {
            self.bytes += batch.counted_bytes();
            let empty = self.spare.pop().unwrap_or_default();
            self.mail.push(Mail::Peers(std::mem::replace(batch, empty)));
        }
        let is_full = self.bytes >= MAIL_BYTES_MAX;
        if is_full && !self.held_back.contains(&sender) {
            self.held_back.push(sender);
        }
        Posted { dropped, is_full }
    }
}

#[cfg(test)]
mod tests;
