//! Owns the tests of Keep Alive. The Will of a silent client is in `wills`.

use dunlin_tests::{everywhere, in_version_with, in_worlds};
use mqtt_codec::{
    ProtocolVersion::{V5, V311},
    ReasonCode,
};
use std::time::{Duration, Instant};

/// [MQTT5-3.1.2-22] [MQTT311-3.1.2-24]
#[test]
fn a_silent_client_is_closed_after_one_and_a_half_times_its_keep_alive() {
    everywhere(|scenario| {
        let mut wire = scenario.open();
        assert!(!wire.connect("10 # vv 02 0001 () 'silent'").reason.is_error());
        let since = Instant::now();
        wire.expect_disconnect(ReasonCode::KeepAliveTimeout);
        let silent = since.elapsed();
        assert!(silent >= Duration::from_millis(1_400), "closed after {silent:?}");
    });
}

#[test]
fn any_packet_keeps_a_client_alive() {
    everywhere(|scenario| {
        let mut wire = scenario.open();
        assert!(!wire.connect("10 # vv 02 0001 () 'busy'").reason.is_error());
        for _ in 0..3 {
            wire.expect_silence(Duration::from_millis(900));
            wire.send("30 # 'a' () <x>");
        }
        wire.ping();
    });
}

#[test]
fn keep_alive_0_is_no_keep_alive() {
    everywhere(|scenario| {
        let mut wire = scenario.connect("patient");
        wire.expect_silence(Duration::from_millis(2_000));
        wire.ping();
    });
}

/// [MQTT5-3.2.2-21] [MQTT5-3.2.2-22]
#[test]
fn the_servers_keep_alive_holds_instead_of_the_clients() {
    in_version_with(V5, &[("limits.keep_alive_seconds_max", "1")], |scenario| {
        for asked in ["0000", "003c"] {
            let mut wire = scenario.open();
            let connack = wire.connect(&format!("10 # vv 02 {asked} () 'told'"));
            assert_eq!(connack.properties.server_keep_alive(), Some(1));
            wire.expect_disconnect(ReasonCode::KeepAliveTimeout);
        }
    });
}

/// 3.1.1 cannot be told, so the ceiling does not hold for it.
#[test]
fn a_3_1_1_client_keeps_its_own_keep_alive() {
    in_worlds(&[V311], &[("limits.keep_alive_seconds_max", "1")], |scenario| {
        let mut wire = scenario.open();
        assert!(!wire.connect("10 # vv 02 003c 'untold'").reason.is_error());
        wire.expect_silence(Duration::from_millis(2_000));
        wire.ping();
    });
}
