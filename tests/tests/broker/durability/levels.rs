//! Owns the tests of durability by topic, and of publishers that ask what was reached.

use super::{leave_subscribed, with_workers};
use dunlin_tests::Broker;
use mqtt_codec::{
    ProtocolVersion::V5,
    QoS::{AtLeastOnce, ExactlyOnce},
};

const SETTINGS: &[(&str, &str)] = &[("durability", "memory/#=memory,none/#=none")];

#[test]
fn each_topic_is_as_durable_as_its_rule_says() {
    with_workers(|workers| {
        let broker = Broker::with(workers, SETTINGS);
        let mut subscriber = broker.connect_lasting(V5, "subscriber");
        subscriber.subscribe("#", AtLeastOnce);
        subscriber.disconnect();
        let mut publisher = broker.connect(V5, "publisher");
        for topic in ["memory/a", "none/a", "disk/a"] {
            publisher.publish(topic, AtLeastOnce, "while away");
        }
        let mut subscriber = broker.resume(V5, "subscriber");
        subscriber.expect_message("memory/a", "while away");
        subscriber.expect_message("disk/a", "while away");
        publisher.publish("none/a", AtLeastOnce, "while here");
        subscriber.expect_message("none/a", "while here");
        subscriber.disconnect();
        for topic in ["memory/a", "disk/a"] {
            publisher.publish(topic, AtLeastOnce, "before the kill");
        }
        let broker = Broker::at(broker.kill(), workers, SETTINGS);
        let mut subscriber = broker.resume(V5, "subscriber");
        subscriber.expect_message("disk/a", "before the kill");
        subscriber.ping();
    });
}

#[test]
fn a_publisher_that_asks_is_told_the_level_that_was_reached() {
    with_workers(|workers| {
        let broker = Broker::with(workers, SETTINGS);
        leave_subscribed(&broker, V5, "absent", "#", ExactlyOnce);
        let mut publisher = broker.connect(V5, "publisher");
        let ask = "26 'dunlin-durability' '?'";
        for (topic, level) in [("memory/a", "memory"), ("none/a", "none"), ("disk/a", "disk")] {
            publisher.send(&format!("32 # '{topic}' 0001 ({ask}) <x>"));
            publisher.expect(&format!("40 # 0001 00 (26 'dunlin-durability' '{level}')"));
            publisher.send(&format!("34 # '{topic}' 0002 ({ask}) <x>"));
            publisher.expect(&format!("50 # 0002 00 (26 'dunlin-durability' '{level}')"));
            publisher.send("62 # 0002");
            publisher.expect("70 # 0002");
        }
        // Who does not ask is told nothing.
        publisher.send("32 # 'disk/a' 0003 () <x>");
        publisher.expect("40 # 0003");
    });
}

#[test]
fn a_broker_without_a_disk_says_that_it_is_memory() {
    let broker = Broker::with(1, &[("storage", "memory")]);
    leave_subscribed(&broker, V5, "absent", "#", AtLeastOnce);
    let mut publisher = broker.connect(V5, "publisher");
    publisher.send("32 # 'a' 0001 (26 'dunlin-durability' '?') <x>");
    publisher.expect("40 # 0001 00 (26 'dunlin-durability' 'memory')");
}
