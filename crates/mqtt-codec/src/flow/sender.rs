//! Owns the sending side of QoS 1 and 2: what is in flight, in which state, and how much more the
//! window allows. What waits behind the window is the caller's queue.
//!
//! ```text
//!             PUBLISH             PUBACK (QoS 1), or PUBREC with an error (QoS 2)
//! (queue) ──────────────▶ Published ──────────────────────────────────────────▶ done
//!                             │ PUBREC (QoS 2)                       PUBCOMP ▲
//!                             └────────────▶ Received ── PUBREL ──────────────┘
//! ```

use crate::{packet::PacketId, qos::QoS};
use alloc::collections::VecDeque;

/// How far a publication in flight has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// PUBLISH was sent: PUBACK or PUBREC is awaited `[MQTT5-4.3.2-3]` `[MQTT5-4.3.3-3]`.
    Published,
    /// PUBREC was received and PUBREL sent: PUBCOMP is awaited `[MQTT5-4.3.3-5]`, and PUBLISH is not sent
    /// again `[MQTT5-4.3.3-6]`.
    Received,
}

/// A publication that the peer has not fully acknowledged.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InFlight<M> {
    /// Its identifier, which it keeps over reconnects `[MQTT5-4.4.0-1]` `[MQTT311-4.4.0-1]`
    /// `[MQTT311-2.3.1-3]`.
    pub packet_id: PacketId,
    /// 1 or 2.
    pub qos: QoS,
    /// How far it has come.
    pub step: Step,
    /// The caller's message.
    pub message: M,
}

/// What an acknowledgement did.
#[derive(Debug, PartialEq, Eq)]
pub enum Progress<M> {
    /// The publication is complete; here it is back.
    Done(InFlight<M>),
    /// PUBREC: the message itself is no longer needed, PUBREL is to be sent.
    Release,
}

/// An acknowledgement of something that is not in flight, or in another state.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Unexpected;

/// What to send again after a reconnect.
#[derive(Debug)]
pub enum Resend<'a, M> {
    /// PUBLISH with DUP set `[MQTT5-3.3.1-1]` `[MQTT311-3.3.1-1]`.
    Publish(&'a mut InFlight<M>),
    /// PUBREL.
    PubRel(PacketId),
}

/// The sending side of QoS 1 and 2 of one session. Empty, it owns no heap memory.
#[derive(Clone, Debug)]
pub struct Sender<M> {
    /// In the order first sent `[MQTT5-4.6.0-1]` `[MQTT311-4.6.0-1]`.
    entries: VecDeque<Entry<M>>,
    /// How many of them were sent on this connection.
    sent: usize,
    /// Where to look for the next PUBREL and the next PUBLISH to send again: all before is sent.
    next_pubrel: usize,
    next_publish: usize,
    /// Whether the identifiers count up from the front, as they do until one stays in flight while all
    /// others come round: then an identifier is found by bisection.
    counts_up: bool,
    /// The peer's Receive Maximum, or our own limit if that is lower.
    window: u16,
}

#[derive(Clone, Debug)]
struct Entry<M> {
    in_flight: InFlight<M>,
    is_sent: bool,
}

impl<M> Sender<M> {
    /// A sender that may have `window` publications in flight.
    #[must_use]
    pub const fn new(window: u16) -> Self {
        let entries = VecDeque::new();
        Self { entries, sent: 0, next_pubrel: 0, next_publish: 0, counts_up: true, window }
    }

    /// How many publications are in flight, those not yet sent again included.
    #[must_use]
    #[inline]
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether nothing is in flight.
    #[must_use]
    #[inline]
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// Whether one more new publication may be sent `[MQTT5-3.3.4-7]` `[MQTT5-3.3.4-9]`
    /// `[MQTT5-4.9.0-2]`. What is to be sent again goes first.
    #[must_use]
    #[inline]
    pub fn has_room(&self) -> bool {
        self.sent < usize::from(self.window) && self.sent == self.entries.len()
    }

    /// Whether an identifier is in flight.
    #[must_use]
    #[inline]
    pub fn contains(&self, packet_id: PacketId) -> bool {
        self.position(packet_id).is_some()
    }

    /// Everything in flight, oldest first.
    pub fn iter(&self) -> impl Iterator<Item = &InFlight<M>> {
        self.entries.iter().map(|entry| &entry.in_flight)
    }

    /// The publication in flight under an identifier.
    #[must_use]
    pub fn get(&self, packet_id: PacketId) -> Option<&InFlight<M>> {
        self.entries.get(self.position(packet_id)?).map(|entry| &entry.in_flight)
    }

    /// The caller's message in flight under an identifier.
    pub fn message_mut(&mut self, packet_id: PacketId) -> Option<&mut M> {
        let position = self.position(packet_id)?;
        self.entries.get_mut(position).map(|entry| &mut entry.in_flight.message)
    }

    /// The caller's messages in flight, oldest first, with their identifiers.
    pub fn messages_mut(&mut self) -> impl Iterator<Item = (PacketId, &mut M)> {
        self.entries.iter_mut().map(|entry| (entry.in_flight.packet_id, &mut entry.in_flight.message))
    }

    /// Takes a publication into flight; the caller sends the PUBLISH. Ask [`has_room`](Self::has_room)
    /// before; `packet_id` must not be in use.
    #[inline(always)]
    pub fn send(&mut self, packet_id: PacketId, qos: QoS, message: M) {
        debug_assert!(qos > QoS::AtMostOnce && self.has_room() && !self.contains(packet_id));
        let in_flight = InFlight { packet_id, qos, step: Step::Published, message };
        self.push(Entry { in_flight, is_sent: true });
        self.sent += 1;
        self.next_pubrel = self.entries.len();
        self.next_publish = self.entries.len();
    }

    /// PUBACK was received: a QoS 1 publication is complete, whatever the reason said.
    ///
    /// # Errors
    /// No QoS 1 publication of this identifier is in flight.
    #[inline]
    pub fn puback(&mut self, packet_id: PacketId) -> Result<InFlight<M>, Unexpected> {
        self.complete(packet_id, QoS::AtLeastOnce, Step::Published)
    }

    /// PUBREC was received. With an error the publication is complete and its identifier free
    /// `[MQTT5-4.4.0-2]`; otherwise the caller sends PUBREL, once more if PUBREC came once more
    /// `[MQTT5-4.3.3-4]`. `received` may strip the message of what PUBREL does not need.
    ///
    /// # Errors
    /// No QoS 2 publication of this identifier is in flight: the answer is PUBREL with 0x92.
    pub fn pubrec(
        &mut self,
        packet_id: PacketId,
        refused: bool,
        received: impl FnOnce(&mut M),
    ) -> Result<Progress<M>, Unexpected> {
        let position = self.position(packet_id).ok_or(Unexpected)?;
        let entry = self.entries.get_mut(position).ok_or(Unexpected)?;
        let in_flight = &mut entry.in_flight;
        match (in_flight.qos, in_flight.step) {
            (QoS::ExactlyOnce, Step::Published) if refused => self.take(position).map(Progress::Done),
            (QoS::ExactlyOnce, Step::Published) => {
                in_flight.step = Step::Received;
                received(&mut in_flight.message);
                self.sent += usize::from(!entry.is_sent);
                entry.is_sent = true;
                Ok(Progress::Release)
            }
            (QoS::ExactlyOnce, Step::Received) => Ok(Progress::Release),
            (QoS::AtMostOnce | QoS::AtLeastOnce, _) => Err(Unexpected),
        }
    }

    /// PUBCOMP was received: a QoS 2 publication is complete.
    ///
    /// # Errors
    /// No QoS 2 publication of this identifier awaits it.
    pub fn pubcomp(&mut self, packet_id: PacketId) -> Result<InFlight<M>, Unexpected> {
        self.complete(packet_id, QoS::ExactlyOnce, Step::Received)
    }

    /// Drops a publication that cannot be sent and counts as delivered `[MQTT5-3.1.2-25]`; here it is back.
    pub fn forget(&mut self, packet_id: PacketId) -> Option<InFlight<M>> {
        self.take(self.position(packet_id)?).ok()
    }

    /// A new connection continues the session: everything in flight is to be sent again, within the
    /// window the peer now allows.
    pub fn reconnect(&mut self, window: u16) {
        self.window = window;
        self.rewind();
        for entry in &mut self.entries {
            entry.is_sent = false;
        }
    }

    /// The next publication to send again `[MQTT5-4.4.0-1]` `[MQTT311-4.4.0-1]`: each PUBREL, for which
    /// no window must be waited `[MQTT5-3.3.4-10]` `[MQTT5-4.9.0-3]`, then each PUBLISH, both in their
    /// original order; none when all are sent or the window is full. Call it until it says none, after a
    /// reconnect and after each completed publication.
    pub fn next_resend(&mut self) -> Option<Resend<'_, M>> {
        if let Some(position) = self.next_unsent(self.next_pubrel, Step::Received) {
            self.next_pubrel = position + 1;
            self.sent += 1;
            let entry = self.entries.get_mut(position)?;
            entry.is_sent = true;
            return Some(Resend::PubRel(entry.in_flight.packet_id));
        }
        self.next_pubrel = self.entries.len();
        if self.sent >= usize::from(self.window) {
            return None;
        }
        let position = self.next_unsent(self.next_publish, Step::Published)?;
        self.next_publish = position + 1;
        self.sent += 1;
        let entry = self.entries.get_mut(position)?;
        entry.is_sent = true;
        Some(Resend::Publish(&mut entry.in_flight))
    }

    /// Ends the session: hands back everything in flight, oldest first.
    pub fn drain(&mut self) -> impl Iterator<Item = InFlight<M>> {
        self.rewind();
        self.entries.drain(..).map(|entry| entry.in_flight)
    }

    /// Continues what an earlier process had in flight. Call it oldest first, then
    /// [`reconnect`](Self::reconnect).
    pub fn restore(&mut self, in_flight: InFlight<M>) {
        self.push(Entry { in_flight, is_sent: false });
    }

    #[inline(always)]
    fn push(&mut self, entry: Entry<M>) {
        let packet_id = entry.in_flight.packet_id;
        self.counts_up = match self.entries.back().map(|last| last.in_flight.packet_id) {
            None => true,
            // Nearly always it is the next.
            Some(last) => self.counts_up && (packet_id == last.next() || self.is_beyond(last, packet_id)),
        };
        self.entries.push_back(entry);
    }

    fn is_beyond(&self, last: PacketId, packet_id: PacketId) -> bool {
        let origin = self.entries.front().map_or(last, |front| front.in_flight.packet_id);
        distance(origin, packet_id) > distance(origin, last)
    }

    fn rewind(&mut self) {
        self.sent = 0;
        self.next_pubrel = 0;
        self.next_publish = 0;
    }

    fn next_unsent(&self, from: usize, step: Step) -> Option<usize> {
        let is_next = |entry: &Entry<M>| !entry.is_sent && entry.in_flight.step == step;
        self.entries.range(from.min(self.entries.len())..).position(is_next).map(|behind| from + behind)
    }

    #[inline(always)]
    fn complete(&mut self, packet_id: PacketId, qos: QoS, step: Step) -> Result<InFlight<M>, Unexpected> {
        let position = self.position(packet_id).ok_or(Unexpected)?;
        match self.entries.get(position).map(|entry| &entry.in_flight) {
            Some(in_flight) if in_flight.qos == qos && in_flight.step == step => self.take(position),
            _ => Err(Unexpected),
        }
    }

    #[inline(always)]
    fn take(&mut self, position: usize) -> Result<InFlight<M>, Unexpected> {
        // Nearly always it is the oldest.
        let entry = if position == 0 { self.entries.pop_front() } else { self.entries.remove(position) };
        let entry = entry.ok_or(Unexpected)?;
        // An acknowledgement of the connection before may complete what was not yet sent again.
        self.sent -= usize::from(entry.is_sent);
        self.next_pubrel -= usize::from(position < self.next_pubrel);
        self.next_publish -= usize::from(position < self.next_publish);
        Ok(entry.in_flight)
    }

    /// Where an identifier is. Acknowledgements come nearly in order and identifiers count up, so its
    /// distance from the front is the best guess.
    #[inline(always)]
    fn position(&self, packet_id: PacketId) -> Option<usize> {
        let origin = self.entries.front()?.in_flight.packet_id;
        if packet_id == origin {
            return Some(0);
        }
        let sought = distance(origin, packet_id);
        // One behind the last is not there: the next that is given out.
        if self.counts_up && sought > distance(origin, self.entries.back()?.in_flight.packet_id) {
            return None;
        }
        self.search(packet_id, origin, sought)
    }

    #[inline(never)]
    fn search(&self, packet_id: PacketId, origin: PacketId, sought: u16) -> Option<usize> {
        let is_it = |entry: &Entry<M>| entry.in_flight.packet_id == packet_id;
        if self.entries.get(usize::from(sought)).is_some_and(is_it) {
            return Some(usize::from(sought));
        }
        if self.counts_up {
            let distance = |entry: &Entry<M>| distance(origin, entry.in_flight.packet_id);
            return self.entries.binary_search_by_key(&sought, distance).ok();
        }
        self.entries.iter().position(is_it)
    }
}

/// How far an identifier is behind another, counting up and round.
fn distance(origin: PacketId, packet_id: PacketId) -> u16 {
    packet_id.get().wrapping_sub(origin.get())
}
