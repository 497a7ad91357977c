//! Owns the proof of what happens to a message while it is on its way from one shard to another. The engine's other
//! tests deliver mail at once; here it is held in the hand.

use broker_core::{
    ConnectionId, Effect, Effects, Input, Node, OtherEffect, PeerBatch, PeerMessage, Shard, ShardId,
    Timestamp, config::Config,
};
use mqtt_codec::{PacketRef, ProtocolVersion::V5, frame, packet::Packet};

const START: Timestamp = Timestamp::from_millis(1_000);

struct Two {
    node: std::sync::Arc<Node>,
    shards: [Shard; 2],
}

impl Two {
    fn new() -> Self {
        let node = Node::new(Config::default(), 2, 1);
        let shards = [0, 1].map(|id| Shard::new(node.clone(), ShardId(id), 1, START));
        Self { node, shards }
    }

    /// A client identifier of a shard.
    fn name(&self, shard: u16, number: usize) -> String {
        let names = (0..).map(|index| format!("c{index}"));
        names.filter(|name| self.node.shard_of(name) == ShardId(shard)).nth(number).expect("there are many")
    }

    /// Lets a shard take one packet; what it sends to connections and to the other shard.
    fn step(&mut self, shard: u16, connection: u64, bytes: &[u8]) -> (Vec<u64>, Vec<PeerBatch>) {
        let frame = frame(bytes, V5, 1_000).expect("a frame").expect("whole");
        let connection = ConnectionId(connection);
        let input = match PacketRef::decode(frame, V5).expect("a packet") {
            Packet::Connect(connect) => Input::Connect { connection, connect },
            packet => Input::Packet { connection, packet, frame: frame.bytes },
        };
        self.handle(shard, input, START)
    }

    fn handle(&mut self, shard: u16, input: Input<'_>, now: Timestamp) -> (Vec<u64>, Vec<PeerBatch>) {
        let mut effects = Effects::new();
        self.shards[usize::from(shard)].handle(input, now, &mut effects);
        let (list, mut contents) = effects.contents();
        let mut reached = Vec::new();
        for effect in list {
            match *effect {
                Effect::Send { connection, .. } | Effect::SendNumbered { connection, .. } => {
                    reached.push(connection.0);
                }
                Effect::Other => match contents.next_other() {
                    OtherEffect::SendShared { connection, .. } => reached.push(connection.0),
                    OtherEffect::Close { .. }
                    | OtherEffect::Load { .. }
                    | OtherEffect::Surveyed(_)
                    | OtherEffect::CheckpointWritten => {}
                },
            }
        }
        effects.clear();
        let mail = effects.mail().take_singly();
        (reached, mail.into_iter().map(|(_, letter)| letter).collect())
    }

    /// Two members of a group on shard 1 (connections 1 and 2) and a publisher on shard 0 (connection 9).
    fn with_a_group() -> Self {
        let mut two = Self::new();
        for (shard, number, connection) in [(1, 0, 1), (1, 1, 2), (0, 0, 9)] {
            let connect = connect(&two.name(shard, number));
            two.step(shard, connection, &connect);
        }
        for connection in [1, 2] {
            two.step(1, connection, &[SUBSCRIBE, b"\x01"].concat());
        }
        two
    }
}

/// CONNECT with Clean Start: the session ends with its connection.
fn connect(client_id: &str) -> Vec<u8> {
    let mut body = b"\0\x04MQTT\x05\x02\0\0\0\0".to_vec();
    body.push(u8::try_from(client_id.len()).expect("short"));
    body.extend_from_slice(client_id.as_bytes());
    let mut packet = vec![0x10, u8::try_from(body.len()).expect("short")];
    packet.extend(body);
    packet
}

/// SUBSCRIBE to `$share/g/a` with the QoS that follows.
const SUBSCRIBE: &[u8] = b"\x82\x10\0\x01\0\0\x0A$share/g/a";

/// PUBLISH of QoS 1 to `a`, with a Message Expiry Interval of one second.
const PUBLISH: &[u8] = b"\x32\x0C\0\x01a\0\x01\x05\x02\0\0\0\x01x";

/// [MQTT5-4.8.2-4]
#[test]
fn another_member_has_what_was_on_its_way_to_one_that_has_ended() {
    let mut two = Two::with_a_group();
    let (_, mut mail) = two.step(0, 9, PUBLISH);
    let letter = mail.pop().expect("it is for the other shard");
    let message = letter.iter().next().expect("it says something");
    let PeerMessage::Deliver(mut forwarded) = message else { panic!("{message:?}") };
    let target = forwarded.targets.next().expect("a member");
    // Whoever was chosen goes before the message arrives: the members' sessions count up like their connections.
    let chosen = u64::from(target.session.slot()) + 1;
    two.handle(1, Input::Closed { connection: ConnectionId(chosen) }, START);
    let (reached, _) = two.handle(1, Input::Peer(message), START);
    assert_eq!(reached, [3 - chosen]);
}

/// [MQTT5-3.3.2-5]
#[test]
fn what_expires_on_its_way_is_not_delivered() {
    for (late_ms, is_delivered) in [(0, true), (1_000, true), (1_001, false)] {
        let mut two = Two::with_a_group();
        let (_, mut mail) = two.step(0, 9, PUBLISH);
        let letter = mail.pop().expect("it is for the other shard");
        let message = letter.iter().next().expect("it says something");
        let (reached, _) = two.handle(1, Input::Peer(message), START.plus_millis(late_ms));
        assert_eq!(reached.len(), usize::from(is_delivered), "{late_ms} ms later");
    }
}

/// [MQTT5-3.3.2-5]
#[test]
fn what_expires_on_its_way_from_one_member_that_has_ended_to_another_is_not_passed_on() {
    for (late_ms, is_delivered) in [(999, true), (1_000, false)] {
        let mut two = Two::new();
        for (shard, number, connection) in [(1, 0, 1), (0, 0, 2), (0, 1, 3), (1, 1, 9)] {
            let connect = connect(&two.name(shard, number));
            two.step(shard, connection, &connect);
        }
        two.step(1, 1, &[SUBSCRIBE, b"\x01"].concat());
        two.step(1, 9, PUBLISH);
        two.step(0, 2, &[SUBSCRIBE, b"\x01"].concat());
        let (_, mut mail) = two.handle(1, Input::Closed { connection: ConnectionId(1) }, START);
        let letter = mail.pop().expect("the first member has left it to the second");
        let message = letter.iter().next().expect("it says something");
        two.step(0, 3, &[SUBSCRIBE, b"\0"].concat());
        two.handle(0, Input::Closed { connection: ConnectionId(2) }, START);
        let (reached, _) = two.handle(0, Input::Peer(message), START.plus_millis(late_ms));
        assert_eq!(reached.len(), usize::from(is_delivered), "{late_ms} ms later");
    }
}
