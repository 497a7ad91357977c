//! Owns a log that is replayed as it is written, and the text that shows what became of it.

use crate::{
    config::Durability,
    ids::{SessionId, ShardId},
    journal::{
        ConnectionState, InFlightState, InvalidRecord, MessageHead, Operation, Operations, Position,
        QueuedState, Recovered, Recovery, RetainedSlice, RetainedState, SessionState, SliceHead,
        SubscriptionState, Target, WillState, epoch_record, put_target, retained_cleared_record,
        state::QueuedRest,
    },
    message::MessageRef,
    time::Timestamp,
};
use mqtt_codec::{QoS, TopicNameRef, flow::Step, packet::PacketId};
use std::{collections::VecDeque, fmt::Write};

/// A log, and what was recovered from it so far.
pub(super) struct Log {
    recovery: Recovery,
    next: u64,
}

/// A key by its shard and slot.
pub(super) fn session(shard: u16, slot: u32) -> SessionId {
    SessionId::new(ShardId(shard), slot, slot).durable()
}

pub(super) fn packet_id(number: u16) -> PacketId {
    PacketId::new(number).expect("not zero")
}

/// A target of QoS 1.
pub(super) fn to(session: SessionId) -> Target<'static> {
    Target { session, qos: QoS::AtLeastOnce, retain: false, identifiers: &[], group: None }
}

/// A message of three bytes in a queue.
pub(super) fn queued(position: u64) -> QueuedState {
    QueuedState {
        position: Position::new(position),
        recorded: Position::NONE,
        expires_at: Timestamp::NEVER,
        rest: None,
        bytes: 3,
        writer: ShardId(0),
        qos: QoS::AtLeastOnce,
        retain: false,
    }
}

/// A session of a slice with a queue.
pub(super) fn state(id: SessionId, client_id: &str, queue: &[u64]) -> SessionState {
    SessionState {
        id,
        client_id: Box::from(client_id),
        expiry_seconds: 60,
        connection: ConnectionState::Connected,
        will: None,
        subscriptions: Vec::new(),
        unreleased: Vec::new(),
        in_flight: Vec::new(),
        queue: queue.iter().map(|&position| queued(position)).collect::<VecDeque<_>>(),
    }
}

/// The retained or other message of a topic, with the topic itself as its payload.
pub(super) fn message(topic: &str) -> MessageRef<'_> {
    MessageRef {
        topic: TopicNameRef::new(topic).expect("a topic"),
        properties: &[],
        payload: topic.as_bytes(),
        qos: QoS::ExactlyOnce,
        retain: false,
        expires_at: Timestamp::NEVER,
        publisher: None,
        durability: Durability::Disk,
        position: Position::NONE,
    }
}

/// The record of a message.
pub(super) fn message_record(head: &MessageHead<'_>, targets: &[Target<'_>]) -> Vec<u8> {
    let mut record = Vec::new();
    head.encode(&mut record);
    record.extend_from_slice(head.message.topic.text().as_bytes());
    record.extend_from_slice(head.message.properties);
    record.extend_from_slice(head.message.payload);
    for target in targets {
        put_target(&mut record, target);
    }
    record
}

impl Log {
    pub(super) fn new() -> Self {
        Self::from(100)
    }

    /// One whose earlier records are not replayed.
    pub(super) fn from(first: u64) -> Self {
        Self { recovery: Recovery::new(), next: first }
    }

    pub(super) fn put(&mut self, record: &[u8]) -> Result<Position, InvalidRecord> {
        let position = Position::new(self.next);
        self.next += 100;
        self.recovery.replay(position, record)?;
        Ok(position)
    }

    fn must(&mut self, record: &[u8]) -> &mut Self {
        self.put(record).expect("a legal record");
        self
    }

    pub(super) fn epoch(&mut self) -> &mut Self {
        let mut record = Vec::new();
        epoch_record(2, Timestamp::from_millis(self.next), &mut record);
        self.must(&record)
    }

    pub(super) fn operations(&mut self, writer: u16, operations: &[Operation<'_>]) -> &mut Self {
        let mut record = Operations::new(ShardId(writer));
        for operation in operations {
            record.push(operation);
        }
        self.must(record.bytes())
    }

    /// A session that outlives its connection by a minute.
    pub(super) fn open(&mut self, session: SessionId, client_id: &str) -> &mut Self {
        let opened = Operation::Opened { session, client_id };
        let connected = Operation::Connected { session, expiry_seconds: 60, will: None };
        self.operations(session.shard().0, &[opened, connected])
    }

    pub(super) fn message(&mut self, writer: u16, targets: &[Target<'_>]) -> &mut Self {
        let writer = ShardId(writer);
        let head = MessageHead { writer, message: message("a"), retained_by: None, receipt: None };
        self.must(&message_record(&head, targets))
    }

    pub(super) fn received(
        &mut self,
        publisher: SessionId,
        number: u16,
        targets: &[Target<'_>],
    ) -> &mut Self {
        let receipt = Some((publisher, packet_id(number)));
        let head =
            MessageHead { writer: publisher.shard(), message: message("a"), retained_by: None, receipt };
        self.must(&message_record(&head, targets))
    }

    pub(super) fn retain(&mut self, topic: &str, client_id: &str) -> &mut Self {
        self.must(&retained_record(topic, client_id))
    }

    pub(super) fn clear(&mut self, topic: &str) -> &mut Self {
        let mut record = Vec::new();
        retained_cleared_record(topic, &mut record);
        self.must(&record)
    }

    pub(super) fn page(&mut self, as_of: u64, positions: &[u64]) -> &mut Self {
        let positions = positions.iter().map(|&position| Position::new(position)).collect();
        let mut record = Vec::new();
        RetainedSlice { as_of: Position::new(as_of), positions }.encode(&mut record);
        self.must(&record)
    }

    pub(super) fn refer(&mut self, writer: u16, position: u64, target: SessionId) -> &mut Self {
        self.operations(writer, &[Operation::Queued { session: target, queued: queued(position) }])
    }

    /// A slice of whole sessions.
    pub(super) fn slice(&mut self, writer: u16, seen: &[u64], states: &[SessionState]) -> &mut Self {
        let mut record = slice_head(writer, seen);
        for state in states {
            state.encode(&mut record);
        }
        self.must(&record)
    }

    /// A slice of one part of a session.
    pub(super) fn part(&mut self, writer: u16, seen: &[u64], state: &SessionState, part: usize) -> &mut Self {
        let mut record = slice_head(writer, seen);
        state.encode_numbered(part, &mut record);
        self.must(&record)
    }

    pub(super) fn finish(&mut self) -> Recovered {
        std::mem::take(&mut self.recovery).finish()
    }

    /// What became of all that, as text.
    pub(super) fn state(&mut self) -> String {
        let recovered = self.finish();
        let mut text: String = recovered.sessions.iter().map(session_text).collect();
        text.push_str(&retained_text(&recovered));
        text
    }
}

pub(super) fn retained_record(topic: &str, client_id: &str) -> Vec<u8> {
    let message = MessageRef { retain: true, ..message(topic) };
    let retained_by = Some(client_id);
    message_record(&MessageHead { writer: ShardId(0), message, retained_by, receipt: None }, &[])
}

fn slice_head(writer: u16, seen: &[u64]) -> Vec<u8> {
    let seen: Vec<_> = seen.iter().map(|&position| Position::new(position)).collect();
    let mut record = Vec::new();
    SliceHead { writer: ShardId(writer), seen: &seen }.encode(&mut record);
    record
}

/// A session on a line, what it has on lines of their own.
fn session_text(state: &SessionState) -> String {
    let id = state.id;
    let mut text = format!("{} {}.{}, {} s", state.client_id, id.shard().0, id.slot(), state.expiry_seconds);
    match state.connection {
        ConnectionState::Connected => text.push_str(", connected\n"),
        ConnectionState::DisconnectedSince(time) => {
            writeln!(text, ", gone since {}", time.as_millis()).expect("a string takes all");
        }
    }
    if let Some(WillState { topic, payload, delay_seconds, .. }) = &state.will {
        let payload = String::from_utf8_lossy(payload);
        writeln!(text, "  will {topic} {payload:?} after {delay_seconds} s").expect("a string takes all");
    }
    for SubscriptionState { filter, options, identifier, retained, .. } in &state.subscriptions {
        let retained = match retained {
            RetainedState::Nothing => String::new(),
            RetainedState::FromStart => String::from(", retained from the start"),
            RetainedState::From(cursor) => format!(", retained from {}", String::from_utf8_lossy(cursor)),
        };
        let qos = options.maximum_qos.bits();
        writeln!(text, "  {filter} QoS {qos}, identifier {identifier}{retained}")
            .expect("a string takes all");
    }
    if !state.unreleased.is_empty() {
        let unreleased: Vec<_> = state.unreleased.iter().map(|id| id.get()).collect();
        writeln!(text, "  received {unreleased:?}").expect("a string takes all");
    }
    for InFlightState { packet_id, qos, step, queued } in &state.in_flight {
        let step = match step {
            Step::Published => "sent",
            Step::Received => "PUBREC came",
        };
        let queued = queued.as_ref().map(queued_text).unwrap_or_default();
        writeln!(text, "  {packet_id} QoS {} {step}{queued}", qos.bits()).expect("a string takes all");
    }
    if !state.queue.is_empty() {
        let queue: String = state.queue.iter().map(queued_text).collect();
        writeln!(text, "  queue{queue}").expect("a string takes all");
    }
    text
}

fn queued_text(queued: &QueuedState) -> String {
    assert_eq!(queued.recorded, Position::NONE, "recovery is done");
    let QueuedRest { identifiers, group } = queued.rest.as_deref().cloned().unwrap_or_default();
    let retain = if queued.retain { " retain" } else { "" };
    let identifiers = if identifiers.is_empty() { String::new() } else { format!(" {identifiers:?}") };
    let group = group.map(|group| format!(" {group}")).unwrap_or_default();
    format!(" @{}{retain}{identifiers}{group}", queued.position.get())
}

/// A retained message on a line.
pub(super) fn retained_text(recovered: &Recovered) -> String {
    let retained = recovered.retained().map(|retained| {
        let (message, client_id) = (&retained.message, &retained.client_id);
        format!("{} @{} by {client_id:?}\n", message.topic().text(), message.position.get())
    });
    retained.collect()
}
