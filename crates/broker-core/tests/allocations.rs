//! Owns the proof of how much memory the shard asks for per PUBLISH it forwards: none, but for
//! the bytes of a large one at QoS 1. The daemon's share of the path is not seen here.

use broker_core::{ConnectionId, Effects, Input, Node, PeerBatch, Shard, ShardId, Timestamp, config::Config};
use mqtt_codec::{
    Packet, PacketId, PacketRef, Properties, ProtocolVersion, QoS, ReasonCode, TopicFilterRef, TopicName,
    packet::{Ack, Connect, Delivery, Publish, Subscribe, Subscription, SubscriptionOptions},
};

const NOW: Timestamp = Timestamp::from_millis(1_000_000);
const PUBLISHER: ConnectionId = ConnectionId(0);
const TOPIC: &str = "buildings/7/floors/3/temperature";
const ROUNDS: u64 = 1_000;

/// One publisher and so many subscribers to its topic.
struct Audience {
    shard: Shard,
    effects: Effects,
    version: ProtocolVersion,
}

impl Audience {
    fn new(subscribers: u64, version: ProtocolVersion, qos: QoS) -> Self {
        let shard = Shard::new(Node::new(Config::default(), 1, 1), ShardId(0), 1, NOW);
        let mut audience = Self { shard, effects: Effects::new(), version };
        for connection in (0..=subscribers).map(ConnectionId) {
            let connect = audience.encode(&connect(connection, version));
            let Packet::Connect(connect) = decode(&connect, version) else {
                unreachable!("it was encoded so")
            };
            audience.handle(Input::Connect { connection, connect });
            if connection != PUBLISHER {
                let subscribe = audience.encode(&subscribe(qos));
                audience.send(connection, &subscribe);
            }
        }
        audience
    }

    fn encode(&self, packet: &Packet) -> Vec<u8> {
        encode(packet, self.version)
    }

    fn send(&mut self, connection: ConnectionId, bytes: &[u8]) {
        let packet = decode(bytes, self.version);
        self.handle(Input::Packet { connection, packet, frame: bytes });
    }

    fn handle(&mut self, input: Input<'_>) {
        self.effects.clear();
        self.shard.handle(input, NOW, &mut self.effects);
    }
}

fn encode(packet: &Packet, version: ProtocolVersion) -> Vec<u8> {
    let mut bytes = Vec::new();
    packet.encode(version, &mut bytes).expect("a legal packet");
    bytes
}

fn decode(bytes: &[u8], version: ProtocolVersion) -> PacketRef<'_> {
    let frame = mqtt_codec::frame(bytes, version, 10_000).expect("legal").expect("whole");
    PacketRef::decode(frame, version).expect("a legal packet")
}

fn connect(connection: ConnectionId, version: ProtocolVersion) -> Packet {
    Packet::Connect(Connect {
        version,
        clean_start: true,
        keep_alive_seconds: 60,
        client_id: connection.0.to_string().into(),
        will: None,
        user_name: None,
        password: None,
        properties: Properties::default(),
    })
}

fn subscribe(qos: QoS) -> Packet {
    let filter = TopicFilterRef::new(TOPIC).expect("a legal filter");
    let subscription = Subscription { filter, options: SubscriptionOptions::qos(qos) };
    let subscribe = Subscribe::new(PacketId::FIRST, Properties::default(), [subscription]);
    Packet::Subscribe(subscribe.expect("one filter"))
}

fn publish(delivery: Delivery, payload_bytes: usize) -> Packet {
    Packet::Publish(Publish {
        delivery,
        retain: false,
        topic: Some(TopicName::owned(TOPIC).expect("a legal topic")),
        properties: Properties::default(),
        payload: vec![0x55; payload_bytes].into(),
    })
}

/// Allocations of so many rounds, the first ones not counted: they are what is kept from step to step.
fn allocations(mut round: impl FnMut()) -> u64 {
    (0..ROUNDS).for_each(|_| round());
    allocation_counter::measure(|| (0..ROUNDS).for_each(|_| round())).count_total
}

#[test]
fn nothing_is_allocated_for_a_qos_0_message_whatever_the_number_of_its_receivers() {
    for version in [ProtocolVersion::V311, ProtocolVersion::V5] {
        for subscribers in [1, 10, 100] {
            let mut audience = Audience::new(subscribers, version, QoS::AtMostOnce);
            let bytes = audience.encode(&publish(Delivery::AtMostOnce, 64));
            let counted = allocations(|| {
                audience.send(PUBLISHER, &bytes);
                assert_eq!(audience.effects.list().len() as u64, subscribers);
            });
            assert_eq!(counted, 0, "{version:?}, {subscribers} subscribers");
        }
    }
}

#[test]
fn a_qos_1_message_takes_an_allocation_only_where_it_is_large_and_others_are_done_with() {
    for version in [ProtocolVersion::V311, ProtocolVersion::V5] {
        for (subscribers, payload_bytes, expected) in [(1, 64, 0), (100, 64, 0), (1, 500, 1)] {
            let mut audience = Audience::new(subscribers, version, QoS::AtLeastOnce);
            let delivery = Delivery::AtLeastOnce { packet_id: PacketId::FIRST, dup: false };
            let bytes = audience.encode(&publish(delivery, payload_bytes));
            let mut packet_id = PacketId::FIRST;
            let counted = allocations(|| {
                audience.send(PUBLISHER, &bytes);
                let (deliveries, acknowledgement) = (subscribers, 1);
                assert_eq!(audience.effects.list().len() as u64, deliveries + acknowledgement);
                for connection in (1..=subscribers).map(ConnectionId) {
                    let packet = PacketRef::PubAck(Ack::new(packet_id, ReasonCode::Success));
                    audience.handle(Input::Packet { connection, packet, frame: &[] });
                }
                packet_id = packet_id.next();
            });
            assert_eq!(
                counted,
                expected * ROUNDS,
                "{version:?}, {subscribers} subscribers, {payload_bytes} bytes"
            );
        }
    }
}

/// A publisher and a subscriber on a shard each, and the batches between them.
struct Crossing {
    shards: [Shard; 2],
    effects: [Effects; 2],
    letters: [PeerBatch; 2],
}

impl Crossing {
    const SUBSCRIBER: ConnectionId = ConnectionId(u64::MAX);

    fn new(version: ProtocolVersion, qos: QoS) -> Self {
        let node = Node::new(Config::default(), 2, 1);
        let shards = [0, 1].map(|id| Shard::new(node.clone(), ShardId(id), 1, NOW));
        let mut crossing = Self { shards, effects: Default::default(), letters: Default::default() };
        for (shard, connection) in [(0, PUBLISHER), (1, Self::SUBSCRIBER)] {
            let named = |number: &u64| node.shard_of(&number.to_string()) == ShardId(shard);
            let number = (0..).find(named).expect("every shard has clients");
            let bytes = encode(&connect(ConnectionId(number), version), version);
            let Packet::Connect(connect) = decode(&bytes, version) else { unreachable!("it was encoded so") };
            crossing.handle(usize::from(shard), Input::Connect { connection, connect });
        }
        let bytes = encode(&subscribe(qos), version);
        let packet = decode(&bytes, version);
        crossing.handle(1, Input::Packet { connection: Self::SUBSCRIBER, packet, frame: &bytes });
        crossing
    }

    /// How many frames are to be sent.
    fn handle(&mut self, shard: usize, input: Input<'_>) -> usize {
        self.effects[shard].clear();
        self.shards[shard].handle(input, NOW, &mut self.effects[shard]);
        self.effects[shard].list().len()
    }

    /// Lets the other shard read what one says to it, and tells how many frames that has it send.
    fn deliver_from(&mut self, shard: usize) -> usize {
        let mut letter = std::mem::take(&mut self.letters[shard]);
        for (target, batch) in self.effects[shard].mail().take() {
            assert_ne!(usize::from(target.0), shard, "no shard writes to itself");
            std::mem::swap(&mut letter, batch);
        }
        let sent = letter.iter().map(|message| self.handle(1 - shard, Input::Peer(message))).sum();
        letter.clear();
        self.letters[shard] = letter;
        sent
    }
}

#[test]
fn a_message_for_another_shard_takes_no_more_than_one_that_stays() {
    for version in [ProtocolVersion::V311, ProtocolVersion::V5] {
        for (qos, payload_bytes, expected) in [
            (QoS::AtMostOnce, 64, 0),
            (QoS::AtMostOnce, 500, 0),
            (QoS::AtLeastOnce, 64, 0),
            (QoS::AtLeastOnce, 500, 1),
        ] {
            let mut crossing = Crossing::new(version, qos);
            let mut packet_id = PacketId::FIRST;
            let delivery = match qos {
                QoS::AtMostOnce => Delivery::AtMostOnce,
                _ => Delivery::AtLeastOnce { packet_id, dup: false },
            };
            let bytes = encode(&publish(delivery, payload_bytes), version);
            let counted = allocations(|| {
                let packet = decode(&bytes, version);
                crossing.handle(0, Input::Packet { connection: PUBLISHER, packet, frame: &bytes });
                assert_eq!(crossing.deliver_from(0), 1, "a delivery");
                let acknowledgements = usize::from(qos > QoS::AtMostOnce);
                assert_eq!(crossing.deliver_from(1), acknowledgements, "to the publisher");
                if qos > QoS::AtMostOnce {
                    let packet = PacketRef::PubAck(Ack::new(packet_id, ReasonCode::Success));
                    crossing
                        .handle(1, Input::Packet { connection: Crossing::SUBSCRIBER, packet, frame: &[] });
                }
                packet_id = packet_id.next();
            });
            assert_eq!(counted, expected * ROUNDS, "{version:?}, {qos:?}, {payload_bytes} bytes");
        }
    }
}
