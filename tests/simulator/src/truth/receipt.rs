//! Owns what acknowledgements and receipts make true of a copy.

use super::{Consequence, Progress, Slot, Truth};
use crate::observation::Delivered;
use broker_core::ConnectionId;
use mqtt_codec::PacketId;

impl Truth {
    /// A client's acknowledgement takes a message one step on, or out of flight.
    pub(super) fn acknowledged(&mut self, id: ConnectionId, packet_id: PacketId, progress: Progress) {
        let Some(connection) = self.connections.get(&id) else { return };
        let in_flight = &mut self.sessions[connection.session].in_flight;
        match progress {
            Progress::Published => {}
            Progress::Received => {
                if let Some(in_flight) = in_flight.get_mut(&packet_id.get()) {
                    in_flight.progress = Progress::Received;
                }
            }
            Progress::Done => {
                in_flight.remove(&packet_id.get());
            }
        }
    }

    /// An application got a message: which copy it is, and how often it got that one.
    pub(super) fn delivered(&mut self, id: ConnectionId, delivered: &Delivered) -> Consequence {
        let Some(connection) = self.connections.get_mut(&id) else { return Consequence::ReceiptOfNothing };
        let source = match delivered.packet_id {
            Some(packet_id) => connection.sent.get(&packet_id).copied(),
            None => connection.sent_at_most_once.pop_front(),
        };
        let Some(source) = source.filter(|&source| self.sends[source].key == delivered.key) else {
            return Consequence::ReceiptOfNothing;
        };
        if let Some(Slot::Shared(copy)) = self.sends[source].slot
            && let Some(group) = self.groups.get_mut(&self.shared_copies[copy].group)
        {
            group.outstanding.retain(|&outstanding| outstanding != copy);
        }
        let send = &mut self.sends[source];
        send.receipts += 1;
        Consequence::Receipt { times: send.receipts }
    }
}
