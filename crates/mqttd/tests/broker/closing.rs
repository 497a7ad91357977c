//! Owns the proof of how connections end before the broker does.

use std::io::Write as _;
use std::net::Shutdown;

use crate::bytes;
use crate::harness::{Broker, PATIENCE};

#[test]
fn a_packet_over_the_limit_is_answered_although_the_client_goes_on_sending() {
    let broker = Broker::start(&["--workers", "1", "--set", "limits.packet_bytes_max=1000"]);
    let mut other = broker.connect("other");
    let mut peer = broker.open();
    peer.send(&bytes::connect_v5("large"));
    assert_eq!(peer.receive().0, 0x20);
    // A PUBLISH of exactly the limit is none too large.
    let payload = |bytes: usize| vec![0; bytes - 3 - 3 - 1];
    let publish = |bytes: usize| bytes::packet(0x30, &[&bytes::prefixed("t"), &[0], &payload(bytes)]);
    assert_eq!(publish(1000).len(), 1000);
    peer.send(&publish(1000));
    peer.ping();
    peer.send(&publish(1001));
    peer.send(&[0; 100_000]);
    let (first, body) = peer.receive();
    assert_eq!((first, body[0]), (0xE0, 0x95));
    peer.expect_end();
    // What is still sent is taken for a while: bytes to a closed socket would be answered by a reset,
    // after which the next could not be sent. The pings give the broker time to do either.
    for late in [b"late", b"more"] {
        other.ping();
        peer.send(late);
    }
}

#[test]
fn a_client_that_never_closes_is_closed() {
    let broker = Broker::start(&[]);
    let mut peer = broker.connect("endless");
    peer.send(bytes::DISCONNECT_V311);
    peer.expect_end();
    let begun = std::time::Instant::now();
    while peer.socket.write_all(&[0; 1000]).is_ok() {
        assert!(begun.elapsed() < PATIENCE, "the broker reads for ever");
        std::thread::yield_now();
    }
}

#[test]
fn what_was_sent_before_a_disconnect_counts_and_nothing_behind_it() {
    for workers in ["1", "4"] {
        let broker = Broker::start(&["--workers", workers]);
        let mut subscriber = broker.subscriber("s", "t", 0);
        let mut publisher = broker.connect("p");
        let before = bytes::publish("t", b"before");
        publisher.send(
            &[&before, bytes::DISCONNECT_V311, &bytes::publish("t", b"behind"), bytes::PINGREQ].concat(),
        );
        publisher.expect_end();
        subscriber.expect(&before);
        subscriber.ping();
    }
}

#[test]
fn what_was_sent_before_a_client_stopped_writing_counts_and_the_end_behind_it_is_seen() {
    for workers in ["1", "4"] {
        let broker = Broker::start(&["--workers", workers]);
        let mut subscriber = broker.subscriber("s", "t", 0);
        // Less than one read takes, as much, and more: the end is announced once, with what is before it.
        for payload_bytes in [1, 1000, 64 * 1024 - 6 - 1, 300_000] {
            let mut publisher = broker.connect("p");
            let message = bytes::publish("t", &vec![b'x'; payload_bytes]);
            publisher.send(&message);
            publisher.socket.shutdown(Shutdown::Write).expect("a socket");
            publisher.expect_end();
            subscriber.expect(&message);
        }
    }
}

#[test]
fn a_client_that_only_stops_writing_has_gone() {
    let broker = Broker::start(&[]);
    let mut peer = broker.connect("half");
    peer.socket.shutdown(Shutdown::Write).expect("a socket");
    peer.expect_end();
}

#[test]
fn a_second_connection_of_a_client_ends_the_first() {
    for workers in ["1", "4"] {
        let broker = Broker::start(&["--workers", workers]);
        let mut first = broker.open();
        first.send(&bytes::connect_v5("same"));
        assert_eq!(first.receive().0, 0x20);
        broker.connect("same").ping();
        let (packet, body) = first.receive();
        assert_eq!((packet, body[0]), (0xE0, 0x8E));
        first.expect_end();
    }
}
