//! Owns the tests of connections that are refused or lost: what is said, and the exit codes.

use crate::{
    process::{Process, failure, success},
    server::{Server, puback},
};
use mqtt_codec::{
    Packet, Properties, ReasonCode,
    packet::{Ack, Disconnect, SubAck},
};
use socket2::{Domain, Socket, Type};
use std::net::SocketAddr;

const SIGN_IN: &str = " hint: give a user name with -u and a password with -P\n";

#[test]
fn a_refused_connection_names_the_reason_and_ends_with_its_code() {
    let expected = [
        ("-V 5", ReasonCode::NotAuthorized, 135, format!("Not authorized (0x87)\n{SIGN_IN}")),
        ("-V 5", ReasonCode::ServerBusy, 137, "Server busy (0x89)\n".to_owned()),
        ("-V 311", ReasonCode::NotAuthorized, 5, format!("Not authorized (5)\n{SIGN_IN}")),
        ("-V 31", ReasonCode::ClientIdentifierNotValid, 2, "Client Identifier not valid (2)\n".to_owned()),
    ];
    for (version, reason, code, text) in expected {
        for command in ["pub -t a -m x", "sub -t a", "rr -t a -e b -m x"] {
            let server = Server::start();
            let process = Process::start(&format!("{command} {version} -p {}", server.port()));
            let mut peer = server.connect();
            peer.answer_connect(reason);
            drop(peer);
            let expected = failure(code, &format!("error: connection refused: {text}"));
            assert_eq!(process.finish(), expected, "{command} {version}");
        }
    }
}

#[test]
fn quiet_leaves_the_exit_code_alone() {
    let server = Server::start();
    let process = Process::start(&format!("sub -t a -V 5 --quiet -p {}", server.port()));
    server.connect().answer_connect(ReasonCode::NotAuthorized);
    assert_eq!(process.finish(), failure(135, ""));
}

#[test]
fn a_server_that_is_not_there_is_named() {
    // Bound, so that nobody else gets the port, but not listening.
    let socket = Socket::new(Domain::IPV4, Type::STREAM, None).unwrap();
    socket.bind(&SocketAddr::from(([127, 0, 0, 1], 0)).into()).unwrap();
    let port = socket.local_addr().unwrap().as_socket().unwrap().port();
    for command in ["pub -t a -m x", "sub -t a", "rr -t a -e b -m x"] {
        let finished = Process::start(&format!("{command} -h 127.0.0.1 -p {port}")).finish();
        assert_eq!((finished.code, finished.stdout.as_str()), (Some(1), ""));
        // In between stands what the operating system calls it.
        let start = format!("error: cannot connect: 127.0.0.1:{port}: ");
        let end = "\n hint: nothing listens there; name another server with -h HOST and -p PORT\n";
        assert!(finished.stderr.starts_with(&start) && finished.stderr.ends_with(end), "{}", finished.stderr);
    }
}

#[test]
fn a_server_that_speaks_something_else_is_a_protocol_error() {
    let server = Server::start();
    let process = Process::start(&format!("pub -t a -m x -p {}", server.port()));
    let mut peer = server.connect();
    peer.send_bytes(b"HTTP/1.1 400 Bad Request\r\n\r\n");
    drop(peer);
    let finished = process.finish();
    assert_eq!(finished.code, Some(2));
    assert!(finished.stderr.starts_with("error: the server broke the protocol: "), "{}", finished.stderr);
}

#[test]
fn a_message_that_the_server_refuses_is_a_failure() {
    let server = Server::start();
    let process = Process::start(&format!("pub -V 5 -t a -m x -q 1 -p {}", server.port()));
    let mut peer = server.accept();
    let packet_id = peer.receive_publish().delivery.packet_id().unwrap();
    peer.send(&Packet::PubAck(Ack::new(packet_id, ReasonCode::NotAuthorized)));
    peer.receive_disconnect();
    drop(peer);
    let expected =
        "warning: message 1 was not published: the server refused the message: 0x87 Not authorized\n";
    assert_eq!(process.finish(), failure(1, expected));
}

#[test]
fn a_subscription_that_the_server_refuses_is_a_failure() {
    for (version, code) in [("-V 5", "0x87 Not authorized"), ("-V 311", "0x80 Unspecified error")] {
        for command in ["sub -t a", "rr -t a -e b -m x"] {
            let server = Server::start();
            let process = Process::start(&format!("{command} {version} -p {}", server.port()));
            let mut peer = server.accept();
            let packet_id = peer.receive_subscribe().packet_id;
            let refused =
                if version == "-V 5" { ReasonCode::NotAuthorized } else { ReasonCode::UnspecifiedError };
            peer.send(&Packet::SubAck(SubAck::new(packet_id, Properties::NONE, [refused]).unwrap()));
            peer.receive_disconnect();
            drop(peer);
            let expected = format!("error: the server refused the subscription: {code}\n");
            assert_eq!(process.finish(), failure(1, &expected), "{command} {version}");
        }
    }
}

#[test]
fn a_subscription_that_is_granted_in_part_goes_on() {
    let server = Server::start();
    let process = Process::start(&format!("sub -V 5 -t a -t b -C 1 -p {}", server.port()));
    let mut peer = server.accept();
    let packet_id = peer.receive_subscribe().packet_id;
    let answers = [ReasonCode::NotAuthorized, ReasonCode::Success];
    peer.send(&Packet::SubAck(SubAck::new(packet_id, Properties::NONE, answers).unwrap()));
    peer.publish_all("b", &["x"]);
    peer.receive_disconnect();
    drop(peer);
    let finished = process.finish();
    assert_eq!((finished.code, finished.stdout.as_str()), (Some(0), "x\n"));
    assert_eq!(finished.stderr, "warning: the subscription to a was refused: 0x87 Not authorized\n");
}

#[test]
fn a_lost_connection_ends_a_publication() {
    for command in ["pub -t a -m x -q 1", "rr -V 311 -t a -e b -m x"] {
        let server = Server::start();
        let process = Process::start(&format!("{command} -p {}", server.port()));
        let mut peer = server.accept();
        peer.receive();
        drop(peer);
        let expected = failure(7, "error: connection lost: the server closed the connection\n");
        assert_eq!(process.finish(), expected, "{command}");
    }
}

#[test]
fn a_server_that_says_why_it_ends_a_connection_is_quoted() {
    let expected = [(ReasonCode::ServerShuttingDown, 7), (ReasonCode::ProtocolError, 2)];
    for (reason, code) in expected {
        let server = Server::start();
        let process = Process::start(&format!("pub -V 5 -t a -m x -q 1 -p {}", server.port()));
        let mut peer = server.accept();
        peer.receive_publish();
        peer.send(&Packet::Disconnect(Disconnect { reason, properties: Properties::NONE }));
        drop(peer);
        let text = format!("error: connection lost: the server disconnected: {reason}\n");
        assert_eq!(process.finish(), failure(code, &text));
    }
}

#[test]
fn a_subscriber_comes_back_after_a_lost_connection() {
    let server = Server::start();
    let process = Process::start(&format!("sub -t a -C 2 -p {}", server.port()));
    let mut peer = server.accept_subscriber();
    peer.publish_all("a", &["one"]);
    drop(peer);
    let mut peer = server.accept_subscriber();
    peer.publish_all("a", &["two"]);
    peer.receive_disconnect();
    drop(peer);
    let finished = process.finish();
    assert_eq!((finished.code, finished.stdout.as_str()), (Some(0), "one\ntwo\n"));
    let lines: Vec<_> = finished.stderr.lines().collect();
    assert_eq!(lines.len(), 2, "{lines:?}");
    assert!(
        lines[0].starts_with("warning: the server closed the connection; trying again in 0."),
        "{lines:?}"
    );
    assert_eq!(lines[1], "warning: connected again");
}

#[test]
fn lines_outlive_a_lost_connection() {
    let server = Server::start();
    let mut process = Process::start(&format!("pub --quiet -t a -l -q 1 -i me -c -p {}", server.port()));
    process.input("one\ntwo\n");
    let mut peer = server.accept();
    peer.receive_publish();
    drop(peer);
    let mut peer = server.connect();
    peer.resume();
    for expected in ["one", "two"] {
        assert_eq!(peer.take_message().payload, expected);
    }
    peer.receive_disconnect();
    drop(peer);
    assert_eq!(process.finish(), success(""));
}

#[test]
fn a_server_that_acknowledges_what_was_not_sent_breaks_the_protocol() {
    let server = Server::start();
    let process = Process::start(&format!("pub -t a -m x -q 1 -p {}", server.port()));
    let mut peer = server.accept();
    peer.receive_publish();
    peer.send(&puback(77));
    assert!(peer.is_closed());
    let expected =
        "error: the server broke the protocol: PUBACK of the Packet Identifier 77, which awaits none\n";
    assert_eq!(process.finish(), failure(2, expected));
}
