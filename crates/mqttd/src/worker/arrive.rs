//! Owns how a connection comes to its worker: from the listener, with its CONNECT and whatever was sent
//! behind it. Who may connect is the engine's business.

use std::rc::Rc;

use broker_core::{ConnectionId, Input};
use mqtt_codec::{Packet, PacketRef, ProtocolVersion, frame};

use super::{Life, SharedWorker, Worker};
use crate::connection::{Label, Task};
use crate::handshake::Arrival;
use crate::log::Level;
use crate::transport::Transport;

/// A connection that a task is to be made for.
pub(super) struct Admitted {
    id: ConnectionId,
    version: ProtocolVersion,
    /// What was received, and how much of it was the CONNECT.
    received: Vec<u8>,
    connect_bytes: usize,
}

impl Worker {
    /// Takes over a connection and steps its CONNECT. None if there is nothing to serve.
    pub(super) fn admit(&mut self, arrival: Arrival) -> Option<Admitted> {
        if self.life != Life::Serving {
            return None;
        }
        let Arrival { socket, address, received } = arrival;
        // The handshake has seen it; a frame that borrows could not cross threads with its buffer.
        let Ok(Some(frame)) = frame(&received, ProtocolVersion::V5, self.packet_bytes_max()) else {
            return None;
        };
        let connect_bytes = frame.bytes.len();
        let Ok(Packet::Connect(connect)) = PacketRef::decode(frame, ProtocolVersion::V5) else { return None };
        let version = connect.version;
        let transport = match Transport::adopt(socket) {
            Ok(transport) => transport,
            Err(error) => {
                self.log.warn("cannot serve a connection", &[("address", &address), ("error", &error)]);
                return None;
            }
        };
        let label = self
            .log
            .shows(Level::Debug)
            .then(|| Box::new(Label { address, client_id: connect.client_id.to_owned() }));
        if let Some(label) = &label {
            self.log.debug(
                "connected",
                &[("client_id", &label.client_id), ("address", &address), ("version", &version)],
            );
        }
        self.stats().bytes_received.add(received.len() as u64);
        let id = self.connections.insert(transport, label);
        self.step(Input::Connect { connection: id, connect });
        Some(Admitted { id, version, received, connect_bytes })
    }
}

impl Admitted {
    /// Makes the task that serves the connection.
    pub(super) fn serve(self, worker: &SharedWorker) {
        let rest = &self.received[self.connect_bytes..];
        tokio::task::spawn_local(Task::new(Rc::clone(worker), self.id, self.version, rest));
    }
}
