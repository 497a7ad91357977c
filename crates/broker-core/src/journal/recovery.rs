//! Owns what is made of the journal after a start: the state that every record leads to, one after the
//! other. Reading the journal is the caller's business, making sessions of their state that of `shard`.
//!
//! # Why replaying a prefix of the log is right
//! - What a client was told rests on records that were durable before: they are all in the prefix, whatever is
//!   cut off behind it.
//! - Each shard's records stand in the order it made them. Records of different shards stand in any order that
//!   respects what they knew of each other. Only [`Message`](super::record) and Queued change a session of another
//!   shard, and both only add to the end of its queue. So a record of another shard may come *before* the one
//!   that begins the session (it is kept until then), or after the one that ends it (it is passed over, or was for a
//!   member of a group: then another one gets it, see `sessions::left`).
//! - The log begins at the floor, where a checkpoint began. What is told of sessions before their slice comes is
//!   part of the slice, but for what other shards had added to a queue unseen: that alone is kept. What they
//!   had added *before* the floor is not in the log any more: **a shard writes its first slice only when all has
//!   arrived that was recorded for its sessions before the floor.**
//!
//! So nothing here is an error but a record that cannot be read: a name that is not known is passed over.

mod recovered;
mod retained;
mod session;
mod sessions;

pub use super::wire::InvalidRecord;
pub use recovered::Recovered;
pub(crate) use recovered::RetainedMessage;

use self::{retained::RetainedTopics, session::Session, sessions::Sessions};
use super::{
    Operation, Position,
    record::{MessageRecord, Record},
    state::{Delivery, QueuedState},
    wire::Problem,
};
use crate::{ids::ShardId, message::MessageRef};

/// What the journal says, record by record.
///
/// ```
/// use broker_core::journal::{Position, Recovery};
///
/// let mut recovery = Recovery::new();
/// let unknown_kind = recovery.replay(Position::new(8), &[99]);
/// assert_eq!(unknown_kind.unwrap_err().to_string(), "the kind of a record has no meaning");
/// assert_eq!(recovery.finish().session_count(), 0);
/// ```
#[derive(Debug, Default)]
pub struct Recovery {
    sessions: Sessions,
    retained: RetainedTopics,
}

impl Recovery {
    /// Nothing yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Takes in the next record. Positions ascend.
    ///
    /// # Errors
    /// The record cannot be read, although it was read as it was written: nothing of the journal is to be
    /// relied on then, and this value is of no further use.
    pub fn replay(&mut self, position: Position, record: &[u8]) -> Result<(), InvalidRecord> {
        self.retained.begin(position);
        match Record::decode(record)? {
            Record::Message(message) => self.message(position, message)?,
            // It counts only where a slice names it.
            Record::Copy(_) => self.retained.copied(position),
            Record::Operations { writer, operations } => {
                for operation in operations {
                    self.operation(position, writer, operation?)?;
                }
            }
            Record::RetainedCleared(topic) => self.retained.clear(topic, position),
            Record::Slice(slice) => {
                for part in slice.parts {
                    let part = part?;
                    for queued in part.entries() {
                        check_before(queued.position, position, "a Slice")?;
                    }
                    self.sessions.slice(part, slice.writer, &slice.seen);
                }
            }
            Record::RetainedSlice(slice) => {
                for &retained in &slice.positions {
                    check_before(retained, position, "a RetainedSlice")?;
                }
                self.retained.page(&slice);
            }
            // How many shards there were, and when, is for people who read the journal.
            Record::Epoch { shards: _, at: _ } => self.sessions.begin_epoch(position),
        }
        Ok(())
    }

    /// That was the last record.
    #[must_use]
    pub fn finish(self) -> Recovered {
        Recovered::new(self.sessions.finish(), self.retained)
    }

    /// One record, so that after a crash either all its targets have the message and its QoS 2 identifier is
    /// known, or its publisher sends it again to all.
    fn message(&mut self, position: Position, record: MessageRecord<'_>) -> Result<(), InvalidRecord> {
        if let Some((session, packet_id)) = record.receipt {
            self.sessions.receive(session, packet_id);
        }
        if let Some(client_id) = record.retained_by {
            let message = MessageRef { position, ..record.message()? }.share();
            self.retained.set(RetainedMessage { message, client_id: Box::from(client_id) });
        }
        let MessageRecord { writer, expires_at, bytes, targets, .. } = record;
        for target in targets {
            let (session, Delivery { qos, retain, rest }) = target?;
            let queued =
                QueuedState { position, recorded: position, expires_at, rest, bytes, writer, qos, retain };
            self.sessions.enqueue(session, queued);
        }
        Ok(())
    }

    fn operation(
        &mut self,
        position: Position,
        writer: ShardId,
        operation: Operation<'_>,
    ) -> Result<(), InvalidRecord> {
        match operation {
            Operation::Opened { session, client_id } => self.sessions.open(session, client_id),
            Operation::Bound { session, client_id } => self.sessions.bind(session, client_id),
            Operation::Ended { session } => self.sessions.end(session, writer),
            Operation::Queued { session, queued } => {
                check_before(queued.position, position, "an Operations record")?;
                self.sessions.enqueue(session, QueuedState { recorded: position, writer, ..queued });
            }
            Operation::Connected { session, expiry_seconds, will } => {
                self.sessions.with(session, |session| session.connect(expiry_seconds, will));
            }
            Operation::Disconnected { session, at, expiry_seconds, keeps_will } => {
                self.sessions.with(session, |session| session.disconnect(at, expiry_seconds, keeps_will));
            }
            Operation::WillGone { session } => self.sessions.with(session, Session::forget_will),
            Operation::Subscribed {
                session,
                filter,
                options,
                identifier,
                share_name_bytes,
                wants_retained,
            } => self.sessions.with(session, |session| {
                session.subscribe(filter, options, identifier, share_name_bytes, wants_retained);
            }),
            Operation::Unsubscribed { session, filter } => {
                self.sessions.with(session, |session| session.unsubscribe(filter));
            }
            Operation::RetainedProgress { session, filter, cursor } => {
                self.sessions.with(session, |session| session.retained_progress(filter, cursor));
            }
            Operation::Sent { session, position, packet_id, mark } => {
                let send = |session: &mut Session| session.send(position, packet_id, mark);
                self.sessions.leave_queue(session, position, mark, send);
            }
            Operation::Acked { session, packet_id } => {
                self.sessions.with(session, |session| session.acknowledge(packet_id));
            }
            Operation::Received { session, packet_id } => {
                self.sessions.with(session, |session| session.pubrec(packet_id));
            }
            Operation::Dropped { session, position, mark } => {
                let discard = |session: &mut Session| session.discard(position, mark);
                self.sessions.leave_queue(session, position, mark, discard);
            }
            Operation::InboundReceived { session, packet_id } => self.sessions.receive(session, packet_id),
            Operation::InboundReleased { session, packet_id } => {
                self.sessions.with(session, |session| session.release(packet_id));
            }
        }
        Ok(())
    }
}

/// A record names only what was recorded before it.
#[inline]
fn check_before(named: Position, record: Position, kind: &'static str) -> Result<(), InvalidRecord> {
    if named < record {
        return Ok(());
    }
    Err(InvalidRecord::new(kind, "position of a message", Problem::TooLarge))
}

#[cfg(test)]
mod tests;
