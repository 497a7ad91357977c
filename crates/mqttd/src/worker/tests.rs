//! Owns the proof that a worker stops reading its clients when another does not take its mail, and goes
//! on when it does. The other worker is played by the test.

use std::io::{ErrorKind, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::Barrier;
use std::time::{Duration, Instant};

use broker_core::PeerMessage;
use broker_core::config::Config;
use mqtt_codec::{Packet, PacketRef, ProtocolVersion, frame};

use super::*;
use crate::handshake::Arrival;
use crate::log::Level;
use crate::transport::Transport;

const PAYLOAD_BYTES: usize = 100_000;
const PATIENCE: Duration = Duration::from_secs(30);

/// A worker that keeps everything in memory and has its thread for itself.
pub(super) fn plan(id: ShardId, node: &Arc<Node>, mailboxes: &Arc<[Mailbox]>) -> Plan {
    Plan {
        id,
        bed: Bed::new(EVENTS_MAX).expect("a descriptor"),
        node: Arc::clone(node),
        mailboxes: Arc::clone(mailboxes),
        everyone: Arc::new(Barrier::new(1)),
        seed: 0,
        durable: None,
        clock: Clock::start(0),
        log: Log::to_standard_error(Level::Error),
        place: None,
    }
}

/// A CONNECT of a 3.1.1 client whose identifier is this letter.
fn connect(client_id: u8) -> Vec<u8> {
    [&b"\x10\x0d\0\x04MQTT\x04\x02\0\0\0\x01"[..], &[client_id]].concat()
}

/// Subscribes a session of the shard that has no worker to `t`.
fn subscribe(node: &Arc<Node>) {
    let mut shard = Shard::new(Arc::clone(node), ShardId(1), 0, Timestamp::ZERO);
    let (mut effects, connection) = (Effects::new(), ConnectionId(0));
    let version = ProtocolVersion::V311;
    for bytes in [connect(b's'), b"\x82\x06\0\x01\0\x01t\x01".to_vec()] {
        let frame = frame(&bytes, version, 100).expect("a packet").expect("a whole one");
        let input = match PacketRef::decode(frame, version).expect("a good one") {
            Packet::Connect(connect) => Input::Connect { connection, connect },
            packet => Input::Packet { connection, packet, frame: frame.bytes },
        };
        shard.handle(input, Timestamp::ZERO, &mut effects);
    }
}

/// A socket and the client at its other end.
fn pair() -> (TcpStream, TcpStream) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let client = TcpStream::connect(listener.local_addr().expect("bound")).expect("it listens");
    let (socket, _) = listener.accept().expect("a connection");
    for socket in [&socket, &client] {
        socket.set_nonblocking(true).expect("a socket");
    }
    (socket, client)
}

/// Takes the mail of the worker that the test plays and tells how many messages it was.
fn take(mailboxes: &[Mailbox]) -> usize {
    let (mut mail, mut held_back) = (Vec::new(), Vec::new());
    mailboxes[1].take(&mut mail, &mut held_back, &mut Vec::new());
    for sender in held_back {
        mailboxes[usize::from(sender.0)].nudge();
    }
    let batches = mail.iter().filter_map(|mail| match mail {
        Mail::Peers(batch) => Some(batch.iter()),
        _ => None,
    });
    batches.flatten().filter(|message| matches!(message, PeerMessage::Deliver(_))).count()
}

#[test]
fn a_worker_whose_mail_is_not_taken_stops_reading_and_goes_on_when_it_is() {
    let node = Node::new(Config::default(), 2, 0);
    let mailboxes: Arc<[Mailbox]> = [Mailbox::default(), Mailbox::default()].into();
    subscribe(&node);
    let plan = plan(ShardId(0), &node, &mailboxes);
    let is_here = |letter: &u8| plan.node.shard_of(str::from_utf8(&[*letter]).expect("a letter")) == plan.id;
    let publisher = (b'a'..=b'z').find(is_here).expect("half of them");
    let worker = start(plan, (), ()).expect("a thread");
    let (socket, mut client) = pair();
    let (transport, received) = (Transport::adopt(mio::net::TcpStream::from_std(socket)), connect(publisher));
    mailboxes[0].put(Mail::Arrivals(vec![Arrival { transport, label: None, received }]));

    // Whole packets of QoS 1, more than fit into the mailbox and the system's buffers.
    let packet_bytes = 1 + 3 + 3 + 2 + PAYLOAD_BYTES;
    let mut packet = vec![0x32, 0xA5, 0x8D, 0x06, 0, 1, b't', 0, 1];
    packet.resize(packet_bytes, b'x');
    let (mut sent, mut taken, mut blocked_since) = (0, 0, None);
    let begun = Instant::now();
    let total = 400 * packet_bytes;
    while sent < total {
        assert!(begun.elapsed() < PATIENCE, "{sent} of {total} bytes were read");
        match client.write(&packet[sent % packet_bytes..]) {
            Ok(count) => {
                sent += count;
                blocked_since = None;
            }
            Err(error) if error.kind() == ErrorKind::WouldBlock => {
                let since = *blocked_since.get_or_insert_with(Instant::now);
                if mailboxes[1].has_room() || since.elapsed() < Duration::from_millis(100) {
                    std::thread::yield_now();
                    continue;
                }
                // The worker reads no more: what waits is what was in one turn above the limit.
                let count = take(&mailboxes);
                assert!(count * PAYLOAD_BYTES < 2 * mailbox::MAIL_BYTES_MAX, "{count} messages waited");
                taken += count;
            }
            Err(error) => panic!("{error}"),
        }
    }
    assert!(taken > 0, "the worker was never held back");
    while taken < 400 {
        assert!(begun.elapsed() < PATIENCE, "{taken} of 400 messages were posted");
        taken += take(&mailboxes);
    }
    mailboxes[0].put(Mail::Shutdown);
    let mut answers = Vec::new();
    client.set_nonblocking(false).expect("a socket");
    client.read_to_end(&mut answers).expect("the end");
    drop(client);
    worker.join().expect("no panic");
}
