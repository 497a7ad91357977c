//! Owns the tests of `bench`: what is measured, and which exit codes a script sees.

use crate::{
    process::{Process, failure},
    server::{Server, puback},
};
use mqtt_codec::{
    Packet, QoS, ReasonCode,
    packet::{Delivery, Publish},
};

/// Two messages of one pair, of which the server passes on so many.
fn check(words: &str, passed_on: usize, code: i32, expected: &[(&str, u64)]) {
    let server = Server::start();
    let words = format!("bench -h 127.0.0.1 -p {} --pairs 1 --messages 2 --json {words}", server.port());
    let process = Process::start(&words);
    let mut subscriber = server.accept();
    assert!(subscriber.connect.client_id.starts_with("mqttctl-bench-"), "{}", subscriber.connect.client_id);
    let subscribe = subscriber.receive_subscribe();
    subscriber.grant(&subscribe);
    let mut publisher = server.accept();
    for number in 0..2 {
        let message = publisher.take_message();
        assert_eq!(message.payload.len(), 20);
        if number < passed_on {
            subscriber.send(&Packet::Publish(Publish { delivery: Delivery::AtMostOnce, ..message }));
        }
    }
    publisher.receive_disconnect();
    drop((subscriber, publisher));
    let finished = process.finish();
    assert_eq!((finished.code, finished.stderr.as_str()), (Some(code), ""), "{words}");
    let report: serde_json::Value = serde_json::from_str(&finished.stdout).unwrap();
    for (name, value) in expected {
        assert_eq!(report[name], *value, "{name} of {report}");
    }
}

#[test]
fn what_is_delivered_is_counted() {
    let all = [("published", 2), ("acknowledged", 2), ("delivered", 2), ("lost", 0), ("clients", 2)];
    check("-s 20", 2, 0, &all);
    check("-s 20 -q 1 -V 5", 2, 0, &all);
    check("-s 20 -q 2", 2, 0, &all);
}

#[test]
fn what_is_lost_fails_the_command() {
    check("-s 20", 1, 1, &[("published", 2), ("delivered", 1), ("lost", 1)]);
}

#[test]
fn a_refusal_names_the_client_and_is_the_exit_code() {
    let server = Server::start();
    let process = Process::start(&format!("bench -h 127.0.0.1 -p {} --idle 1 -I me-", server.port()));
    server.connect().answer_connect(ReasonCode::NotAuthorized);
    let expected = "error: the broker refused client me-idle-0: CONNACK 0x87 Not authorized\n";
    assert_eq!(process.finish(), failure(5, expected));
}

#[test]
fn an_interrupted_measurement_is_reported_all_the_same() {
    let server = Server::start();
    let words = format!("bench -h 127.0.0.1 -p {} --publishers 1 -q 1 --window 1", server.port());
    let process = Process::start(&words);
    let mut publisher = server.accept();
    assert_eq!(publisher.take_message().delivery.qos(), QoS::AtLeastOnce);
    process.signal("INT");
    while let Packet::Publish(message) = publisher.receive() {
        publisher.send(&puback(message.delivery.packet_id().unwrap().get()));
    }
    drop(publisher);
    let finished = process.finish();
    assert_eq!(finished.code, Some(130));
    assert!(finished.stdout.contains("\npublished "), "{}", finished.stdout);
}
