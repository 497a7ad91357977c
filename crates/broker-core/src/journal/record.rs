//! Owns the kinds of records and their bytes. What they do to a session is `recovery`'s business, where
//! they are stored that of the journal.
//!
//! # The format
//! Numbers, text, times, sessions and flags stand as [`wire`](super::wire) tells; `[x]` is there only if a flag
//! says so, `x*` runs to the end of the record, `n × x` is a count and so many of them. A record says nothing
//! of its own length and position, which the journal knows. Its first byte is its kind:
//!
//! | kind | record | bytes behind the kind |
//! |---|---|---|
//! | 1 | Message | writer, flags, [expiry: time], [receipt: session, packet identifier], [publisher: text], topic length, properties length, payload length, topic, properties, payload, target* |
//! | 2 | Operations | writer, operation* |
//! | 3 | Copy | as a Message without receipt and targets |
//! | 4 | RetainedCleared | topic: text |
//! | 5 | Slice | writer, n × position: what of each shard was seen, part* |
//! | 6 | RetainedSlice | as-of: position, n × position, each from the one before |
//! | 7 | Epoch | number of shards, time |
//!
//! - *writer*: the shard that wrote it, a number. *position*: a number, signed, from 0 unless it says from what.
//! - *flags* of a Message: bits 0–1 QoS, 2 RETAIN, 3 it becomes retained (then *publisher* is there: the client
//!   identifier, empty for the broker itself), 4 it expires, 5 it has a *receipt*: of the QoS 2 PUBLISH that
//!   this very record makes received. *properties* are those that are forwarded, as on the wire of 5.0.
//! - *target*: session, delivery.
//! - *delivery*: flags (bits 0–1 QoS, 1 or 2; 2 RETAIN, 3 identifiers, 4 group), [n × Subscription Identifier],
//!   [group: text of the filter].
//! - *entry* of a queue: position (from the entry before it in the same list), length of the message (topic,
//!   properties and payload), expiry: time, delivery.
//! - *part* of a session: session, flags (bit 0 first, 1 last), [*head* if first], n × entry of the queue.
//! - *head*: client identifier: text, expiry seconds, connection (byte 0: connected; 1: not since *time*),
//!   Will (byte 0: none; 1: *will*), n × subscription, n × inbound packet identifier, n × publication in flight.
//! - *will*: flags (bits 0–1 QoS, 2 RETAIN, 5 it expires), delay seconds, [expiry seconds], topic: text,
//!   properties: bytes, payload: bytes.
//! - *subscription*: filter: text, options (the byte of 5.0), Subscription Identifier (0: none), length of
//!   the ShareName (0: not shared), retained (byte 0: nothing to come; 1: all; 2: from a cursor: bytes).
//! - *publication in flight*: packet identifier, flags (bits 0–1 QoS, 2 PUBREC was received, 3 it has a message),
//!   [entry].
//! - *operation*: see [`operation`](super::operation).

use super::{
    Position,
    operation::{OperationReader, Operations},
    state::{Delivery, SessionParts, put_delivery, read_delivery},
    wire::{
        InvalidRecord, Problem, QOS_BITS, Reader, put_len, put_number, put_packet_id, put_position,
        put_position_after, put_session, put_text, put_time,
    },
};
use crate::{
    config::Durability,
    ids::{SessionId, ShardId},
    message::{Message, MessageRef},
    time::Timestamp,
};
use mqtt_codec::{Borrowed, Properties, PropertyOwner, QoS, TopicNameRef, packet::PacketId};
use std::sync::Arc;

pub(super) const MESSAGE: u8 = 1;
pub(super) const OPERATIONS: u8 = 2;
const COPY: u8 = 3;
const RETAINED_CLEARED: u8 = 4;
const SLICE: u8 = 5;
const RETAINED_SLICE: u8 = 6;
const EPOCH: u8 = 7;

const RETAIN: u8 = 1 << 2;
const BECOMES_RETAINED: u8 = 1 << 3;
const EXPIRES: u8 = 1 << 4;
const HAS_RECEIPT: u8 = 1 << 5;

/// A session that a message is queued for.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Target<'a> {
    /// Whose queue.
    pub(crate) session: SessionId,
    /// The QoS it is delivered with: 1 or 2.
    pub(crate) qos: QoS,
    /// The RETAIN flag it is delivered with.
    pub(crate) retain: bool,
    /// The Subscription Identifiers that go with it.
    pub(crate) identifiers: &'a [u32],
    /// The filter text of the shared subscription it came by, share prefix included.
    pub(crate) group: Option<&'a str>,
}

/// Appends a target to the last part of a Message.
#[inline]
pub(crate) fn put_target(out: &mut Vec<u8>, target: &Target<'_>) {
    put_session(out, target.session);
    put_delivery(out, target.qos, target.retain, target.identifiers, target.group);
}

/// All of a Message before its topic. The record is head, topic, properties, payload and targets.
#[derive(Clone, Copy, Debug)]
pub(crate) struct MessageHead<'a> {
    /// The shard that writes it.
    pub(crate) writer: ShardId,
    /// The message.
    pub(crate) message: MessageRef<'a>,
    /// The client identifier of its publisher, empty for the broker itself, if it becomes retained.
    pub(crate) retained_by: Option<&'a str>,
    /// The publisher and identifier of the QoS 2 PUBLISH that it makes received.
    pub(crate) receipt: Option<(SessionId, PacketId)>,
}

impl MessageHead<'_> {
    /// Appends it.
    pub(crate) fn encode(&self, out: &mut Vec<u8>) {
        let Self { writer, message, retained_by, receipt } = self;
        let flag = |is_set: bool, flag: u8| if is_set { flag } else { 0 };
        let expires = message.expires_at != Timestamp::NEVER;
        out.push(MESSAGE);
        put_number(out, u64::from(writer.0));
        out.push(
            message.qos.bits()
                | flag(message.retain, RETAIN)
                | flag(retained_by.is_some(), BECOMES_RETAINED)
                | flag(expires, EXPIRES)
                | flag(receipt.is_some(), HAS_RECEIPT),
        );
        if expires {
            put_time(out, message.expires_at);
        }
        if let Some((session, packet_id)) = *receipt {
            put_session(out, session);
            put_packet_id(out, packet_id);
        }
        if let Some(client_id) = retained_by {
            put_text(out, client_id);
        }
        put_len(out, message.topic.as_str().len());
        put_len(out, message.properties.len());
        put_len(out, message.payload.len());
    }
}

/// The message of a Message record, with bytes of its own; none if it is no such record. Its position is
/// for the caller to know, who its publisher was is not: sessions are named anew after every start.
#[must_use]
pub fn message_of(record: &[u8]) -> Option<Arc<Message>> {
    match Record::decode(record) {
        Ok(Record::Message(record) | Record::Copy(record)) => {
            record.message().ok().map(|message| message.share())
        }
        _ => None,
    }
}

/// Whether a record, of which this is the beginning, is a part of a checkpoint: what it costs to make one is of
/// interest to whoever says when.
#[must_use]
pub fn is_of_checkpoint(record: &[u8]) -> bool {
    record.first().is_some_and(|&kind| kind == SLICE || kind == RETAINED_SLICE)
}

/// Appends a copy of a message's record to `out`, for another place of the journal. By itself it says nothing:
/// it joins no queue and is not retained, until a checkpoint names it.
///
/// # Errors
/// It is no record of a message.
pub fn copied(record: &[u8], out: &mut Vec<u8>) -> Result<(), InvalidRecord> {
    let (Record::Message(record) | Record::Copy(record)) = Record::decode(record)? else {
        return Err(InvalidRecord::new("a message", "kind", Problem::Meaningless));
    };
    let (message, kind_at) = (record.message()?, out.len());
    MessageHead { writer: record.writer, message, retained_by: record.retained_by, receipt: None }
        .encode(out);
    out[kind_at] = COPY;
    out.extend_from_slice(record.topic);
    out.extend_from_slice(record.properties);
    out.extend_from_slice(record.payload);
    Ok(())
}

/// Appends a whole RetainedCleared.
pub(crate) fn retained_cleared_record(topic: &str, out: &mut Vec<u8>) {
    out.push(RETAINED_CLEARED);
    put_text(out, topic);
}

/// Appends a whole Epoch: a process began, and the sessions have other keys.
pub(crate) fn epoch_record(shards: u16, at: Timestamp, out: &mut Vec<u8>) {
    out.push(EPOCH);
    put_number(out, u64::from(shards));
    put_time(out, at);
}

/// All of a Slice before its sessions, which follow as [`SessionState`](super::SessionState) encodes them.
///
/// The shard appends the operations that it has buffered before it appends a slice: what is in both would
/// happen twice. Before its first slice all must have arrived that other shards recorded before the checkpoint
/// began: nobody tells of it again.
#[derive(Clone, Copy, Debug)]
pub(crate) struct SliceHead<'a> {
    /// The shard that writes it.
    pub(crate) writer: ShardId,
    /// For each shard the last record of it that the writer has taken in, [`Position::NONE`] for none of
    /// this process.
    pub(crate) seen: &'a [Position],
}

impl SliceHead<'_> {
    /// Appends it.
    pub(crate) fn encode(&self, out: &mut Vec<u8>) {
        out.push(SLICE);
        put_number(out, u64::from(self.writer.0));
        put_len(out, self.seen.len());
        for &position in self.seen {
            put_position(out, position);
        }
    }
}

/// A page of the retained store in a checkpoint.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct RetainedSlice {
    /// The end of the journal before the page was read: what of it is older is in the page.
    pub(crate) as_of: Position,
    /// The records of the retained messages.
    pub(crate) positions: Vec<Position>,
}

impl RetainedSlice {
    /// Appends the whole record.
    pub(crate) fn encode(&self, out: &mut Vec<u8>) {
        out.push(RETAINED_SLICE);
        put_position(out, self.as_of);
        put_len(out, self.positions.len());
        let mut former = Position::NONE;
        for &position in &self.positions {
            put_position_after(out, position, former);
            former = position;
        }
    }

    fn decode(reader: &mut Reader<'_>) -> Result<Self, InvalidRecord> {
        let as_of = reader.position("as-of position")?;
        let mut former = Position::NONE;
        let mut positions = Vec::with_capacity(reader.count("number of retained messages")?);
        for _ in 0..positions.capacity() {
            former = reader.position_of_message(former)?;
            positions.push(former);
        }
        Ok(Self { as_of, positions })
    }
}

/// A record taken apart as far as nothing need be copied: its lists are read by iterating.
#[derive(Debug)]
pub(super) enum Record<'a> {
    /// A message, and whose queues it joins.
    Message(MessageRecord<'a>),
    /// A message that is somewhere else as well.
    Copy(MessageRecord<'a>),
    /// Small changes to sessions of one shard.
    Operations {
        /// The shard that wrote it.
        writer: ShardId,
        /// In their order.
        operations: OperationReader<'a>,
    },
    /// A topic has no retained message any more.
    RetainedCleared(&'a str),
    /// Sessions as they were.
    Slice(SliceRecord<'a>),
    /// Retained messages as they were.
    RetainedSlice(RetainedSlice),
    /// A process began.
    Epoch {
        /// How many shards it has.
        shards: u16,
        /// When.
        at: Timestamp,
    },
}

/// A Slice.
#[derive(Debug)]
pub(super) struct SliceRecord<'a> {
    /// The shard that wrote it.
    pub(super) writer: ShardId,
    /// See [`SliceHead::seen`].
    pub(super) seen: Vec<Position>,
    /// The sessions.
    pub(super) parts: SessionParts<'a>,
}

/// A Message whose text is not yet checked: most of what is replayed was delivered long ago.
#[derive(Debug)]
pub(super) struct MessageRecord<'a> {
    /// The shard that wrote it.
    pub(super) writer: ShardId,
    /// See [`MessageHead::retained_by`].
    pub(super) retained_by: Option<&'a str>,
    /// See [`MessageHead::receipt`].
    pub(super) receipt: Option<(SessionId, PacketId)>,
    /// When it expires.
    pub(super) expires_at: Timestamp,
    /// Topic, properties and payload together.
    pub(super) bytes: u32,
    /// Whose queues it joins.
    pub(super) targets: Targets<'a>,
    topic: &'a [u8],
    properties: &'a [u8],
    payload: &'a [u8],
    qos: QoS,
    retain: bool,
}

/// The targets of a Message.
#[derive(Clone, Debug)]
pub(super) struct Targets<'a>(Reader<'a>);

impl Iterator for Targets<'_> {
    type Item = Result<(SessionId, Delivery), InvalidRecord>;

    #[inline]
    fn next(&mut self) -> Option<Self::Item> {
        if self.0.is_empty() {
            return None;
        }
        Some(self.0.session().and_then(|session| Ok((session, read_delivery(&mut self.0)?))))
    }
}

impl<'a> MessageRecord<'a> {
    const NAME: &'static str = "a Message";

    fn decode(record: &'a [u8]) -> Result<Self, InvalidRecord> {
        let mut reader = Reader::new(Self::NAME, record);
        let writer = reader.shard("writer")?;
        let known = QOS_BITS | RETAIN | BECOMES_RETAINED | EXPIRES | HAS_RECEIPT;
        let flags = reader.flags(known, "byte of flags")?;
        let qos = reader.qos(flags)?;
        let mut expires_at = Timestamp::NEVER;
        if flags & EXPIRES != 0 {
            expires_at = reader.time("expiry")?;
        }
        let mut receipt = None;
        if flags & HAS_RECEIPT != 0 {
            receipt = Some((reader.session()?, reader.packet_id()?));
        }
        let mut retained_by = None;
        if flags & BECOMES_RETAINED != 0 {
            retained_by = Some(reader.text("client identifier")?);
        }
        let topic_bytes = reader.count("topic")?;
        let property_bytes = reader.count("properties")?;
        let payload_bytes = reader.count("payload")?;
        let topic = reader.take(topic_bytes, "topic")?;
        let properties = reader.take(property_bytes, "properties")?;
        let payload = reader.take(payload_bytes, "payload")?;
        let bytes = u32::try_from(topic_bytes + property_bytes + payload_bytes)
            .map_err(|_| reader.invalid("payload", Problem::TooLarge))?;
        Ok(Self {
            writer,
            retained_by,
            receipt,
            expires_at,
            bytes,
            targets: Targets(reader),
            topic,
            properties,
            payload,
            qos,
            retain: flags & RETAIN != 0,
        })
    }

    /// The message, its position and publisher left out.
    pub(super) fn message(&self) -> Result<MessageRef<'a>, InvalidRecord> {
        let invalid = |part, problem| InvalidRecord::new(Self::NAME, part, problem);
        let topic = core::str::from_utf8(self.topic).map_err(|_| invalid("topic", Problem::NotText))?;
        let topic = TopicNameRef::new(topic).map_err(|_| invalid("topic", Problem::Meaningless))?;
        Properties::<Borrowed<'_>>::from_raw(PropertyOwner::Publish, self.properties)
            .map_err(|_| invalid("properties", Problem::Meaningless))?;
        Ok(MessageRef {
            topic,
            properties: self.properties,
            payload: self.payload,
            qos: self.qos,
            retain: self.retain,
            expires_at: self.expires_at,
            publisher: None,
            durability: Durability::Disk,
            position: Position::NONE,
        })
    }
}

impl<'a> Record<'a> {
    /// Takes a record apart.
    pub(super) fn decode(record: &'a [u8]) -> Result<Self, InvalidRecord> {
        let Some((&kind, rest)) = record.split_first() else {
            return Err(InvalidRecord::new("a record", "kind", Problem::CutShort));
        };
        match kind {
            MESSAGE => MessageRecord::decode(rest).map(Self::Message),
            COPY => MessageRecord::decode(rest).map(Self::Copy),
            OPERATIONS => {
                let mut reader = Reader::new(Operations::NAME, rest);
                let writer = reader.shard("writer")?;
                Ok(Self::Operations { writer, operations: OperationReader::new(reader) })
            }
            RETAINED_CLEARED => {
                let mut reader = Reader::new("a RetainedCleared", rest);
                let topic = reader.text("topic")?;
                reader.end()?;
                Ok(Self::RetainedCleared(topic))
            }
            SLICE => {
                let mut reader = Reader::new("a Slice", rest);
                let writer = reader.shard("writer")?;
                let count = reader.count("number of shards")?;
                let seen = (0..count).map(|_| reader.position("position of a shard"));
                let seen = seen.collect::<Result<_, _>>()?;
                Ok(Self::Slice(SliceRecord { writer, seen, parts: SessionParts(reader) }))
            }
            RETAINED_SLICE => {
                let mut reader = Reader::new("a RetainedSlice", rest);
                let slice = RetainedSlice::decode(&mut reader)?;
                reader.end()?;
                Ok(Self::RetainedSlice(slice))
            }
            EPOCH => {
                let mut reader = Reader::new("an Epoch", rest);
                let (shards, at) = (reader.u16("number of shards")?, reader.time("time")?);
                reader.end()?;
                Ok(Self::Epoch { shards, at })
            }
            _ => Err(InvalidRecord::new("a record", "kind", Problem::Meaningless)),
        }
    }
}

#[cfg(test)]
pub(super) mod samples;
#[cfg(test)]
mod tests;
