//! Owns how a connection is read: its bytes, packet by packet, up to its share of a turn. What a packet
//! means is the engine's business, where one ends the codec's.

use std::fmt::Display;
use std::io;

use broker_core::{ConnectionId, Effects, Input};
use mqtt_codec::packet::{LastTopic, PublishRun};
use mqtt_codec::{DecodeError, Frame, PacketRef, PacketType, ProtocolVersion, frame};

use super::Worker;
use crate::connection::{Phase, Reading};

/// Bytes of the buffer that all connections of a worker are read into, and so the most that one read brings: what is
/// at its end of a packet that is not whole is copied twice more, and the buffer is to stay in the processor's cache.
/// With 64 KiB every fourth message of 16 KB was such a packet, and a fifth of all copying that.
pub(super) const READ_BUFFER_BYTES: usize = 256 * 1024;

/// Packets handled before others have their turn.
const PACKETS_PER_TURN: u32 = 1024;

/// Bytes appended to outboxes before others have their turn: one packet may go to many.
const APPENDED_PER_TURN: u64 = 4 * 1024 * 1024;

/// Bytes of a packet that goes on as it stands, with others that are like it: larger ones are worth a reference.
const RUN_PACKET_BYTES_MAX: u32 = 512;

/// Bytes of packets that go on together. What they come to is carried out before more is stepped.
const RUN_BYTES_MAX: usize = 8 * 1024;

/// What a connection may do in one turn.
struct Budget {
    packets: u32,
    /// Of all bytes that were ever appended.
    appended_max: u64,
}

impl Budget {
    fn is_spent(&self, appended_bytes: u64) -> bool {
        self.packets == 0 || appended_bytes > self.appended_max
    }
}

/// Packets of one connection that are stepped one after another.
struct Run<'a> {
    connection: ConnectionId,
    version: ProtocolVersion,
    /// What has not been stepped.
    rest: &'a [u8],
    last_topic: LastTopic<'a>,
}

/// Why no further packet is stepped at the moment.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Stop {
    /// There is no whole one.
    NoPacket,
    /// What the others came to was to be carried out first.
    Due,
}

impl Worker {
    /// Gives a connection its turn.
    pub(super) fn serve(&mut self, id: ConnectionId) {
        self.look_behind();
        let Some(connection) = self.connections.get_mut(id) else { return };
        connection.is_ready = false;
        match connection.phase {
            Phase::Greeting => self.greet(id),
            Phase::Open => self.read(id),
            // It is written at the end of the turn, as any other.
            Phase::Closing => {}
            Phase::Draining => self.drain(id),
        }
    }

    /// Steps what is unread, then reads and steps, until nothing is there or others must have a turn.
    fn read(&mut self, id: ConnectionId) {
        let appended_max = self.appended_bytes + APPENDED_PER_TURN;
        let mut budget = Budget { packets: PACKETS_PER_TURN, appended_max };
        let packet_bytes_max = self.packet_bytes_max();
        loop {
            let Some(connection) = self.connections.get(id) else { return };
            let has_packet = connection.unread.begins_with_packet(connection.version, packet_bytes_max);
            if !has_packet && connection.reading == Reading::Blocked || !self.may_read(id) {
                return;
            }
            if budget.is_spent(self.appended_bytes) {
                return self.make_ready(id);
            }
            if has_packet {
                self.step_unread(id, &mut budget);
            } else {
                self.read_once(id, &mut budget);
            }
        }
    }

    /// Whether packets of the connection may be handled now. If not, it is made ready when they may.
    ///
    /// They may not while other workers or the disk are behind, and while more than twice `outbox_bytes_max` waits
    /// for a client that sends and does not read: the engine stops its deliveries at `outbox_bytes_max`,
    /// so what comes above is answers.
    #[inline]
    fn may_read(&mut self, id: ConnectionId) -> bool {
        let is_held_back = self.is_held_back();
        let outbox_bytes_max = self.answers_bytes_max();
        let Some(connection) = self.connections.get_mut(id) else { return false };
        if connection.phase != Phase::Open {
            return false;
        }
        if is_held_back {
            if !std::mem::replace(&mut connection.is_held_back, true) {
                self.held_back.push(id);
            }
            return false;
        }
        connection.outbox.len() <= outbox_bytes_max
    }

    /// Reads what the worker's buffer takes and steps it.
    fn read_once(&mut self, id: ConnectionId, budget: &mut Budget) {
        // Taken out so that packets can be decoded in it while the worker steps.
        let mut buffer = std::mem::take(&mut self.read_buffer);
        if let Some(count) = self.receive_bytes(id, &mut buffer) {
            self.step_received(id, &buffer[..count], budget);
            if count == buffer.len() {
                budget.packets = 0;
            }
        }
        self.read_buffer = buffer;
    }

    /// None if nothing was there, or the connection has gone.
    pub(super) fn receive_bytes(&mut self, id: ConnectionId, buffer: &mut [u8]) -> Option<usize> {
        let connection = self.connections.get_mut(id)?;
        match connection.transport.read(buffer) {
            Ok(received) if received.bytes > 0 => {
                if received.is_all && connection.reading == Reading::Possible {
                    connection.reading = Reading::Blocked;
                }
                self.stats().bytes_received.add(received.bytes as u64);
                return Some(received.bytes);
            }
            Ok(_) => self.lose(id, &"closed by the peer"),
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => connection.reading = Reading::Blocked,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => self.lose(id, &error),
        }
        None
    }

    /// Steps what a read brought, in place but for a packet that began in an earlier one.
    fn step_received(&mut self, id: ConnectionId, received: &[u8], budget: &mut Budget) {
        let packet_bytes_max = self.packet_bytes_max();
        let Some(connection) = self.connections.get_mut(id) else { return };
        let mut rest = received;
        let mut may_step = true;
        if !connection.unread.is_empty() {
            let used = connection.unread.complete_first(rest, connection.version, packet_bytes_max);
            rest = &rest[used..];
            self.step_unread(id, budget);
            may_step = self.connections.get(id).is_some_and(|it| it.unread.is_empty()) && self.may_read(id);
        }
        if may_step {
            rest = self.step_packets(id, rest, budget);
        }
        if !rest.is_empty()
            && let Some(connection) = self.connections.get_mut(id)
        {
            connection.unread.keep(rest);
        }
    }

    fn step_unread(&mut self, id: ConnectionId, budget: &mut Budget) {
        let Some(connection) = self.connections.get_mut(id) else { return };
        let unread = connection.unread.take();
        let bytes = unread.bytes();
        let handled = bytes.len() - self.step_packets(id, bytes, budget).len();
        if let Some(connection) = self.connections.get_mut(id) {
            connection.unread.put_back(unread, handled);
        }
    }

    /// Steps whole packets and gives back what is behind them. The first one is stepped whatever the
    /// budget says.
    fn step_packets<'a>(
        &mut self,
        connection: ConnectionId,
        bytes: &'a [u8],
        budget: &mut Budget,
    ) -> &'a [u8] {
        let Some(version) = self.connections.get(connection).map(|connection| connection.version) else {
            return &[];
        };
        let mut run = Run { connection, version, rest: bytes, last_topic: LastTopic::default() };
        while self.step_run(&mut run, budget) == Stop::Due {
            if budget.is_spent(self.appended_bytes) || !self.may_read(connection) {
                break;
            }
        }
        run.rest
    }

    /// Steps packets as long as what they come to is only to be sent, and not much: then it is carried out for all of
    /// them at once. Nothing else could have told that the next is not to be stepped.
    fn step_run(&mut self, run: &mut Run<'_>, budget: &mut Budget) -> Stop {
        let packet_bytes_max = self.packet_bytes_max();
        let mut effects = self.begin_step();
        let stop = loop {
            match frame(run.rest, run.version, packet_bytes_max) {
                Ok(None) => break Stop::NoPacket,
                Ok(Some(frame)) => self.step_packet(run, frame, budget, &mut effects),
                Err(error) => self.refuse(run.connection, error, &mut effects),
            }
            budget.packets = budget.packets.saturating_sub(1);
            if effects.are_due() || budget.packets == 0 {
                break Stop::Due;
            }
        };
        self.end_step(effects);
        self.follow_up();
        stop
    }

    /// A second CONNECT is apart from the others: it is an error, and so large that they would all be moved at its
    /// size.
    #[inline(always)]
    fn step_packet<'a>(
        &mut self,
        run: &mut Run<'a>,
        frame: Frame<'a>,
        budget: &mut Budget,
        effects: &mut Effects,
    ) {
        let (connection, whole) = (run.connection, run.rest);
        run.rest = &whole[frame.bytes.len()..];
        if frame.header.packet_type == PacketType::Connect {
            return self.step_connect(connection, frame, run.version, effects);
        }
        match PacketRef::decode_next(frame, run.version, &mut run.last_topic) {
            Ok(packet) => {
                // What is larger than any packet may be is refused, alone.
                let plain_bytes_max = RUN_PACKET_BYTES_MAX.min(self.packet_bytes_max()) as usize;
                if let PacketRef::Publish(first) = &packet
                    && let Some(plain) = PublishRun::of(first, whole, plain_bytes_max, RUN_BYTES_MAX)
                {
                    run.rest = &whole[plain.bytes.len()..];
                    budget.packets = budget.packets.saturating_sub(plain.count - 1);
                    let input = Input::Publishes { connection, run: plain };
                    return self.shard.handle(input, self.now, effects);
                }
                let input = Input::Packet { connection, packet, frame: frame.bytes };
                self.shard.handle(input, self.now, effects);
            }
            Err(error) => self.refuse(connection, error, effects),
        }
    }

    #[cold]
    fn step_connect(
        &mut self,
        connection: ConnectionId,
        frame: Frame<'_>,
        version: ProtocolVersion,
        effects: &mut Effects,
    ) {
        match PacketRef::decode(frame, version) {
            Ok(packet) => {
                let input = Input::Packet { connection, packet, frame: frame.bytes };
                self.shard.handle(input, self.now, effects);
            }
            Err(error) => self.refuse(connection, error, effects),
        }
    }

    #[cold]
    fn refuse(&mut self, connection: ConnectionId, error: DecodeError, effects: &mut Effects) {
        self.shard.handle(Input::Malformed { connection, error }, self.now, effects);
    }

    /// Bytes in an outbox beyond which its client is not read: see [`may_read`](Self::may_read).
    pub(super) fn answers_bytes_max(&self) -> usize {
        self.node.config.limits.outbox_bytes_max.saturating_mul(2)
    }

    /// The network connection has gone.
    fn lose(&mut self, id: ConnectionId, reason: &dyn Display) {
        if self.connections.is_in(id, Phase::Greeting) {
            return self.part(id, reason);
        }
        self.log_end(id, "connection lost", reason);
        self.step(Input::Closed { connection: id });
        self.forget(id);
    }
}
