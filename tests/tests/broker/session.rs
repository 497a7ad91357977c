//! Owns the tests of how long a session lives, and what a client finds of it. What waits in it is in `redelivery`.

use dunlin_tests::{Scenario, everywhere, in_version, in_version_with};
use mqtt_codec::{
    ProtocolVersion::{V5, V311},
    QoS::{AtLeastOnce, AtMostOnce},
    ReasonCode,
};
use std::time::Duration;

/// [MQTT5-3.1.2-5] [MQTT5-3.2.2-3] [MQTT311-3.1.2-4] [MQTT311-3.2.2-2]
#[test]
fn a_lasting_session_keeps_its_subscriptions() {
    everywhere(|scenario| {
        let mut subscriber = scenario.connect_lasting("lasting");
        subscriber.subscribe("a/+", AtMostOnce);
        subscriber.disconnect();
        let mut subscriber = scenario.resume("lasting");
        let mut publisher = scenario.connect("publisher");
        publisher.publish("a/b", AtMostOnce, "still subscribed");
        subscriber.expect_message("a/b", "still subscribed");
    });
}

/// [MQTT5-3.1.2-4] [MQTT5-3.2.2-2] [MQTT311-3.1.2-6] [MQTT311-3.2.2-1]
#[test]
fn clean_start_forgets_the_session_of_before() {
    everywhere(|scenario| {
        let mut subscriber = scenario.connect_lasting("clean");
        subscriber.subscribe("a", AtLeastOnce);
        subscriber.disconnect();
        let mut publisher = scenario.connect("publisher");
        publisher.publish("a", AtLeastOnce, "for the old session");
        // Asserts that no session is present.
        let mut subscriber = scenario.connect("clean");
        subscriber.subscribe("b", AtLeastOnce);
        publisher.publish("a", AtLeastOnce, "nobody subscribed");
        publisher.publish("b", AtLeastOnce, "for the new session");
        subscriber.expect_message("b", "for the new session");
        subscriber.disconnect();
        // [MQTT311-3.1.2-6]: a clean session ends with its connection.
        scenario.connect_lasting("clean").disconnect();
    });
}

#[test]
fn a_lost_connection_ends_a_clean_session_too() {
    everywhere(|scenario| {
        let mut subscriber = scenario.connect("lost");
        subscriber.subscribe("a", AtLeastOnce);
        subscriber.end_of_sending();
        subscriber.expect_close();
        let mut subscriber = scenario.connect_lasting("lost");
        scenario.connect("publisher").publish("a", AtLeastOnce, "nobody subscribed");
        subscriber.ping();
    });
}

#[test]
fn a_session_ends_when_its_expiry_interval_has_passed() {
    in_version(V5, |scenario| {
        let mut wire = scenario.open();
        assert!(!wire.connect("10 # vv 02 0000 (11 00000001) 'short'").reason.is_error());
        wire.disconnect();
        pass(scenario, Duration::from_millis(1_700));
        scenario.connect_lasting("short").disconnect();
    });
}

/// [MQTT5-3.1.2-23]
#[test]
fn a_session_within_its_expiry_interval_is_found_again() {
    in_version(V5, |scenario| {
        let mut wire = scenario.open();
        assert!(!wire.connect("10 # vv 02 0000 (11 0000003c) 'longer'").reason.is_error());
        wire.disconnect();
        scenario.resume("longer").disconnect();
    });
}

/// The broker's clock must have gone on; an idle client that hears nothing is how we see it pass.
fn pass(scenario: &Scenario, duration: Duration) {
    scenario.connect("idle").expect_silence(duration);
}

#[test]
fn disconnect_may_change_the_session_expiry_interval() {
    in_version(V5, |scenario| {
        let mut wire = scenario.connect_lasting("changed");
        wire.send("e0 # 00 (11 00000000)");
        wire.expect_close();
        scenario.connect_lasting("changed").disconnect();
    });
}

#[test]
fn disconnect_cannot_make_an_ending_session_last() {
    in_version(V5, |scenario| {
        for connect in ["10 # vv 02 0000 () 'ending'", "10 # vv 02 0000 (11 00000000) 'ending'"] {
            let mut wire = scenario.open();
            assert!(!wire.connect(connect).reason.is_error());
            wire.send("e0 # 00 (11 0000003c)");
            wire.expect_disconnect(ReasonCode::ProtocolError);
            scenario.connect("ending").disconnect();
        }
    });
}

#[test]
fn the_operators_ceiling_holds_for_sessions_of_3_1_1() {
    in_version_with(V311, &[("limits.session_expiry_seconds_max", "1")], |scenario| {
        scenario.connect_lasting("capped").disconnect();
        pass(scenario, Duration::from_millis(1_700));
        scenario.connect_lasting("capped").disconnect();
    });
}

/// [MQTT5-3.14.4-1] [MQTT5-3.14.4-2] [MQTT311-3.14.4-1] [MQTT311-3.14.4-2]
#[test]
fn nothing_is_answered_to_what_follows_disconnect() {
    everywhere(|scenario| {
        let mut wire = scenario.connect("done");
        wire.send("e0 #; c0 #; 82 # 0001 () 'a' 00");
        wire.expect_close();
    });
}

/// The same session serves both versions: what it holds is the same.
#[test]
fn a_session_may_be_continued_in_another_version() {
    in_version(V5, |scenario| {
        let mut old = scenario.broker.open(V311);
        assert!(!old.connect("10 # vv 00 0000 'mixed'").session_present);
        old.subscribe("a", AtLeastOnce);
        old.disconnect();
        let mut publisher = scenario.connect("publisher");
        publisher.publish_with("a", AtLeastOnce, "26 'name' 'value'", "while away");
        let mut new = scenario.resume("mixed");
        new.expect("32 # 'a' 0001 (26 'name' 'value') <while away>");
        new.send("40 # 0001");
        new.ping();
        new.disconnect();
        publisher.publish("a", AtLeastOnce, "again");
        let mut old = scenario.broker.open(V311);
        assert!(old.connect("10 # vv 00 0000 'mixed'").session_present);
        old.expect_message("a", "again");
    });
}
