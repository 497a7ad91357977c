//! Owns the proof that clients notice nothing of it when their workers change threads.

use std::io::{ErrorKind, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::Barrier;
use std::sync::mpsc::{SyncSender, sync_channel};
use std::thread::{self, JoinHandle};
use std::time::Instant;

use broker_core::Node;
use broker_core::config::Config;
use mqtt_codec::packet::Delivery;
use mqtt_codec::{Packet, PacketRef, ProtocolVersion, frame};

use super::*;
use crate::handshake::Arrival;
use crate::transport::Transport;
use crate::worker::tests::plan;
use crate::worker::{Mail, Plan, start};

const WORKERS: usize = 3;
const CLIENTS: u8 = 4;
const VERSION: ProtocolVersion = ProtocolVersion::V311;
/// A message's place in its publisher's stream, and after the last one this.
const END: u32 = u32::MAX;
const PATIENCE: Duration = Duration::from_secs(60);
/// How often workers are to have changed threads.
const MOVES_MIN: usize = 50;

/// Workers spread and gather whenever a window ends.
const RESTLESS: Rule = Rule {
    window: Duration::from_millis(1),
    long_round: Duration::ZERO,
    short_round: Duration::MAX,
    busy_min: 0,
    busy_max: u32::MAX,
    patience_min: Duration::ZERO,
    patience_max: Duration::ZERO,
};

/// Starts workers and threads; the crew is what the test looks at.
fn begin(node: &Arc<Node>, mailboxes: &Arc<[Mailbox]>, rule: Rule) -> (Arc<Crew>, Vec<JoinHandle<()>>) {
    let everyone = Arc::new(Barrier::new(WORKERS));
    let places = Crew::assemble(mailboxes, rule).expect("descriptors");
    let crew = Arc::clone(&places[0].crew);
    let start = |(id, place)| {
        let (everyone, place) = (Arc::clone(&everyone), Some(place));
        let plan = Plan { everyone, place, ..plan(id, node, mailboxes) };
        start(plan, (), ()).expect("a thread")
    };
    let threads = node.shards().zip(places).map(start).collect();
    (crew, threads)
}

/// How many workers each thread has.
fn arrangement(crew: &Crew) -> Vec<usize> {
    crew.desks.iter().map(|desk| desk.state.lock().workers).collect()
}

/// A client whose session is with its worker.
fn connect(node: &Node, mailboxes: &[Mailbox], client_id: &str) -> TcpStream {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let mut client = TcpStream::connect(listener.local_addr().expect("bound")).expect("it listens");
    let (socket, _) = listener.accept().expect("a connection");
    socket.set_nonblocking(true).expect("a socket");
    client.set_read_timeout(Some(PATIENCE)).expect("a socket");
    let mut received = b"\x10\x0e\0\x04MQTT\x04\x02\0\0\0\x02".to_vec();
    received.extend(client_id.as_bytes());
    let mailbox = &mailboxes[usize::from(node.shard_of(client_id).0)];
    let transport = Transport::adopt(mio::net::TcpStream::from_std(socket));
    mailbox.put(Mail::Arrivals(vec![Arrival { transport, label: None, received }]));
    expect(&mut client, b"\x20\x02\0\0");
    client
}

fn expect(client: &mut TcpStream, expected: &[u8]) {
    let mut answer = vec![0; expected.len()];
    client.read_exact(&mut answer).expect("an answer");
    assert_eq!(answer, expected);
}

/// Publishes to all, a few at a time, until it is told to stop; tells how many it were.
fn publish(mut client: TcpStream, publisher: u8, stop: &AtomicBool) -> u32 {
    let send = |place: u32, client: &mut TcpStream| {
        let mut packet = b"\x32\x0a\0\x01t\0\x01".to_vec();
        packet.push(publisher);
        packet.extend(place.to_be_bytes());
        client.write_all(&packet).expect("it is read");
    };
    let mut sent = 0;
    while !stop.load(SeqCst) {
        for _ in 0..1 + sent % 5 {
            send(sent, &mut client);
            sent += 1;
            expect(&mut client, b"\x40\x02\0\x01");
        }
    }
    send(END, &mut client);
    expect(&mut client, b"\x40\x02\0\x01");
    sent
}

/// Receives until all publishers have ended, and tells how many messages of each came, each in its turn and once.
fn receive(mut client: TcpStream, done: &SyncSender<Vec<u32>>) {
    let (mut next, mut ended) = (vec![0; CLIENTS.into()], 0);
    let (mut received, mut part) = (Vec::new(), [0; 4096]);
    while ended < CLIENTS {
        let count = client.read(&mut part).expect("messages");
        assert!(count > 0, "the broker has closed");
        received.extend(&part[..count]);
        let (mut read, mut acknowledged) = (0, Vec::new());
        while let Some(frame) = frame(&received[read..], VERSION, 100).expect("packets") {
            read += frame.bytes.len();
            let Ok(Packet::Publish(message)) = PacketRef::decode(frame, VERSION) else { panic!("a message") };
            let place = u32::from_be_bytes(message.payload[1..].try_into().expect("four bytes"));
            let expected = &mut next[usize::from(message.payload[0])];
            if place == END {
                ended += 1;
            } else {
                assert_eq!(place, *expected, "of publisher {}", message.payload[0]);
                *expected += 1;
            }
            let Delivery::AtLeastOnce { packet_id, .. } = message.delivery else { panic!("a QoS 1 message") };
            let packet_id = packet_id.get().to_be_bytes();
            acknowledged.extend([0x40, 2, packet_id[0], packet_id[1]]);
        }
        received.drain(..read);
        client.write_all(&acknowledged).expect("it is read");
    }
    done.send(next).expect("the test waits");
    // The broker ends the connection.
    match client.read(&mut part) {
        Ok(count) => assert_eq!(count, 0),
        Err(error) => assert_eq!(error.kind(), ErrorKind::ConnectionReset),
    }
}

#[test]
fn no_message_is_lost_or_overtaken_while_workers_change_threads() {
    let node = Node::new(Config::default(), WORKERS, 0);
    let mailboxes: Arc<[Mailbox]> = (0..WORKERS).map(|_| Mailbox::default()).collect();
    let (crew, threads) = begin(&node, &mailboxes, RESTLESS);
    let (done, all_done) = sync_channel(CLIENTS.into());
    let subscribers: Vec<_> = (0..CLIENTS)
        .map(|number| {
            let mut client = connect(&node, &mailboxes, &format!("s{number}"));
            client.write_all(b"\x82\x06\0\x01\0\x01t\x01").expect("it is read");
            expect(&mut client, b"\x90\x03\0\x01\x01");
            let done = done.clone();
            thread::spawn(move || receive(client, &done))
        })
        .collect();
    let stop = Arc::new(AtomicBool::new(false));
    let publishers: Vec<_> = (0..CLIENTS)
        .map(|number| {
            let client = connect(&node, &mailboxes, &format!("p{number}"));
            let stop = Arc::clone(&stop);
            thread::spawn(move || publish(client, number, &stop))
        })
        .collect();
    let (begun, mut moves, mut last) = (Instant::now(), 0, arrangement(&crew));
    while moves < MOVES_MIN {
        assert!(begun.elapsed() < PATIENCE, "workers moved {moves} times");
        let now = arrangement(&crew);
        moves += usize::from(now != last);
        last = now;
        thread::yield_now();
    }
    stop.store(true, SeqCst);
    let sent: Vec<u32> = publishers.into_iter().map(|thread| thread.join().expect("no panic")).collect();
    for _ in 0..CLIENTS {
        assert_eq!(all_done.recv_timeout(PATIENCE).expect("all messages"), sent);
    }
    for mailbox in mailboxes.iter() {
        mailbox.put(Mail::Shutdown);
    }
    for thread in subscribers.into_iter().chain(threads) {
        thread.join().expect("no panic");
    }
}

#[test]
fn all_workers_begin_on_one_thread_and_all_threads_end_with_the_last() {
    let node = Node::new(Config::default(), WORKERS, 0);
    let mailboxes: Arc<[Mailbox]> = (0..WORKERS).map(|_| Mailbox::default()).collect();
    let (crew, threads) = begin(&node, &mailboxes, Rule::default());
    let mut client = connect(&node, &mailboxes, "c0");
    client.write_all(b"\xc0\0").expect("it is read");
    expect(&mut client, b"\xd0\0");
    assert_eq!(arrangement(&crew), [WORKERS, 0, 0]);
    for mailbox in mailboxes.iter() {
        mailbox.put(Mail::Shutdown);
    }
    drop(client);
    for thread in threads {
        thread.join().expect("no panic");
    }
}

#[test]
fn gathering_in_vain_is_tried_less_and_less_often() {
    let (rule, second) = (Rule::default(), Duration::from_secs(1));
    let mut trials = Trials { patience: rule.patience_min, gathered: None };
    let mut patience = |gathered, spread| {
        trials.gathered = gathered;
        trials.judge(spread, &rule);
        trials.patience / rule.patience_min.as_millis().try_into().expect("small")
    };
    let ms = Duration::from_millis(1);
    assert_eq!([patience(Some(second), second), patience(None, 2 * second)], [2 * ms; 2]);
    let last = (0..10).map(|_| patience(Some(second), 2 * second)).last();
    assert_eq!(last, Some(32 * ms));
    assert_eq!(patience(Some(second), second + LASTING * rule.patience_min), ms);
}
