//! Owns how a connection comes to its worker: from the listener, with its CONNECT and whatever was sent
//! behind it. Who may connect is the engine's business.

use broker_core::Input;
use mqtt_codec::{Packet, PacketRef, ProtocolVersion, frame};

use super::connections::token;
use super::{Life, Worker};
use crate::connection::Label;
use crate::handshake::Arrival;
use crate::log::Level;
use crate::transport::Transport;

impl Worker {
    /// Takes over a connection and steps its CONNECT.
    pub(super) fn admit(&mut self, arrival: Arrival) {
        if self.life != Life::Serving {
            return;
        }
        let Arrival { socket, address, received } = arrival;
        // The handshake has seen it; a frame that borrows could not cross threads with its buffer.
        let Ok(Some(frame)) = frame(&received, ProtocolVersion::V5, self.packet_bytes_max()) else { return };
        let behind = &received[frame.bytes.len()..];
        let Ok(Packet::Connect(connect)) = PacketRef::decode(frame, ProtocolVersion::V5) else { return };
        let connection = self.connections.insert(Transport::adopt(socket), connect.version);
        let id = connection.id;
        if let Err(error) = connection.transport.register(self.poll.registry(), token(id)) {
            self.log.warn("cannot serve a connection", &[("address", &address), ("error", &error)]);
            return self.forget(id);
        }
        connection.unread.keep(behind);
        if self.log.shows(Level::Debug) {
            let label = Box::new(Label { address, client_id: connect.client_id.to_owned() });
            self.log.debug(
                "connected",
                &[("client_id", &label.client_id), ("address", &address), ("version", &connect.version)],
            );
            connection.label = Some(label);
        }
        self.stats().bytes_received.add(received.len() as u64);
        self.step(Input::Connect { connection: id, connect });
        if !behind.is_empty() {
            self.make_ready(id);
        }
    }
}
