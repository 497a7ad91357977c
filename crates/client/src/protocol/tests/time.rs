//! Owns the tests of everything that happens because time passes.

use super::{Session, message, options};
use crate::{
    protocol::Input,
    request::Subscribe,
    testing::{connack, puback, suback},
};
use mqtt_codec::{Packet, Property, ProtocolVersion, QoS, ReasonCode};
use std::time::Duration;

const fn seconds(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

#[test]
fn a_silent_server_is_left_after_the_connect_timeout() {
    let mut session = Session::offline(options());
    session.input(Input::Opened);
    session.lines();
    session.advance(seconds(10) - Duration::from_millis(1));
    session.check([]);
    session.advance(Duration::from_millis(1));
    session.check(["closed: the server did not answer in time"]);
}

#[test]
fn an_idle_client_pings_and_leaves_a_server_that_does_not_answer() {
    // [MQTT5-3.1.2-20] [MQTT311-3.1.2-23]
    for version in [ProtocolVersion::V31, ProtocolVersion::V311, ProtocolVersion::V5] {
        let mut session = Session::connected(options().version(version).keep_alive_seconds(10), []);
        session.advance(seconds(8));
        session.check([]);
        session.advance(seconds(1));
        session.check(["PINGREQ"]);
        session.packet(Packet::PingResp);
        session.advance(seconds(9));
        session.check(["PINGREQ"]);
        session.advance(seconds(9));
        session.check([]);
        session.advance(seconds(1));
        session.check(["closed: the server did not answer PINGREQ in time"]);
    }
}

#[test]
fn a_client_that_only_sends_still_asks_whether_the_server_lives() {
    let mut session = Session::connected(options().keep_alive_seconds(10), []);
    for _ in 0..9 {
        session.advance(seconds(1));
        session.publish("p", message(QoS::AtMostOnce, "x"));
    }
    assert_eq!(session.packets().iter().filter(|line| *line == "PINGREQ").count(), 1);
}

#[test]
fn the_servers_keep_alive_counts() {
    // [MQTT5-3.1.2-21] [MQTT5-3.2.2-21]
    let mut session = Session::connected(options().keep_alive_seconds(100), [Property::ServerKeepAlive(10)]);
    session.advance(seconds(9));
    session.check(["PINGREQ"]);
    let mut session = Session::connected(options().keep_alive_seconds(10), [Property::ServerKeepAlive(0)]);
    session.advance(seconds(1_000));
    session.check([]);
}

#[test]
fn a_paused_reader_does_not_take_its_own_silence_for_the_servers() {
    let mut session = Session::connected(options().keep_alive_seconds(10), []);
    session.advance(seconds(9));
    session.check(["PINGREQ"]);
    session.now += seconds(30);
    session.input(Input::ReadingPaused);
    session.check([]);
    session.advance(seconds(10));
    session.check(["closed: the server did not answer PINGREQ in time"]);
}

#[test]
fn a_server_that_owes_and_acknowledges_nothing_is_left() {
    let options = crate::Options { acknowledgement_timeout: Some(seconds(5)), ..options() };
    let mut session = Session::connected(options, []);
    // Time without anything owed does not count.
    session.advance(seconds(100));
    session.publish("p", message(QoS::AtLeastOnce, "x"));
    session.subscribe("s", Subscribe::new("b").unwrap());
    session.lines();
    session.advance(seconds(4));
    session.packet(puback(1));
    session.advance(seconds(4));
    session.check(["p: 0x00 Success"]);
    session.advance(seconds(1));
    session.check(["closed: the server acknowledged nothing in time"]);
    // It begins anew with the connection.
    session.reconnect(false, []);
    session.advance(seconds(4));
    session.packet(suback(3, [ReasonCode::Success]));
    session.advance(seconds(100));
    session.check([
        "CONNECT 5.0 resume \"c\" keep alive 0",
        "SUBSCRIBE #3 identifier 1 b QoS 0",
        "connected, session present: false",
        "s: [Success]",
    ]);
}

#[test]
fn nothing_is_due_offline() {
    let mut session = Session::offline(options().keep_alive_seconds(10));
    assert_eq!(session.protocol.next_deadline(), None);
    session.input(Input::Opened);
    session.packet(connack(false, []));
    assert_eq!(session.protocol.next_deadline(), Some(session.now + seconds(9)));
    session.input(Input::Lost);
    assert_eq!(session.protocol.next_deadline(), None);
}
