//! Owns how a record reads to a person: one line, and one more for each thing it says. What records mean to
//! the broker is `recovery`'s business.

use super::{
    Operation,
    record::Record,
    state::{Delivery, QueuedState},
    wire::InvalidRecord,
};
use crate::time::Timestamp;
use mqtt_codec::QoS;
use std::fmt::Write as _;

/// Bytes of a payload that are shown.
const PAYLOAD_BYTES_SHOWN: usize = 40;

/// Says in words what a record holds.
///
/// # Errors
/// It is none of the records there are.
pub fn describe(record: &[u8]) -> Result<String, InvalidRecord> {
    let mut text = String::new();
    describe_to(&mut text, Record::decode(record)?)?;
    Ok(text)
}

fn describe_to(text: &mut String, record: Record<'_>) -> Result<(), InvalidRecord> {
    match record {
        Record::Copy(record) => {
            let message = record.message()?;
            let (topic, bytes) = (message.topic.text(), message.payload.len());
            add(text, format_args!("copy of a message to {topic:?} of {bytes} bytes"));
        }
        Record::Message(record) => {
            let message = record.message()?;
            let shown = &message.payload[..message.payload.len().min(PAYLOAD_BYTES_SHOWN)];
            let (topic, qos, bytes) = (message.topic.text(), message.qos.bits(), message.payload.len());
            add(text, format_args!("message of shard {} to {topic:?}", record.writer.0));
            add(text, format_args!(", QoS {qos}, {bytes} bytes {:?}", String::from_utf8_lossy(shown)));
            if shown.len() < bytes {
                text.push_str("...");
            }
            add_expiry(text, message.expires_at);
            if let Some(client_id) = record.retained_by {
                add(text, format_args!(", retained, published by {client_id:?}"));
            }
            if let Some((session, packet_id)) = record.receipt {
                add(text, format_args!("\n  received from {session:?} under {}", packet_id.get()));
            }
            for target in record.targets {
                let (session, Delivery { qos, retain, rest }) = target?;
                add(text, format_args!("\n  for {session:?} with QoS {}", qos.bits()));
                add_own(text, retain, rest.as_deref().map_or(&[], |rest| &rest.identifiers));
                if let Some(group) = rest.as_deref().and_then(|rest| rest.group.as_deref()) {
                    add(text, format_args!(" by {group:?}"));
                }
            }
        }
        Record::Operations { writer, operations } => {
            add(text, format_args!("operations of shard {}", writer.0));
            for operation in operations {
                text.push_str("\n  ");
                describe_operation(text, &operation?);
            }
        }
        Record::RetainedCleared(topic) => {
            add(text, format_args!("nothing is retained at {topic:?} any more"));
        }
        Record::Slice(slice) => {
            add(
                text,
                format_args!(
                    "checkpoint of sessions of shard {}, which had seen {:?}",
                    slice.writer.0, slice.seen
                ),
            );
            for part in slice.parts {
                let part = part?;
                match &part.first {
                    Some(state) => add(
                        text,
                        format_args!(
                            "\n  {:?} is {:?}: {} subscriptions, {} in flight, {} waiting, {:?}, Session Expiry Interval {} s",
                            part.session,
                            state.client_id,
                            state.subscriptions.len(),
                            state.in_flight.len(),
                            state.queue.len(),
                            state.connection,
                            state.expiry_seconds,
                        ),
                    ),
                    None => {
                        add(text, format_args!("\n  {:?}: {} more waiting", part.session, part.queue.len()));
                    }
                }
            }
        }
        Record::RetainedSlice(slice) => {
            let (count, as_of) = (slice.positions.len(), slice.as_of);
            add(text, format_args!("checkpoint of {count} retained messages as of {as_of:?}"));
            for position in &slice.positions {
                add(text, format_args!("\n  {position:?}"));
            }
        }
        Record::Epoch { shards, at } => {
            add(text, format_args!("a process with {shards} shards begins at {} ms", at.as_millis()));
        }
    }
    Ok(())
}

fn describe_operation(text: &mut String, operation: &Operation<'_>) {
    match operation {
        Operation::Opened { session, client_id } => {
            add(text, format_args!("{session:?} begins for {client_id:?}"));
        }
        Operation::Bound { session, client_id } => {
            add(text, format_args!("{session:?} is that of {client_id:?}"));
        }
        Operation::Connected { session, expiry_seconds, will } => {
            add(text, format_args!("{session:?} is connected, Session Expiry Interval {expiry_seconds} s"));
            if let Some(will) = will {
                let (topic, delay) = (will.topic, will.delay_seconds);
                add(text, format_args!(", Will to {topic:?} after {delay} s"));
            }
        }
        Operation::Disconnected { session, at, expiry_seconds, keeps_will } => {
            let will = if *keeps_will { "with its Will" } else { "without a Will" };
            let at = at.as_millis();
            add(
                text,
                format_args!("{session:?} is away since {at} ms for at most {expiry_seconds} s, {will}"),
            );
        }
        Operation::WillGone { session } => {
            add(text, format_args!("{session:?} has no Will any more"));
        }
        Operation::Ended { session } => {
            add(text, format_args!("{session:?} has ended"));
        }
        Operation::Subscribed { session, filter, options, identifier, .. } => {
            let qos = options.maximum_qos.bits();
            add(text, format_args!("{session:?} subscribes to {filter:?} with QoS {qos}"));
            if *identifier != 0 {
                add(text, format_args!(", Subscription Identifier {identifier}"));
            }
        }
        Operation::Unsubscribed { session, filter } => {
            add(text, format_args!("{session:?} unsubscribes from {filter:?}"));
        }
        Operation::RetainedProgress { session, filter, cursor } => {
            let far = if cursor.is_some() { "a part" } else { "all" };
            add(text, format_args!("{session:?} has {far} of what is retained for {filter:?}"));
        }
        Operation::Queued { session, queued } => {
            add(text, format_args!("{session:?} gets "));
            add_queued(text, queued);
        }
        Operation::Sent { session, position, packet_id, .. } => {
            add(text, format_args!("{session:?} is sent {position:?} under {}", packet_id.get()));
        }
        Operation::Acked { session, packet_id } => {
            add(text, format_args!("{session:?} has {} for good", packet_id.get()));
        }
        Operation::Received { session, packet_id } => {
            add(text, format_args!("{session:?} has received {}", packet_id.get()));
        }
        Operation::Dropped { session, position, .. } => {
            add(text, format_args!("{session:?} does not get {position:?}"));
        }
        Operation::InboundReceived { session, packet_id } => {
            add(text, format_args!("{} was received from {session:?}", packet_id.get()));
        }
        Operation::InboundReleased { session, packet_id } => {
            add(text, format_args!("{} was released by {session:?}", packet_id.get()));
        }
    }
}

fn add_queued(text: &mut String, queued: &QueuedState) {
    add(text, format_args!("{:?} with QoS {}", queued.position, queued.qos.bits()));
    debug_assert!(queued.qos > QoS::AtMostOnce);
    add_own(text, queued.retain, queued.identifiers());
    add_expiry(text, queued.expires_at);
}

fn add_own(text: &mut String, retain: bool, identifiers: &[u32]) {
    if retain {
        text.push_str(", RETAIN");
    }
    if !identifiers.is_empty() {
        add(text, format_args!(", Subscription Identifiers {identifiers:?}"));
    }
}

fn add_expiry(text: &mut String, expires_at: Timestamp) {
    if expires_at != Timestamp::NEVER {
        add(text, format_args!(", expires at {} ms", expires_at.as_millis()));
    }
}

fn add(text: &mut String, arguments: std::fmt::Arguments<'_>) {
    text.write_fmt(arguments).expect("a String takes every write");
}
