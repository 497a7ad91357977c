//! Owns the tests of a second connection with the same client identifier. Wills are in `wills` and `wills_delayed`.

use dunlin_tests::everywhere;
use mqtt_codec::{
    QoS::{AtLeastOnce, ExactlyOnce},
    ReasonCode,
};

/// [MQTT5-3.1.4-3] [MQTT311-3.1.4-2]
#[test]
fn the_former_connection_is_told_and_closed() {
    everywhere(|scenario| {
        let mut former = scenario.connect("same");
        let mut latter = scenario.connect("same");
        former.expect_disconnect(ReasonCode::SessionTakenOver);
        latter.ping();
    });
}

#[test]
fn the_session_goes_on_with_what_was_in_flight() {
    everywhere(|scenario| {
        let mut former = scenario.connect_lasting("same");
        former.subscribe("a", ExactlyOnce);
        let mut publisher = scenario.connect("publisher");
        publisher.publish("a", AtLeastOnce, "one");
        publisher.publish("a", ExactlyOnce, "two");
        former.expect("32 # 'a' 0001 () <one>");
        former.expect("34 # 'a' 0002 () <two>");
        let mut latter = scenario.resume("same");
        former.expect_disconnect(ReasonCode::SessionTakenOver);
        latter.expect("3a # 'a' 0001 () <one>");
        latter.expect("3c # 'a' 0002 () <two>");
        publisher.publish("a", AtLeastOnce, "three");
        latter.expect("32 # 'a' 0003 () <three>");
    });
}

/// Whoever reconnects without end must not disturb others, nor leave anything behind.
#[test]
fn a_storm_of_reconnects_while_subscribing_ends_with_one_session() {
    const STORM: usize = 60;
    everywhere(|scenario| {
        std::thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| {
                    for number in 0..STORM {
                        let mut wire = scenario.open();
                        wire.send("10 # vv 00 0000 (11 ffffffff) 'stormy'");
                        // The other threads may have taken over already.
                        let subscribe =
                            format!("82 # 0001 () 'storm/{number}' 01; 82 # 0002 () 'storm/all' 01");
                        wire.send_while_read(&dunlin_tests::notation::bytes(&subscribe, scenario.version));
                        // Its turn has come: none of them is still on its way when the storm is over.
                        drop(wire.packet_or_close());
                    }
                });
            }
        });
        let mut survivor = scenario.resume("stormy");
        survivor.subscribe("storm/all", AtLeastOnce);
        scenario.connect("publisher").publish("storm/all", AtLeastOnce, "calm");
        survivor.expect_message("storm/all", "calm");
        survivor.ping();
    });
}
