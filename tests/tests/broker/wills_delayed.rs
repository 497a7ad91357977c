//! Owns the tests of the Will Delay Interval, which exists in 5.0 alone. All other Wills are in `wills`.

use dunlin_tests::{Scenario, Wire, in_version};
use mqtt_codec::{ProtocolVersion::V5, QoS::AtMostOnce, ReasonCode};
use std::time::{Duration, Instant};

fn watcher(scenario: &Scenario) -> Wire {
    let mut watcher = scenario.connect("watcher");
    watcher.subscribe("will", AtMostOnce);
    watcher
}

/// A client with a Will that waits, in a session that waits; both in seconds.
fn mortal(scenario: &Scenario, delay: u32, expiry: u32) -> Wire {
    let mut wire = scenario.open();
    let connack =
        wire.connect(&format!("10 # vv 06 0000 (11 {expiry:08x}) 'mortal' (18 {delay:08x}) 'will' 'gone'"));
    assert!(!connack.reason.is_error(), "{connack:?}");
    wire
}

/// [MQTT5-3.1.3-9]
#[test]
fn a_will_waits_for_its_delay() {
    in_version(V5, |scenario| {
        let mut watcher = watcher(scenario);
        let wire = mortal(scenario, 1, 60);
        let lost = Instant::now();
        drop(wire);
        watcher.expect_message("will", "gone");
        assert!(lost.elapsed() >= Duration::from_secs(1), "after {:?}", lost.elapsed());
        watcher.ping();
    });
}

#[test]
fn a_client_that_comes_back_in_time_keeps_its_will_to_itself() {
    in_version(V5, |scenario| {
        let mut watcher = watcher(scenario);
        drop(mortal(scenario, 1, 60));
        let mut back = scenario.resume("mortal");
        watcher.expect_silence(Duration::from_millis(1_800));
        back.ping();
    });
}

/// A session that ends with its connection leaves nothing to wait for.
#[test]
fn a_delay_without_a_session_is_no_delay() {
    in_version(V5, |scenario| {
        let mut watcher = watcher(scenario);
        drop(mortal(scenario, 3_600, 0));
        watcher.expect_message("will", "gone");
    });
}

#[test]
fn the_end_of_the_session_cuts_the_delay_short() {
    in_version(V5, |scenario| {
        let mut watcher = watcher(scenario);
        drop(mortal(scenario, 3_600, 1));
        watcher.expect_message("will", "gone");
    });
}

#[test]
fn a_clean_start_cuts_the_delay_short() {
    in_version(V5, |scenario| {
        let mut watcher = watcher(scenario);
        drop(mortal(scenario, 3_600, 3_600));
        scenario.connect("mortal").ping();
        watcher.expect_message("will", "gone");
    });
}

/// The session goes on with the new connection, so the Will of the former waits and is then dropped.
#[test]
fn a_takeover_that_continues_the_session_drops_a_delayed_will() {
    in_version(V5, |scenario| {
        let mut watcher = watcher(scenario);
        let mut former = mortal(scenario, 1, 60);
        let mut latter = scenario.resume("mortal");
        former.expect_disconnect(ReasonCode::SessionTakenOver);
        watcher.expect_silence(Duration::from_millis(1_800));
        latter.ping();
    });
}

#[test]
fn a_takeover_that_ends_the_session_publishes_a_delayed_will() {
    in_version(V5, |scenario| {
        let mut watcher = watcher(scenario);
        let mut former = mortal(scenario, 3_600, 60);
        let mut latter = scenario.connect("mortal");
        former.expect_disconnect(ReasonCode::SessionTakenOver);
        watcher.expect_message("will", "gone");
        latter.ping();
    });
}

#[test]
fn disconnect_with_a_session_expiry_of_0_publishes_a_will_at_once() {
    in_version(V5, |scenario| {
        let mut watcher = watcher(scenario);
        let mut wire = mortal(scenario, 3_600, 60);
        wire.send("e0 # 04 (11 00000000)");
        wire.expect_close();
        watcher.expect_message("will", "gone");
    });
}
