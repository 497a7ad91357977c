//! Owns what is on its way to one client at QoS 1 and 2: in flight, and waiting behind the window.
//! Writing it to the wire is `outgoing`'s business.

use crate::{
    config::{Limits, QueuePolicy},
    ids::GroupId,
    message::Message,
    peers::AcknowledgementToken,
    time::Timestamp,
};
use mqtt_codec::{
    QoS,
    flow::{PacketIds, Sender},
    packet::PacketId,
};
use std::{collections::VecDeque, sync::Arc};

/// A message for one client, with what is the client's own about it.
#[derive(Clone, Debug)]
pub(crate) struct Queued {
    /// The message, shared with whoever else receives it.
    pub(crate) message: Arc<Message>,
    /// The QoS it is delivered with: 1 or 2.
    pub(crate) qos: QoS,
    /// The RETAIN flag it is delivered with.
    pub(crate) retain: bool,
    /// The Subscription Identifiers that go with it.
    pub(crate) identifiers: Box<[u32]>,
    /// The group of the shared subscription it came by.
    pub(crate) group: Option<GroupId>,
}

/// What became of a message for the queue.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Accepted {
    /// It waits, and there was room.
    Queued,
    /// It waits beyond the limit: its publisher is to be held back.
    Beyond,
    /// It, or older ones in its favour, were dropped: this many.
    Dropped(u32),
}

/// The outbound half of a session. Empty, it owns no heap memory.
#[derive(Debug)]
pub(crate) struct Outbound {
    packet_ids: PacketIds,
    /// In flight; the message itself is dropped once PUBREC has come.
    pub(crate) sender: Sender<Option<Queued>>,
    /// In the order received, whatever the topic `[MQTT311-4.6.0-5]` `[MQTT311-4.6.0-6]`.
    queue: VecDeque<Queued>,
    queue_bytes: u64,
    /// None of those that wait expires before.
    next_expiry: Timestamp,
    /// Acknowledgements that wait for room in the queue.
    held: Vec<AcknowledgementToken>,
}

impl Outbound {
    pub(crate) const fn new() -> Self {
        Self {
            packet_ids: PacketIds::new(),
            sender: Sender::new(0),
            queue: VecDeque::new(),
            queue_bytes: 0,
            next_expiry: Timestamp::NEVER,
            held: Vec::new(),
        }
    }

    /// Messages waiting and in flight.
    pub(crate) fn len(&self) -> usize {
        self.sender.len() + self.queue.len()
    }

    /// Whether a new message may be sent at once, without overtaking one that waits.
    #[inline]
    pub(crate) fn is_clear(&self) -> bool {
        self.queue.is_empty() && self.sender.has_room()
    }

    /// The identifier of the next message that is sent. None if all 65,535 are in use, which
    /// [`is_clear`](Self::is_clear) and [`next`](Self::next) rule out.
    pub(crate) fn allocate_packet_id(&mut self) -> Option<PacketId> {
        self.packet_ids.allocate(|id| self.sender.contains(id))
    }

    /// Drops what has expired, if a message would find no room. How many were dropped `[MQTT5-3.3.2-5]`.
    pub(crate) fn make_room_for(&mut self, queued: &Queued, limits: &Limits, now: Timestamp) -> u32 {
        if self.has_room_for(queued, limits) || self.next_expiry > now {
            return 0;
        }
        let length_before = self.queue.len();
        let (mut bytes, mut next_expiry) = (0, Timestamp::NEVER);
        self.queue.retain(|waiting| {
            let is_kept = !waiting.message.is_expired(now);
            if is_kept {
                bytes += waiting.message.len() as u64;
                next_expiry = next_expiry.min(waiting.message.expires_at);
            }
            is_kept
        });
        (self.queue_bytes, self.next_expiry) = (bytes, next_expiry);
        u32::try_from(length_before - self.queue.len()).expect("queue_messages_max is 32 bits")
    }

    /// Puts a message at the end of the queue, or does what the policy says at the limit.
    pub(crate) fn push(
        &mut self,
        queued: Queued,
        policy: QueuePolicy,
        is_online: bool,
        limits: &Limits,
    ) -> Accepted {
        if self.has_room_for(&queued, limits) {
            self.append(queued);
            return Accepted::Queued;
        }
        // What is larger than the whole queue may be displaces nobody.
        let fits_alone =
            limits.queue_messages_max > 0 && queued.message.len() as u64 <= limits.queue_bytes_max;
        match policy {
            QueuePolicy::HoldPublisher if is_online => {
                self.append(queued);
                Accepted::Beyond
            }
            QueuePolicy::DropOldest if fits_alone => {
                let mut dropped = 0;
                while !self.has_room_for(&queued, limits) && self.pop().is_some() {
                    dropped += 1;
                }
                self.append(queued);
                Accepted::Dropped(dropped)
            }
            QueuePolicy::DropNewest | QueuePolicy::DropOldest | QueuePolicy::HoldPublisher => {
                Accepted::Dropped(1)
            }
        }
    }

    /// The next message that may be sent, if the window has room.
    pub(crate) fn next(&mut self) -> Option<Queued> {
        if self.sender.has_room() { self.pop() } else { None }
    }

    /// Takes the oldest waiting message.
    pub(crate) fn pop(&mut self) -> Option<Queued> {
        let queued = self.queue.pop_front()?;
        self.queue_bytes -= queued.message.len() as u64;
        if self.queue.is_empty() {
            // A burst must not leave its memory behind in every session it touched.
            self.queue = VecDeque::new();
            self.next_expiry = Timestamp::NEVER;
        }
        Some(queued)
    }

    /// Bytes waiting.
    pub(crate) fn queue_bytes(&self) -> u64 {
        self.queue_bytes
    }

    /// Holds an acknowledgement until the queue has room again.
    pub(crate) fn hold(&mut self, token: AcknowledgementToken) {
        self.held.push(token);
    }

    /// Whether acknowledgements wait for room.
    #[inline]
    pub(crate) fn is_holding(&self) -> bool {
        !self.held.is_empty()
    }

    /// The acknowledgements to let go of, once the queue is within its limits.
    pub(crate) fn release(&mut self, limits: &Limits) -> Vec<AcknowledgementToken> {
        if self.held.is_empty() || !self.is_within(limits) {
            return Vec::new();
        }
        std::mem::take(&mut self.held)
    }

    /// The acknowledgements to let go of because nobody will drain the queue.
    pub(crate) fn release_all(&mut self) -> Vec<AcknowledgementToken> {
        std::mem::take(&mut self.held)
    }

    fn append(&mut self, queued: Queued) {
        self.queue_bytes += queued.message.len() as u64;
        self.next_expiry = self.next_expiry.min(queued.message.expires_at);
        self.queue.push_back(queued);
    }

    fn has_room_for(&self, queued: &Queued, limits: &Limits) -> bool {
        self.queue.len() < limits.queue_messages_max as usize
            && self.queue_bytes + queued.message.len() as u64 <= limits.queue_bytes_max
    }

    fn is_within(&self, limits: &Limits) -> bool {
        self.queue.len() <= limits.queue_messages_max as usize && self.queue_bytes <= limits.queue_bytes_max
    }
}
