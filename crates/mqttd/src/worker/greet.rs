//! Owns how a connection comes to its worker: its first packet is received, and if that is a CONNECT, the connection is
//! opened here or goes to the worker of its session. Who may connect is the engine's business.

use std::fmt::Display;
use std::io;

use broker_core::{ConnectionId, Input, ShardId};
use mqtt_codec::Borrowed;
use mqtt_codec::packet::Connect;

use super::connections::token;
use super::{Life, Worker};
use crate::connection::{Connection, Label, Phase, Reading};
use crate::handshake::{Arrival, FirstPacket, Refusal};
use crate::listener::Doors;
use crate::log::Level;
use crate::transport::Transport;

/// Connections accepted from one listener before others have their turn.
const ACCEPTED_PER_TURN: usize = 64;

impl Worker {
    /// Accepts some of the connections that wait.
    pub(super) fn accept(&mut self) {
        if !self.doors.are_ready() {
            return;
        }
        let mut doors = std::mem::take(&mut self.doors);
        for door in doors.iter_mut() {
            for _ in 0..ACCEPTED_PER_TURN.min(self.room_for_strangers()) {
                let Some((socket, address)) = door.accept(self.now, &self.log) else { break };
                self.stats().sockets_opened.add(1);
                let label = || Box::new(Label { address, client_id: String::new() });
                let label = self.log.shows(Level::Debug).then(label);
                self.take_in(Transport::adopt(socket), label);
            }
        }
        self.doors = doors;
    }

    /// Takes in a connection that another worker has sent on.
    pub(super) fn admit(&mut self, arrival: Arrival) {
        if self.life == Life::Serving
            && let Some(id) = self.take_in(arrival.transport, arrival.label)
        {
            self.hear(id, &arrival.received);
        }
    }

    /// There is one more stranger.
    fn take_in(&mut self, transport: Transport, label: Option<Box<Label>>) -> Option<ConnectionId> {
        let connection = self.connections.insert(transport);
        connection.label = label;
        let id = connection.id;
        let outcome = connection.transport.register(self.bed.registry(), token(id));
        self.has_entered(id, Phase::Greeting);
        outcome.map_err(|error| self.cannot_serve(id, &error)).ok().map(|()| id)
    }

    /// Reads what a stranger has sent.
    pub(super) fn greet(&mut self, id: ConnectionId) {
        if self.connections.get(id).is_none_or(|stranger| stranger.reading == Reading::Blocked) {
            return;
        }
        let mut buffer = std::mem::take(&mut self.read_buffer);
        if let Some(count) = self.receive_bytes(id, &mut buffer) {
            self.hear(id, &buffer[..count]);
        }
        self.read_buffer = buffer;
        if self.connections.get(id).is_some_and(|connection| connection.reading != Reading::Blocked) {
            self.make_ready(id);
        }
    }

    /// Judges what a stranger has said, with what it has said before.
    fn hear(&mut self, id: ConnectionId, received: &[u8]) {
        let packet_bytes_max = self.packet_bytes_max();
        let Some(stranger) = self.connections.get_mut(id) else { return };
        let mut before = stranger.unread.take();
        let all = if before.is_empty() {
            received
        } else {
            before.keep(received);
            before.bytes()
        };
        match FirstPacket::judge(all, packet_bytes_max) {
            FirstPacket::Incomplete => {
                if before.is_empty() {
                    before.keep(received);
                }
                stranger.unread = before;
            }
            FirstPacket::Connect { connect, behind } => match self.shard_of(connect.client_id) {
                own if own == self.id => self.welcome(id, connect, behind),
                other => self.send_on(id, other, all),
            },
            FirstPacket::Refused(refusal) => self.turn_away(id, refusal),
        }
    }

    /// The worker whose shard owns the client's session; this one for a client without identifier.
    fn shard_of(&self, client_id: &str) -> ShardId {
        if client_id.is_empty() { self.id } else { self.node.shard_of(client_id) }
    }

    /// Opens the connection and steps its CONNECT.
    fn welcome(&mut self, id: ConnectionId, connect: Connect<Borrowed<'_>>, behind: &[u8]) {
        self.enter(id, Phase::Open);
        let Some(connection) = self.connections.get_mut(id) else { return };
        connection.version = connect.version;
        connection.unread.keep(behind);
        if let Some(label) = &mut connection.label {
            connect.client_id.clone_into(&mut label.client_id);
            self.log.debug(
                "connected",
                &[
                    ("client_id", &label.client_id),
                    ("address", &label.address),
                    ("version", &connect.version),
                ],
            );
        }
        self.step(Input::Connect { connection: id, connect });
        if !behind.is_empty() {
            self.make_ready(id);
        }
    }

    /// Has the connection go on with the worker of its session.
    fn send_on(&mut self, id: ConnectionId, shard: ShardId, received: &[u8]) {
        let Some(connection) = self.connections.get_mut(id) else { return };
        if let Err(error) = connection.transport.deregister(self.bed.registry()) {
            return self.cannot_serve(id, &error);
        }
        let Some(Connection { transport, label, .. }) = self.connections.remove(id) else { return };
        self.has_left(Phase::Greeting);
        self.outgoing.send_on(shard, Arrival { transport, label, received: received.to_vec() });
    }

    /// Answers, stops writing and lets the client finish; without an answer the connection is closed.
    fn turn_away(&mut self, id: ConnectionId, refusal: Refusal) {
        self.say_refused(id, &refusal);
        let Some(answer) = refusal.answer() else { return self.forget(id) };
        self.append(id, |outbox, pool| outbox.copy(&answer, pool).len());
        // What it has sent meanwhile is not looked at [MQTT311-3.1.4-5].
        self.enter(id, Phase::Closing);
        self.dirty.add(id);
    }

    /// Nobody is accepted any more, and who has not connected yet will not.
    pub(super) fn shut_doors(&mut self) {
        self.doors = Doors::default();
        while let Some(id) = self.deadlines.next_stranger() {
            if self.connections.is_in(id, Phase::Greeting) {
                self.part(id, &"the broker ends");
            }
        }
    }

    /// A stranger goes as one.
    pub(super) fn part(&mut self, id: ConnectionId, reason: &dyn Display) {
        self.say_refused(id, reason);
        self.forget(id);
    }

    fn say_refused(&self, id: ConnectionId, reason: &dyn Display) {
        if let Some(label) = self.connections.get(id).and_then(|connection| connection.label.as_ref()) {
            self.log.debug("refused", &[("address", &label.address), ("reason", reason)]);
        }
    }

    fn cannot_serve(&mut self, id: ConnectionId, error: &io::Error) {
        self.say_unserved(id, error);
        self.forget(id);
    }

    pub(super) fn say_unserved(&self, id: ConnectionId, error: &io::Error) {
        let Some(connection) = self.connections.get(id) else { return };
        let address = connection.transport.peer_address();
        let address: &dyn Display = address.as_ref().map_or(&"unknown", |address| address);
        self.log.warn("cannot serve a connection", &[("address", address), ("error", error)]);
    }
}
