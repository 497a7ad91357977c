//! Owns the body of the fuzz target `shard`: a broker in memory that carries out a program made of any
//! bytes. What the bytes mean is `script`'s business, what a client may hear `client`'s.

#[path = "shard/client.rs"]
pub(crate) mod client;
#[path = "shard/mail.rs"]
mod mail;
#[path = "shard/script.rs"]
pub(crate) mod script;

use broker_core::{
    ConnectionId, Contents, Effect, Effects, Input, Node, OtherEffect, PeerBatch, Shard, Timestamp,
};
use client::Client;
use mail::Mail;
use mqtt_codec::{
    Packet, PacketRef, ProtocolVersion,
    packet::{Connect, PublishRun},
};
use script::{Script, Step};
use std::{collections::BTreeMap, sync::Arc};

/// Packets that clients heard, by the number of their type.
pub(crate) type Heard = [usize; 16];

/// Carries out a program: first the kind of broker, then step by step. Whatever it says, the broker
/// does not panic, comes to rest, and sends each client only what that client may be sent.
pub(crate) fn run(input: &[u8]) -> Heard {
    let mut script = Script::new(input);
    let mut world = World::new(&mut script);
    while let Some((seat, step)) = script.step() {
        world.take(seat, step);
        world.check_connections();
    }
    world.finish();
    world.heard
}

/// A node, its shards, the mail between them and everybody connected.
struct World {
    node: Arc<Node>,
    shards: Vec<Shard>,
    mail: Mail,
    now: Timestamp,
    effects: Effects,
    /// Which connection the program means by a number.
    seats: [ConnectionId; script::SEATS],
    wires: BTreeMap<ConnectionId, Wire>,
    connections_ever: u64,
    heard: Heard,
}

/// An open connection.
struct Wire {
    shard: usize,
    client: Client,
    /// The beginning of a packet.
    received: Vec<u8>,
}

/// More rounds than any program needs to come to rest.
const ROUNDS_MAX: usize = 20_000;

impl World {
    fn new(script: &mut Script<'_>) -> Self {
        let node = Node::new(script.config(), script.shards(), 0x5EED);
        // Not zero: a time is no flag.
        let now = Timestamp::from_millis(1_000_000);
        let shards = node.shards().map(|id| Shard::new(Arc::clone(&node), id, 7 + u64::from(id.0), now));
        Self {
            shards: shards.collect(),
            node,
            mail: Mail::default(),
            now,
            effects: Effects::new(),
            seats: [ConnectionId(u64::MAX); script::SEATS],
            wires: BTreeMap::new(),
            connections_ever: 0,
            heard: Heard::default(),
        }
    }

    fn take(&mut self, seat: usize, step: Step) {
        let connection = self.seats[seat];
        let wire = self.wires.get_mut(&connection);
        match (step, wire) {
            (Step::Say(bytes), None) => self.open(seat, &bytes),
            (Step::Say(bytes), Some(_)) => self.receive(connection, &bytes),
            (Step::Packet(packet), Some(wire)) => {
                let mut bytes = Vec::new();
                // What cannot be encoded cannot be said; the raw bytes of other steps can.
                if packet.encode(wire.client.version(), &mut bytes).is_ok() {
                    self.receive(connection, &bytes);
                }
            }
            (Step::Answer(reason), Some(wire)) => {
                if let Some(bytes) = wire.client.answer(reason) {
                    self.receive(connection, &bytes);
                }
            }
            (Step::HangUp, Some(wire)) => {
                let shard = wire.shard;
                self.wires.remove(&connection);
                self.step(shard, Input::Closed { connection });
            }
            (Step::OutboxFull, Some(wire)) => {
                let shard = wire.shard;
                self.step(shard, Input::OutboxFull { connection });
            }
            (Step::OutboxDrained, Some(wire)) => {
                let shard = wire.shard;
                self.step(shard, Input::OutboxDrained { connection });
            }
            (Step::ToNextDeadline, _) => {
                let next = self.shards.iter().filter_map(Shard::next_deadline).min();
                self.now = self.now.max(next.unwrap_or_default());
                self.tick();
            }
            (Step::Pass(milliseconds), _) => {
                self.now = self.now.plus_millis(milliseconds);
                self.tick();
            }
            (Step::Letter(number), _) => self.deliver_letter(number),
            (Step::AllMail, _) => {
                self.deliver_mail();
                self.tick();
            }
            // Nobody is there who could.
            (
                Step::Packet(_) | Step::Answer(_) | Step::HangUp | Step::OutboxFull | Step::OutboxDrained,
                None,
            ) => {}
        }
    }

    /// The first bytes of a connection, which no shard sees unless they are a CONNECT.
    fn open(&mut self, seat: usize, bytes: &[u8]) {
        let version = ProtocolVersion::V5;
        let packet_bytes_max = self.node.config.limits.packet_bytes_max;
        let packet = match mqtt_codec::frame(bytes, version, packet_bytes_max) {
            Ok(None) => return,
            Ok(Some(frame)) => PacketRef::decode(frame, version).map(|packet| (packet, frame.bytes.len())),
            Err(error) => Err(error),
        };
        match packet {
            Ok((Packet::Connect(connect), length)) => {
                let connection = self.connect(seat, connect);
                if self.wires.contains_key(&connection) {
                    self.receive(connection, &bytes[length..]);
                }
            }
            Ok(_) => {}
            Err(error) => {
                if let Some(answer) = broker_core::refuse_connect(bytes, &error) {
                    client::check_refusal(&answer);
                }
            }
        }
    }

    fn connect(&mut self, seat: usize, connect: Connect<mqtt_codec::Borrowed<'_>>) -> ConnectionId {
        let connection = ConnectionId(self.connections_ever);
        self.connections_ever += 1;
        let shard = match connect.client_id {
            // Any shard may assign an identifier.
            "" => seat % self.shards.len(),
            client_id => usize::from(self.node.shard_of(client_id).0),
        };
        let client = Client::new(&connect, &self.node.config.limits);
        self.wires.insert(connection, Wire { shard, client, received: Vec::new() });
        self.seats[seat] = connection;
        self.step(shard, Input::Connect { connection, connect });
        if let Some(wire) = self.wires.get(&connection) {
            wire.client.check_accepted();
        }
        connection
    }

    /// Bytes of a client, packet by packet as they become whole.
    fn receive(&mut self, connection: ConnectionId, bytes: &[u8]) {
        let Some(wire) = self.wires.get_mut(&connection) else { return };
        let (shard, version) = (wire.shard, wire.client.version());
        let mut received = std::mem::take(&mut wire.received);
        received.extend_from_slice(bytes);
        let mut rest = received.as_slice();
        while let Some(wire) = self.wires.get_mut(&connection) {
            let frame = match mqtt_codec::frame(rest, version, self.node.config.limits.packet_bytes_max) {
                Ok(None) => {
                    wire.received = rest.to_vec();
                    return;
                }
                Ok(Some(frame)) => PacketRef::decode(frame, version).map(|packet| (packet, frame)),
                Err(error) => Err(error),
            };
            match frame {
                Ok((packet, frame)) => {
                    wire.client.said(&packet);
                    if let PacketRef::Publish(first) = &packet
                        && let Some(run) = PublishRun::of(first, rest, 512, 4_096)
                    {
                        rest = &rest[run.bytes.len()..];
                        self.step(shard, Input::Publishes { connection, run });
                        continue;
                    }
                    rest = &rest[frame.bytes.len()..];
                    self.step(shard, Input::Packet { connection, packet, frame: frame.bytes });
                }
                Err(error) => {
                    self.step(shard, Input::Malformed { connection, error });
                    assert!(!self.wires.contains_key(&connection), "{error} does not end the connection");
                }
            }
        }
    }

    /// Every shard that is due.
    fn tick(&mut self) -> bool {
        let mut was_due = false;
        for shard in 0..self.shards.len() {
            if self.shards[shard].next_deadline().is_some_and(|deadline| deadline <= self.now) {
                was_due = true;
                self.step(shard, Input::Tick);
            }
        }
        was_due
    }

    /// The first letter of one of the mailboxes that hold any.
    fn deliver_letter(&mut self, number: usize) {
        if let Some((shard, letter)) = self.mail.take(number) {
            self.read_letter(shard, &letter);
        }
    }

    fn read_letter(&mut self, shard: usize, letter: &PeerBatch) {
        for message in letter {
            self.step(shard, Input::Peer(message));
        }
    }

    fn deliver_mail(&mut self) {
        while let Some((shard, letter)) = self.mail.take(0) {
            self.read_letter(shard, &letter);
        }
    }

    fn step(&mut self, shard: usize, input: Input<'_>) {
        self.shards[shard].handle(input, self.now, &mut self.effects);
        let mut effects = std::mem::take(&mut self.effects);
        let (list, mut contents) = effects.contents();
        for effect in list {
            match *effect {
                Effect::Send { connection, frame } => self.hear(shard, connection, contents.bytes(frame)),
                Effect::SendNumbered { connection, frame, packet_id_at, packet_id } => {
                    let mut bytes = contents.bytes(frame).to_vec();
                    let at = packet_id_at as usize;
                    bytes[at..at + 2].copy_from_slice(&packet_id.get().to_be_bytes());
                    self.hear(shard, connection, &bytes);
                }
                Effect::Other => self.carry_out_other(shard, &mut contents),
            }
        }
        effects.clear();
        for (target, letter) in effects.mail().take_singly() {
            self.mail.post(shard, target, letter);
        }
        self.effects = effects;
    }

    fn carry_out_other(&mut self, shard: usize, contents: &mut Contents<'_>) {
        match contents.next_other() {
            OtherEffect::SendShared { connection, frame, payload } => {
                let bytes = [contents.bytes(frame), &payload].concat();
                self.hear(shard, connection, &bytes);
            }
            OtherEffect::Close { connection, .. } => {
                let wire = self.wires.remove(&connection);
                let wire = wire.unwrap_or_else(|| panic!("{connection:?} is closed twice"));
                assert_eq!(wire.shard, shard, "a shard closes its own connections");
            }
            OtherEffect::Load { .. } | OtherEffect::Surveyed(_) | OtherEffect::CheckpointWritten => {
                panic!("there is no journal")
            }
        }
    }

    fn hear(&mut self, shard: usize, connection: ConnectionId, bytes: &[u8]) {
        let wire = self.wires.get_mut(&connection);
        let wire = wire.unwrap_or_else(|| panic!("{connection:?} is sent something after its end"));
        assert_eq!(wire.shard, shard, "a shard sends to its own connections");
        for packet_type in wire.client.hear(bytes) {
            self.heard[packet_type as usize] += 1;
        }
    }

    fn check_connections(&self) {
        let counted: usize = self.shards.iter().map(Shard::connections).sum();
        assert_eq!(counted, self.wires.len(), "connections, as the shards count them");
    }

    /// Everybody reads and answers all there is; then the broker goes down.
    fn finish(&mut self) {
        for connection in self.open_connections() {
            let shard = self.wires.get(&connection).map(|wire| wire.shard);
            if let Some(shard) = shard {
                self.step(shard, Input::OutboxDrained { connection });
            }
        }
        self.come_to_rest();
        for shard in 0..self.shards.len() {
            self.step(shard, Input::Shutdown);
        }
        self.deliver_mail();
        assert!(self.wires.is_empty(), "nobody is connected to a broker that has shut down");
        self.check_connections();
    }

    fn come_to_rest(&mut self) {
        for _ in 0..ROUNDS_MAX {
            self.deliver_mail();
            let was_due = self.tick();
            let mut was_answered = false;
            for connection in self.open_connections() {
                let wire = self.wires.get_mut(&connection);
                if let Some(bytes) = wire.and_then(|wire| wire.client.answer(script::Reason::Success)) {
                    // What it began to say before would swallow the answer.
                    was_answered = self.wires.get(&connection).is_some_and(|wire| wire.received.is_empty());
                    self.receive(connection, &bytes);
                }
            }
            if !was_due && !was_answered && self.mail.is_empty() {
                return;
            }
        }
        panic!("the broker does not come to rest");
    }

    fn open_connections(&self) -> Vec<ConnectionId> {
        self.wires.keys().copied().collect()
    }
}
