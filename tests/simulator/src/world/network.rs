//! Owns how bytes travel: late, in pieces, in order, or not at all.

use super::{
    Weather, World,
    link::{End, FlushState, OutboxState, Speed},
};
use crate::{client::Output, observation::Observation, schedule::Event};
use broker_core::{ConnectionId, Input};
use bytes::Bytes;
use mqtt_codec::Packet;

/// Milliseconds between two writes to a client that reads slowly.
const SLOW_WRITE_MS: u64 = 30;

impl World {
    /// A client sends packets.
    pub(super) fn write_to_broker(&mut self, connection: ConnectionId, packets: &[Packet]) {
        let version = self.link(connection).version;
        let mut bytes = Vec::new();
        for packet in packets {
            packet.encode(version, &mut bytes).expect("a simulated client sends what is legal");
        }
        if self.link(connection).speed == Speed::Cut || bytes.is_empty() {
            return;
        }
        for piece in self.split(Bytes::from(bytes)) {
            let delay_ms = self.delay_ms();
            let now_ms = self.schedule.now_ms();
            let link = self.link(connection);
            link.to_broker_at_ms = link.to_broker_at_ms.max(now_ms + delay_ms);
            let at_ms = link.to_broker_at_ms;
            self.schedule.at(at_ms, Event::ToBroker(connection, piece));
        }
    }

    /// A client closes its end: what it sent still arrives.
    pub(super) fn close_client_end(&mut self, connection: ConnectionId) {
        let link = self.link(connection);
        link.client_end = End::Closed;
        let at_ms = link.to_broker_at_ms;
        self.schedule.at(at_ms, Event::BrokerLoses(connection));
    }

    /// The network is gone: nothing under way arrives, and both ends find out at their own time.
    pub(super) fn cut(&mut self, connection: ConnectionId) {
        self.link(connection).speed = Speed::Cut;
        let (broker_ms, client_ms) = (self.random.between(0_u64, 200), self.random.between(0_u64, 200));
        self.schedule.after(broker_ms, Event::BrokerLoses(connection));
        self.schedule.after(client_ms, Event::ClientLoses(connection));
    }

    /// Nobody listens.
    pub(super) fn refuse_connection(&mut self, connection: ConnectionId) {
        self.link(connection).broker_end = End::Closed;
        self.schedule.after(0, Event::ClientLoses(connection));
    }

    pub(super) fn broker_loses(&mut self, connection: ConnectionId) {
        let link = self.link(connection);
        if link.broker_end == End::Closed {
            return;
        }
        link.broker_end = End::Closed;
        let Some(shard) = link.shard else { return };
        self.observe(&Observation::Lost { connection });
        self.step(shard, Input::Closed { connection });
    }

    pub(super) fn client_loses(&mut self, connection: ConnectionId) {
        let link = self.link(connection);
        link.client_end = End::Closed;
        let client = link.client;
        self.clients[client].lost(connection);
        self.schedule.at(self.schedule.now_ms(), Event::BrokerLoses(connection));
    }

    /// The broker has something to write.
    pub(super) fn schedule_flush(&mut self, connection: ConnectionId) {
        let link = self.link(connection);
        if link.flush == FlushState::Scheduled || matches!(link.speed, Speed::Frozen | Speed::Cut) {
            return;
        }
        link.flush = FlushState::Scheduled;
        let delay_ms = if let Speed::Slow(_) = link.speed { SLOW_WRITE_MS } else { 0 };
        self.schedule.after(delay_ms, Event::Flush(connection));
    }

    /// The broker writes as much as the client takes, when the journal has been told of it.
    pub(super) fn flush(&mut self, connection: ConnectionId) {
        if let Some(shard) = self.link(connection).shard {
            self.end_turn(shard);
        }
        let link = self.link(connection);
        link.flush = FlushState::Idle;
        let count = match link.speed {
            Speed::Fast => link.outbox.len(),
            Speed::Slow(bytes) => bytes.min(link.outbox.len()),
            Speed::Frozen | Speed::Cut => return,
        };
        let bytes: Vec<u8> = link.outbox.drain(..count).collect();
        self.write_to_client(connection, Bytes::from(bytes));
        let outbox_bytes_max = self.settings.config.limits.outbox_bytes_max;
        let link = self.link(connection);
        if !link.outbox.is_empty() {
            self.schedule_flush(connection);
        } else if link.broker_end == End::Closed {
            let at_ms = link.to_client_at_ms;
            return self.schedule.at(at_ms, Event::ClientLoses(connection));
        }
        let link = self.link(connection);
        let is_open = link.broker_end == End::Open;
        if is_open && link.outbox_state == OutboxState::Full && link.outbox.len() <= outbox_bytes_max / 2 {
            link.outbox_state = OutboxState::HasRoom;
            let Some(shard) = link.shard else { return };
            self.observe(&Observation::Drained { connection });
            self.step(shard, Input::OutboxDrained { connection });
        }
    }

    fn write_to_client(&mut self, connection: ConnectionId, bytes: Bytes) {
        if bytes.is_empty() {
            return;
        }
        for piece in self.split(bytes) {
            let delay_ms = self.delay_ms();
            let now_ms = self.schedule.now_ms();
            let link = self.link(connection);
            link.to_client_at_ms = link.to_client_at_ms.max(now_ms + delay_ms);
            let at_ms = link.to_client_at_ms;
            self.schedule.at(at_ms, Event::ToClient(connection, piece));
        }
    }

    pub(super) fn arrive_at_client(&mut self, connection: ConnectionId, bytes: &[u8]) {
        let link = self.link(connection);
        let client = link.client;
        let is_lost = link.client_end == End::Closed || link.speed == Speed::Cut;
        if is_lost || self.clients[client].connection() != Some(connection) {
            return;
        }
        let link = self.link(connection);
        if link.speed == Speed::Frozen {
            return link.unread.extend_from_slice(bytes);
        }
        let session = self.judge.truth.connections.get(&connection).map(|known| known.session);
        let was_connected = self.clients[client].is_connected();
        let mut output = Output::default();
        self.clients[client].receive(bytes, session, &mut output);
        self.carry_out_for_client(connection, output);
        if !was_connected && self.clients[client].is_connected() {
            self.schedule_ping(client, connection);
        }
    }

    /// Bytes in the pieces they arrive in.
    fn split(&mut self, bytes: Bytes) -> Vec<Bytes> {
        let percent = self.settings.network.split_percent;
        let mut pieces = Vec::new();
        let mut rest = bytes;
        while rest.len() > 1 && self.weather == Weather::Rough && self.random.chance(percent) {
            let at = 1 + self.random.index(rest.len() - 1);
            pieces.push(rest.split_to(at));
        }
        pieces.push(rest);
        pieces
    }

    fn delay_ms(&mut self) -> u64 {
        self.random.between(0, self.settings.network.delay_ms_max)
    }
}
