//! Owns the tests of the `$SYS` tree as a client sees it. Its content is snapshot by the engine's own tests.

use dunlin_tests::{everywhere, everywhere_with, in_version_with};
use mqtt_codec::{
    ProtocolVersion::V5,
    QoS::{AtLeastOnce, AtMostOnce},
    ReasonCode,
};
use std::collections::BTreeMap;

const SETTINGS: &[(&str, &str)] = &[("sys.interval_ms", "200")];

/// The names that monitoring of mosquitto knows.
const TOPICS: &[&str] = &[
    "$SYS/broker/version",
    "$SYS/broker/uptime",
    "$SYS/broker/clients/connected",
    "$SYS/broker/clients/disconnected",
    "$SYS/broker/clients/maximum",
    "$SYS/broker/clients/total",
    "$SYS/broker/messages/received",
    "$SYS/broker/messages/sent",
    "$SYS/broker/publish/messages/received",
    "$SYS/broker/publish/messages/sent",
    "$SYS/broker/publish/messages/dropped",
    "$SYS/broker/bytes/received",
    "$SYS/broker/bytes/sent",
    "$SYS/broker/retained messages/count",
    "$SYS/broker/subscriptions/count",
    "$SYS/broker/load/messages/received/1min",
];

#[test]
fn whoever_subscribes_sees_the_tree_at_once() {
    everywhere(|scenario| {
        let mut wire = scenario.connect("watcher");
        wire.subscribe("$SYS/#", AtMostOnce);
        let mut missing: Vec<&str> = TOPICS.to_vec();
        while !missing.is_empty() {
            let publish = wire.receive();
            let topic = publish.topic.expect("no aliases");
            assert!(topic.as_str().starts_with("$SYS/broker/"), "{topic:?}");
            missing.retain(|expected| *expected != topic.as_str());
        }
    });
}

#[test]
fn the_figures_follow_what_happens() {
    everywhere_with(SETTINGS, |scenario| {
        let mut watcher = scenario.connect("watcher");
        watcher.subscribe("$SYS/broker/#", AtMostOnce);
        let mut others = [scenario.connect("second"), scenario.connect("third")];
        others[0].subscribe("a", AtMostOnce);
        others[1].publish_retained("a", AtLeastOnce, "x");
        let expected = BTreeMap::from([
            ("$SYS/broker/clients/connected", "3"),
            ("$SYS/broker/clients/total", "3"),
            ("$SYS/broker/clients/maximum", "3"),
            ("$SYS/broker/subscriptions/count", "2"),
        ]);
        let mut seen = BTreeMap::new();
        while seen != expected {
            let publish = watcher.receive();
            let topic = publish.topic.as_ref().expect("no aliases").as_str();
            let payload = String::from_utf8_lossy(&publish.payload);
            if let Some((topic, value)) = expected.get_key_value(topic)
                && payload == *value
            {
                seen.insert(*topic, *value);
            }
        }
    });
}

/// [MQTT5-4.7.2-1] [MQTT311-4.7.2-1]
#[test]
fn wildcards_at_the_beginning_do_not_see_the_tree() {
    everywhere_with(SETTINGS, |scenario| {
        let mut wire = scenario.connect("curious");
        wire.subscribe("#", AtMostOnce);
        wire.subscribe("+/broker/uptime", AtMostOnce);
        wire.expect_silence(std::time::Duration::from_millis(600));
        wire.publish("a", AtMostOnce, "x");
        wire.expect_message("a", "x");
    });
}

#[test]
fn nobody_else_publishes_to_the_tree() {
    everywhere(|scenario| {
        let mut watcher = scenario.connect("watcher");
        watcher.subscribe("$SYS/forged", AtMostOnce);
        watcher.subscribe("end", AtMostOnce);
        let mut forger = scenario.connect("forger");
        let reason = forger.publish("$SYS/forged", AtLeastOnce, "x");
        if scenario.version == V5 {
            assert_eq!(reason, ReasonCode::NotAuthorized);
        }
        forger.publish_retained("$SYS/forged", AtMostOnce, "x");
        forger.publish("end", AtMostOnce, "");
        watcher.expect_message("end", "");
    });
}

#[test]
fn the_tree_can_be_switched_off() {
    in_version_with(V5, &[("sys.interval_ms", "0")], |scenario| {
        let mut wire = scenario.connect("watcher");
        wire.subscribe("$SYS/#", AtMostOnce);
        wire.expect_silence(std::time::Duration::from_millis(300));
    });
}
