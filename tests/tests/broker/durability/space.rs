//! Owns the tests of the space that the data directory takes.

use super::with_workers;
use dunlin_tests::{Broker, PATIENCE};
use mqtt_codec::{ProtocolVersion::V5, QoS::AtLeastOnce};
use std::{
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
        let deadline = Instant::now() + PATIENCE;
        while bytes(&broker) > 4 * MIB {
            assert!(Instant::now() < deadline, "{} bytes are left of {full}", bytes(&broker));
            thread::park_timeout(Duration::from_millis(50));
        }
        // It all still works, and comes back after a kill.
        publisher.publish("a", AtLeastOnce, "after");
        let broker = Broker::at(broker.kill(), workers, SETTINGS);
        let mut subscriber = broker.resume(V5, "absent");
        while subscriber.receive().payload != "after" {}
    });
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
    for _ in 0..60 {
        for _ in 0..20 {
            publisher.publish("a", AtLeastOnce, &payload);
        }
        for _ in 0..20 {
            subscriber.receive();
        }
        largest = largest.max(bytes(&broker));
    }
    // 60 MB have passed through.
    assert!(largest < 24 * MIB, "{largest}");
}
