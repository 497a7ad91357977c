//! Owns the broker's side: bytes become inputs, a shard takes one, its effects are carried out. It does what
//! the daemon does, without sockets.

use super::{
    World,
    link::{End, OutboxState, Speed},
    link_index,
    process::{Tick, TurnPhase},
    shard_index,
};
use crate::{
    observation::{Observation, Place},
    plant::{Plant, Sent},
    schedule::Event,
};
use broker_core::{ConnectionId, Contents, Effect, Input, OtherEffect, ShardId};
use bytes::Bytes;
use mqtt_codec::packet::PublishRun;
use mqtt_codec::{FrameHeader, MAXIMUM_PACKET_BYTES, Packet, PacketRef, ProtocolVersion};

impl World {
    /// Bytes of a client: each whole packet is handed to the shard of its session.
    pub(super) fn arrive_at_broker(&mut self, connection: ConnectionId, bytes: &[u8]) {
        if self.process.is_none() {
            return self.refuse_connection(connection);
        }
        let link = self.link(connection);
        if link.speed == Speed::Cut {
            return;
        }
        link.received.extend_from_slice(bytes);
        while self.link(connection).broker_end == End::Open {
            if self.receive_plain(connection) {
                continue;
            }
            let link = self.link(connection);
            let version = link.version;
            let header = FrameHeader::peek(&link.received, version, MAXIMUM_PACKET_BYTES);
            let header = header.expect("a simulated client sends what is legal");
            let Some(packet_bytes) = header.map(|it| it.packet_bytes) else { return };
            if link.received.len() < packet_bytes {
                return;
            }
            let frame: Vec<u8> = link.received.drain(..packet_bytes).collect();
            self.receive(connection, &Bytes::from(frame), version);
        }
    }

    /// Takes a plain PUBLISH, and those behind it that are like it, as the daemon does. Whether there was one.
    fn receive_plain(&mut self, connection: ConnectionId) -> bool {
        const PACKET_BYTES_MAX: usize = 512;
        const BYTES_MAX: usize = 4_096;
        let link = self.link(connection);
        let (version, mut received) = (link.version, std::mem::take(&mut link.received));
        let frame = mqtt_codec::frame(&received, version, MAXIMUM_PACKET_BYTES).ok().flatten();
        let packet = frame.and_then(|frame| PacketRef::decode(frame, version).ok());
        let mut used = 0;
        if let Some(PacketRef::Publish(first)) = packet
            && let Some(run) = PublishRun::of(&first, &received, PACKET_BYTES_MAX, BYTES_MAX)
            && let Some(shard) = self.link(connection).shard
            // What is planted is planted packet by packet.
            && !self.planted.is_anything()
        {
            for ((bytes, _), place) in run.packets().zip(Place::all()) {
                let packet = decode(&Bytes::copy_from_slice(bytes), version).expect("it is like the first");
                self.observe(&Observation::Received { shard, connection, packet: &packet, place });
            }
            self.step(shard, Input::Publishes { connection, run });
            used = run.bytes.len();
        }
        received.drain(..used);
        self.link(connection).received = received;
        used > 0
    }

    fn receive(&mut self, connection: ConnectionId, frame: &Bytes, version: ProtocolVersion) {
        let packet = decode(frame, version).expect("a simulated client sends what is legal");
        let shard = match &packet {
            Packet::Connect(connect) => {
                let Some(process) = &self.process else { return };
                process.node.shard_of(&connect.client_id)
            }
            _ => self.link(connection).shard.expect("CONNECT is the first packet"),
        };
        self.link(connection).shard = Some(shard);
        self.observe(&Observation::Received { shard, connection, packet: &packet, place: Place::First });
        let altered = self.planted.alter_received(&packet, version);
        let bytes = altered.as_deref().unwrap_or(frame);
        let frame = mqtt_codec::frame(bytes, version, MAXIMUM_PACKET_BYTES).ok().flatten();
        let packet = frame.map(|frame| PacketRef::decode(frame, version));
        match packet.expect("it is whole").expect("it was decoded before") {
            Packet::Connect(connect) => self.step(shard, Input::Connect { connection, connect }),
            packet => self.step(shard, Input::Packet { connection, packet, frame: bytes }),
        }
    }

    /// A shard takes one input, and what it wants is done.
    pub(super) fn step(&mut self, shard: ShardId, input: Input<'_>) {
        let Some(process) = &mut self.process else { return };
        let mut effects = std::mem::take(&mut self.effects);
        process.shards[shard_index(shard)].handle(input, self.schedule.now(), &mut effects);
        let (list, mut contents) = effects.contents();
        let mut touched = Vec::new();
        for effect in list {
            match *effect {
                Effect::Send { connection, frame } => {
                    self.send(connection, contents.bytes(frame));
                    touched.push(connection);
                }
                Effect::SendNumbered { connection, frame, packet_id_at, packet_id } => {
                    let mut bytes = contents.bytes(frame).to_vec();
                    let at = usize::try_from(packet_id_at).unwrap_or(usize::MAX);
                    bytes[at..at + 2].copy_from_slice(&packet_id.get().to_be_bytes());
                    self.send(connection, &bytes);
                    touched.push(connection);
                }
                Effect::Other => touched.extend(self.carry_out_other(shard, &mut contents)),
            }
        }
        effects.clear();
        for (to, letter) in effects.mail().take_singly() {
            self.post(shard, to, &letter);
        }
        self.effects = effects;
        self.note_appended(shard);
        self.observe(&Observation::StepEnded);
        self.open_turn(shard);
        for connection in touched {
            self.schedule_flush(connection);
            self.note_full(shard, connection);
        }
        self.schedule_tick(shard_index(shard));
        if self.planted.strikes_rarely(Plant::ThrowOut) {
            self.step(shard, Input::Shutdown);
        }
    }

    /// Whom it touched.
    fn carry_out_other(&mut self, shard: ShardId, contents: &mut Contents<'_>) -> Option<ConnectionId> {
        match contents.next_other() {
            OtherEffect::SendShared { connection, frame, payload } => {
                self.send(connection, &[contents.bytes(frame), &payload].concat());
                return Some(connection);
            }
            OtherEffect::Close { connection, cause } => {
                self.observe(&Observation::Closed { connection, cause });
                self.link(connection).broker_end = End::Closed;
                return Some(connection);
            }
            OtherEffect::Load { session, positions } => self.schedule_load(shard, session, positions),
            OtherEffect::CheckpointWritten => self.checkpoint_written(),
            OtherEffect::Surveyed(found) => self.surveyed(found),
        }
        None
    }

    /// What a shard has just done goes to the journal soon, with what it does until then.
    pub(super) fn open_turn(&mut self, shard: ShardId) {
        let Some(process) = &mut self.process else { return };
        if process.storage.is_none() || process.turn(shard).phase != TurnPhase::Over {
            return;
        }
        process.turn(shard).phase = TurnPhase::Open;
        self.schedule.after(0, Event::EndTurn(shard));
    }

    /// Whole packets go into an outbox.
    fn send(&mut self, connection: ConnectionId, bytes: &[u8]) {
        let version = self.link(connection).version;
        let mut rest = bytes;
        while let Ok(Some(header)) = FrameHeader::peek(rest, version, MAXIMUM_PACKET_BYTES)
            && header.packet_bytes < rest.len()
        {
            let (packet, behind) = rest.split_at(header.packet_bytes);
            self.send_one(connection, packet);
            rest = behind;
        }
        self.send_one(connection, rest);
    }

    fn send_one(&mut self, connection: ConnectionId, bytes: &[u8]) {
        let version = self.link(connection).version;
        match decode(&Bytes::copy_from_slice(bytes), version)
            .map(|packet| self.planted.alter_sent(&packet, version))
        {
            Err(_) | Ok(Sent::AsItIs) => self.put_into_outbox(connection, bytes),
            Ok(Sent::NotAtAll) => {}
            Ok(Sent::Twice) => {
                self.put_into_outbox(connection, bytes);
                self.put_into_outbox(connection, bytes);
            }
            Ok(Sent::Instead(other)) => self.put_into_outbox(connection, &other),
            Ok(Sent::ToSomebodyElse) => {
                let is_other = |index: &usize| {
                    let link = &self.links[*index];
                    *index != link_index(connection)
                        && link.broker_end == End::Open
                        && link.version == version
                };
                let other = (0..self.links.len()).rev().find(is_other);
                let other = other.map_or(connection, |index| ConnectionId(index as u64));
                self.put_into_outbox(other, bytes);
            }
        }
    }

    fn put_into_outbox(&mut self, connection: ConnectionId, bytes: &[u8]) {
        let version = self.link(connection).version;
        self.judge.trace.bytes(bytes);
        match decode(&Bytes::copy_from_slice(bytes), version) {
            Ok(packet) => {
                let bytes = bytes.len();
                self.observe(&Observation::Sent { connection, packet: &packet, bytes });
            }
            Err(text) => self.observe(&Observation::SentGarbage { connection, text: &text }),
        }
        self.link(connection).outbox.extend_from_slice(bytes);
    }

    /// Tells the shard once that an outbox is over its limit.
    fn note_full(&mut self, shard: ShardId, connection: ConnectionId) {
        let outbox_bytes_max = self.settings.config.limits.outbox_bytes_max;
        let link = self.link(connection);
        let is_full = link.broker_end == End::Open && link.outbox.len() > outbox_bytes_max;
        if !is_full || link.outbox_state == OutboxState::Full {
            return;
        }
        link.outbox_state = OutboxState::Full;
        self.observe(&Observation::Congested { connection });
        if !self.planted.strikes(Plant::IgnoreCongestion) {
            self.step(shard, Input::OutboxFull { connection });
        }
    }

    /// Has a shard told the time when it asked to be, a little late.
    pub(super) fn schedule_tick(&mut self, shard: usize) {
        let Some(process) = &mut self.process else { return };
        let Some(deadline) = process.shards[shard].next_deadline() else { return };
        let (deadline_ms, now_ms) = (deadline.as_millis(), self.schedule.now_ms());
        let scheduled = process.ticks[shard];
        if scheduled.is_some_and(|tick| tick.deadline_ms <= deadline_ms) {
            return;
        }
        let late_ms = self.random.between(0, self.settings.network.lateness_ms_max);
        let mut at_ms = deadline_ms.max(now_ms) + late_ms;
        if deadline_ms > now_ms && self.planted.strikes(Plant::LateTick) {
            at_ms += 3_000;
        }
        // What was asked for before must not come later for it.
        at_ms = at_ms.min(scheduled.map_or(u64::MAX, |tick| tick.at_ms));
        process.ticks[shard] = Some(Tick { deadline_ms, at_ms });
        let shard = ShardId(u16::try_from(shard).unwrap_or(u16::MAX));
        self.schedule.at(at_ms, Event::Tick(shard));
    }

    pub(super) fn tick(&mut self, shard: ShardId) {
        // One that an earlier tick made needless.
        let now_ms = self.schedule.now_ms();
        let Some(process) = &mut self.process else { return };
        if process.ticks[shard_index(shard)].take_if(|tick| tick.at_ms == now_ms).is_none() {
            return;
        }
        self.observe(&Observation::Ticked { shard });
        self.step(shard, Input::Tick);
    }
}

/// The packet that a frame holds, over its bytes; or why it is none.
fn decode(frame: &Bytes, version: ProtocolVersion) -> Result<Packet, String> {
    match Packet::decode_first(frame, version, MAXIMUM_PACKET_BYTES) {
        Ok(Some((packet, packet_bytes))) if packet_bytes == frame.len() => Ok(packet),
        Ok(Some((_, packet_bytes))) => Err(format!("{} bytes after {packet_bytes}", frame.len())),
        Ok(None) => Err("it is not whole".to_owned()),
        Err(error) => Err(error.to_string()),
    }
}
