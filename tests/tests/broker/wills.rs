//! Owns the tests of when a Will is published and what it carries. Delays are in `wills_delayed`.

use dunlin_tests::{Scenario, Wire, everywhere, everywhere_with, in_version};
use mqtt_codec::{
    ProtocolVersion::V5,
    QoS::{AtLeastOnce, AtMostOnce, ExactlyOnce},
    ReasonCode,
};

/// Someone who subscribed to the topic of every Will here.
fn watcher(scenario: &Scenario) -> Wire {
    let mut watcher = scenario.connect("watcher");
    watcher.subscribe("will/#", ExactlyOnce);
    watcher
}

fn mortal(scenario: &Scenario) -> Wire {
    let mut wire = scenario.open();
    let connack = wire.connect("10 # vv 06 0000 () 'mortal' () 'will/mortal' 'gone'");
    assert!(!connack.reason.is_error(), "{connack:?}");
    wire
}

/// [MQTT5-3.1.2-8] [MQTT311-3.1.2-8]
#[test]
fn a_lost_connection_publishes_the_will() {
    everywhere(|scenario| {
        let mut watcher = watcher(scenario);
        drop(mortal(scenario));
        watcher.expect_message("will/mortal", "gone");
        watcher.ping();
    });
}

/// [MQTT5-3.1.2-10] [MQTT5-3.14.4-3] [MQTT311-3.1.2-10] [MQTT311-3.14.4-3]
#[test]
fn disconnect_discards_the_will() {
    everywhere(|scenario| {
        let mut watcher = watcher(scenario);
        mortal(scenario).disconnect();
        // A Will would be ahead of what comes later on the same way.
        drop(mortal(scenario));
        watcher.expect_message("will/mortal", "gone");
        watcher.ping();
    });
}

#[test]
fn disconnect_with_will_publishes_it() {
    in_version(V5, |scenario| {
        let mut watcher = watcher(scenario);
        for reason in ["04", "80", "99"] {
            let mut wire = mortal(scenario);
            wire.send(&format!("e0 # {reason}"));
            wire.expect_close();
            watcher.expect_message("will/mortal", "gone");
        }
    });
}

#[test]
fn breaking_the_protocol_publishes_the_will() {
    everywhere(|scenario| {
        let mut watcher = watcher(scenario);
        let mut wire = mortal(scenario);
        wire.send("c1 #");
        wire.expect_disconnect(ReasonCode::MalformedPacket);
        watcher.expect_message("will/mortal", "gone");
    });
}

/// [MQTT5-3.1.2-22] [MQTT311-3.1.2-24]
#[test]
fn silence_beyond_keep_alive_publishes_the_will() {
    everywhere(|scenario| {
        let mut watcher = watcher(scenario);
        let mut wire = scenario.open();
        assert!(!wire.connect("10 # vv 06 0001 () 'silent' () 'will/silent' 'gone'").reason.is_error());
        wire.expect_disconnect(ReasonCode::KeepAliveTimeout);
        watcher.expect_message("will/silent", "gone");
    });
}

/// [MQTT5-3.1.4-3] [MQTT311-3.1.4-2]
#[test]
fn a_takeover_publishes_the_will() {
    everywhere(|scenario| {
        let mut watcher = watcher(scenario);
        let mut former = mortal(scenario);
        let mut latter = scenario.connect("mortal");
        former.expect_disconnect(ReasonCode::SessionTakenOver);
        watcher.expect_message("will/mortal", "gone");
        latter.ping();
    });
}

/// [MQTT5-3.1.2-14] [MQTT5-3.1.2-15] [MQTT311-3.1.2-16] [MQTT311-3.1.2-17]
#[test]
fn a_will_has_its_own_qos_and_may_be_retained() {
    everywhere(|scenario| {
        let mut watcher = watcher(scenario);
        let flags = [(0x06, AtMostOnce), (0x0E, AtLeastOnce), (0x36, ExactlyOnce)];
        for (flags, qos) in flags {
            let mut wire = scenario.open();
            let connect = format!("10 # vv {flags:02x} 0000 () 'mortal' () 'will/mortal' 'gone'");
            assert!(!wire.connect(&connect).reason.is_error());
            drop(wire);
            assert_eq!(watcher.receive().delivery.qos(), qos, "{flags:02x}");
        }
        // The last of them was to be retained.
        let mut late = scenario.connect("late");
        late.subscribe("will/mortal", AtMostOnce);
        let publish = late.receive();
        assert!(publish.retain && &publish.payload[..] == b"gone", "{publish:?}");
    });
}

#[test]
fn a_will_of_no_bytes_is_published() {
    everywhere(|scenario| {
        let mut watcher = watcher(scenario);
        let mut wire = scenario.open();
        assert!(!wire.connect("10 # vv 06 0000 () 'mortal' () 'will/mortal' ''").reason.is_error());
        drop(wire);
        watcher.expect_message("will/mortal", "");
    });
}

/// [MQTT5-3.1.3-10]: User Properties in their order, and all else unaltered.
#[test]
fn a_will_is_published_with_its_properties() {
    in_version(V5, |scenario| {
        let mut watcher = watcher(scenario);
        let mut wire = scenario.open();
        let connack = wire.connect(
            "10 # vv 06 0000 () 'mortal' \
             (01 01 03 'text/plain' 08 'answers' 09 0002 0102 26 'b' '2' 26 'a' '1' 26 'b' '1') \
             'will/mortal' 'gone'",
        );
        assert!(!connack.reason.is_error());
        drop(wire);
        watcher.expect(
            "30 # 'will/mortal' \
             (01 01 03 'text/plain' 08 'answers' 09 0002 0102 26 'b' '2' 26 'a' '1' 26 'b' '1') <gone>",
        );
    });
}

#[test]
fn a_will_is_published_once() {
    everywhere(|scenario| {
        let mut watcher = watcher(scenario);
        let mut wire = scenario.open();
        wire.connect("10 # vv 04 0000 (11 ffffffff) 'mortal' () 'will/mortal' 'gone'");
        drop(wire);
        watcher.expect_message("will/mortal", "gone");
        // The Will went with its connection; the next one has none.
        drop(scenario.resume("mortal"));
        scenario.resume("mortal").disconnect();
        watcher.ping();
    });
}

/// [MQTT5-3.2.2-12] [MQTT5-3.2.2-13]
#[test]
fn a_will_beyond_what_the_broker_offers_is_refused() {
    let settings = [("capabilities.maximum_qos", "0"), ("capabilities.retain_available", "false")];
    everywhere_with(&settings, |scenario| {
        for (flags, reason) in [(0x0E, ReasonCode::QoSNotSupported), (0x26, ReasonCode::RetainNotSupported)] {
            let mut wire = scenario.open();
            let connect = format!("10 # vv {flags:02x} 0000 () 'mortal' () 'will/mortal' 'gone'");
            let refusal = wire.connect(&connect).reason;
            let expected = if scenario.version == V5 { reason } else { ReasonCode::ServerUnavailable };
            assert_eq!(refusal, expected);
            wire.expect_close();
        }
    });
}
