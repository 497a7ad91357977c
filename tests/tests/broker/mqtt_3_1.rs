//! Owns the tests that a client of MQTT 3.1 gets what it knows. What it shares with 3.1.1 is tested there.

use dunlin_tests::in_worlds;
use mqtt_codec::{
    ProtocolVersion::{V5, V31},
    QoS::{AtLeastOnce, AtMostOnce, ExactlyOnce},
};

#[test]
fn a_client_of_mqtt_3_1_exchanges_messages_of_every_qos() {
    in_worlds(&[V31], &[], |scenario| {
        let mut old = scenario.connect("old");
        let mut new = scenario.broker.connect(V5, "new");
        old.subscribe("to/old", ExactlyOnce);
        new.subscribe("to/new", ExactlyOnce);
        for qos in [AtMostOnce, AtLeastOnce, ExactlyOnce] {
            let payload = format!("{qos:?}");
            old.publish("to/new", qos, &payload);
            let received = new.receive();
            assert_eq!((received.delivery.qos(), &*received.payload), (qos, payload.as_bytes()));
            new.publish("to/old", qos, &payload);
            let received = old.receive();
            assert_eq!((received.delivery.qos(), &*received.payload), (qos, payload.as_bytes()));
        }
        old.ping();
        old.unsubscribe("to/old");
        old.disconnect();
    });
}

#[test]
fn a_session_of_mqtt_3_1_lasts_and_its_will_is_published() {
    in_worlds(&[V31], &[], |scenario| {
        let mut watcher = scenario.broker.connect(V5, "watcher");
        watcher.subscribe("gone", AtMostOnce);
        let mut old = scenario.open();
        assert!(!old.connect("10 # vv 04 0000 'old' 'gone' 'old is gone'").reason.is_error());
        old.subscribe("a", AtLeastOnce);
        drop(old);
        watcher.expect_message("gone", "old is gone");
        watcher.publish("a", AtLeastOnce, "while away");
        scenario.resume("old").expect_message("a", "while away");
    });
}

/// MQTT 3.1 marks repeated PUBREL, SUBSCRIBE and UNSUBSCRIBE with DUP.
#[test]
fn dup_is_accepted_where_mqtt_3_1_has_it() {
    in_worlds(&[V31], &[], |scenario| {
        let mut old = scenario.connect("old");
        old.send("8a # 0001 'a' 01");
        old.expect("90 # 0001 01");
        old.send("34 # 'b' 0002 <x>");
        old.expect("50 # 0002");
        old.send("6a # 0002");
        old.expect("70 # 0002");
        old.send("aa # 0003 'a'");
        old.expect("b0 # 0003");
        old.ping();
    });
}
