//! Owns the tests of retained messages that outlive the process.

use super::{everywhere, with_workers};
use dunlin_tests::Broker;
use mqtt_codec::{
    ProtocolVersion::V5,
    QoS::{AtLeastOnce, AtMostOnce, ExactlyOnce},
};

/// [MQTT5-3.3.1-5] [MQTT311-3.3.1-5]
#[test]
fn the_last_retained_message_of_each_topic_is_there_after_a_kill() {
    everywhere(|workers, version| {
        let broker = Broker::with(workers, &[]);
        let mut publisher = broker.connect(version, "publisher");
        for (topic, payload) in [("a", "old"), ("a", "new"), ("b", "kept"), ("c", "cleared"), ("d", "again")]
        {
            publisher.publish_retained(topic, AtLeastOnce, payload);
        }
        publisher.publish_retained("c", AtLeastOnce, "");
        publisher.publish_retained("d", ExactlyOnce, "");
        publisher.publish_retained("d", ExactlyOnce, "exact");
        let mut broker = Broker::at(broker.kill(), workers, &[]);
        let line = broker.line();
        assert!(line.contains(", 3 retained messages recovered"), "{line}");
        let mut subscriber = broker.connect(version, "subscriber");
        subscriber.subscribe("#", AtMostOnce);
        subscriber.expect_each(&["31 # 'a' () <new>", "31 # 'b' () <kept>", "31 # 'd' () <exact>"]);
        subscriber.ping();
    });
}

#[test]
fn a_retained_message_keeps_its_properties_and_its_expiry() {
    with_workers(|workers| {
        let broker = Broker::with(workers, &[]);
        let mut publisher = broker.connect(V5, "publisher");
        let retained = "33 # 'a' 0001 (02 00000258 03 'text' 26 'name' 'value') <payload>";
        publisher.send(retained);
        publisher.expect("40 # 0001 10");
        let broker = Broker::at(broker.kill(), workers, &[]);
        let mut subscriber = broker.connect(V5, "subscriber");
        subscriber.subscribe("a", AtMostOnce);
        let publish = subscriber.receive();
        assert_eq!(&publish.payload[..], b"payload");
        let left = publish.properties.message_expiry_interval().expect("it still expires");
        assert!((540..=600).contains(&left), "{left} seconds are left");
        assert_eq!(publish.properties.content_type(), Some("text"));
        assert_eq!(publish.properties.user_properties().collect::<Vec<_>>(), [("name", "value")]);
    });
}

/// A retained message waits in a queue like any other, and in the store.
#[test]
fn a_retained_message_that_waits_for_its_first_delivery_is_delivered() {
    everywhere(|workers, version| {
        let broker = Broker::with(workers, &[]);
        let mut publisher = broker.connect(version, "publisher");
        for number in 0..50 {
            publisher.publish_retained(&format!("a/{number}"), AtLeastOnce, number.to_string());
        }
        let mut subscriber = broker.connect_lasting(version, "subscriber");
        subscriber.subscribe("a/#", AtLeastOnce);
        let broker = Broker::at(broker.kill(), workers, &[]);
        let mut subscriber = broker.resume(version, "subscriber");
        let mut received = std::collections::BTreeSet::new();
        while received.len() < 50 {
            received.insert(subscriber.receive().payload);
        }
    });
}
