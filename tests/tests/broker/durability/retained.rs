//! Owns the tests of retained messages that outlive the process.

use super::{everywhere, with_workers};
use dunlin_tests::Broker;
use mqtt_codec::{
    ProtocolVersion::V5,
    QoS::{AtLeastOnce, AtMostOnce, ExactlyOnce},
};
use std::{
    fs,
    path::{Path, PathBuf},
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

/// Whose messages are in a file that somebody has removed are not told from those that have expired.
#[test]
fn retained_messages_that_are_gone_without_a_record_of_it_are_counted_at_the_start() {
    const SETTINGS: &[(&str, &str)] =
        &[("journal.segment_bytes", "1MiB"), ("journal.checkpoint_bytes", "1MiB")];
    let broker = Broker::with(1, SETTINGS);
    let mut publisher = broker.connect(V5, "publisher");
    for topic in ["kept/0", "kept/1", "kept/2"] {
        publisher.publish_retained(topic, AtLeastOnce, "kept");
    }
    let mut subscriber = broker.connect_lasting(V5, "subscriber");
    subscriber.subscribe("a", AtLeastOnce);
    let payload = vec![b'x'; 50_000];
    // Until the files behind the first one have gone.
    let files = loop {
        publisher.publish("a", AtLeastOnce, &payload);
        subscriber.receive();
        let files = files(&broker);
        if let [_, second, ..] = &files[..]
            && start_of(second) > 2 << 20
        {
            break files;
        }
    };
    let home = broker.kill();
    let broker = Broker::at(home, 1, SETTINGS);
    broker.connect(V5, "anyone").ping();
    assert!(!broker.program().errors().contains("retained messages are gone"), "all are there");
    let home = broker.kill();
    fs::remove_file(&files[0]).expect("it is there");
    let broker = Broker::at(home, 1, SETTINGS);
    let told = "WARN retained messages are gone: they have expired, or a file of the journal is missing";
    broker.program().await_error(&format!("{told} messages=3"));
}

/// The files of the journal, in their order.
fn files(broker: &Broker) -> Vec<PathBuf> {
    let entries = fs::read_dir(broker.home().data_dir()).expect("a directory");
    let files = entries.filter_map(|entry| Some(entry.ok()?.path()));
    let mut files: Vec<_> = files.filter(|path| path.extension().is_some_and(|it| it == "log")).collect();
    files.sort();
    files
}

/// The position at which a file begins.
fn start_of(file: &Path) -> u64 {
    let name = file.file_stem().expect("a name").to_string_lossy();
    u64::from_str_radix(&name, 16).expect("a position")
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
