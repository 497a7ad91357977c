//! Owns the proof of what happens when two shards take a step at the same time: the one retains a message, the other's
//! client subscribes to its topic.

use broker_core::{
    ConnectionId, Contents, Effect, Effects, Input, Node, PeerBatch, Shard, ShardId, Timestamp,
    config::Config,
};
use mqtt_codec::{Packet, PacketRef, ProtocolVersion::V5, frame};
use std::sync::{
    Arc, Mutex,
    atomic::{AtomicU32, Ordering::SeqCst},
};

const START: Timestamp = Timestamp::from_millis(1_000);
const CLIENT: ConnectionId = ConnectionId(1);
const SUBSCRIBE: &[u8] = b"\x82\x07\0\x01\0\0\x01t\0";
const UNSUBSCRIBE: &[u8] = b"\xa2\x06\0\x02\0\0\x01t";

/// Before the one waited for the other, two to five messages of 20,000 were heard of by nobody.
const ROUNDS: u32 = 100_000;

/// A shard with a client.
struct Side {
    node: Arc<Node>,
    shard: Shard,
}

impl Side {
    fn new(node: &Arc<Node>, id: ShardId) -> Self {
        let mut side = Self { node: Arc::clone(node), shard: Shard::new(Arc::clone(node), id, 1, START) };
        let names = (b'a'..=b'z').map(char::from).map(String::from);
        let name = names.into_iter().find(|name| node.shard_of(name) == id).expect("half of them");
        let connect = [b"\x10\x0e\0\x04MQTT\x05\x02\0\0\0\0\x01", name.as_bytes()].concat();
        side.take(&connect);
        side
    }

    /// Takes a packet of the client; what is published to it, and what the other shard is told.
    fn take(&mut self, bytes: &[u8]) -> (Vec<Vec<u8>>, Vec<PeerBatch>) {
        let frame = frame(bytes, V5, 1_000).expect("a frame").expect("whole");
        self.handle(match PacketRef::decode(frame, V5).expect("a packet") {
            Packet::Connect(connect) => Input::Connect { connection: CLIENT, connect },
            packet => Input::Packet { connection: CLIENT, packet, frame: frame.bytes },
        })
    }

    fn handle(&mut self, input: Input<'_>) -> (Vec<Vec<u8>>, Vec<PeerBatch>) {
        let mut effects = Effects::new();
        self.shard.handle(input, START, &mut effects);
        let (list, contents) = effects.contents();
        let published = list.iter().filter_map(|effect| payload(*effect, &contents)).collect();
        effects.clear();
        let mail = effects.mail().take_singly();
        (published, mail.into_iter().map(|(_, letter)| letter).collect())
    }

    /// Takes what the other shard has said, then what is due.
    fn settle(&mut self, mail: &[PeerBatch]) -> Vec<Vec<u8>> {
        let mut published = Vec::new();
        for message in mail.iter().flatten() {
            published.extend(self.handle(Input::Peer(message)).0);
        }
        while self.shard.next_deadline() == Some(Timestamp::ZERO) {
            published.extend(self.handle(Input::Tick).0);
        }
        published
    }
}

/// The last four bytes of a PUBLISH: the payloads of this test.
fn payload(effect: Effect, contents: &Contents<'_>) -> Option<Vec<u8>> {
    let (Effect::Send { frame, .. } | Effect::SendNumbered { frame, .. }) = effect else { return None };
    let bytes = contents.bytes(frame);
    (bytes[0] >> 4 == 3).then(|| bytes[bytes.len() - 4..].to_vec())
}

/// [MQTT5-3.3.1-9]
#[test]
#[expect(clippy::disallowed_methods, reason = "two steps at the same time are what is tested")]
fn who_subscribes_while_a_message_is_retained_hears_of_it_one_way_or_the_other() {
    let node = Node::new(Config::default(), 2, 1);
    let (mut subscriber, mut publisher) = (Side::new(&node, ShardId(0)), Side::new(&node, ShardId(1)));
    let (begun, ended) = (AtomicU32::new(0), AtomicU32::new(0));
    let mail = Mutex::new(Vec::new());
    let wait_for = |counter: &AtomicU32, round| {
        while counter.load(SeqCst) < round {
            std::hint::spin_loop();
        }
    };
    let mut lost = Vec::new();
    std::thread::scope(|scope| {
        scope.spawn(|| {
            for round in 1..=ROUNDS {
                wait_for(&begun, round);
                let publish = [b"\x31\x08\0\x01t\0", &round.to_be_bytes()[..]].concat();
                let told = publisher.take(&publish).1;
                mail.lock().expect("no panic").extend(told);
                ended.store(round, SeqCst);
            }
        });
        for round in 1..=ROUNDS {
            begun.store(round, SeqCst);
            // Now earlier, now later within the other's step.
            for _ in 0..round % 64 {
                std::hint::spin_loop();
            }
            let mut published = subscriber.take(SUBSCRIBE).0;
            wait_for(&ended, round);
            let told = std::mem::take(&mut *mail.lock().expect("no panic"));
            published.extend(subscriber.settle(&told));
            if !published.contains(&round.to_be_bytes().to_vec()) {
                lost.push(round);
            }
            subscriber.take(UNSUBSCRIBE);
        }
    });
    assert!(lost.is_empty(), "{} of {ROUNDS} rounds, the first of them {}", lost.len(), lost[0]);
    assert!(node.retained.get("t", START).is_some());
    assert_eq!(subscriber.node.subscriptions.counts().subscriptions, 0);
}
