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
    /// PUBLISH was sent: PUBACK or PUBREC is awaited.
    Published,
    /// PUBREC was received and PUBREL sent: PUBCOMP is awaited.
    Received,
}

/// A publication that the peer has not fully acknowledged.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InFlight<M> {
    /// Its identifier, which it keeps over reconnects `[MQTT5-4.4.0-1]` `[MQTT311-4.4.0-1]`.
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
    /// In the order first sent `[MQTT5-4.6.0-6]`.
    in_flight: VecDeque<InFlight<M>>,
    /// How many of them, from the front, were sent on this connection; the rest awaits
    /// [`next_resend`](Self::next_resend).
    sent: usize,
    /// The peer's Receive Maximum, or our own limit if that is lower.
    window: u16,
}

impl<M> Sender<M> {
    /// A sender that may have `window` publications in flight.
    #[must_use]
    pub const fn new(window: u16) -> Self {
        Self { in_flight: VecDeque::new(), sent: 0, window }
    }

    /// How many publications are in flight, those not yet sent again included.
    #[must_use]
    #[inline]
    pub fn len(&self) -> usize {
        self.in_flight.len()
    }

    /// Whether nothing is in flight.
    #[must_use]
    #[inline]
    pub fn is_empty(&self) -> bool {
        self.in_flight.is_empty()
    }

    /// Whether one more new publication may be sent `[MQTT5-3.3.4-7]` `[MQTT5-3.3.4-9]`. What is to
    /// be sent again goes first.
    #[must_use]
    #[inline]
    pub fn has_room(&self) -> bool {
        self.in_flight.len() < usize::from(self.window) && self.sent == self.in_flight.len()
    }

    /// Whether an identifier is in flight.
    #[must_use]
    #[inline]
    pub fn contains(&self, packet_id: PacketId) -> bool {
        self.position(packet_id).is_some()
    }

    /// Everything in flight, oldest first.
    pub fn iter(&self) -> impl Iterator<Item = &InFlight<M>> {
        self.in_flight.iter()
    }

    /// Takes a publication into flight; the caller sends the PUBLISH. Ask [`has_room`](Self::has_room)
    /// before; `packet_id` must not be in use.
    #[inline]
    pub fn send(&mut self, packet_id: PacketId, qos: QoS, message: M) {
        debug_assert!(qos > QoS::AtMostOnce && self.has_room() && !self.contains(packet_id));
        self.in_flight.push_back(InFlight { packet_id, qos, step: Step::Published, message });
        self.sent = self.in_flight.len();
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
    /// `[MQTT5-4.9.0-2]`; otherwise the caller sends PUBREL, once more if PUBREC came once more
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
        let entry = self.in_flight.get_mut(position).ok_or(Unexpected)?;
        match (entry.qos, entry.step) {
            (QoS::ExactlyOnce, Step::Published) if refused => self.take(position).map(Progress::Done),
            (QoS::ExactlyOnce, Step::Published) => {
                entry.step = Step::Received;
                received(&mut entry.message);
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

    /// Drops a publication that cannot be sent and counts as delivered `[MQTT5-3.1.2-25]`.
    pub fn forget(&mut self, packet_id: PacketId) {
        if let Some(position) = self.position(packet_id) {
            let _ = self.take(position);
        }
    }

    /// A new connection continues the session: everything in flight is to be sent again, within the
    /// window the peer now allows.
    pub fn reconnect(&mut self, window: u16) {
        self.window = window;
        self.sent = 0;
    }

    /// The next publication to send again, in the original order `[MQTT5-4.4.0-1]` `[MQTT5-4.6.0-1]`
    /// `[MQTT311-4.4.0-1]`; none when all are sent or the window is full. Call it until it says none,
    /// after a reconnect and after each completed publication.
    pub fn next_resend(&mut self) -> Option<Resend<'_, M>> {
        if self.sent >= usize::from(self.window) {
            return None;
        }
        let entry = self.in_flight.get_mut(self.sent)?;
        self.sent += 1;
        Some(match entry.step {
            Step::Published => Resend::Publish(entry),
            Step::Received => Resend::PubRel(entry.packet_id),
        })
    }

    /// Ends the session: hands back everything in flight, oldest first.
    pub fn drain(&mut self) -> impl Iterator<Item = InFlight<M>> {
        self.sent = 0;
        self.in_flight.drain(..)
    }

    /// Continues what an earlier process had in flight. Call it oldest first, then
    /// [`reconnect`](Self::reconnect).
    pub fn restore(&mut self, entry: InFlight<M>) {
        self.in_flight.push_back(entry);
    }

    fn complete(&mut self, packet_id: PacketId, qos: QoS, step: Step) -> Result<InFlight<M>, Unexpected> {
        let position = self.position(packet_id).ok_or(Unexpected)?;
        match self.in_flight.get(position) {
            Some(entry) if entry.qos == qos && entry.step == step => self.take(position),
            _ => Err(Unexpected),
        }
    }

    fn take(&mut self, position: usize) -> Result<InFlight<M>, Unexpected> {
        // An acknowledgement of the connection before may complete what was not yet sent again.
        if position < self.sent {
            self.sent -= 1;
        }
        self.in_flight.remove(position).ok_or(Unexpected)
    }

    /// Where an identifier is. Acknowledgements come nearly in order, so it is nearly at the front;
    /// identifiers count up, so its distance from the front is the next best guess; else all are
    /// asked, which the window bounds.
    #[inline]
    fn position(&self, packet_id: PacketId) -> Option<usize> {
        let is_at =
            |index: usize| self.in_flight.get(index).is_some_and(|entry| entry.packet_id == packet_id);
        let front = self.in_flight.front()?;
        let guess = usize::from(packet_id.get().wrapping_sub(front.packet_id.get()));
        if is_at(guess) {
            return Some(guess);
        }
        self.in_flight.iter().position(|entry| entry.packet_id == packet_id)
    }
}
