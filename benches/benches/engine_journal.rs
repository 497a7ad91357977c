//! What one durable PUBLISH costs on its way through a shard and into a journal that is a vector of bytes:
//! from its frame to the acknowledgements of its publisher and its subscribers. Files and sockets are the
//! daemon's cost.

use std::fmt;
use std::sync::{Arc, Mutex};

use broker_core::{
    ConnectionId, Effects, Input, Node, Shard, ShardId, Timestamp,
    config::{Config, Sys},
    journal::{Journal, Position},
};
use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use mqtt_codec::{
    MAXIMUM_PACKET_BYTES, Packet, PacketId, PacketRef, Properties, Property, PropertyOwner, ProtocolVersion,
    QoS, ReasonCode, TopicFilterRef, TopicName,
    packet::{Ack, Connect, Delivery, Publish, Subscribe, Subscription, SubscriptionOptions},
};

criterion_group!(benches, publishing);
criterion_main!(benches);

/// Messages of one turn, as when one read brings several.
const BURST: u16 = 16;

const VERSION: ProtocolVersion = ProtocolVersion::V5;
const NOW: Timestamp = Timestamp::from_millis(1_800_000_000_000);
const PUBLISHER: ConnectionId = ConnectionId(0);
const TOPIC: &str = "buildings/7/floors/3/temperature";
const PAYLOAD_BYTES: usize = 200;

fn publishing(criterion: &mut Criterion) {
    for (name, lifetime) in [("in memory", Lifetime::Connection), ("durable", Lifetime::Persistent)] {
        let mut group = criterion.benchmark_group(format!("publish qos 1, {name}"));
        for subscribers in [1, 10, 1_000] {
            let mut audience = Audience::new(subscribers, lifetime);
            audience.burst();
            let written = audience.journal.written();
            audience.burst();
            let written = audience.journal.written().since(&written);
            println!("to {subscribers}, {name}: a turn of {BURST} messages makes {written}");
            group.throughput(Throughput::Elements(u64::from(BURST)));
            group.bench_function(format!("to {subscribers}"), |bencher| bencher.iter(|| audience.burst()));
        }
    }
}

/// Whether the subscribers' sessions outlive their connections: what they are sent is durable then.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Lifetime {
    Connection,
    Persistent,
}

/// A shard with a publisher and its subscribers, and the journal that it writes.
struct Audience {
    shard: Shard,
    effects: Effects,
    journal: Arc<Memory>,
    burst: Vec<Vec<u8>>,
    subscribers: u64,
    /// Each subscriber has had as many messages as every other.
    next_packet_id: PacketId,
}

impl Audience {
    fn new(subscribers: u64, lifetime: Lifetime) -> Self {
        let config = Config { sys: Sys { interval_ms: 0 }, ..Config::default() };
        let journal = Arc::new(Memory::default());
        let node = Node::with_journal(config, 1, 1, Arc::clone(&journal) as _);
        let shard = Shard::new(node, ShardId(0), 1, NOW);
        let packet_ids = std::iter::successors(Some(PacketId::FIRST), |id| Some(id.next()));
        let burst =
            packet_ids.take(usize::from(BURST)).map(|packet_id| encode(&publish(packet_id))).collect();
        let next_packet_id = PacketId::FIRST;
        let effects = Effects::new();
        let mut audience = Self { shard, effects, journal, burst, subscribers, next_packet_id };
        audience.connect(PUBLISHER, Lifetime::Connection);
        for connection in (1..=subscribers).map(ConnectionId) {
            audience.connect(connection, lifetime);
            let bytes = encode(&subscribe());
            audience.handle(Input::Packet { connection, packet: decode(&bytes), frame: &bytes });
            audience.end_turn();
        }
        audience
    }

    /// One turn takes the messages in, the disk is told to have them, and the next turn the acknowledgements
    /// of all subscribers.
    fn burst(&mut self) {
        for frame in &self.burst {
            let input = Input::Packet { connection: PUBLISHER, packet: decode(frame), frame };
            self.shard.handle(input, NOW, &mut self.effects);
            assert!(!self.effects.list().is_empty(), "it is delivered");
            self.effects.clear();
        }
        self.end_turn();
        for _ in 0..BURST {
            for connection in (1..=self.subscribers).map(ConnectionId) {
                let packet = PacketRef::PubAck(Ack::new(self.next_packet_id, ReasonCode::Success));
                self.handle(Input::Packet { connection, packet, frame: &[] });
            }
            self.next_packet_id = self.next_packet_id.next();
        }
        self.end_turn();
    }

    fn connect(&mut self, connection: ConnectionId, lifetime: Lifetime) {
        let bytes = encode(&connect(connection, lifetime));
        let PacketRef::Connect(connect) = decode(&bytes) else { unreachable!("it was encoded so") };
        self.handle(Input::Connect { connection, connect });
        self.end_turn();
    }

    fn handle(&mut self, input: Input<'_>) {
        self.shard.handle(input, NOW, &mut self.effects);
        self.effects.clear();
    }

    /// What the daemon does at the end of a turn, on a disk that takes no time.
    fn end_turn(&mut self) {
        if self.shard.wants_flush() {
            self.handle(Input::Flush);
        }
        if self.shard.awaits_durable().is_some() {
            let end = self.journal.end();
            self.handle(Input::Durable(end));
        }
        self.journal.forget();
    }
}

/// A journal that is a vector.
#[derive(Debug, Default)]
struct Memory(Mutex<Written>);

#[derive(Clone, Debug, Default)]
struct Written {
    bytes: Vec<u8>,
    forgotten_bytes: u64,
    records: u64,
}

impl Memory {
    fn written(&self) -> Written {
        let written = self.0.lock().expect("nobody panics");
        Written { bytes: Vec::new(), forgotten_bytes: written.end(), records: written.records }
    }

    /// Nothing here is read again, and memory is to stay bounded.
    fn forget(&self) {
        let mut written = self.0.lock().expect("nobody panics");
        written.forgotten_bytes = written.end();
        written.bytes.clear();
    }
}

impl Written {
    fn end(&self) -> u64 {
        self.forgotten_bytes + self.bytes.len() as u64
    }

    fn since(&self, before: &Self) -> Self {
        let (forgotten_bytes, records) = (self.end() - before.end(), self.records - before.records);
        Self { bytes: Vec::new(), forgotten_bytes, records }
    }
}

impl fmt::Display for Written {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} records of {} bytes together", self.records, self.end())
    }
}

impl Journal for Memory {
    fn append(&self, parts: &[&[u8]]) -> Position {
        let mut written = self.0.lock().expect("nobody panics");
        // No record is at position 0, which is that of nothing.
        let position = Position::new(written.end() + 1);
        for part in parts {
            written.bytes.extend_from_slice(part);
        }
        written.records += 1;
        position
    }

    fn end(&self) -> Position {
        Position::new(self.0.lock().expect("nobody panics").end() + 1)
    }

    fn refer(&self, _position: Position, _count: u32) {}

    fn release(&self, _positions: &[Position]) {}

    fn is_failing(&self) -> bool {
        false
    }
}

fn connect(connection: ConnectionId, lifetime: Lifetime) -> Packet {
    let expiry = match lifetime {
        Lifetime::Connection => None,
        Lifetime::Persistent => Some(Property::SessionExpiryInterval(3_600)),
    };
    Packet::Connect(Connect {
        version: VERSION,
        clean_start: true,
        keep_alive_seconds: 0,
        client_id: connection.0.to_string().into(),
        will: None,
        user_name: None,
        password: None,
        properties: Properties::new(PropertyOwner::Connect, expiry).expect("a legal property"),
    })
}

fn subscribe() -> Packet {
    let filter = TopicFilterRef::new(TOPIC).expect("a legal filter");
    let subscription = Subscription { filter, options: SubscriptionOptions::qos(QoS::AtLeastOnce) };
    let subscribe = Subscribe::new(PacketId::FIRST, Properties::default(), [subscription]);
    Packet::Subscribe(subscribe.expect("one filter"))
}

fn publish(packet_id: PacketId) -> Packet {
    Packet::Publish(Publish {
        delivery: Delivery::AtLeastOnce { packet_id, dup: false },
        retain: false,
        topic: Some(TopicName::owned(TOPIC).expect("a legal topic")),
        properties: Properties::default(),
        payload: vec![0x55; PAYLOAD_BYTES].into(),
    })
}

fn encode(packet: &Packet) -> Vec<u8> {
    let mut bytes = Vec::new();
    packet.encode(VERSION, &mut bytes).expect("a legal packet");
    bytes
}

fn decode(bytes: &[u8]) -> PacketRef<'_> {
    let frame = mqtt_codec::frame(bytes, VERSION, MAXIMUM_PACKET_BYTES).expect("legal").expect("whole");
    PacketRef::decode(frame, VERSION).expect("a legal packet")
}
