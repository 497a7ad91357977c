//! Owns the tests of what waits in a session while its client is away, and of what is sent again. How sessions begin
//! and end is in `session`.

use dunlin_tests::{everywhere, everywhere_with, in_version};
use mqtt_codec::{
    ProtocolVersion::V5,
    QoS::{AtLeastOnce, AtMostOnce, ExactlyOnce},
};

/// [MQTT5-4.5.0-1] [MQTT311-3.1.2-5] [MQTT311-4.5.0-1]
#[test]
fn messages_of_qos_1_and_2_wait_for_an_absent_client_in_their_order() {
    everywhere(|scenario| {
        let mut subscriber = scenario.connect_lasting("absent");
        subscriber.subscribe("a/#", ExactlyOnce);
        subscriber.disconnect();
        let mut publisher = scenario.connect("publisher");
        for number in 0..31 {
            let qos = [AtLeastOnce, ExactlyOnce, AtMostOnce][number % 3];
            publisher.publish("a/b", qos, number.to_string());
        }
        let mut subscriber = scenario.resume("absent");
        // QoS 0 need not wait, and does not.
        for number in (0..31).filter(|number| number % 3 != 2) {
            subscriber.expect_message("a/b", &number.to_string());
        }
        subscriber.ping();
    });
}

/// [MQTT5-4.4.0-1] [MQTT5-3.3.1-1] [MQTT311-4.4.0-1] [MQTT311-3.3.1-1]
#[test]
fn what_was_not_acknowledged_is_sent_again_with_dup_and_its_identifier() {
    everywhere(|scenario| {
        let mut subscriber = scenario.connect_lasting("lossy");
        subscriber.subscribe("a", ExactlyOnce);
        let mut publisher = scenario.connect("publisher");
        for (qos, payload) in [(AtLeastOnce, "one"), (ExactlyOnce, "two"), (ExactlyOnce, "three")] {
            publisher.publish("a", qos, payload);
        }
        subscriber.expect("32 # 'a' 0001 () <one>");
        subscriber.expect("34 # 'a' 0002 () <two>");
        subscriber.expect("34 # 'a' 0003 () <three>");
        // The message of 3 is the client's: only its PUBREL is owed.
        subscriber.send("50 # 0003");
        subscriber.expect("62 # 0003");
        drop(subscriber);
        let mut subscriber = scenario.resume("lossy");
        subscriber.expect_each(&["3a # 'a' 0001 () <one>", "3c # 'a' 0002 () <two>", "62 # 0003"]);
        subscriber.send("40 # 0001; 50 # 0002; 70 # 0003");
        subscriber.expect("62 # 0002");
        subscriber.send("70 # 0002");
        subscriber.ping();
        drop(subscriber);
        // Everything is acknowledged: nothing comes again.
        scenario.resume("lossy").ping();
    });
}

/// [MQTT5-4.4.0-1]: in 5.0 nothing is sent again while the connection holds.
#[test]
fn nothing_is_sent_again_on_the_same_connection() {
    everywhere(|scenario| {
        let mut subscriber = scenario.connect_lasting("slow");
        subscriber.subscribe("a", AtLeastOnce);
        scenario.connect("publisher").publish("a", AtLeastOnce, "once");
        subscriber.expect("32 # 'a' 0001 () <once>");
        subscriber.expect_silence(std::time::Duration::from_millis(300));
        subscriber.send("40 # 0001");
        subscriber.ping();
    });
}

/// The publisher's half of QoS 2 outlives its connection as well [MQTT5-4.3.3-10] [MQTT311-4.3.3-2].
#[test]
fn a_publisher_that_comes_back_continues_its_qos_2_handshakes() {
    everywhere(|scenario| {
        let mut subscriber = scenario.connect("subscriber");
        subscriber.subscribe("a", ExactlyOnce);
        let mut publisher = scenario.connect_lasting("publisher");
        publisher.send("34 # 'a' 0001 () <one>; 34 # 'a' 0002 () <two>");
        publisher.expect("50 # 0001");
        publisher.expect("50 # 0002");
        drop(publisher);
        let mut publisher = scenario.resume("publisher");
        publisher.send("3c # 'a' 0001 () <one>");
        publisher.expect("50 # 0001");
        publisher.send("62 # 0001; 62 # 0002");
        publisher.expect("70 # 0001");
        publisher.expect("70 # 0002");
        subscriber.expect_message("a", "one");
        subscriber.expect_message("a", "two");
        subscriber.ping();
    });
}

/// The client's new Receive Maximum holds for what is sent again, too [MQTT5-3.3.4-9].
#[test]
fn redelivery_keeps_inside_the_new_receive_maximum() {
    in_version(V5, |scenario| {
        let mut subscriber = scenario.connect_lasting("narrow");
        subscriber.subscribe("a", AtLeastOnce);
        let mut publisher = scenario.connect("publisher");
        for number in 1..=6 {
            publisher.publish("a", AtLeastOnce, number.to_string());
        }
        for _ in 1..=4 {
            drop(subscriber.receive_unacknowledged());
        }
        drop(subscriber);
        let mut subscriber = scenario.open();
        assert!(subscriber.connect("10 # vv 00 0000 (11 ffffffff 21 0002) 'narrow'").session_present);
        for number in (1..=6_u16).step_by(2) {
            for number in [number, number + 1] {
                let publish = subscriber.receive_unacknowledged();
                assert_eq!(&publish.payload[..], number.to_string().as_bytes());
            }
            // Nothing beyond the window before an acknowledgement frees a place.
            subscriber.ping();
            subscriber.send(&format!("40 # {number:04x}; 40 # {:04x}", number + 1));
        }
        subscriber.ping();
    });
}

#[test]
fn a_full_queue_drops_as_the_operator_says() {
    let limits = [("limits.queue_messages_max", "3"), ("limits.inflight_max", "2")];
    for (policy, kept) in [("drop_oldest", [7, 8, 9]), ("drop_newest", [0, 1, 2])] {
        let settings = [limits[0], limits[1], ("queue_policy", policy)];
        everywhere_with(&settings, |scenario| {
            let mut subscriber = scenario.connect_lasting("absent");
            subscriber.subscribe("a", AtLeastOnce);
            subscriber.disconnect();
            let mut publisher = scenario.connect("publisher");
            for number in 0..10 {
                publisher.publish("a", AtLeastOnce, number.to_string());
            }
            let mut subscriber = scenario.resume("absent");
            for number in kept {
                subscriber.expect_message("a", &number.to_string());
            }
            subscriber.ping();
        });
    }
}

#[test]
fn a_held_publisher_goes_on_when_the_subscriber_does() {
    let settings = [
        ("limits.queue_messages_max", "2"),
        ("limits.inflight_max", "1"),
        ("queue_policy", "hold_publisher"),
    ];
    everywhere_with(&settings, |scenario| {
        let mut subscriber = scenario.connect("slow");
        subscriber.subscribe("a", AtLeastOnce);
        let mut publisher = scenario.connect("publisher");
        // One in flight and two in the queue are acknowledged at once.
        for number in 1..=3 {
            publisher.publish("a", AtLeastOnce, number.to_string());
        }
        publisher.send("32 # 'a' 0004 () <4>");
        publisher.ping();
        subscriber.expect_message("a", "1");
        subscriber.expect_message("a", "2");
        publisher.expect("40 # 0004");
        for number in 3..=4 {
            subscriber.expect_message("a", &number.to_string());
        }
    });
}
