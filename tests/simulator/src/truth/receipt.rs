//! Owns what acknowledgements and receipts make true of a copy.

use super::{Consequence, Progress, Slot, Truth};
use crate::observation::Delivered;
use broker_core::ConnectionId;
use mqtt_codec::{PacketId, PacketType};

impl Truth {
    /// A client's acknowledgement takes a message one step on, or out of flight.
    pub(super) fn acknowledged(&mut self, id: ConnectionId, packet_id: PacketId, progress: Progress) {
        let step = self.step;
        let Some(connection) = self.connections.get(&id) else { return };
        let in_flight = &mut self.sessions[connection.session].in_flight;
        match progress {
            Progress::Published => {}
            Progress::Received => {
                if let Some(in_flight) = in_flight.get_mut(&packet_id.get())
                    && in_flight.progress != Progress::Received
                {
                    in_flight.progress = Progress::Received;
                    in_flight.received_step = step;
                }
            }
            Progress::Done => {
                in_flight.remove(&packet_id.get());
            }
        }
    }

    /// PUBCOMP: the client may use the identifier for another message.
    pub(super) fn promise_released(&mut self, id: ConnectionId, packet_id: u16) {
        let Some(connection) = self.connections.get(&id) else { return };
        if let Some(&step) = self.sessions[connection.session].released.get(&packet_id) {
            self.promise(connection.session, step, PacketType::PubComp);
        }
    }

    /// PUBREL: the client may forget that it got the message.
    pub(super) fn promise_received(&mut self, id: ConnectionId, packet_id: u16) {
        let Some(connection) = self.connections.get(&id) else { return };
        if let Some(in_flight) = self.sessions[connection.session].in_flight.get(&packet_id) {
            self.promise(connection.session, in_flight.received_step, PacketType::PubRel);
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
