//! Owns a whole broker in memory: shards, the mail between them, outboxes, and the time. It carries out
//! effects as the daemon would and knows nothing of MQTT beyond where a packet ends.

use super::{
    packets::{Hello, Say, packet_id, receipt},
    text,
};
use broker_core::{
    ConnectionId, Effect, Effects, Input, Node, PeerMessage, Shard, ShardId, Timestamp, Totals,
    config::Config,
};
use bytes::Bytes;
use mqtt_codec::{
    MAXIMUM_PACKET_BYTES, Packet, PacketRef, ProtocolVersion, QoS, ReasonCode,
    packet::{ConnAck, SubscriptionOptions},
};
use std::{
    collections::{BTreeMap, VecDeque},
    sync::Arc,
};

/// A node, its shards and all their clients, single-threaded and stepped by hand.
pub(crate) struct Broker {
    pub(crate) node: Arc<Node>,
    shards: Vec<Shard>,
    mail: VecDeque<(ShardId, PeerMessage)>,
    now: Timestamp,
    effects: Effects,
    wires: BTreeMap<ConnectionId, Wire>,
    encoded_bytes_max: usize,
}

/// One client's connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Client(ConnectionId);

/// The broker's end of a connection.
struct Wire {
    shard: usize,
    version: ProtocolVersion,
    outbox: Vec<u8>,
    is_full: bool,
    is_closed: bool,
    packet_bytes_max: u32,
    next_packet_id: u16,
}

impl Broker {
    pub(crate) fn new(config: Config, shards: usize) -> Self {
        let node = Node::new(config, shards, 0x5EED);
        // Not zero: a time is no flag.
        let now = Timestamp::from_millis(1_000_000);
        let shards = node.shards().map(|id| Shard::new(Arc::clone(&node), id, 7 + u64::from(id.0), now));
        Self {
            shards: shards.collect(),
            node,
            mail: VecDeque::new(),
            now,
            effects: Effects::new(),
            wires: BTreeMap::new(),
            encoded_bytes_max: 0,
        }
    }

    /// Connects a client that has no session.
    pub(crate) fn connect(&mut self, hello: Hello) -> Client {
        let (client, connack) = self.greet(hello);
        assert_eq!((connack.reason, connack.session_present), (ReasonCode::Success, false), "{self}");
        client
    }

    /// Connects a client that has a session and wants it back.
    pub(crate) fn reconnect(&mut self, hello: Hello) -> Client {
        let is_told = hello.version() > ProtocolVersion::V31;
        let (client, connack) = self.greet(hello.resuming());
        assert_eq!((connack.reason, connack.session_present), (ReasonCode::Success, is_told), "{self}");
        client
    }

    /// Connects a client and takes the CONNACK off what it received.
    pub(crate) fn greet(&mut self, hello: Hello) -> (Client, ConnAck) {
        let client = self.dial(hello);
        match self.take_first(client) {
            Some(Packet::ConnAck(connack)) => (client, connack),
            other => panic!("a CONNECT was answered by {other:?}, {self}"),
        }
    }

    /// Opens a connection and sends CONNECT, whatever comes of it.
    pub(crate) fn dial(&mut self, hello: Hello) -> Client {
        let id = ConnectionId(self.wires.len() as u64);
        let packet_bytes_max = hello.packet_bytes_max();
        let (version, bytes) = (hello.version(), hello.encode());
        let frame = mqtt_codec::frame(&bytes, version, MAXIMUM_PACKET_BYTES).unwrap().unwrap();
        let Packet::Connect(connect) = PacketRef::decode(frame, version).unwrap() else {
            panic!("no CONNECT")
        };
        let shard = usize::from(self.node.shard_of(connect.client_id).0);
        let wire = Wire {
            shard,
            version,
            outbox: Vec::new(),
            is_full: false,
            is_closed: false,
            packet_bytes_max,
            next_packet_id: 60_000,
        };
        self.wires.insert(id, wire);
        self.step(shard, Input::Connect { connection: id, connect });
        Client(id)
    }

    /// Has a client send a packet, as bytes. A client whose connection is closed talks to nobody.
    pub(crate) fn send(&mut self, client: Client, packet: impl Into<Say>) {
        let bytes = packet.into().encode(self.wire(client).version);
        self.send_bytes(client, &bytes);
    }

    /// Has a client send the bytes of one packet, legal or not.
    pub(crate) fn send_bytes(&mut self, client: Client, bytes: &[u8]) {
        if !self.wire(client).is_closed {
            self.hand_over(client, bytes);
        }
    }

    /// As [`send`](Self::send), from a client that the broker has done with.
    pub(crate) fn send_in_spite_of_close(&mut self, client: Client, packet: impl Into<Say>) {
        let bytes = packet.into().encode(self.wire(client).version);
        self.hand_over(client, &bytes);
    }

    fn hand_over(&mut self, client: Client, bytes: &[u8]) {
        let Wire { version, shard, .. } = *self.wire(client);
        let frame = mqtt_codec::frame(bytes, version, self.node.config.limits.packet_bytes_max);
        let packet = frame.and_then(|frame| PacketRef::decode(frame.expect("a whole packet"), version));
        let connection = client.0;
        match packet {
            Ok(packet) => self.step(shard, Input::Packet { connection, packet }),
            Err(error) => self.step(shard, Input::Malformed { connection, error }),
        }
    }

    /// Subscribes and takes the SUBACK off what was received. Retained messages are not yet on their way.
    pub(crate) fn subscribe(&mut self, client: Client, filter: &str, options: impl Into<SubscriptionWish>) {
        let SubscriptionWish(options) = options.into();
        let id = self.next_packet_id(client);
        self.send(client, super::subscribe(id, &[(filter, options)]));
        let granted = format!("SUBACK #{id} [{}]", options.maximum_qos.bits());
        let first = self.take_first(client).map(|packet| text::show(&packet));
        assert_eq!(first, Some(granted), "{self}");
    }

    /// As [`subscribe`](Self::subscribe), behind another answer.
    pub(crate) fn subscribe_after(
        &mut self,
        client: Client,
        answer: &str,
        filter: &str,
        options: impl Into<SubscriptionWish>,
    ) {
        let first = self.take_first(client).map(|packet| text::show(&packet));
        assert_eq!(first.as_deref(), Some(answer), "{self}");
        self.subscribe(client, filter, options);
    }

    /// The connection goes away without a word.
    pub(crate) fn hang_up(&mut self, client: Client) {
        let wire = self.wires.get_mut(&client.0).unwrap();
        wire.is_closed = true;
        let shard = wire.shard;
        self.step(shard, Input::Closed { connection: client.0 });
    }

    /// The client says DISCONNECT and goes.
    pub(crate) fn leave(&mut self, client: Client) {
        self.send(client, super::disconnect(ReasonCode::Success));
        assert!(self.wire(client).is_closed, "{self}");
    }

    /// Every shard is told to stop.
    pub(crate) fn shut_down(&mut self) {
        for shard in 0..self.shards.len() {
            self.step(shard, Input::Shutdown);
        }
    }

    /// What a client has received since the last look, and whether it was hung up on. All that is due by
    /// now has happened before.
    #[track_caller]
    pub(crate) fn expect(&mut self, client: Client, expected: &[&str]) {
        let received = self.received(client);
        assert_eq!(received, expected, "{self}");
    }

    /// As [`expect`](Self::expect), without waiting for what is due.
    #[track_caller]
    pub(crate) fn expect_now(&mut self, client: Client, expected: &[&str]) {
        let received: Vec<_> = self.read(client).iter().map(text::show).collect();
        assert_eq!(received, expected, "{self}");
    }

    /// Whether a client was hung up on, told why if its version has words for it, and told nothing else.
    #[track_caller]
    pub(crate) fn expect_end(&mut self, client: Client, reason: ReasonCode) {
        let told = format!("DISCONNECT {reason}");
        let expected = match self.wire(client).version {
            ProtocolVersion::V5 => vec![told.as_str(), "closed"],
            ProtocolVersion::V31 | ProtocolVersion::V311 => vec!["closed"],
        };
        self.expect(client, &expected);
    }

    /// As [`expect`](Self::expect), as text.
    pub(crate) fn received(&mut self, client: Client) -> Vec<String> {
        self.settle();
        let mut lines: Vec<_> = self.read(client).iter().map(text::show).collect();
        if self.wire(client).is_closed {
            lines.push("closed".to_owned());
        }
        lines
    }

    /// Has a client read and acknowledge until nothing more comes: the PUBLISH packets it received.
    pub(crate) fn take_all(&mut self, client: Client) -> Vec<String> {
        let mut lines = Vec::new();
        loop {
            self.settle();
            let packets = self.read(client);
            if packets.is_empty() {
                return lines;
            }
            for packet in packets {
                if let Packet::Publish(_) = packet {
                    lines.push(text::show(&packet));
                }
                if let Some(receipt) = receipt(&packet) {
                    self.send(client, receipt);
                }
            }
        }
    }

    /// Packets in a client's outbox, which is empty then. Nothing else happens but that the outbox has drained.
    pub(crate) fn read(&mut self, client: Client) -> Vec<Packet> {
        let mut packets = Vec::new();
        while let Some(packet) = self.take_first(client) {
            packets.push(packet);
        }
        let wire = self.wires.get_mut(&client.0).unwrap();
        if std::mem::take(&mut wire.is_full) {
            let shard = wire.shard;
            self.step(shard, Input::OutboxDrained { connection: client.0 });
        }
        packets
    }

    /// Bytes waiting in a client's outbox.
    pub(crate) fn unread_bytes(&self, client: Client) -> usize {
        self.wire(client).outbox.len()
    }

    /// The most bytes that one step encoded, payloads sent by reference not counted.
    pub(crate) fn encoded_bytes_max(&self) -> usize {
        self.encoded_bytes_max
    }

    /// Lets time pass, stepping to each deadline on the way.
    pub(crate) fn advance_millis(&mut self, milliseconds: u64) {
        let until = self.now.plus_millis(milliseconds);
        loop {
            self.settle();
            let next = self.shards.iter().filter_map(Shard::next_deadline).min();
            match next.filter(|&next| next <= until) {
                Some(next) => self.now = self.now.max(next),
                None => break,
            }
        }
        self.now = until;
        self.settle();
    }

    pub(crate) fn advance_seconds(&mut self, seconds: u64) {
        self.advance_millis(seconds * 1000);
    }

    /// Has everything happen that is due.
    pub(crate) fn settle(&mut self) {
        while self.tick_once() {}
    }

    /// Delivers all mail and has each shard that is due do so once. Whether one was.
    pub(crate) fn tick_once(&mut self) -> bool {
        self.deliver_mail();
        let mut was_due = false;
        for shard in 0..self.shards.len() {
            if self.shards[shard].next_deadline().is_some_and(|deadline| deadline <= self.now) {
                was_due = true;
                self.step(shard, Input::Tick);
            }
        }
        was_due
    }

    /// Whether a shard has something to do at once.
    pub(crate) fn is_due(&self) -> bool {
        self.shards.iter().any(|shard| shard.next_deadline().is_some_and(|deadline| deadline <= self.now))
    }

    /// The counters of the whole broker.
    pub(crate) fn totals(&self) -> Totals {
        self.node.stats.totals()
    }

    /// Clients connected, as the shards count them.
    pub(crate) fn connections(&self) -> usize {
        self.shards.iter().map(Shard::connections).sum()
    }

    /// A client identifier of another shard than `client_id`'s, if there is another.
    pub(crate) fn elsewhere(&self, client_id: &str) -> String {
        let home = self.node.shard_of(client_id);
        let is_alone = self.shards.len() == 1;
        (0..)
            .map(|number| format!("elsewhere-{number}"))
            .find(|name| is_alone || self.node.shard_of(name) != home)
            .unwrap()
    }

    fn step(&mut self, shard: usize, input: Input<'_>) {
        self.shards[shard].handle(input, self.now, &mut self.effects);
        self.apply();
        self.deliver_mail();
    }

    fn deliver_mail(&mut self) {
        while let Some((shard, message)) = self.mail.pop_front() {
            self.shards[usize::from(shard.0)].handle(Input::Peer(message), self.now, &mut self.effects);
            self.apply();
        }
    }

    fn apply(&mut self) {
        let mut list = Vec::new();
        self.effects.take_list(&mut list);
        let mut encoded_bytes = 0;
        for effect in list {
            match effect {
                Effect::Send { connection, frame } => {
                    let bytes = self.effects.bytes(frame);
                    encoded_bytes += bytes.len();
                    open(&mut self.wires, connection).outbox.extend_from_slice(bytes);
                }
                Effect::SendNumbered { connection, frame, packet_id_at, packet_id } => {
                    let outbox = &mut open(&mut self.wires, connection).outbox;
                    let at = outbox.len() + packet_id_at as usize;
                    outbox.extend_from_slice(self.effects.bytes(frame));
                    outbox[at..at + 2].copy_from_slice(&packet_id.get().to_be_bytes());
                }
                Effect::SendShared { connection, frame, payload } => {
                    encoded_bytes += frame.len();
                    let outbox = &mut open(&mut self.wires, connection).outbox;
                    outbox.extend_from_slice(self.effects.bytes(frame));
                    outbox.extend_from_slice(&payload);
                }
                Effect::Close { connection, .. } => open(&mut self.wires, connection).is_closed = true,
                Effect::Forward { shard, message } => self.mail.push_back((shard, message)),
            }
        }
        self.encoded_bytes_max = self.encoded_bytes_max.max(encoded_bytes);
        self.effects.clear();
        self.tell_of_full_outboxes();
    }

    fn tell_of_full_outboxes(&mut self) {
        let limit = self.node.config.limits.outbox_bytes_max;
        for (&connection, wire) in &mut self.wires {
            if wire.outbox.len() > limit && !wire.is_full && !wire.is_closed {
                wire.is_full = true;
                let input = Input::OutboxFull { connection };
                self.shards[wire.shard].handle(input, self.now, &mut self.effects);
                assert!(self.effects.list().is_empty(), "a full outbox is no reason to send");
            }
        }
    }

    fn take_first(&mut self, client: Client) -> Option<Packet> {
        let wire = self.wires.get_mut(&client.0).unwrap();
        let input = Bytes::copy_from_slice(&wire.outbox);
        let (packet, bytes) = Packet::decode_first(&input, wire.version, MAXIMUM_PACKET_BYTES)
            .unwrap_or_else(|error| panic!("the broker sent what is no packet: {error}"))?;
        // [MQTT5-3.1.2-24], in every test there is.
        assert!(bytes <= wire.packet_bytes_max as usize, "{packet:?} is larger than the client takes");
        wire.outbox.drain(..bytes);
        Some(packet)
    }

    fn next_packet_id(&mut self, client: Client) -> u16 {
        let wire = self.wires.get_mut(&client.0).unwrap();
        wire.next_packet_id += 1;
        packet_id(wire.next_packet_id).get()
    }

    fn wire(&self, client: Client) -> &Wire {
        &self.wires[&client.0]
    }
}

impl std::fmt::Display for Broker {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "with {} shards at {} ms", self.shards.len(), self.now.as_millis())
    }
}

/// A connection that effects may still concern: after Close none may `[MQTT5-3.14.4-1]`.
fn open(wires: &mut BTreeMap<ConnectionId, Wire>, connection: ConnectionId) -> &mut Wire {
    let wire = wires.get_mut(&connection).unwrap();
    assert!(!wire.is_closed, "{connection:?} is closed");
    wire
}

/// Options of a subscription, or only its QoS.
pub(crate) struct SubscriptionWish(SubscriptionOptions);

impl From<QoS> for SubscriptionWish {
    fn from(qos: QoS) -> Self {
        Self(SubscriptionOptions::qos(qos))
    }
}

impl From<SubscriptionOptions> for SubscriptionWish {
    fn from(options: SubscriptionOptions) -> Self {
        Self(options)
    }
}
