//! Owns the receiving side of QoS 1 and 2: duplicates of QoS 2 and the window we announced. Delivering
//! and acknowledging are the caller's.

use crate::packet::{Delivery, PacketId};
use alloc::vec::Vec;

/// What a PUBLISH is to its receiver.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Inbound {
    /// Deliver it.
    New,
    /// A QoS 2 message that was delivered before: acknowledge it, deliver nothing `[MQTT5-4.3.3-10]`
    /// `[MQTT311-4.3.3-2]`.
    Duplicate,
    /// More in flight than we announced: end the connection with 0x93 `[MQTT5-3.3.4-7]`.
    ReceiveMaximumExceeded,
}

/// Whether a PUBREL released something.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Released {
    /// Answer PUBCOMP with success.
    Known,
    /// The identifier was not in use: answer PUBCOMP with 0x92.
    Unknown,
}

/// The receiving side of QoS 1 and 2 of one session. Empty, it owns no heap memory.
#[derive(Clone, Debug)]
pub struct Receiver {
    /// QoS 2 identifiers between PUBLISH and PUBREL, sorted.
    unreleased: Vec<PacketId>,
    /// QoS 1 publications of this connection whose PUBACK has not been sent.
    unacknowledged: u16,
    /// The Receive Maximum we announced.
    receive_maximum: u16,
}

impl Receiver {
    /// A receiver that takes `receive_maximum` publications at once.
    #[must_use]
    pub const fn new(receive_maximum: u16) -> Self {
        Self { unreleased: Vec::new(), unacknowledged: 0, receive_maximum }
    }

    /// A PUBLISH was received.
    #[inline]
    pub fn publish(&mut self, delivery: Delivery) -> Inbound {
        match delivery {
            Delivery::AtMostOnce => Inbound::New,
            Delivery::AtLeastOnce { .. } => {
                if self.is_full() {
                    return Inbound::ReceiveMaximumExceeded;
                }
                self.unacknowledged += 1;
                Inbound::New
            }
            Delivery::ExactlyOnce { packet_id, .. } => self.publish_exactly_once(packet_id),
        }
    }

    fn publish_exactly_once(&mut self, packet_id: PacketId) -> Inbound {
        match self.unreleased.binary_search(&packet_id) {
            Ok(_) => Inbound::Duplicate,
            Err(_) if self.is_full() => Inbound::ReceiveMaximumExceeded,
            Err(position) => {
                self.unreleased.insert(position, packet_id);
                Inbound::New
            }
        }
    }

    /// PUBACK is sent: the window has one more place.
    #[inline]
    pub fn acknowledged(&mut self) {
        debug_assert!(self.unacknowledged > 0);
        self.unacknowledged = self.unacknowledged.saturating_sub(1);
    }

    /// PUBREC with an error is sent: the identifier is free again `[MQTT5-4.3.3-9]`.
    pub fn refused(&mut self, packet_id: PacketId) {
        self.remove(packet_id);
    }

    /// PUBREL was received: the identifier may carry a new message `[MQTT5-4.3.3-12]`.
    pub fn release(&mut self, packet_id: PacketId) -> Released {
        if self.remove(packet_id) { Released::Known } else { Released::Unknown }
    }

    /// A new connection continues the session; QoS 1 starts over, QoS 2 goes on.
    pub fn reconnect(&mut self, receive_maximum: u16) {
        self.receive_maximum = receive_maximum;
        self.unacknowledged = 0;
    }

    /// The QoS 2 identifiers that await PUBREL, in ascending order.
    #[must_use]
    pub fn unreleased(&self) -> &[PacketId] {
        &self.unreleased
    }

    /// Continues an identifier that an earlier process had received.
    pub fn restore(&mut self, packet_id: PacketId) {
        if let Err(position) = self.unreleased.binary_search(&packet_id) {
            self.unreleased.insert(position, packet_id);
        }
    }

    #[inline]
    fn is_full(&self) -> bool {
        usize::from(self.unacknowledged) + self.unreleased.len() >= usize::from(self.receive_maximum)
    }

    fn remove(&mut self, packet_id: PacketId) -> bool {
        match self.unreleased.binary_search(&packet_id) {
            Ok(position) => {
                self.unreleased.remove(position);
                true
            }
            Err(_) => false,
        }
    }
}
