//! Owns the proof that a client which does not read costs the others nothing, and itself only what it
//! was not promised.

use crate::bytes;
use crate::harness::{Broker, Peer};

const DROPPED: &str = "$SYS/broker/publish/messages/dropped";

/// Waits until the broker says that it has dropped messages.
fn wait_until_dropped(witness: &mut Peer) -> u64 {
    loop {
        let (_, body) = witness.receive();
        let text = String::from_utf8(bytes::payload(&body).to_vec()).expect("a number");
        match text.parse().expect("a number") {
            0 => {}
            dropped => return dropped,
        }
    }
}

#[test]
fn a_client_that_does_not_read_loses_qos_0_messages_and_they_are_counted() {
    for workers in ["1", "4"] {
        let broker = Broker::start(&[
            "--workers",
            workers,
            "--set",
            "limits.outbox_bytes_max=64KiB",
            "--set",
            "sys.interval_ms=50",
        ]);
        let mut witness = broker.subscriber("witness", DROPPED, 0);
        let mut slow = broker.subscriber("slow", "flood", 0);
        let mut quick = broker.subscriber("quick", "news", 0);
        let mut publisher = broker.connect("publisher");
        let payload = [b'x'; 10_000];
        let mut sent = 0_u64;
        for _ in 0..3000 {
            publisher.send(&bytes::publish("flood", &payload));
            sent += 1;
        }
        // The others are served meanwhile.
        publisher.send(&bytes::publish("news", b"still here"));
        quick.expect(&bytes::publish("news", b"still here"));
        let dropped = wait_until_dropped(&mut witness);
        assert!(dropped < sent, "{dropped} of {sent}");
        // What was kept is whole, and when it has been read the next message comes through.
        let mut received = 0;
        publisher.ping();
        slow.send(bytes::PINGREQ);
        loop {
            let (first, body) = slow.receive();
            if first == 0xD0 {
                break;
            }
            assert_eq!((first, bytes::payload(&body)), (0x30, &payload[..]));
            received += 1;
        }
        assert!(received < sent, "{received} of {sent}");
        publisher.send(&bytes::publish("flood", b"last"));
        loop {
            let (_, body) = slow.receive();
            if bytes::payload(&body) == b"last" {
                break;
            }
        }
    }
}

#[test]
fn what_the_outbox_may_hold_is_delivered_in_full() {
    for workers in ["1", "4"] {
        let broker = Broker::start(&["--workers", workers, "--set", "limits.outbox_bytes_max=64MiB"]);
        let mut slow = broker.subscriber("slow", "t", 0);
        let mut publisher = broker.connect("publisher");
        let stream: Vec<u8> =
            (0..300).flat_map(|n: u16| bytes::publish("t", &n.to_be_bytes().repeat(50_000))).collect();
        publisher.send(&stream);
        publisher.ping();
        slow.expect(&stream);
        slow.ping();
    }
}

#[test]
fn qos_1_messages_wait_for_a_client_that_does_not_read() {
    for workers in ["1", "4"] {
        let broker = Broker::start(&["--workers", workers, "--set", "limits.outbox_bytes_max=64KiB"]);
        let mut slow = broker.subscriber("slow", "t", 1);
        let mut publisher = broker.connect("publisher");
        let payload = |number: u16| [&number.to_be_bytes()[..], &[b'x'; 20_000]].concat();
        const COUNT: u16 = 1000;
        for number in 1..=COUNT {
            publisher.send(&bytes::publish_qos1(number, "t", &payload(number)));
        }
        for number in 1..=COUNT {
            publisher.expect(&bytes::puback_v311(number));
        }
        for number in 1..=COUNT {
            let (first, body) = slow.receive();
            assert_eq!(first, 0x32);
            assert!(body[5..] == payload(number), "message {number} is not the next one");
            slow.send(&bytes::puback_v311(u16::from_be_bytes([body[3], body[4]])));
        }
    }
}

#[test]
fn a_broker_without_room_for_one_more_goes_on_when_there_is() {
    // Under twenty are what the broker needs for itself.
    let broker = Broker::start_with_descriptors(40, &["--workers", "1"]);
    let mut waiting: Vec<Peer> = (0..60)
        .map(|number| {
            let mut peer = broker.open();
            peer.send(&bytes::connect_v311(&format!("client-{number}")));
            peer
        })
        .collect();
    for served in &mut waiting[..10] {
        served.expect(bytes::CONNACK_V311);
        served.ping();
    }
    // Whoever leaves makes room for others, down to the last.
    drop(waiting.drain(..45));
    for served in &mut waiting {
        served.expect(bytes::CONNACK_V311);
        served.ping();
    }
}

#[test]
fn a_client_that_sends_and_does_not_read_is_not_read_for_ever() {
    let broker = Broker::start(&["--workers", "1", "--set", "limits.outbox_bytes_max=1KiB"]);
    let mut peer = broker.connect("pings");
    let mut other = broker.connect("other");
    // Answers are held by the system on both sides; what is beyond that must hold the client.
    let pings = bytes::PINGREQ.repeat(32 * 1024);
    peer.socket.set_nonblocking(true).expect("a socket");
    let mut sent = 0_usize;
    let mut idle = 0;
    while idle < 200 {
        assert!(sent < 64 * 1024 * 1024, "the broker reads without end");
        match std::io::Write::write(&mut peer.socket, &pings[sent % 2..]) {
            Ok(count) => {
                sent += count;
                idle = 0;
            }
            Err(_) => {
                // Exchanges of another client give the broker time to read, if it wants to.
                other.ping();
                idle += 1;
            }
        }
    }
    // Once it reads, every ping is answered.
    peer.socket.set_nonblocking(false).expect("a socket");
    let answers = bytes::PINGRESP.repeat(sent / 2);
    peer.expect(&answers);
}
