//! Owns the tests of a client that leaves.

use super::{Session, message, options};
use crate::{
    error::DisconnectError,
    protocol::Input,
    request::{Disconnect, Subscribe},
    testing::{connack, puback, suback},
};
use mqtt_codec::{
    EncodeError, Properties, Property, PropertyOwner, ProtocolVersion, QoS, ReasonCode, Violation,
};
use std::time::Duration;

#[test]
fn nothing_in_flight_leaves_at_once() {
    // [MQTT5-3.14.4-1] [MQTT311-3.14.4-1] [MQTT311-3.14.4-2]
    for version in [ProtocolVersion::V31, ProtocolVersion::V311, ProtocolVersion::V5] {
        let mut session = Session::connected(options().version(version), []);
        session.leave(Duration::from_secs(10));
        session.check(["DISCONNECT 0x00 Success", "finished, undelivered: 0"]);
        session.publish("p", message(QoS::AtMostOnce, "x"));
        session.check([]);
    }
}

#[test]
fn what_is_in_flight_is_awaited() {
    let mut session = Session::connected(options(), []);
    session.publish("p", message(QoS::AtLeastOnce, "x"));
    session.subscribe("s", Subscribe::new("b").unwrap());
    session.leave(Duration::from_secs(10));
    session.lines();
    session.advance(Duration::from_secs(9));
    session.packet(puback(1));
    session.check(["p: 0x00 Success"]);
    session.packet(suback(2, [ReasonCode::Success]));
    session.check(["DISCONNECT 0x00 Success", "s: [Success]", "finished, undelivered: 0"]);
}

#[test]
fn the_deadline_leaves_without() {
    let mut session = Session::connected(options(), []);
    session.publish("p", message(QoS::AtLeastOnce, "x"));
    session.leave(Duration::from_secs(10));
    session.lines();
    session.advance(Duration::from_secs(10));
    session.check(["DISCONNECT 0x00 Success", "finished, undelivered: 1"]);
}

#[test]
fn offline_the_queue_is_delivered_first() {
    let mut session = Session::offline(options());
    session.publish("p", message(QoS::AtMostOnce, "x"));
    session.leave(Duration::from_secs(10));
    session.check([]);
    session.input(Input::Opened);
    session.packet(connack(false, []));
    session.check([
        "CONNECT 5.0 clean \"c\" keep alive 0",
        "PUBLISH QoS 0 a: x",
        "DISCONNECT 0x00 Success",
        "connected, session present: false",
        "p: written",
        "finished, undelivered: 0",
    ]);
    let mut session = Session::offline(options());
    session.leave(Duration::from_secs(10));
    session.check(["finished, undelivered: 0"]);
}

#[test]
fn a_disconnect_must_be_one_that_a_client_may_send() {
    let expiring = crate::Options { session_expiry_interval: 1, ..options() };
    let with = |reason, properties: Vec<Property<'_>>| Disconnect {
        reason,
        properties: Properties::new(PropertyOwner::Disconnect, properties).unwrap(),
        drain_timeout: None,
    };
    let check = |options, disconnect: Disconnect, expected| {
        let session = Session::offline(options);
        assert_eq!(session.protocol.check_disconnect(&disconnect), expected, "{disconnect:?}");
    };
    // [MQTT5-3.14.2-1]
    let refused = Err(DisconnectError::Encode(EncodeError::Violation(Violation::ReasonCodeUnknown)));
    check(options(), with(ReasonCode::ServerShuttingDown, vec![]), refused);
    check(options(), with(ReasonCode::DisconnectWithWill, vec![Property::ReasonString("x")]), Ok(()));
    // A session that was to end with the connection cannot be kept after all.
    let expiry = || vec![Property::SessionExpiryInterval(5)];
    check(options(), with(ReasonCode::Success, expiry()), Err(DisconnectError::SessionExpiry));
    check(options(), with(ReasonCode::Success, vec![Property::SessionExpiryInterval(0)]), Ok(()));
    check(expiring, with(ReasonCode::Success, expiry()), Ok(()));
    check(options().version(ProtocolVersion::V311), with(ReasonCode::ServerShuttingDown, vec![]), Ok(()));
}
