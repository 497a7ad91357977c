//! Owns the proof that bytes find their way: between workers, in large packets, in pieces, to many.

use crate::bytes;
use crate::harness::{Broker, Peer};

#[test]
fn every_client_reaches_every_other_whatever_worker_owns_it() {
    for workers in ["1", "4"] {
        let broker = Broker::start(&["--workers", workers]);
        let names: Vec<String> = (0..12).map(|number| format!("client-{number}")).collect();
        let mut clients: Vec<Peer> = names.iter().map(|name| broker.subscriber(name, "to/all", 0)).collect();
        for sender in 0..clients.len() {
            let packet = bytes::publish("to/all", names[sender].as_bytes());
            clients[sender].send(&packet);
            for client in &mut clients {
                client.expect(&packet);
            }
        }
    }
}

#[test]
fn one_publisher_is_received_in_order_by_every_subscriber() {
    for workers in ["1", "4"] {
        let broker = Broker::start(&["--workers", workers]);
        let mut subscribers: Vec<Peer> =
            (0..5).map(|number| broker.subscriber(&format!("s{number}"), "n", 0)).collect();
        let mut publisher = broker.connect("p");
        let stream: Vec<u8> =
            (0..10_000_u32).flat_map(|number| bytes::publish("n", &number.to_be_bytes())).collect();
        publisher.send(&stream);
        for subscriber in &mut subscribers {
            subscriber.expect(&stream);
        }
    }
}

#[test]
fn a_payload_of_any_size_arrives_unharmed() {
    for workers in ["1", "4"] {
        let broker = Broker::start(&["--workers", workers]);
        let mut subscribers = [broker.subscriber("s0", "large", 0), broker.subscriber("s1", "large", 0)];
        let mut publisher = broker.connect("p");
        for size in [0, 1, 800, 1000, 65_530, 65_536, 200_000, 1024 * 1024 - 100] {
            let payload: Vec<u8> = (0..=u8::MAX).cycle().take(size).collect();
            let packet = bytes::publish("large", &payload);
            publisher.send(&packet);
            for subscriber in &mut subscribers {
                subscriber.expect(&packet);
            }
        }
    }
}

#[test]
fn a_large_payload_reaches_a_qos_1_subscriber_with_its_own_packet_id() {
    let broker = Broker::start(&["--workers", "2"]);
    let mut subscriber = broker.subscriber("s", "t", 1);
    let mut publisher = broker.connect("p");
    let payload = vec![7; 100_000];
    for packet_id in 1..=3 {
        publisher.send(&bytes::publish_qos1(packet_id + 500, "t", &payload));
        publisher.expect(&bytes::puback_v311(packet_id + 500));
        subscriber.expect(&bytes::publish_qos1(packet_id, "t", &payload));
        subscriber.send(&bytes::puback_v311(packet_id));
    }
}

#[test]
fn one_message_has_a_packet_id_of_its_own_for_every_subscriber() {
    for workers in ["1", "4"] {
        let broker = Broker::start(&["--workers", workers]);
        let mut publisher = broker.connect("p");
        let mut subscribers: Vec<Peer> =
            (0..5).map(|n| broker.subscriber(&format!("s{n}"), "t", 1)).collect();
        // Each has had another number of messages before.
        for number in 0..5 {
            for packet_id in 1..=number {
                let subscriber = &mut subscribers[usize::from(number)];
                if packet_id == 1 {
                    subscriber.send(&bytes::subscribe_v311(9, "own", 1));
                    subscriber.expect(&[0x90, 3, 0, 9, 1]);
                }
                publisher.send(&bytes::publish_qos1(7, "own", b""));
                publisher.expect(&bytes::puback_v311(7));
                subscriber.expect(&bytes::publish_qos1(packet_id, "own", b""));
            }
            subscribers[usize::from(number)].send(&bytes::packet(0xA2, &[&[0, 9], &bytes::prefixed("own")]));
            subscribers[usize::from(number)].expect(&[0xB0, 2, 0, 9]);
        }
        for payload in [&b"small"[..], &[b'x'; 5000]] {
            publisher.send(&bytes::publish_qos1(8, "t", payload));
            publisher.expect(&bytes::puback_v311(8));
        }
        for (subscriber, before) in subscribers.iter_mut().zip(0..) {
            subscriber.expect(&bytes::publish_qos1(before + 1, "t", b"small"));
            subscriber.expect(&bytes::publish_qos1(before + 2, "t", &[b'x'; 5000]));
        }
    }
}

#[test]
fn a_packet_in_pieces_is_one_packet() {
    let broker = Broker::start(&["--workers", "1"]);
    let mut subscriber = broker.subscriber("s", "t", 0);
    let mut publisher = broker.connect("p");
    let stream =
        [bytes::publish("t", b"a"), bytes::publish("t", &[b'b'; 300]), bytes::publish("t", b"c")].concat();
    for byte in &stream {
        publisher.send(&[*byte]);
    }
    subscriber.expect(&stream);
}

#[test]
fn connections_come_and_go() {
    let broker = Broker::start(&["--workers", "2"]);
    let mut witness = broker.subscriber("witness", "t", 0);
    for round in 0..10 {
        let mut peers: Vec<Peer> = (0..50).map(|number| broker.connect(&format!("peer-{number}"))).collect();
        for (number, peer) in peers.iter_mut().enumerate() {
            match (number + round) % 3 {
                0 => peer.send(bytes::DISCONNECT_V311),
                1 => peer.send(&bytes::publish("t", b"bye")),
                _ => peer.ping(),
            }
        }
        for _ in (0..50).filter(|number| (number + round) % 3 == 1) {
            witness.expect(&bytes::publish("t", b"bye"));
        }
    }
    witness.ping();
}
