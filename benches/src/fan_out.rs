//! Owns a shard with one publisher and any number of subscribers, as the shard's benchmarks drive it. It
//! carries out no effects: outboxes and sockets are the daemon's cost.

use broker_core::{
    ConnectionId, Effects, Input, Node, Shard, ShardId, Timestamp,
    config::{Config, Sys},
};
use mqtt_codec::{
    MAXIMUM_PACKET_BYTES, Packet, PacketId, PacketRef, Properties, ProtocolVersion, QoS, ReasonCode,
    TopicFilterRef, TopicName,
    packet::{Ack, Connect, Delivery, Publish, Subscribe, Subscription, SubscriptionOptions},
};

const VERSION: ProtocolVersion = ProtocolVersion::V5;
const NOW: Timestamp = Timestamp::from_millis(1_000_000);
const PUBLISHER: ConnectionId = ConnectionId(0);
const TOPIC: &str = "buildings/7/floors/3/temperature";
const PAYLOAD_BYTES: usize = 64;

/// One publisher, and subscribers to its topic and to a thousand others.
pub struct FanOut {
    shard: Shard,
    effects: Effects,
    publish: Vec<u8>,
    subscribers: u64,
    qos: QoS,
    next_packet_id: PacketId,
}

impl FanOut {
    /// Connects and subscribes everyone.
    #[must_use]
    pub fn new(subscribers: u64, qos: QoS) -> Self {
        let config = Config { sys: Sys { interval_ms: 0 }, ..Config::default() };
        let node = Node::new(config, 1, 1);
        let shard = Shard::new(node, ShardId(0), 1, NOW);
        let next_packet_id = PacketId::FIRST;
        let mut fan_out = Self {
            shard,
            effects: Effects::new(),
            publish: encode(&publish(qos)),
            subscribers,
            qos,
            next_packet_id,
        };
        for connection in 0..=subscribers {
            fan_out.connect(ConnectionId(connection));
            let own = format!("buildings/{connection}/doors/+");
            fan_out.send(ConnectionId(connection), &subscribe(&own, qos));
        }
        for connection in 1..=subscribers {
            fan_out.send(ConnectionId(connection), &subscribe(TOPIC, qos));
        }
        fan_out
    }

    /// Decodes one PUBLISH and takes it through the shard; at QoS 1 every subscriber acknowledges it.
    pub fn publish(&mut self) {
        step(&mut self.shard, &mut self.effects, PUBLISHER, &self.publish);
        if self.qos == QoS::AtMostOnce {
            return;
        }
        let packet_id = self.next_packet_id;
        self.next_packet_id = packet_id.next();
        for connection in 1..=self.subscribers {
            let packet = PacketRef::PubAck(Ack::new(packet_id, ReasonCode::Success));
            let input = Input::Packet { connection: ConnectionId(connection), packet, frame: &[] };
            self.shard.handle(input, NOW, &mut self.effects);
            self.effects.clear();
        }
    }

    fn connect(&mut self, connection: ConnectionId) {
        let bytes = encode(&Packet::Connect(Connect {
            version: VERSION,
            clean_start: true,
            keep_alive_seconds: 60,
            client_id: connection.0.to_string().into(),
            will: None,
            user_name: None,
            password: None,
            properties: Properties::default(),
        }));
        let Packet::Connect(connect) = decode(&bytes) else { unreachable!("it was encoded so") };
        self.shard.handle(Input::Connect { connection, connect }, NOW, &mut self.effects);
        self.effects.clear();
    }

    fn send(&mut self, connection: ConnectionId, packet: &Packet) {
        step(&mut self.shard, &mut self.effects, connection, &encode(packet));
    }
}

fn step(shard: &mut Shard, effects: &mut Effects, connection: ConnectionId, bytes: &[u8]) {
    shard.handle(Input::Packet { connection, packet: decode(bytes), frame: bytes }, NOW, effects);
    assert!(!effects.list().is_empty(), "every packet here is answered or delivered");
    effects.clear();
}

fn publish(qos: QoS) -> Packet {
    let packet_id = PacketId::FIRST;
    let delivery = match qos {
        QoS::AtMostOnce => Delivery::AtMostOnce,
        QoS::AtLeastOnce => Delivery::AtLeastOnce { packet_id, dup: false },
        QoS::ExactlyOnce => Delivery::ExactlyOnce { packet_id, dup: false },
    };
    Packet::Publish(Publish {
        delivery,
        retain: false,
        topic: Some(TopicName::owned(TOPIC).expect("a legal topic")),
        properties: Properties::default(),
        payload: vec![0x55; PAYLOAD_BYTES].into(),
    })
}

fn subscribe(filter: &str, qos: QoS) -> Packet {
    let filter = TopicFilterRef::new(filter).expect("a legal filter");
    let subscription = Subscription { filter, options: SubscriptionOptions::qos(qos) };
    let subscribe = Subscribe::new(PacketId::FIRST, Properties::default(), [subscription]);
    Packet::Subscribe(subscribe.expect("one filter"))
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
