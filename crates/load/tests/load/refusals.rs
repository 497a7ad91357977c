//! Owns the tests of what goes wrong: each error names the client and what the broker said.

use std::net::TcpListener;
use std::time::Duration;

use dunlin_load::{Invalid, Lifetime, ProtocolVersion, Publisher, QoS, ReasonCode, Subscriber};
use mqtt_codec::{Packet, Properties, packet::Disconnect};

use crate::server::{PATIENCE, Server, load, publisher, scripted, subscribe};

/// What `wait_ready` and a long run come to with one subscriber.
fn check(version: ProtocolVersion, script: fn(Server), expected: &str) {
    let error = scripted(version, script, |mut load| {
        let subscriber = Subscriber { filters: vec!["t".to_owned()], qos: QoS::AtLeastOnce };
        load.subscriber(Lifetime::Persistent, "one", subscriber).expect("a legal subscriber");
        load.wait_ready().and_then(|()| load.run(PATIENCE)).expect_err("it fails")
    });
    assert_eq!(error.to_string(), expected);
}

#[test]
fn a_refused_client_is_named_with_the_reason() {
    check(
        ProtocolVersion::V311,
        |server| server.connect().refuse(ReasonCode::NotAuthorized),
        "the broker refused client test-one: CONNACK 0x87 Not authorized",
    );
    check(
        ProtocolVersion::V5,
        |server| server.connect().refuse(ReasonCode::QuotaExceeded),
        "the broker refused client test-one: CONNACK 0x97 Quota exceeded",
    );
}

#[test]
fn a_refused_subscription_is_named_with_the_reason() {
    check(
        ProtocolVersion::V5,
        |server| server.accept().answer_subscribe(ReasonCode::NotAuthorized),
        "the broker refused client test-one: SUBACK 0x87 Not authorized",
    );
    check(
        ProtocolVersion::V311,
        |server| server.accept().answer_subscribe(ReasonCode::UnspecifiedError),
        "the broker refused client test-one: SUBACK 0x80 Unspecified error",
    );
}

#[test]
fn a_connection_that_ends_is_named_with_the_reason_if_there_was_one() {
    check(
        ProtocolVersion::V311,
        |server| drop(server.accept_subscriber()),
        "the broker closed the connection of client test-one",
    );
    let script = |server: Server| {
        let (reason, properties) = (ReasonCode::ServerShuttingDown, Properties::NONE);
        server.accept_subscriber().send(&Packet::Disconnect(Disconnect { reason, properties }));
    };
    check(ProtocolVersion::V5, script, "the broker disconnected client test-one: 0x8B Server shutting down");
}

#[test]
fn what_must_not_come_is_named() {
    check(
        ProtocolVersion::V311,
        |server| server.accept_subscriber().send_bytes(&[0x40, 2, 0, 1]),
        "the broker sent client test-one an unexpected PUBACK",
    );
    check(
        ProtocolVersion::V311,
        |server| server.accept_subscriber().send_bytes(&[0xF0, 0]),
        "the broker sent client test-one what is no packet",
    );
}

#[test]
fn where_nobody_listens_the_client_is_named() {
    let address = TcpListener::bind("127.0.0.1:0").and_then(|it| it.local_addr()).expect("a free port");
    let mut load = load(address, ProtocolVersion::V311);
    load.idle("one", Lifetime::Connection).expect("a client");
    let error = load.wait_ready().expect_err("nobody listens");
    assert!(error.to_string().starts_with("client test-one cannot connect: Connection refused"), "{error}");
}

#[test]
fn what_does_not_come_in_time_is_told_with_the_counts() {
    let script = |server: Server| {
        let mut peer = server.accept_subscriber();
        assert!(peer.receive().is_none(), "it says nothing and goes");
    };
    let error = scripted(ProtocolVersion::V311, script, |mut load| {
        subscribe(&mut load, QoS::AtMostOnce);
        let patience = Duration::from_millis(20);
        load.run_until(patience, "a message came", |tally| tally.delivered > 0).expect_err("it is late")
    });
    let expected = "a message came not within 0.02 s: 1 clients connected, 1 ready, 0 messages published, \
                    0 acknowledged, 0 of 0 delivered";
    assert_eq!(error.to_string(), expected);
}

#[test]
fn what_cannot_be_sent_is_refused_before_it_is() {
    let check = |publisher: Publisher, expected: &str| {
        let mut load = load(([127, 0, 0, 1], 1).into(), ProtocolVersion::V311);
        let error = load.publisher("one", publisher).expect_err("it is refused");
        assert_eq!(error.to_string(), format!("client test-one: {expected}"));
    };
    let legal = || publisher(QoS::AtMostOnce, 1, 1);
    check(Publisher { payload_bytes: 15, ..legal() }, "a payload has at least 16 bytes");
    let nothing = "a publisher needs a topic, a window and, if it has a rate, one above 0";
    check(Publisher { topics: Vec::new(), ..legal() }, nothing);
    check(Publisher { window: 0, ..legal() }, nothing);
    check(Publisher { rate: Some(0.0), ..legal() }, nothing);
    check(Publisher { topics: vec!["a/+".to_owned()], ..legal() }, "the Topic Name contains a wildcard");

    let mut load = load(([127, 0, 0, 1], 1).into(), ProtocolVersion::V311);
    load.publisher("one", legal()).expect("a legal publisher");
    let subscriber = Subscriber { filters: vec!["t".to_owned()], qos: QoS::AtMostOnce };
    let late = load.subscriber(Lifetime::Connection, "two", subscriber).expect_err("it is refused");
    assert!(matches!(late, dunlin_load::Error::Invalid { what: Invalid::Order, .. }), "{late}");
}
