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

/// The receiving side of QoS 1 and 2 of one session. Empty, it owns no heap memory; at worst every
/// identifier there is awaits its PUBREL, which takes 256 KiB.
#[derive(Clone, Debug)]
pub struct Receiver {
    /// QoS 2 identifiers between PUBLISH and PUBREL, sorted.
    unreleased: Vec<Unreleased>,
    /// Publications of this connection that take a place in the window.
    in_window: u16,
    /// The Receive Maximum we announced.
    receive_maximum: u16,
}

#[derive(Clone, Copy, Debug)]
struct Unreleased {
    packet_id: PacketId,
    /// Whether its PUBLISH came on this connection: one of a connection before takes no place, the
    /// sender's window started anew `[MQTT5-3.3.4-7]` `[MQTT5-4.9.0-1]`.
    is_in_window: bool,
}

impl Receiver {
    /// A receiver that takes `receive_maximum` publications at once.
    #[must_use]
    pub const fn new(receive_maximum: u16) -> Self {
        Self { unreleased: Vec::new(), in_window: 0, receive_maximum }
    }

    /// A PUBLISH was received.
    #[inline]
    pub fn publish(&mut self, delivery: Delivery) -> Inbound {
        match delivery {
            Delivery::AtMostOnce => Inbound::New,
            Delivery::AtLeastOnce { .. } if self.is_full() => Inbound::ReceiveMaximumExceeded,
            // Whatever its DUP says [MQTT5-4.3.2-5].
            Delivery::AtLeastOnce { .. } => {
                self.in_window += 1;
                Inbound::New
            }
            Delivery::ExactlyOnce { packet_id, .. } => self.publish_exactly_once(packet_id),
        }
    }

    fn publish_exactly_once(&mut self, packet_id: PacketId) -> Inbound {
        let is_full = self.is_full();
        let (inbound, position) = match self.find(packet_id) {
            Ok(position) => (Inbound::Duplicate, position),
            Err(_) if is_full => return Inbound::ReceiveMaximumExceeded,
            Err(position) => {
                self.unreleased.insert(position, Unreleased { packet_id, is_in_window: false });
                (Inbound::New, position)
            }
        };
        match self.unreleased.get_mut(position) {
            Some(entry) if !entry.is_in_window => {
                if is_full {
                    return Inbound::ReceiveMaximumExceeded;
                }
                entry.is_in_window = true;
                self.in_window += 1;
            }
            Some(_) | None => {}
        }
        inbound
    }

    /// PUBACK is sent: the window has one more place.
    #[inline]
    pub fn acknowledged(&mut self) {
        debug_assert!(self.in_window > 0);
        self.in_window = self.in_window.saturating_sub(1);
    }

    /// PUBREC with an error is sent: the identifier is free again `[MQTT5-4.3.3-9]`.
    pub fn refused(&mut self, packet_id: PacketId) {
        self.release(packet_id);
    }

    /// PUBREL was received: the identifier may carry a new message `[MQTT5-4.3.3-12]`.
    pub fn release(&mut self, packet_id: PacketId) -> Released {
        let Ok(position) = self.find(packet_id) else { return Released::Unknown };
        let entry = self.unreleased.remove(position);
        self.in_window -= u16::from(entry.is_in_window);
        Released::Known
    }

    /// A new connection continues the session: the window starts anew, QoS 2 goes on.
    pub fn reconnect(&mut self, receive_maximum: u16) {
        self.receive_maximum = receive_maximum;
        self.in_window = 0;
        for entry in &mut self.unreleased {
            entry.is_in_window = false;
        }
    }

    /// The QoS 2 identifiers that await PUBREL, in ascending order.
    pub fn unreleased(&self) -> impl Iterator<Item = PacketId> {
        self.unreleased.iter().map(|entry| entry.packet_id)
    }

    /// Continues an identifier that an earlier process had received.
    pub fn restore(&mut self, packet_id: PacketId) {
        if let Err(position) = self.find(packet_id) {
            self.unreleased.insert(position, Unreleased { packet_id, is_in_window: false });
        }
    }

    fn find(&self, packet_id: PacketId) -> Result<usize, usize> {
        self.unreleased.binary_search_by_key(&packet_id, |entry| entry.packet_id)
    }

    #[inline]
    fn is_full(&self) -> bool {
        self.in_window >= self.receive_maximum
    }
}
