//! Owns the tests of how a command ends that is told to: by Ctrl-C, SIGTERM or a reader that leaves.

use crate::{
    process::{Process, failure, success},
    server::{Server, at_least_once, message},
};
use mqtt_codec::{Packet, ReasonCode, packet::Delivery};
use std::io::{BufRead, BufReader, Write};

#[test]
fn a_subscriber_that_is_interrupted_disconnects_and_has_done_its_work() {
    for signal in ["INT", "TERM"] {
        let server = Server::start();
        let process = Process::start(&format!("sub -V 5 -t a -p {}", server.port()));
        let mut peer = server.accept_subscriber();
        process.signal(signal);
        assert_eq!(peer.receive_disconnect().reason, ReasonCode::Success);
        drop(peer);
        assert_eq!(process.finish(), success(""), "{signal}");
    }
}

#[test]
fn a_publisher_that_is_interrupted_disconnects_and_tells_the_shell() {
    for (signal, code) in [("INT", 130), ("TERM", 143)] {
        let server = Server::start();
        let mut process = Process::start(&format!("pub -V 5 -t a -l -p {}", server.port()));
        let mut peer = server.accept();
        process.stdin().write_all(b"one\n").unwrap();
        assert_eq!(peer.receive_publish().payload, "one");
        process.signal(signal);
        assert_eq!(peer.receive_disconnect().reason, ReasonCode::Success);
        drop(peer);
        assert_eq!(process.finish(), failure(code, ""), "{signal}");
    }
}

#[test]
fn an_interrupt_has_the_will_published() {
    let server = Server::start();
    let process = Process::start(&format!("sub -V 5 -t a --will-topic w -p {}", server.port()));
    let mut peer = server.accept_subscriber();
    process.signal("INT");
    assert_eq!(peer.receive_disconnect().reason, ReasonCode::DisconnectWithWill);
    drop(peer);
    assert_eq!(process.finish(), success(""));
}

#[test]
fn an_interrupt_ends_the_wait_for_a_server_that_does_not_answer() {
    let server = Server::start();
    let process = Process::start(&format!("pub -t a -n -p {}", server.port()));
    let mut peer = server.connect();
    process.signal("INT");
    assert!(peer.is_closed());
    assert_eq!(process.finish(), failure(130, ""));
}

#[test]
fn a_second_interrupt_does_not_wait_for_the_server() {
    let server = Server::start();
    let mut process = Process::start(&format!("pub -d -t a -m x -q 1 -p {}", server.port()));
    let mut peer = server.accept();
    peer.receive_publish();
    let mut steps = BufReader::new(process.take_stderr()).lines().map(Result::unwrap);
    process.signal("INT");
    assert!(steps.any(|step| step.ends_with("sending DISCONNECT")));
    // It is still to be sent: the message comes first.
    process.signal("INT");
    assert!(peer.is_closed());
    assert_eq!(steps.next(), None);
    assert_eq!(process.finish(), failure(130, ""));
}

#[test]
fn a_reader_that_leaves_ends_a_subscriber_quietly() {
    let server = Server::start();
    let mut process = Process::start(&format!("sub -t a -p {}", server.port()));
    let mut peer = server.accept_subscriber();
    peer.publish_all("a", &["one"]);
    let mut reader = BufReader::new(process.take_stdout());
    let mut line = String::new();
    reader.read_line(&mut line).unwrap();
    assert_eq!(line, "one\n");
    drop(reader);
    peer.publish_all("a", &["two"]);
    peer.receive_disconnect();
    drop(peer);
    assert_eq!(process.finish(), success(""));
}

#[test]
fn a_message_that_could_not_be_printed_is_not_acknowledged() {
    let server = Server::start();
    let mut process = Process::start(&format!("sub -t a -q 1 -p {}", server.port()));
    let mut peer = server.accept_subscriber();
    drop(process.take_stdout());
    peer.publish("a", "lost?", at_least_once(9));
    peer.receive_disconnect();
    drop(peer);
    assert_eq!(process.finish(), success(""));
}

#[test]
fn a_reader_that_leaves_in_the_middle_of_a_flood_ends_a_subscriber_quietly() {
    let server = Server::start();
    let mut process = Process::start(&format!("sub -t a -p {}", server.port()));
    let mut peer = server.accept_subscriber();
    let stdout = process.take_stdout();
    let flood = std::thread::spawn(move || {
        let flood = message("a", &"x".repeat(1000), Delivery::AtMostOnce);
        peer.send_until_closed(&Packet::Publish(flood));
    });
    let mut line = String::new();
    BufReader::new(stdout).read_line(&mut line).unwrap();
    assert_eq!(line.len(), 1001);
    flood.join().unwrap();
    assert_eq!(process.finish(), success(""));
}
