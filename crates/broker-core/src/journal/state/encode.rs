//! Owns how the state of a session is written into a checkpoint's slice. The layout is told in `record`.

use super::{
    ConnectionState, InFlightState, QueuedState, RetainedState, SessionState, SubscriptionState, WillRef,
};
use crate::journal::{
    Position,
    wire::{
        put_bytes, put_len, put_number, put_packet_id, put_position_after, put_session, put_text, put_time,
    },
};
use core::ops::Range;
use mqtt_codec::{QoS, flow::Step};

/// Entries of a queue in one part of a session: some 50 KB.
pub(crate) const QUEUE_PART_MAX: usize = 4096;

pub(in crate::journal) const FIRST_PART: u8 = 1;
pub(in crate::journal) const LAST_PART: u8 = 1 << 1;

pub(in crate::journal) const RETAIN: u8 = 1 << 2;
pub(in crate::journal) const HAS_IDENTIFIERS: u8 = 1 << 3;
pub(in crate::journal) const HAS_GROUP: u8 = 1 << 4;
pub(in crate::journal) const EXPIRES: u8 = 1 << 5;

pub(in crate::journal) const RECEIVED: u8 = 1 << 2;
pub(in crate::journal) const HAS_MESSAGE: u8 = 1 << 3;

/// Where a part stands among those of its session.
#[derive(Clone, Copy, Debug)]
pub(crate) struct SessionPlace {
    pub(crate) is_first: bool,
    pub(crate) is_last: bool,
}

impl SessionState {
    /// Appends one part, for a slice: the head if it is the first, and all of the queue that is here. All parts are
    /// written in their order, in one slice or several, and the shard writes nothing else in between: they are the
    /// state of one moment.
    pub(crate) fn encode_part(&self, part: SessionPlace, out: &mut Vec<u8>) {
        self.encode_span(0..self.queue.len(), part, out);
    }

    /// Appends a session that fits one part.
    #[cfg(test)]
    pub(crate) fn encode(&self, out: &mut Vec<u8>) {
        for part in 0..self.parts() {
            self.encode_numbered(part, out);
        }
    }

    /// How many parts it is written in, at least one: a long queue is not written at once.
    #[cfg(test)]
    pub(crate) fn parts(&self) -> usize {
        self.queue.len().div_ceil(QUEUE_PART_MAX).max(1)
    }

    /// Appends one of its parts by number.
    #[cfg(test)]
    pub(crate) fn encode_numbered(&self, part: usize, out: &mut Vec<u8>) {
        let place = SessionPlace { is_first: part == 0, is_last: part + 1 == self.parts() };
        let from = part * QUEUE_PART_MAX;
        self.encode_span(from..self.queue.len().min(from + QUEUE_PART_MAX), place, out);
    }

    fn encode_span(&self, span: Range<usize>, part: SessionPlace, out: &mut Vec<u8>) {
        let SessionPlace { is_first, is_last } = part;
        put_session(out, self.id);
        out.push(if is_first { FIRST_PART } else { 0 } | if is_last { LAST_PART } else { 0 });
        if is_first {
            self.encode_head(out);
        }
        put_len(out, span.len());
        let mut former = Position::NONE;
        for queued in self.queue.range(span) {
            put_entry(out, queued, former);
            former = queued.position;
        }
    }

    fn encode_head(&self, out: &mut Vec<u8>) {
        put_text(out, &self.client_id);
        put_number(out, u64::from(self.expiry_seconds));
        match self.connection {
            ConnectionState::Connected => out.push(0),
            ConnectionState::DisconnectedSince(time) => {
                out.push(1);
                put_time(out, time);
            }
        }
        match &self.will {
            None => out.push(0),
            Some(will) => {
                out.push(1);
                put_will(out, will.borrow());
            }
        }
        put_len(out, self.subscriptions.len());
        for subscription in &self.subscriptions {
            put_subscription(out, subscription);
        }
        put_len(out, self.unreleased.len());
        for &packet_id in &self.unreleased {
            put_packet_id(out, packet_id);
        }
        put_len(out, self.in_flight.len());
        let mut former = Position::NONE;
        for in_flight in &self.in_flight {
            put_in_flight(out, in_flight, former);
            former = in_flight.queued.as_ref().map_or(former, |queued| queued.position);
        }
    }
}

fn put_subscription(out: &mut Vec<u8>, subscription: &SubscriptionState) {
    put_text(out, &subscription.filter);
    out.push(subscription.options.byte());
    put_number(out, u64::from(subscription.identifier));
    put_share_name_bytes(out, subscription.share_name_bytes);
    match &subscription.retained {
        RetainedState::Nothing => out.push(0),
        RetainedState::FromStart => out.push(1),
        RetainedState::From(cursor) => {
            out.push(2);
            put_bytes(out, cursor);
        }
    }
}

/// Appends the length of a ShareName, 0 for no shared subscription: a ShareName is never empty.
pub(in crate::journal) fn put_share_name_bytes(out: &mut Vec<u8>, share_name_bytes: Option<usize>) {
    put_len(out, share_name_bytes.unwrap_or(0));
}

fn put_in_flight(out: &mut Vec<u8>, in_flight: &InFlightState, former: Position) {
    let step = match in_flight.step {
        Step::Published => 0,
        Step::Received => RECEIVED,
    };
    let message = if in_flight.queued.is_some() { HAS_MESSAGE } else { 0 };
    put_packet_id(out, in_flight.packet_id);
    out.push(in_flight.qos.bits() | step | message);
    if let Some(queued) = &in_flight.queued {
        put_entry(out, queued, former);
    }
}

/// Appends a Will.
pub(in crate::journal) fn put_will(out: &mut Vec<u8>, will: WillRef<'_>) {
    let retain = if will.retain { RETAIN } else { 0 };
    let expires = if will.expiry_seconds.is_some() { EXPIRES } else { 0 };
    out.push(will.qos.bits() | retain | expires);
    put_number(out, u64::from(will.delay_seconds));
    if let Some(seconds) = will.expiry_seconds {
        put_number(out, u64::from(seconds));
    }
    put_text(out, will.topic);
    put_bytes(out, will.properties);
    put_bytes(out, will.payload);
}

/// Appends a message in a queue: where it is, from the one before it, and how it is delivered.
pub(in crate::journal) fn put_entry(out: &mut Vec<u8>, queued: &QueuedState, former: Position) {
    put_position_after(out, queued.position, former);
    put_number(out, u64::from(queued.bytes));
    put_time(out, queued.expires_at);
    put_delivery(out, queued.qos, queued.retain, queued.identifiers(), queued.group());
}

/// Appends how a message is delivered to one session.
#[inline]
pub(in crate::journal) fn put_delivery(
    out: &mut Vec<u8>,
    qos: QoS,
    retain: bool,
    identifiers: &[u32],
    group: Option<&str>,
) {
    debug_assert!(qos > QoS::AtMostOnce, "nobody was promised a message of QoS 0");
    let retain = if retain { RETAIN } else { 0 };
    let has_identifiers = if identifiers.is_empty() { 0 } else { HAS_IDENTIFIERS };
    let has_group = if group.is_some() { HAS_GROUP } else { 0 };
    out.push(qos.bits() | retain | has_identifiers | has_group);
    if !identifiers.is_empty() {
        put_len(out, identifiers.len());
        for &identifier in identifiers {
            put_number(out, u64::from(identifier));
        }
    }
    if let Some(group) = group {
        put_text(out, group);
    }
}
