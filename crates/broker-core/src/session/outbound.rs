//! Owns what is on its way to one client at QoS 1 and 2: in flight, and waiting behind the window.
//! Writing it to the wire is `outgoing`'s business, reading it back from the journal `load`'s.

use super::Queued;
use crate::{
    config::{Limits, QueuePolicy},
    held::AcknowledgementToken,
    journal::Position,
    message::Message,
    recorder::{RECOVERED, Turn},
    time::Timestamp,
};
use mqtt_codec::{
    flow::{InFlight, PacketIds, Sender},
    packet::PacketId,
};
use std::{collections::VecDeque, sync::Arc};

/// Bytes of a queue's head that are kept in memory, or read ahead, for a client that is connected; what is
/// behind them is left to the journal. Enough for the journal's disk to be busy while the client reads.
const AHEAD_BYTES: u64 = 256 * 1024;

/// Messages asked for at once.
const AHEAD_MESSAGES: usize = 1_024;

/// What became of a message for the queue.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Accepted {
    /// It waits, and there was room.
    Queued,
    /// It waits beyond the limit: its publisher is to be held back.
    Beyond,
    /// It waits, or does not; something else, or it, was dropped and is with the dropped.
    Dropped,
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
    /// Bytes of those in the queue that are in the journal and in memory as well.
    loaded_bytes: u64,
    /// Those in the queue that are in the journal alone.
    unloaded: usize,
    /// Those in flight that are to be sent again and are in the journal alone.
    unloaded_in_flight: usize,
    /// Whether some of what is in the journal alone has been asked for.
    pub(crate) is_loading: bool,
    /// Those in flight whose sending waits until the journal has on disk that they are.
    pub(crate) unsent: u32,
    /// When PUBREC was recorded last.
    pub(crate) pubrec_turn: Turn,
    /// None of those that wait expires before.
    next_expiry: Timestamp,
    /// When a timer of the shard looks after that, [`Timestamp::NEVER`] if none does.
    pub(crate) expiry_due: Timestamp,
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
            loaded_bytes: 0,
            unloaded: 0,
            unloaded_in_flight: 0,
            is_loading: false,
            unsent: 0,
            pubrec_turn: RECOVERED,
            next_expiry: Timestamp::NEVER,
            expiry_due: Timestamp::NEVER,
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
    #[inline]
    pub(crate) fn allocate_packet_id(&mut self) -> Option<PacketId> {
        self.packet_ids.allocate(|id| self.sender.contains(id))
    }

    /// Drops what has expired, if a message would find no room `[MQTT5-3.3.2-5]`.
    pub(crate) fn make_room_for(
        &mut self,
        queued: &Queued,
        limits: &Limits,
        now: Timestamp,
        expired: &mut Vec<Queued>,
    ) {
        if !self.has_room_for(queued, limits) {
            self.drop_expired(usize::MAX, now, expired);
        }
    }

    /// Takes out of the queue what has expired `[MQTT5-3.3.2-5]`, up to so many.
    pub(crate) fn drop_expired(&mut self, count_max: usize, now: Timestamp, expired: &mut Vec<Queued>) {
        if self.next_expiry > now {
            return;
        }
        let end = expired.len().saturating_add(count_max);
        // Most expire in their order: as long as they do, the others need no look.
        while expired.len() < end
            && self.queue.front().is_some_and(|oldest| oldest.is_expired(now))
            && let Some(oldest) = self.pop()
        {
            expired.push(oldest);
        }
        if expired.len() >= end {
            return;
        }
        let queue = std::mem::take(&mut self.queue);
        self.forget_sums();
        for waiting in queue {
            // What is beyond the count stays, and has `next_expiry` say that there is more to do.
            if expired.len() < end && waiting.is_expired(now) {
                expired.push(waiting);
            } else {
                self.append(waiting);
            }
        }
    }

    /// None of those that wait expires before.
    pub(crate) fn next_expiry(&self) -> Timestamp {
        self.next_expiry
    }

    /// Puts a message at the end of the queue, or does what the policy says at the limit.
    pub(crate) fn push(
        &mut self,
        queued: Queued,
        policy: QueuePolicy,
        is_online: bool,
        limits: &Limits,
        dropped: &mut Vec<Queued>,
    ) -> Accepted {
        if self.has_room_for(&queued, limits) {
            self.append_new(queued, is_online);
            return Accepted::Queued;
        }
        // What is larger than the whole queue may be displaces nobody.
        let fits_alone = limits.queue_messages_max > 0 && queued.bytes() <= limits.queue_bytes_max;
        match policy {
            QueuePolicy::HoldPublisher if is_online => {
                self.append_new(queued, is_online);
                Accepted::Beyond
            }
            QueuePolicy::DropOldest if fits_alone => {
                while !self.has_room_for(&queued, limits)
                    && let Some(oldest) = self.pop()
                {
                    dropped.push(oldest);
                }
                self.append_new(queued, is_online);
                Accepted::Dropped
            }
            QueuePolicy::DropNewest | QueuePolicy::DropOldest | QueuePolicy::HoldPublisher => {
                dropped.push(queued);
                Accepted::Dropped
            }
        }
    }

    /// The next message that may be sent, if the window has room and it is in memory.
    pub(crate) fn next(&mut self) -> Option<Queued> {
        if self.sender.has_room() && self.queue.front()?.message().is_some() { self.pop() } else { None }
    }

    /// Takes the oldest waiting message, wherever it is.
    pub(crate) fn pop(&mut self) -> Option<Queued> {
        let queued = self.queue.pop_front()?;
        self.queue_bytes -= queued.bytes();
        self.count_out(&queued);
        if self.queue.is_empty() {
            // A burst must not leave its memory behind in every session it touched.
            self.queue = VecDeque::new();
            self.next_expiry = Timestamp::NEVER;
        }
        Some(queued)
    }

    /// What waits, oldest first.
    pub(crate) fn waiting(&self) -> impl ExactSizeIterator<Item = &Queued> {
        self.queue.iter()
    }

    /// Visits every message that is in flight or waits. What counts for the sums must stay.
    pub(crate) fn for_each_mut(&mut self, visit: impl FnMut(&mut Queued)) {
        let in_flight = self.sender.messages_mut().filter_map(|(_, queued)| queued.as_mut());
        in_flight.chain(&mut self.queue).for_each(visit);
    }

    /// Bytes waiting.
    pub(crate) fn queue_bytes(&self) -> u64 {
        self.queue_bytes
    }

    /// Puts what an earlier process had waiting behind the rest.
    pub(crate) fn restore(&mut self, queued: Queued) {
        self.append(queued);
    }

    /// Takes into flight what an earlier process had in flight, oldest first.
    pub(crate) fn restore_in_flight(&mut self, in_flight: InFlight<Option<Queued>>) {
        self.unloaded_in_flight += usize::from(in_flight.message.is_some());
        self.packet_ids.restore(in_flight.packet_id);
        self.sender.restore(in_flight);
    }

    /// Makes room for so many at once, no more.
    pub(crate) fn reserve(&mut self, messages: usize) {
        self.queue.reserve_exact(messages);
    }

    /// What to read from the journal now, in its order: what the next messages to be sent lack, as far as they
    /// are to be in memory. Nothing while an answer is awaited.
    pub(crate) fn wanted(&self) -> Vec<Position> {
        if self.is_loading {
            return Vec::new();
        }
        let mut wanted = Vec::new();
        if self.lacks_in_flight() {
            let resent = self.sender.iter().filter_map(|it| it.message.as_ref());
            let resent = resent.filter(|it| it.message().is_none());
            wanted.extend(resent.map(Queued::position).take(AHEAD_MESSAGES));
        }
        let mut bytes = self.loaded_bytes;
        if self.unloaded > 0 && bytes <= AHEAD_BYTES / 2 {
            for queued in self.queue.iter().filter(|it| it.message().is_none()) {
                if wanted.len() >= AHEAD_MESSAGES || bytes > AHEAD_BYTES {
                    break;
                }
                bytes += queued.bytes();
                wanted.push(queued.position());
            }
        }
        wanted
    }

    /// Whether something that is to be sent again must be read first.
    #[inline]
    pub(crate) fn lacks_in_flight(&self) -> bool {
        self.unloaded_in_flight > 0
    }

    /// A message is in flight no more, or at least not needed.
    #[inline]
    pub(crate) fn finished(&mut self, queued: &Queued) {
        if queued.message().is_none() {
            self.unloaded_in_flight -= 1;
        }
    }

    /// Takes what was read into memory. What could not be read is taken out and handed back, for it is lost.
    pub(crate) fn load(&mut self, messages: Vec<(Position, Option<Arc<Message>>)>) -> Vec<Lost> {
        let mut lost = Vec::new();
        let mut unreadable = Vec::new();
        // They were asked for in the order of the queue: what is before the last one found is passed.
        let mut passed = 0;
        for (position, message) in messages {
            let lacking = |queued: &Queued| queued.message().is_none() && queued.position() == position;
            if self.unloaded_in_flight > 0
                && let Some((packet_id, queued)) =
                    self.sender.messages_mut().find(|(_, it)| it.as_ref().is_some_and(lacking))
            {
                match (message, queued) {
                    (Some(message), Some(queued)) => {
                        queued.load(message);
                        self.unloaded_in_flight -= 1;
                    }
                    (_, _) => unreadable.push(packet_id),
                }
                continue;
            }
            let Some(place) = self.queue.range(passed..).position(lacking).map(|behind| passed + behind)
            else {
                continue;
            };
            passed = place;
            match message {
                Some(message) => {
                    self.queue[place].load(message);
                    self.unloaded -= 1;
                    self.loaded_bytes += self.queue[place].bytes();
                }
                None => {
                    let Some(queued) = self.queue.remove(place) else { continue };
                    self.queue_bytes -= queued.bytes();
                    self.count_out(&queued);
                    lost.push(Lost::Waiting(queued));
                }
            }
        }
        for packet_id in unreadable {
            if let Some(queued) = self.forget(packet_id) {
                lost.push(Lost::InFlight(packet_id, queued));
            }
        }
        lost
    }

    /// Leaves to the journal what is there: the client is away.
    pub(crate) fn unload(&mut self) {
        self.is_loading = false;
        self.unsent = 0;
        self.unloaded_in_flight = 0;
        for queued in self.sender.messages_mut().filter_map(|(_, queued)| queued.as_mut()) {
            queued.unload();
            self.unloaded_in_flight += usize::from(queued.message().is_none());
        }
        if self.loaded_bytes > 0 {
            self.queue.iter_mut().for_each(Queued::unload);
            self.unloaded = self.queue.iter().filter(|it| it.message().is_none()).count();
            self.loaded_bytes = 0;
        }
    }

    /// Drops a publication in flight that cannot be sent and counts as delivered.
    pub(crate) fn forget(&mut self, packet_id: PacketId) -> Option<Queued> {
        let queued = self.sender.forget(packet_id).and_then(|it| it.message)?;
        self.finished(&queued);
        Some(queued)
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

    fn append_new(&mut self, mut queued: Queued, is_online: bool) {
        let is_ahead = self.unloaded == 0 && self.loaded_bytes + queued.bytes() <= AHEAD_BYTES;
        if !is_online || !is_ahead {
            queued.unload();
        }
        self.append(queued);
    }

    fn append(&mut self, queued: Queued) {
        self.queue_bytes += queued.bytes();
        self.next_expiry = self.next_expiry.min(queued.expires_at());
        if queued.message().is_none() {
            self.unloaded += 1;
        } else if queued.is_stored() {
            self.loaded_bytes += queued.bytes();
        }
        if self.queue.len() == self.queue.capacity() && self.queue.len() >= 64 {
            // A quarter at a time: doubling would leave a long queue half empty.
            self.queue.reserve_exact(self.queue.len() / 4);
        }
        self.queue.push_back(queued);
    }

    fn count_out(&mut self, queued: &Queued) {
        if queued.message().is_none() {
            self.unloaded -= 1;
        } else if queued.is_stored() {
            self.loaded_bytes -= queued.bytes();
        }
    }

    fn forget_sums(&mut self) {
        (self.queue_bytes, self.loaded_bytes, self.unloaded) = (0, 0, 0);
        self.next_expiry = Timestamp::NEVER;
    }

    fn has_room_for(&self, queued: &Queued, limits: &Limits) -> bool {
        self.queue.len() < limits.queue_messages_max as usize
            && self.queue_bytes + queued.bytes() <= limits.queue_bytes_max
    }

    fn is_within(&self, limits: &Limits) -> bool {
        self.queue.len() <= limits.queue_messages_max as usize && self.queue_bytes <= limits.queue_bytes_max
    }
}

/// A message that the journal could not give back.
#[derive(Debug)]
pub(crate) enum Lost {
    /// It waited.
    Waiting(Queued),
    /// It was in flight under this identifier.
    InFlight(PacketId, Queued),
}
