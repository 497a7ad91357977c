//! Owns the proof of how the process begins and ends.

use std::io::Read as _;
use std::process::{Command, Stdio};

use crate::bytes;
use crate::harness::{Broker, Peer};

/// A v5 client has received the reason and the end; a 3.1.1 client only the end.
fn expect_shutdown(v5: &mut [Peer], v311: &mut [Peer]) {
    for peer in v5 {
        let (first, body) = peer.receive();
        assert_eq!((first, body[0]), (0xE0, 0x8B));
        peer.expect_end();
    }
    for peer in v311 {
        peer.expect_end();
    }
}

#[test]
fn a_signal_to_end_tells_every_client_and_ends_well() {
    for (workers, signal) in [("1", "TERM"), ("4", "TERM"), ("1", "INT")] {
        let broker = Broker::start(&["--workers", workers]);
        let mut v5: Vec<Peer> = (0..6)
            .map(|number| {
                let mut peer = broker.open();
                peer.send(&bytes::connect_v5(&format!("five-{number}")));
                assert_eq!(peer.receive().0, 0x20);
                peer
            })
            .collect();
        let mut v311: Vec<Peer> = (0..6).map(|number| broker.connect(&format!("four-{number}"))).collect();
        let mut silent = broker.open();
        broker.signal(signal);
        expect_shutdown(&mut v5, &mut v311);
        silent.expect_gone();
        drop((v5, v311));
        assert_eq!(broker.wait().code(), Some(0), "{workers} workers, SIG{signal}");
    }
}

#[test]
fn what_waits_for_a_client_is_written_before_the_broker_ends() {
    let broker = Broker::start(&["--workers", "2", "--set", "limits.outbox_bytes_max=64MiB"]);
    let mut subscriber = broker.subscriber("s", "t", 0);
    let mut publisher = broker.connect("p");
    // More than the system holds between the two.
    let stream = bytes::publish("t", &[1; 100_000]).repeat(300);
    publisher.send(&stream);
    publisher.ping();
    broker.signal("TERM");
    subscriber.expect(&stream);
    subscriber.expect_end();
    drop((publisher, subscriber));
    assert_eq!(broker.wait().code(), Some(0));
}

#[test]
fn a_second_signal_cuts_the_ending_short() {
    let broker = Broker::start(&["--workers", "1"]);
    // A client that takes nothing keeps the broker waiting.
    let mut subscriber = broker.subscriber("s", "t", 0);
    let mut publisher = broker.connect("p");
    for _ in 0..100 {
        publisher.send(&bytes::publish("t", &[1; 200_000]));
    }
    publisher.ping();
    broker.signal("TERM");
    publisher.expect_end();
    broker.signal("TERM");
    assert_eq!(broker.wait().code(), Some(143));
    assert_eq!(subscriber.receive().0, 0x30);
}

#[test]
fn a_client_that_takes_nothing_does_not_keep_the_broker_for_ever() {
    let broker = Broker::start(&["--workers", "2", "--set", "limits.outbox_bytes_max=64MiB"]);
    let mut subscriber = broker.subscriber("s", "t", 0);
    let mut publisher = broker.connect("p");
    publisher.send(&bytes::publish("t", &[1; 100_000]).repeat(300));
    publisher.ping();
    broker.signal("TERM");
    assert_eq!(broker.wait().code(), Some(0));
    assert_eq!(subscriber.receive().0, 0x30);
}

#[test]
fn a_hangup_is_no_reason_to_end() {
    let broker = Broker::start(&[]);
    broker.signal("HUP");
    broker.connect("after").ping();
    broker.signal("TERM");
    assert_eq!(broker.wait().code(), Some(0));
}

#[test]
fn a_port_that_is_taken_is_named_together_with_the_way_out() {
    let broker = Broker::start(&[]);
    let address = broker.address;
    let mut second = Command::new(env!("CARGO_BIN_EXE_mqttd"))
        .args(["--listen", &address.to_string(), "--set", "storage=memory"])
        .env_clear()
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the daemon starts");
    assert_eq!(second.wait().expect("it ends").code(), Some(1));
    let (mut output, mut error) = (String::new(), String::new());
    second.stdout.take().expect("piped").read_to_string(&mut output).expect("text");
    second.stderr.take().expect("piped").read_to_string(&mut error).expect("text");
    assert_eq!(output, "");
    assert_eq!(
        error,
        format!(
            "error: cannot listen on {address}: Address already in use (os error 98)\n\
             hint: another process listens there; end it, or choose another port with --listen (0 picks a \
             free one)\n"
        )
    );
}

#[test]
fn every_address_is_announced_and_served() {
    let mut process = Command::new(env!("CARGO_BIN_EXE_mqttd"))
        .args(["--listen", "127.0.0.1:0", "--listen", "127.0.0.2:0", "--set", "storage=memory"])
        .env_clear()
        .stdout(Stdio::piped())
        .spawn()
        .expect("the daemon starts");
    let output = process.stdout.take().expect("it is piped");
    let lines = std::io::BufRead::lines(std::io::BufReader::new(output));
    for (line, ip) in lines.take(2).zip(["127.0.0.1:", "127.0.0.2:"]) {
        let line = line.expect("a line");
        let address = line.strip_prefix("mqttd listening on ").expect("an address");
        assert!(address.starts_with(ip), "{line}");
        std::net::TcpStream::connect(address).expect("it is served");
    }
    process.kill().and_then(|()| process.wait()).expect("it ends");
}
