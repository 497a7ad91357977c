//! A thread is played by the test: its bed tells of connections, those of the worker's own bed included.

use std::io::{ErrorKind, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;
use std::time::{Duration, Instant};

use broker_core::Node;
use broker_core::config::Config;

use super::*;
use crate::bed::Bed;
use crate::handshake::Arrival;
use crate::listener::{Doors, Listener};
use crate::transport::Transport;
use crate::worker::tests::plan;
use crate::worker::{EVENTS_MAX, Mail, Mailbox};

const OWN: Token = Token(0);
const PATIENCE: Duration = Duration::from_secs(30);

/// A thread that hosts one worker as if it were one of several.
struct Thread {
    worker: Worker,
    bed: Bed,
    mailboxes: Arc<[Mailbox]>,
    now: Timestamp,
    listener: TcpListener,
    clients: usize,
}

/// How often a connection was told of by the worker's bed and by the thread's.
#[derive(Debug, Default, PartialEq)]
struct Told {
    by_worker: usize,
    by_thread: usize,
}

impl Thread {
    fn begin() -> Self {
        let mailboxes: Arc<[Mailbox]> = [Mailbox::default()].into();
        let node = Node::new(Config::default(), 1, 0);
        let worker = Worker::new(plan(ShardId(0), &node, &mailboxes));
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let bed = Bed::new(EVENTS_MAX).expect("a descriptor");
        let mut thread =
            Self { worker, bed, mailboxes, now: Timestamp::from_millis(5_000), listener, clients: 0 };
        // A first turn, which tells it the time.
        thread.round();
        thread.host();
        thread
    }

    fn host(&mut self) {
        self.bed.watch(&self.worker.bed, OWN).expect("room");
        let registry = self.bed.registry().try_clone().expect("a descriptor");
        self.worker.come_near(Near::new(registry, ShardId(0), 1));
    }

    /// The worker goes to another thread.
    fn leave(&mut self) {
        self.worker.go_away();
        self.bed.unwatch(&self.worker.bed).expect("it is watched");
        self.bed = Bed::new(EVENTS_MAX).expect("a descriptor");
    }

    /// What the thread does with what its bed tells of.
    fn round(&mut self) -> Told {
        let mut told = Told::default();
        self.bed.look();
        let mut has_events = false;
        for event in self.bed.events() {
            match Near::place_of(event.token(), 1) {
                Some((0, place)) => {
                    self.worker.note_near(place, event);
                    told.by_thread += 1;
                }
                Some(_) => {}
                None => has_events = true,
            }
        }
        while has_events {
            let ready = self.worker.ready.len();
            has_events = self.worker.take_events();
            told.by_worker += self.worker.ready.len() - ready;
        }
        self.worker.begin_turn(self.now);
        self.worker.end_turn();
        told
    }

    /// A client that is connected.
    fn client(&mut self) -> TcpStream {
        let hello = self.hello();
        self.connect(hello)
    }

    /// A client whose CONNECT this is.
    fn connect(&mut self, received: Vec<u8>) -> TcpStream {
        let client = TcpStream::connect(self.listener.local_addr().expect("bound")).expect("it listens");
        let (socket, _) = self.listener.accept().expect("a connection");
        socket.set_nonblocking(true).expect("a socket");
        client.set_nonblocking(true).expect("a socket");
        let transport = Transport::adopt(mio::net::TcpStream::from_std(socket));
        self.mailboxes[0].put(Mail::Arrivals(vec![Arrival { transport, label: None, received }]));
        self.expect(&client, b"\x20\x02\0\0");
        client
    }

    /// The CONNECT of another client.
    fn hello(&mut self) -> Vec<u8> {
        self.clients += 1;
        let name = format!("{:04}", self.clients);
        [b"\x10\x10\0\x04MQTT\x04\x02\0\0\0\x04", name.as_bytes()].concat()
    }

    /// Gives the worker its turns until a client has got this, and tells how it was told of.
    fn expect(&mut self, mut client: &TcpStream, expected: &[u8]) -> Told {
        let (begun, mut all, mut received) = (Instant::now(), Told::default(), vec![0; expected.len()]);
        let mut count = 0;
        while count < expected.len() {
            assert!(begun.elapsed() < PATIENCE, "{count} of {} bytes came", expected.len());
            let told = self.round();
            all.by_thread += told.by_thread;
            all.by_worker += told.by_worker;
            match client.read(&mut received[count..]) {
                Ok(more) => count += more,
                Err(error) => assert_eq!(error.kind(), ErrorKind::WouldBlock),
            }
        }
        assert_eq!(received, expected);
        all
    }

    fn ping(&mut self, mut client: &TcpStream) -> Told {
        client.write_all(b"\xc0\0").expect("it is read");
        self.expect(client, b"\xd0\0")
    }

    /// So many connections are near, before long.
    fn expect_near(&mut self, expected: usize) {
        let begun = Instant::now();
        while self.near().count() != expected {
            assert!(begun.elapsed() < PATIENCE, "{} are near", self.near().count());
            self.round();
        }
    }

    fn near(&self) -> impl Iterator<Item = ConnectionId> {
        self.worker.near.iter().flat_map(|near| near.places.iter().map(|(_, &id)| id))
    }
}

#[test]
fn a_connection_that_has_spoken_is_told_of_by_the_thread() {
    let mut thread = Thread::begin();
    let client = thread.client();
    assert_eq!(thread.near().count(), 0);
    assert_eq!(thread.ping(&client).by_worker, 1);
    for _ in 0..3 {
        thread.expect_near(1);
        let Told { by_worker, by_thread } = thread.ping(&client);
        assert!(by_worker == 0 && by_thread > 0, "{by_worker} and {by_thread} times");
    }
}

#[test]
fn what_has_come_when_a_connection_changes_hands_is_read() {
    let mut thread = Thread::begin();
    let mut client = thread.client();
    thread.ping(&client);
    for _ in 0..3 {
        // Before anybody looks.
        client.write_all(b"\xc0\0").expect("it is read");
        thread.leave();
        assert_eq!(thread.near().count(), 0);
        thread.host();
        assert!(thread.expect(&client, b"\xd0\0").by_worker > 0);
        thread.expect_near(1);
    }
}

#[test]
fn beyond_the_last_place_the_worker_tells_until_those_that_speak_have_their_turn() {
    let mut thread = Thread::begin();
    let clients: Vec<_> = (0..NEAR_MAX + 2).map(|_| thread.client()).collect();
    let (late, others) = clients.split_last().expect("many");
    for client in others {
        thread.ping(client);
    }
    assert_eq!(thread.near().count(), NEAR_MAX);
    for _ in 0..3 {
        assert_eq!(thread.ping(late).by_worker, 1);
    }
    thread.now = thread.now.plus_millis(TURNOVER_MS);
    // The turn before is what tells the time.
    thread.round();
    thread.ping(late);
    thread.expect_near(1);
    assert_eq!(thread.ping(late).by_worker, 0);
    for client in others {
        thread.ping(client);
    }
    assert_eq!(thread.near().count(), NEAR_MAX);
}

#[test]
fn clients_are_accepted_whoever_watches_the_listeners() {
    let mut thread = Thread::begin();
    let bind = |_| Listener::bind("127.0.0.1:0".parse().expect("an address")).expect("a free port");
    let listeners: Vec<_> = (0..=DOORS_MAX).map(bind).collect();
    let addresses: Vec<_> = listeners.iter().map(Listener::address).collect();
    listeners.iter().for_each(|listener| listener.listen().expect("it is ours"));
    let doors = Doors::open(listeners, thread.worker.bed.registry()).expect("room");
    thread.mailboxes[0].put(Mail::Doors(doors));
    thread.round();
    for _ in 0..3 {
        for (place, address) in addresses.iter().enumerate() {
            let mut client = TcpStream::connect(address).expect("it listens");
            client.set_nonblocking(true).expect("a socket");
            client.write_all(&thread.hello()).expect("it is read");
            let Told { by_thread, .. } = thread.expect(&client, b"\x20\x02\0\0");
            assert_eq!(by_thread > 0, place < DOORS_MAX, "listener {place}");
        }
        // What comes while it changes hands is not lost.
        let late: Vec<_> = addresses.iter().map(TcpStream::connect).collect();
        thread.leave();
        thread.host();
        for mut client in late.into_iter().map(|client| client.expect("it listens")) {
            client.set_nonblocking(true).expect("a socket");
            client.write_all(&thread.hello()).expect("it is read");
            thread.expect(&client, b"\x20\x02\0\0");
        }
    }
}

#[test]
fn the_place_of_a_connection_that_has_gone_is_free() {
    let mut thread = Thread::begin();
    let client = thread.client();
    thread.ping(&client);
    thread.expect_near(1);
    drop(client);
    thread.expect_near(0);
    assert!(thread.worker.connections.is_empty());
}

#[test]
fn one_that_cannot_be_watched_any_more_ends_for_the_engine_as_well() {
    let mut thread = Thread::begin();
    let mut witness = thread.client();
    witness.write_all(b"\x82\x06\0\x01\0\x01w\0").expect("it is read");
    thread.expect(&witness, b"\x90\x03\0\x01\0");
    let mut client = thread.connect(b"\x10\x13\0\x04MQTT\x04\x06\0\0\0\x01c\0\x01w\0\x01x".to_vec());
    thread.ping(&client);
    thread.expect_near(2);
    // A socket that is watched already is refused.
    let id = thread.near().max_by_key(|id| id.0).expect("two");
    let connection = thread.worker.connections.get_mut(id).expect("it is there");
    connection.transport.register(thread.worker.bed.registry(), Token(usize::MAX / 2)).expect("room");
    // What it has said is still heard, and then it is lost: its Will is published.
    client.write_all(b"\x30\x04\0\x01wy").expect("it is read");
    thread.leave();
    thread.host();
    thread.expect(&witness, b"\x30\x04\0\x01wy\x30\x04\0\x01wx");
    assert!(thread.worker.connections.get(id).is_none());
}

#[test]
fn of_one_that_takes_no_more_the_worker_tells_when_it_does() {
    const BYTES: usize = 64 * 1024 * 1024;
    let mut thread = Thread::begin();
    let mut client = thread.client();
    thread.ping(&client);
    let id = thread.near().next().expect("it has spoken");
    thread.worker.append(id, |outbox, pool| outbox.copy(&vec![0; BYTES], pool).len());
    thread.expect_near(0);
    let (begun, mut received, mut part) = (Instant::now(), 0, vec![0; 1024 * 1024]);
    while received < BYTES {
        assert!(begun.elapsed() < PATIENCE, "{received} bytes came");
        match client.read(&mut part) {
            Ok(count) => received += count,
            Err(error) => assert_eq!(error.kind(), ErrorKind::WouldBlock),
        }
        thread.round();
    }
    thread.ping(&client);
}
