//! Owns the buffer between the driver and one stream: what it holds, when it is full, and what is dropped then.

use super::Deliveries;
use crate::{
    delivery::{Feedback, Receipt},
    message::Message,
    protocol::{Arrival, SubscriptionKey},
    request::{Acknowledging, Overflow},
};
use mqtt_codec::{PacketId, QoS};
use std::sync::{
    Arc,
    atomic::{AtomicU64, AtomicUsize, Ordering::Relaxed},
};
use tokio::sync::{
    Notify,
    mpsc::{self, UnboundedSender},
};

/// A message in a buffer.
#[derive(Debug)]
pub(crate) struct Buffered {
    pub(crate) message: Message,
    pub(crate) dup: bool,
    pub(crate) packet_id: Option<PacketId>,
    pub(crate) receipt: Option<Receipt>,
}

/// What both ends of a buffer share. The counts are of QoS 0 alone; the window bounds the rest.
#[derive(Debug)]
pub(super) struct Buffer {
    messages: AtomicUsize,
    bytes: AtomicUsize,
    dropped: AtomicU64,
    /// Told when a message has left a buffer that may pause reading.
    room: Option<Arc<Notify>>,
}

/// The driver's end of a stream.
#[derive(Debug)]
pub(crate) struct StreamSender {
    items: UnboundedSender<Buffered>,
    buffer: Arc<Buffer>,
    messages_max: usize,
    bytes_max: usize,
    overflow: Overflow,
    feedback: UnboundedSender<Feedback>,
}

/// What became of a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Pushed {
    /// It is in the buffer, or was dropped and counted.
    Taken,
    /// It is in the buffer, which is full: stop reading.
    Full,
}

/// How much a stream holds, and what happens then.
#[derive(Clone, Copy, Debug)]
pub(crate) struct BufferLimits {
    pub(crate) messages_max: usize,
    pub(crate) bytes_max: usize,
    pub(crate) overflow: Overflow,
}

/// The two ends of a stream.
#[expect(
    clippy::disallowed_methods,
    reason = "QoS 0 is counted against the buffer's limits, the window bounds the rest"
)]
pub(crate) fn stream(
    key: SubscriptionKey,
    limits: BufferLimits,
    acknowledging: Acknowledging,
    room: &Arc<Notify>,
    feedback: &UnboundedSender<Feedback>,
) -> (StreamSender, Deliveries) {
    let (sender, items) = mpsc::unbounded_channel();
    let buffer = Arc::new(Buffer {
        messages: AtomicUsize::new(0),
        bytes: AtomicUsize::new(0),
        dropped: AtomicU64::new(0),
        room: match limits.overflow {
            Overflow::DropNewest => None,
            Overflow::PauseReading => Some(Arc::clone(room)),
        },
    });
    let sender = StreamSender {
        items: sender,
        buffer: Arc::clone(&buffer),
        messages_max: limits.messages_max,
        bytes_max: limits.bytes_max,
        overflow: limits.overflow,
        feedback: feedback.clone(),
    };
    (sender, Deliveries { key, items, buffer, acknowledging, feedback: feedback.clone() })
}

impl StreamSender {
    /// Puts a message into the buffer. If the stream was dropped, so is the message, which acknowledges it.
    pub(crate) fn push(&self, arrival: Arrival) -> Pushed {
        let Arrival { message, dup, packet_id, receipt } = arrival;
        let receipt = receipt.map(|key| Receipt::new(key, self.feedback.clone()));
        let item = Buffered { message, dup, packet_id, receipt };
        if item.message.qos > QoS::AtMostOnce {
            let _ = self.items.send(item);
            return Pushed::Taken;
        }
        if self.is_full() && self.overflow == Overflow::DropNewest {
            self.buffer.dropped.fetch_add(1, Relaxed);
            return Pushed::Taken;
        }
        self.buffer.messages.fetch_add(1, Relaxed);
        self.buffer.bytes.fetch_add(item.message.queued_bytes(), Relaxed);
        let _ = self.items.send(item);
        match self.overflow {
            Overflow::PauseReading if self.is_full() => Pushed::Full,
            Overflow::PauseReading | Overflow::DropNewest => Pushed::Taken,
        }
    }

    /// Whether the buffer is at one of its limits and somebody will make room.
    pub(crate) fn is_full(&self) -> bool {
        let at_limit = self.buffer.messages.load(Relaxed) >= self.messages_max
            || self.buffer.bytes.load(Relaxed) >= self.bytes_max;
        at_limit && !self.items.is_closed()
    }
}

impl Buffer {
    pub(super) fn dropped(&self) -> u64 {
        self.dropped.load(Relaxed)
    }

    /// A message has left the buffer.
    pub(super) fn taken(&self, item: &Buffered) {
        if item.message.qos > QoS::AtMostOnce {
            return;
        }
        self.messages.fetch_sub(1, Relaxed);
        self.bytes.fetch_sub(item.message.queued_bytes(), Relaxed);
        if let Some(room) = &self.room {
            room.notify_one();
        }
    }
}
