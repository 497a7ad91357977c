//! Owns the small changes to sessions that a shard collects in one record a turn. What they do is
//! `recovery`'s business.
//!
//! An operation is its code, a byte; its session, unless the code's high bit says that it is that of the
//! operation before; and then:
//!
//! | code | operation | bytes behind the session |
//! |---|---|---|
//! | 1 | Opened | client identifier: text |
//! | 2 | Bound | client identifier: text |
//! | 3 | Connected | expiry seconds, Will (byte 0: none; 1: *will*) |
//! | 4 | Disconnected | time, expiry seconds, Will kept (byte 0 or 1) |
//! | 5 | WillGone | |
//! | 6 | Ended | |
//! | 7 | Subscribed | filter: text, options (byte), Subscription Identifier, length of the ShareName, retained wanted (byte 0 or 1) |
//! | 8 | Unsubscribed | filter: text |
//! | 9 | RetainedProgress | filter: text, byte 0 for done or 1 and the cursor: bytes |
//! | 10 | Queued | *entry* |
//! | 11 | Sent | position, packet identifier, mark |
//! | 12 | Acked | packet identifier |
//! | 13 | Received | packet identifier |
//! | 14 | Dropped | position, mark |
//! | 15 | InboundReceived | packet identifier |
//! | 16 | InboundReleased | packet identifier |
//!
//! A position stands as the way from the one before it in the same record. *will* and *entry* are those of
//! [`record`](super::record).

use super::{
    Position,
    record::OPERATIONS,
    state::{
        QueuedState, WillRef, put_entry, put_share_name_bytes, put_will, read_entry, read_identifier,
        read_options, read_share_name_bytes, read_will,
    },
    wire::{
        InvalidRecord, Problem, Reader, put_bytes, put_number, put_packet_id, put_position_after,
        put_session, put_text, put_time,
    },
};
use crate::{
    ids::{SessionId, ShardId},
    time::Timestamp,
};
use mqtt_codec::packet::{PacketId, SubscriptionOptions};

const OPENED: u8 = 1;
const BOUND: u8 = 2;
const CONNECTED: u8 = 3;
const DISCONNECTED: u8 = 4;
const WILL_GONE: u8 = 5;
const ENDED: u8 = 6;
const SUBSCRIBED: u8 = 7;
const UNSUBSCRIBED: u8 = 8;
const RETAINED_PROGRESS: u8 = 9;
const QUEUED: u8 = 10;
const SENT: u8 = 11;
const ACKED: u8 = 12;
const RECEIVED: u8 = 13;
const DROPPED: u8 = 14;
const INBOUND_RECEIVED: u8 = 15;
const INBOUND_RELEASED: u8 = 16;

/// The session is that of the operation before.
const SAME_SESSION: u8 = 1 << 7;

/// A small change to one session of the shard that writes it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Operation<'a> {
    /// A session began.
    Opened {
        /// Which.
        session: SessionId,
        /// Whose.
        client_id: &'a str,
    },
    /// A session that was recovered has this key from now on.
    Bound {
        /// Its key.
        session: SessionId,
        /// Whose.
        client_id: &'a str,
    },
    /// A client uses the session.
    Connected {
        /// Which.
        session: SessionId,
        /// Seconds it outlives the connection.
        expiry_seconds: u32,
        /// The connection's Will.
        will: Option<WillRef<'a>>,
    },
    /// The session has no connection any more.
    Disconnected {
        /// Which.
        session: SessionId,
        /// Since when.
        at: Timestamp,
        /// Seconds it goes on from then.
        expiry_seconds: u32,
        /// Whether the Will waits for its delay to pass.
        keeps_will: bool,
    },
    /// The Will was published or discarded.
    WillGone {
        /// Of which session.
        session: SessionId,
    },
    /// The session is over.
    Ended {
        /// Which.
        session: SessionId,
    },
    /// A subscription was made or replaced.
    Subscribed {
        /// By which session.
        session: SessionId,
        /// The whole text of the filter, share prefix included.
        filter: &'a str,
        /// As granted.
        options: SubscriptionOptions,
        /// The Subscription Identifier, 0 for none.
        identifier: u32,
        /// Bytes of the ShareName of a shared subscription.
        share_name_bytes: Option<usize>,
        /// Whether all retained messages that match are to be delivered; if not, what is still on its way
        /// by the subscription that it replaces goes on.
        wants_retained: bool,
    },
    /// A subscription ended.
    Unsubscribed {
        /// Of which session.
        session: SessionId,
        /// Its filter.
        filter: &'a str,
    },
    /// Retained messages were queued or delivered up to a place.
    RetainedProgress {
        /// To which session.
        session: SessionId,
        /// For which subscription.
        filter: &'a str,
        /// Where to go on; none when all are.
        cursor: Option<&'a [u8]>,
    },
    /// A message that is recorded already joined the queue.
    Queued {
        /// Whose.
        session: SessionId,
        /// The message; who recorded it, and where, is not kept.
        queued: QueuedState,
    },
    /// A message left the queue and was sent.
    Sent {
        /// To which session.
        session: SessionId,
        /// The record of the message.
        position: Position,
        /// Under which identifier.
        packet_id: PacketId,
        /// Which of several in the queue that are of this record.
        mark: u32,
    },
    /// A publication is complete: its last acknowledgement came, or nothing more will.
    Acked {
        /// By which session.
        session: SessionId,
        /// Its identifier.
        packet_id: PacketId,
    },
    /// PUBREC came: the message is not needed any more, its identifier is.
    Received {
        /// From which session.
        session: SessionId,
        /// The identifier.
        packet_id: PacketId,
    },
    /// A message left the queue unsent: it expired, or there was no room.
    Dropped {
        /// Whose queue.
        session: SessionId,
        /// The record of the message.
        position: Position,
        /// Which of several in the queue that are of this record.
        mark: u32,
    },
    /// A QoS 2 PUBLISH came that no Message tells of.
    InboundReceived {
        /// From which session.
        session: SessionId,
        /// Its identifier.
        packet_id: PacketId,
    },
    /// PUBREL came: the identifier is free.
    InboundReleased {
        /// From which session.
        session: SessionId,
        /// The identifier.
        packet_id: PacketId,
    },
}

/// The operations that a shard has not yet appended, as the record they will be.
#[derive(Debug)]
pub(crate) struct Operations {
    bytes: Vec<u8>,
    head_bytes: usize,
    session: Option<SessionId>,
    position: Position,
}

impl Operations {
    /// What a record of operations is called.
    pub(super) const NAME: &'static str = "an Operations record";

    /// Memory it keeps while it is empty.
    const KEPT_BYTES: usize = 64 * 1024;

    /// No operations of a shard.
    pub(crate) fn new(writer: ShardId) -> Self {
        let mut bytes = vec![OPERATIONS];
        put_number(&mut bytes, u64::from(writer.0));
        Self { head_bytes: bytes.len(), bytes, session: None, position: Position::NONE }
    }

    /// Whether there is nothing to append.
    #[inline]
    pub(crate) fn is_empty(&self) -> bool {
        self.bytes.len() == self.head_bytes
    }

    /// The record.
    pub(crate) fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// Forgets what was appended.
    pub(crate) fn clear(&mut self) {
        self.bytes.truncate(self.head_bytes);
        self.bytes.shrink_to(Self::KEPT_BYTES);
        self.session = None;
        self.position = Position::NONE;
    }

    /// Adds an operation.
    pub(crate) fn push(&mut self, operation: &Operation<'_>) {
        match operation {
            Operation::Opened { session, client_id } => put_text(self.begin(OPENED, *session), client_id),
            Operation::Bound { session, client_id } => put_text(self.begin(BOUND, *session), client_id),
            Operation::Connected { session, expiry_seconds, will } => {
                let out = self.begin(CONNECTED, *session);
                put_number(out, u64::from(*expiry_seconds));
                out.push(u8::from(will.is_some()));
                if let Some(will) = will {
                    put_will(out, *will);
                }
            }
            Operation::Disconnected { session, at, expiry_seconds, keeps_will } => {
                let out = self.begin(DISCONNECTED, *session);
                put_time(out, *at);
                put_number(out, u64::from(*expiry_seconds));
                out.push(u8::from(*keeps_will));
            }
            Operation::WillGone { session } => {
                self.begin(WILL_GONE, *session);
            }
            Operation::Ended { session } => {
                self.begin(ENDED, *session);
            }
            Operation::Subscribed {
                session,
                filter,
                options,
                identifier,
                share_name_bytes,
                wants_retained,
            } => {
                let out = self.begin(SUBSCRIBED, *session);
                put_text(out, filter);
                out.push(options.byte());
                put_number(out, u64::from(*identifier));
                put_share_name_bytes(out, *share_name_bytes);
                out.push(u8::from(*wants_retained));
            }
            Operation::Unsubscribed { session, filter } => {
                put_text(self.begin(UNSUBSCRIBED, *session), filter);
            }
            Operation::RetainedProgress { session, filter, cursor } => {
                let out = self.begin(RETAINED_PROGRESS, *session);
                put_text(out, filter);
                out.push(u8::from(cursor.is_some()));
                if let Some(cursor) = cursor {
                    put_bytes(out, cursor);
                }
            }
            Operation::Queued { session, queued } => {
                let former = self.position;
                put_entry(self.begin(QUEUED, *session), queued, former);
                self.position = queued.position;
            }
            Operation::Sent { session, position, packet_id, mark } => {
                let out = self.begin_at(SENT, *session, *position);
                put_packet_id(out, *packet_id);
                put_number(out, u64::from(*mark));
            }
            Operation::Acked { session, packet_id } => put_packet_id(self.begin(ACKED, *session), *packet_id),
            Operation::Received { session, packet_id } => {
                put_packet_id(self.begin(RECEIVED, *session), *packet_id);
            }
            Operation::Dropped { session, position, mark } => {
                put_number(self.begin_at(DROPPED, *session, *position), u64::from(*mark));
            }
            Operation::InboundReceived { session, packet_id } => {
                put_packet_id(self.begin(INBOUND_RECEIVED, *session), *packet_id);
            }
            Operation::InboundReleased { session, packet_id } => {
                put_packet_id(self.begin(INBOUND_RELEASED, *session), *packet_id);
            }
        }
    }

    #[inline]
    fn begin(&mut self, code: u8, session: SessionId) -> &mut Vec<u8> {
        if self.session == Some(session) {
            self.bytes.push(code | SAME_SESSION);
        } else {
            self.bytes.push(code);
            put_session(&mut self.bytes, session);
            self.session = Some(session);
        }
        &mut self.bytes
    }

    #[inline]
    fn begin_at(&mut self, code: u8, session: SessionId, position: Position) -> &mut Vec<u8> {
        let former = std::mem::replace(&mut self.position, position);
        let out = self.begin(code, session);
        put_position_after(out, position, former);
        out
    }
}

/// The operations of a record.
#[derive(Clone, Debug)]
pub(super) struct OperationReader<'a> {
    reader: Reader<'a>,
    session: Option<SessionId>,
    position: Position,
}

impl<'a> OperationReader<'a> {
    /// Those that `reader` has left.
    pub(super) const fn new(reader: Reader<'a>) -> Self {
        Self { reader, session: None, position: Position::NONE }
    }

    fn read(&mut self) -> Result<Operation<'a>, InvalidRecord> {
        const CODE: &str = "code of an operation";
        let code = self.reader.byte(CODE)?;
        let session = match self.session {
            Some(session) if code & SAME_SESSION != 0 => session,
            None if code & SAME_SESSION != 0 => {
                return Err(self.reader.invalid("session", Problem::Meaningless));
            }
            Some(_) | None => *self.session.insert(self.reader.session()?),
        };
        let reader = &mut self.reader;
        Ok(match code & !SAME_SESSION {
            OPENED => Operation::Opened { session, client_id: reader.text(CLIENT_ID)? },
            BOUND => Operation::Bound { session, client_id: reader.text(CLIENT_ID)? },
            CONNECTED => {
                let expiry_seconds = reader.u32("session expiry")?;
                let will = if reader.boolean("Will")? { Some(read_will(reader)?) } else { None };
                Operation::Connected { session, expiry_seconds, will }
            }
            DISCONNECTED => Operation::Disconnected {
                session,
                at: reader.time("time of disconnection")?,
                expiry_seconds: reader.u32("session expiry")?,
                keeps_will: reader.boolean("Will")?,
            },
            WILL_GONE => Operation::WillGone { session },
            ENDED => Operation::Ended { session },
            SUBSCRIBED => {
                let filter = reader.text(FILTER)?;
                Operation::Subscribed {
                    session,
                    filter,
                    options: read_options(reader)?,
                    identifier: read_identifier(reader)?,
                    share_name_bytes: read_share_name_bytes(reader, filter)?,
                    wants_retained: reader.boolean("wish for retained messages")?,
                }
            }
            UNSUBSCRIBED => Operation::Unsubscribed { session, filter: reader.text(FILTER)? },
            RETAINED_PROGRESS => {
                let filter = reader.text(FILTER)?;
                const CURSOR: &str = "retained cursor";
                let cursor = if reader.boolean(CURSOR)? { Some(reader.bytes(CURSOR)?) } else { None };
                Operation::RetainedProgress { session, filter, cursor }
            }
            QUEUED => {
                let queued = read_entry(reader, self.position)?;
                self.position = queued.position;
                Operation::Queued { session, queued }
            }
            SENT => Operation::Sent {
                session,
                position: self.read_position()?,
                packet_id: self.reader.packet_id()?,
                mark: self.reader.u32("mark of a message")?,
            },
            ACKED => Operation::Acked { session, packet_id: reader.packet_id()? },
            RECEIVED => Operation::Received { session, packet_id: reader.packet_id()? },
            DROPPED => Operation::Dropped {
                session,
                position: self.read_position()?,
                mark: self.reader.u32("mark of a message")?,
            },
            INBOUND_RECEIVED => Operation::InboundReceived { session, packet_id: reader.packet_id()? },
            INBOUND_RELEASED => Operation::InboundReleased { session, packet_id: reader.packet_id()? },
            _ => return Err(reader.invalid(CODE, Problem::Meaningless)),
        })
    }

    fn read_position(&mut self) -> Result<Position, InvalidRecord> {
        self.position = self.reader.position_after(self.position, "position of a message")?;
        Ok(self.position)
    }
}

const CLIENT_ID: &str = "client identifier";
const FILTER: &str = "Topic Filter";

impl<'a> Iterator for OperationReader<'a> {
    type Item = Result<Operation<'a>, InvalidRecord>;

    fn next(&mut self) -> Option<Self::Item> {
        (!self.reader.is_empty()).then(|| self.read())
    }
}
