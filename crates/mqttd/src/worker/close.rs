//! Owns the end of connections: write the last words, stop writing, let the peer finish, close. When a
//! connection is to end is the engine's business.

use std::fmt::Display;
use std::io;

use broker_core::{CloseCause, ConnectionId};

use super::Worker;
use crate::connection::{Phase, Reading};
use crate::log::Level;

/// Reads of a draining connection in one turn.
const DRAIN_READS_MAX: usize = 4;

impl Worker {
    /// The engine has done with the connection.
    pub(super) fn close(&mut self, id: ConnectionId, cause: CloseCause) {
        if !self.connections.is_in(id, Phase::Open) {
            return;
        }
        match cause {
            CloseCause::Disconnected => self.log_end(id, "disconnected", &"by the client"),
            CloseCause::Error(reason) => self.log_end(id, "disconnected", &reason),
            CloseCause::Malformed(error) => self.log_end(id, "disconnected", &error),
        }
        self.enter(id, Phase::Closing);
        // It ends when its outbox is written, if there is anything in it.
        self.dirty.add(id);
    }

    /// Tells the peer of a closing connection that all has been written, if it has.
    pub(super) fn stop_writing(&mut self, id: ConnectionId) {
        let Some(connection) = self.connections.get_mut(id) else { return };
        if connection.phase != Phase::Closing || !connection.outbox.is_empty() {
            return;
        }
        if connection.transport.shut_down().is_err() {
            return self.forget(id);
        }
        self.enter(id, Phase::Draining);
        self.make_ready(id);
    }

    /// Throws away what the peer still sends, until it closes.
    pub(super) fn drain(&mut self, id: ConnectionId) {
        for _ in 0..DRAIN_READS_MAX {
            let Some(connection) = self.connections.get_mut(id) else { return };
            if connection.reading == Reading::Blocked {
                return;
            }
            match connection.transport.read(&mut self.read_buffer) {
                Ok(received) if received.bytes > 0 => {
                    if received.is_all && connection.reading == Reading::Possible {
                        connection.reading = Reading::Blocked;
                    }
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                    connection.reading = Reading::Blocked;
                }
                Ok(_) | Err(_) => return self.forget(id),
            }
        }
        self.make_ready(id);
    }

    /// Says who has gone and why, where the log shows what happens per client.
    pub(super) fn log_end(&self, id: ConnectionId, event: &str, reason: &dyn Display) {
        if !self.log.shows(Level::Debug) {
            return;
        }
        if let Some(label) = self.connections.get(id).and_then(|connection| connection.label.as_ref()) {
            let fields: [(&str, &dyn Display); 3] =
                [("client_id", &label.client_id), ("address", &label.address), ("reason", reason)];
            self.log.debug(event, &fields);
        }
    }
}
