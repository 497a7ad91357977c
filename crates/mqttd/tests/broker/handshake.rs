//! Owns the proof of what a connection may begin with, and how long it may take.

use crate::bytes;
use crate::harness::Broker;

#[test]
fn a_client_connects_and_pings_with_any_number_of_workers() {
    for workers in ["1", "4"] {
        let broker = Broker::start(&["--workers", workers]);
        for client_id in ["", "a", "b", "c", "d", "e", "f"] {
            broker.connect(client_id).ping();
        }
        let mut v5 = broker.open();
        v5.send(&bytes::connect_v5("five"));
        let (first, body) = v5.receive();
        assert_eq!((first, &body[..2]), (0x20, &[0, 0][..]));
        v5.ping();
    }
}

#[test]
fn packets_behind_the_connect_are_handled_whatever_the_pieces_they_come_in() {
    for workers in ["1", "4"] {
        let broker = Broker::start(&["--workers", workers]);
        let all = [
            bytes::connect_v311("pipeline"),
            bytes::subscribe_v311(7, "t", 1),
            bytes::publish_qos1(9, "t", b"one"),
            bytes::publish("t", &[b'x'; 20_000]),
            bytes::PINGREQ.to_vec(),
        ]
        .concat();
        for piece in [all.len(), 1, 2, 7, 1000] {
            let mut peer = broker.open();
            let pieces = all.chunks(piece);
            // The large packet byte by byte would only take time.
            let (first, rest) = if piece < 100 { (100, 50) } else { (all.len(), 1) };
            for piece in all[..first].chunks(piece).chain(all[first..].chunks(rest.max(pieces.len()))) {
                peer.send(piece);
            }
            peer.expect(bytes::CONNACK_V311);
            peer.expect(&[0x90, 3, 0, 7, 1]);
            // The acknowledgement and the delivery come in either order.
            let (mut packets, mut deliveries) = (Vec::new(), Vec::new());
            for _ in 0..4 {
                let (first, body) = peer.receive();
                packets.push(first);
                if first & 0xF0 == 0x30 {
                    deliveries.push(body.len());
                }
            }
            packets.sort_unstable();
            assert_eq!(packets, [0x30, 0x32, 0x40, 0xD0]);
            assert_eq!(deliveries, [3 + 2 + 3, 3 + 20_000]);
        }
    }
}

/// [MQTT5-3.1.0-1] [MQTT311-3.1.0-1]
#[test]
fn anything_but_a_connect_comes_to_nothing() {
    let broker = Broker::start(&["--workers", "2"]);
    for first in [
        bytes::PINGREQ.to_vec(),
        bytes::publish("t", b"x"),
        bytes::subscribe_v311(1, "t", 0),
        bytes::DISCONNECT_V311.to_vec(),
        b"GET / HTTP/1.1\r\n\r\n".to_vec(),
        vec![0; 100],
        vec![0x11],
        vec![0x10, 0xFF, 0xFF, 0xFF, 0xFF],
    ] {
        let mut peer = broker.open();
        peer.send(&first);
        peer.expect_gone();
    }
    broker.connect("still served").ping();
}

/// [MQTT5-3.1.2-2] [MQTT311-3.1.2-2]
#[test]
fn a_connect_that_cannot_be_accepted_is_answered_and_the_answer_arrives() {
    let broker = Broker::start(&["--workers", "2"]);
    let unknown_version = bytes::packet(0x10, &[&bytes::prefixed("MQTT"), &[6, 2, 0, 0, 0, 0, 0]]);
    let reserved_flag = bytes::packet(0x10, &[&bytes::prefixed("MQTT"), &[5, 3, 0, 0, 0, 0, 0]]);
    for (connect, reason) in [(unknown_version, 0x84), (reserved_flag, 0x81)] {
        let mut peer = broker.open();
        // What comes behind it is unread when the broker closes, and must not cost the answer.
        peer.send(&[connect, vec![0; 10_000]].concat());
        let (first, body) = peer.receive();
        assert_eq!((first, body[0], body[1]), (0x20, 0, reason));
        peer.expect_end();
    }
}

#[test]
fn a_connect_over_the_limit_is_refused_before_it_is_there() {
    let broker = Broker::start(&["--set", "limits.packet_bytes_max=1000"]);
    let mut peer = broker.open();
    peer.send(&[0x10, 0xE6, 0x07]);
    peer.expect_gone();
    // One of exactly the limit: 3 bytes of header, 10 of CONNECT, 2 and the rest for the client id.
    let mut peer = broker.open();
    let connect = bytes::connect_v311(&"x".repeat(1000 - 3 - 10 - 2));
    assert_eq!(connect.len(), 1000);
    peer.send(&connect);
    peer.expect(bytes::CONNACK_V311);
}

#[test]
fn who_does_not_connect_in_time_is_cut_off() {
    let broker = Broker::start(&["--set", "limits.connect_timeout_ms=50"]);
    let connect = bytes::connect_v311("late");
    for said in [0, 1, connect.len() - 1] {
        let mut peer = broker.open();
        peer.send(&connect[..said]);
        peer.expect_gone();
    }
}

#[test]
fn who_goes_before_connecting_leaves_nothing_behind() {
    let broker = Broker::start(&["--workers", "2"]);
    for said in [0, 5] {
        let mut peer = broker.open();
        peer.send(&bytes::connect_v311("gone")[..said]);
    }
    broker.connect("still served").ping();
}
