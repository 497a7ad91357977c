//! Owns the tests of handshakes that a kill interrupts, on either side of the broker.

use super::{everywhere, leave_subscribed};
use dunlin_tests::Broker;
use mqtt_codec::QoS::{AtLeastOnce, ExactlyOnce};

/// [MQTT5-4.4.0-1] [MQTT5-3.3.1-1] [MQTT311-4.4.0-1] [MQTT311-3.3.1-1]
#[test]
fn what_was_in_flight_comes_again_with_its_identifier() {
    everywhere(|workers, version| {
        let broker = Broker::with(workers, &[]);
        let mut subscriber = broker.connect_lasting(version, "lossy");
        subscriber.subscribe("a", ExactlyOnce);
        let mut publisher = broker.connect(version, "publisher");
        for (qos, payload) in [(AtLeastOnce, "one"), (ExactlyOnce, "two"), (ExactlyOnce, "three")] {
            publisher.publish("a", qos, payload);
        }
        subscriber.expect("32 # 'a' 0001 () <one>");
        subscriber.expect("34 # 'a' 0002 () <two>");
        subscriber.expect("34 # 'a' 0003 () <three>");
        // The message of 3 is the client's: only its PUBREL is owed.
        subscriber.send("50 # 0003");
        subscriber.expect("62 # 0003");
        // What was recorded before this answer was is on disk.
        subscriber.subscribe("b", AtLeastOnce);
        let broker = Broker::at(broker.kill(), workers, &[]);
        let mut subscriber = broker.resume(version, "lossy");
        subscriber.expect_each(&["3a # 'a' 0001 () <one>", "3c # 'a' 0002 () <two>", "62 # 0003"]);
        subscriber.send("40 # 0001; 50 # 0002; 70 # 0003");
        subscriber.expect("62 # 0002");
        subscriber.send("70 # 0002");
        subscriber.subscribe("c", AtLeastOnce);
        let broker = Broker::at(broker.kill(), workers, &[]);
        // Everything is acknowledged: nothing comes again.
        broker.resume(version, "lossy").ping();
    });
}

/// A QoS 2 message leaves only when its identifier is on disk: whatever the client holds of it, no other message gets
/// that identifier [MQTT5-4.3.3-3] [MQTT311-4.3.3-1].
#[test]
fn an_identifier_of_qos_2_stays_with_its_message() {
    everywhere(|workers, version| {
        let broker = Broker::with(workers, &[]);
        let mut subscriber = broker.connect_lasting(version, "exact");
        subscriber.subscribe("a", ExactlyOnce);
        broker.connect(version, "publisher").publish("a", ExactlyOnce, "one");
        subscriber.expect("34 # 'a' 0001 () <one>");
        let broker = Broker::at(broker.kill(), workers, &[]);
        broker.connect(version, "publisher").publish("a", ExactlyOnce, "two");
        let mut subscriber = broker.resume(version, "exact");
        subscriber.expect("3c # 'a' 0001 () <one>");
        subscriber.send("50 # 0001");
        subscriber.expect_each(&["34 # 'a' 0002 () <two>", "62 # 0001"]);
    });
}

/// [MQTT5-4.3.3-10] [MQTT311-4.3.3-2]
#[test]
fn a_message_that_was_received_before_the_kill_is_known_as_a_duplicate() {
    everywhere(|workers, version| {
        let broker = Broker::with(workers, &[]);
        leave_subscribed(&broker, version, "absent", "a", ExactlyOnce);
        let mut publisher = broker.connect_lasting(version, "publisher");
        publisher.send("34 # 'a' 0001 () <one>; 34 # 'a' 0002 () <two>");
        publisher.expect("50 # 0001");
        publisher.expect("50 # 0002");
        let broker = Broker::at(broker.kill(), workers, &[]);
        let mut publisher = broker.resume(version, "publisher");
        publisher.send("3c # 'a' 0001 () <one>; 62 # 0001; 62 # 0002");
        publisher.expect("50 # 0001");
        publisher.expect("70 # 0001");
        publisher.expect("70 # 0002");
        let broker = Broker::at(broker.kill(), workers, &[]);
        // Its identifier is free: this is another message.
        let mut publisher = broker.resume(version, "publisher");
        publisher.publish("a", ExactlyOnce, "three");
        let mut subscriber = broker.resume(version, "absent");
        for payload in ["one", "two", "three"] {
            subscriber.expect_message("a", payload);
        }
        subscriber.ping();
    });
}

/// The message that is read back from the disk is the one that was sent before.
#[test]
fn a_large_message_is_read_back_byte_by_byte() {
    everywhere(|workers, version| {
        let payload: String = (0..100_000).map(|number| char::from(b'a' + (number % 23) as u8)).collect();
        let broker = Broker::with(workers, &[]);
        leave_subscribed(&broker, version, "absent", "a", AtLeastOnce);
        let mut publisher = broker.connect(version, "publisher");
        for _ in 0..10 {
            publisher.publish("a", AtLeastOnce, &payload);
        }
        let broker = Broker::at(broker.kill(), workers, &[]);
        let mut subscriber = broker.resume(version, "absent");
        for _ in 0..10 {
            subscriber.expect_message("a", &payload);
        }
        subscriber.ping();
    });
}
