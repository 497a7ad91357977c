//! Owns the tests of the space that the data directory takes.

use super::{leave_subscribed, with_workers};
use dunlin_tests::{Broker, PATIENCE};
use mqtt_codec::{
    ProtocolVersion::V5,
    QoS::{AtLeastOnce, AtMostOnce},
};
use std::{
    collections::BTreeSet,
    fs, thread,
    time::{Duration, Instant},
};

const MIB: u64 = 1 << 20;

const SETTINGS: &[(&str, &str)] = &[("journal.segment_bytes", "1MiB"), ("journal.checkpoint_bytes", "2MiB")];

fn bytes(broker: &Broker) -> u64 {
    let entries = fs::read_dir(broker.home().data_dir()).expect("a directory");
    // A file may go between the two.
    entries.filter_map(|entry| entry.ok()?.metadata().ok()).map(|metadata| metadata.len()).sum()
}

/// Waits until the directory is not larger than that.
fn await_bytes(broker: &Broker, bytes_max: u64) {
    let deadline = Instant::now() + PATIENCE;
    while bytes(broker) > bytes_max {
        assert!(Instant::now() < deadline, "{} bytes are left", bytes(broker));
        thread::park_timeout(Duration::from_millis(50));
    }
}

#[test]
fn the_directory_shrinks_without_a_restart_when_all_is_acknowledged() {
    with_workers(|workers| {
        let broker = Broker::with(workers, SETTINGS);
        let mut subscriber = broker.connect_lasting(V5, "absent");
        subscriber.subscribe("a", AtLeastOnce);
        subscriber.disconnect();
        let mut publisher = broker.connect(V5, "publisher");
        let payload = vec![b'x'; 100_000];
        for _ in 0..120 {
            publisher.publish("a", AtLeastOnce, &payload);
        }
        let full = bytes(&broker);
        assert!(full > 11 * MIB, "{full}");
        let mut subscriber = broker.resume(V5, "absent");
        for _ in 0..120 {
            subscriber.receive();
        }
        await_bytes(&broker, 4 * MIB);
        // It all still works, and comes back after a kill.
        publisher.publish("a", AtLeastOnce, "after");
        let broker = Broker::at(broker.kill(), workers, SETTINGS);
        let mut subscriber = broker.resume(V5, "absent");
        while subscriber.receive().payload != "after" {}
    });
}

/// Nobody comes for them, and still they do not keep their files for ever.
#[test]
fn messages_that_expire_in_the_queue_of_an_absent_client_give_their_space_back() {
    let broker = Broker::with(2, SETTINGS);
    leave_subscribed(&broker, V5, "absent", "a", AtLeastOnce);
    let mut publisher = broker.connect(V5, "publisher");
    let payload = vec![b'x'; 100_000];
    for _ in 0..120 {
        publisher.publish_with("a", AtLeastOnce, "02 00000002", &payload);
    }
    publisher.publish("a", AtLeastOnce, "stays");
    assert!(bytes(&broker) > 11 * MIB);
    await_bytes(&broker, 4 * MIB);
    let broker = Broker::at(broker.kill(), 1, SETTINGS);
    broker.resume(V5, "absent").expect_message("a", "stays");
}

/// What is still needed of an old file moves, so that a little that lives long does not keep a lot of space.
#[test]
fn a_few_messages_that_are_kept_for_long_do_not_keep_what_was_stored_beside_them() {
    // A mebibyte and a little each.
    const ROUNDS: usize = 18;
    // In the first file, and more than is copied at once.
    const LARGE: usize = 40;
    let broker = Broker::with(2, SETTINGS);
    leave_subscribed(&broker, V5, "absent", "kept/#", AtLeastOnce);
    let mut subscriber = broker.connect_lasting(V5, "subscriber");
    subscriber.subscribe("a", AtLeastOnce);
    let mut publisher = broker.connect(V5, "publisher");
    let payload = vec![b'x'; 50_000];
    for number in 0..LARGE {
        publisher.publish_retained(&format!("large/{number}"), AtLeastOnce, &payload[..20_000]);
    }
    for round in 0..ROUNDS {
        publisher.publish_retained(&format!("kept/{round}"), AtLeastOnce, round.to_string());
        for _ in 0..20 {
            publisher.publish("a", AtLeastOnce, &payload);
            subscriber.receive();
        }
    }
    await_bytes(&broker, 9 * MIB);
    let broker = Broker::at(broker.kill(), 1, SETTINGS);
    let mut absent = broker.resume(V5, "absent");
    for round in 0..ROUNDS {
        absent.expect_message(&format!("kept/{round}"), &round.to_string());
    }
    let mut newcomer = broker.connect(V5, "newcomer");
    for (filter, count) in [("kept/#", ROUNDS), ("large/#", LARGE)] {
        newcomer.subscribe(filter, AtMostOnce);
        let topics: BTreeSet<String> =
            (0..count).map(|_| newcomer.receive().topic.expect("a topic").as_str().to_owned()).collect();
        assert_eq!(topics.len(), count);
    }
}

/// What has come and gone leaves nothing behind, however often.
#[test]
fn the_directory_stays_small_over_many_cycles() {
    let broker = Broker::with(2, SETTINGS);
    let mut subscriber = broker.connect_lasting(V5, "subscriber");
    subscriber.subscribe("a", AtLeastOnce);
    let mut publisher = broker.connect(V5, "publisher");
    let payload = vec![b'x'; 50_000];
    let mut largest = 0;
    for _ in 0..150 {
        for _ in 0..20 {
            publisher.publish("a", AtLeastOnce, &payload);
        }
        for _ in 0..20 {
            subscriber.receive();
        }
        largest = largest.max(bytes(&broker));
    }
    // 150 MB have passed through. There are the 2 MiB after which a checkpoint is due, what comes while it is made and
    // the files behind it are deleted, and what is left of a file at either end: on a busy machine 4 to 6 MiB.
    assert!(largest < 16 * MIB, "{largest}");
}
