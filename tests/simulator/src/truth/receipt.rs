//! Owns what acknowledgements and receipts make true of a copy.

use super::{Consequence, Progress, Source, Truth};
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
            None => connection
                .sent_at_most_once
                .pop_front()
                .filter(|(key, _)| *key == delivered.key)
                .map(|(_, source)| source),
        };
        let Some(source) = source.filter(|&source| self.publication_of(source).key == delivered.key) else {
            return Consequence::ReceiptOfNothing;
        };
        let times = match source {
            Source::Ordinary(copy) => &mut self.copies[copy].receipts,
            Source::Shared(send) => {
                let copy = self.shared_sends[send].copy;
                if let Some(group) = self.groups.get_mut(&self.shared_copies[copy].group) {
                    group.outstanding.retain(|&outstanding| outstanding != copy);
                }
                &mut self.shared_sends[send].receipts
            }
            Source::Retained { session, delivery, publication } => {
                self.sessions[session].retained[delivery].receipts.entry(publication).or_default()
            }
        };
        *times += 1;
        Consequence::Receipt { source, times: *times }
    }
}
