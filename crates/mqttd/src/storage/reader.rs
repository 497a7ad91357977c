//! Owns the thread that reads messages back from the journal, so that no worker waits for a disk. Which ones
//! and what for is the engine's business.

use std::fmt::Display;
use std::io;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread::JoinHandle;

use broker_core::journal::{Position, message_of};
use broker_core::{Message, SessionId, ShardId};
use journal::{Journal, ReadError};

use super::adapter::place;
use crate::log::{Level, Log, Throttle};
use crate::worker::{Mail, Mailbox};

/// Bytes of the thread's stack.
const STACK_BYTES: usize = 256 * 1024;

/// Seconds between two lines about records that cannot be read: a bad sector may hold thousands.
const LOG_INTERVAL_SECONDS: u64 = 1;

/// Bytes of the buffer for one record that are kept for the next.
const KEPT_BYTES: usize = 1024 * 1024;

/// What a session wants to have read.
#[derive(Debug)]
pub(super) struct Request {
    pub(super) shard: ShardId,
    pub(super) session: SessionId,
    /// Ascending.
    pub(super) positions: Vec<Position>,
}

/// Where requests wait for the thread.
#[expect(clippy::disallowed_methods, reason = "one request per session at a time: sessions_max is its bound")]
pub(super) fn requests() -> (Sender<Request>, Receiver<Request>) {
    channel()
}

/// The thread's own.
pub(super) struct Reader {
    journal: Arc<Journal>,
    mailboxes: Arc<[Mailbox]>,
    log: Log,
    unreadable: Throttle,
    record: Vec<u8>,
}

impl Reader {
    pub(super) fn new(journal: Arc<Journal>, mailboxes: Arc<[Mailbox]>, log: Log) -> Self {
        Self { journal, mailboxes, log, unreadable: Throttle::new(LOG_INTERVAL_SECONDS), record: Vec::new() }
    }

    /// Answers requests, one session after the other, until nobody is left who could ask.
    pub(super) fn start(mut self, requests: Receiver<Request>) -> io::Result<JoinHandle<()>> {
        let answer_all = move || {
            for request in requests {
                self.answer(&request);
            }
        };
        let thread = std::thread::Builder::new().name("journal-reader".to_owned());
        thread.stack_size(STACK_BYTES).spawn(answer_all)
    }

    fn answer(&mut self, request: &Request) {
        let mut record = std::mem::take(&mut self.record);
        // A reader per request: what a session asks for lies close together, what another asks for does not.
        let mut reader = self.journal.reader();
        let messages = request.positions.iter().map(|position| {
            let outcome = reader.read(place(*position), &mut record);
            (*position, self.message(*position, outcome, &record))
        });
        let mail = Mail::Loaded { session: request.session, messages: messages.collect() };
        self.mailboxes[usize::from(request.shard.0)].put(mail);
        drop(reader);
        if record.capacity() <= KEPT_BYTES {
            self.record = record;
        }
    }

    fn message(
        &self,
        position: Position,
        outcome: Result<(), ReadError>,
        record: &[u8],
    ) -> Option<Arc<Message>> {
        match outcome {
            Ok(()) => {
                let message = message_of(record);
                if message.is_none() {
                    self.report(position, &"the record is no message");
                }
                message
            }
            Err(error) => {
                self.report(position, &error);
                None
            }
        }
    }

    fn report(&self, position: Position, reason: &dyn Display) {
        let fields: [(&str, &dyn Display); 2] = [("position", &place(position)), ("reason", reason)];
        self.log.event_throttled(
            &self.unreadable,
            Level::Error,
            "a message cannot be read and is lost",
            &fields,
        );
    }
}
