//! Owns the tests of a disk that takes nothing any more: what must be stored is refused, all else goes on, and so does
//! everything when there is room again. The disk is played by a limit on the size of files, which every machine has, and by
//! a small file system in memory where one can be mounted.

use super::{leave_subscribed, with_workers};
use dunlin_tests::{Broker, Finished, Wire, external, need};
use mqtt_codec::{
    Packet,
    ProtocolVersion::{V5, V311},
    QoS::{AtLeastOnce, AtMostOnce, ExactlyOnce},
    ReasonCode,
};
use std::process::Command;

const KIBIBYTES: u32 = 64;

const SETTINGS: &[(&str, &str)] = &[("durability", "volatile/#=memory")];

/// Fills the disk of a broker that has a durable session `absent` for `a`. What does not fit waits for it.
fn fill(broker: &Broker) -> Wire {
    leave_subscribed(broker, V5, "absent", "a", AtLeastOnce);
    let mut publisher = broker.connect(V5, "filler");
    let payload = "x".repeat(KIBIBYTES as usize * 1024);
    publisher.send(&format!("32 # 'a' 7fff () <{payload}>"));
    broker.program().await_error("WARN the disk is full or failing data_dir=./mqttd-data");
    broker.program().await_error("File too large (os error 27)");
    publisher
}

/// Makes room for files of any size.
fn make_room(broker: &Broker) {
    let mut command = Command::new("prlimit");
    command.args(["--pid", &broker.program().id().to_string(), "--fsize=unlimited:unlimited"]);
    assert_eq!(Finished::from(&mut command).code, Some(0));
}

/// There is a durable session for `a`, and nothing that must be stored gets there; everything else does.
fn expect_what_must_be_stored_to_be_refused(broker: &Broker) {
    let mut live = broker.connect(V5, "live");
    live.subscribe("#", ExactlyOnce);
    let mut publisher = broker.connect(V5, "refused");
    for qos in [AtLeastOnce, ExactlyOnce] {
        assert_eq!(publisher.publish("a", qos, "must be stored"), ReasonCode::QuotaExceeded);
        assert_eq!(publisher.publish_retained("b", qos, "must be stored"), ReasonCode::QuotaExceeded);
    }
    let mut old = broker.connect(V311, "old");
    old.send("32 # 'a' 0001 () <must be stored>");
    old.expect_close();
    // Everything else.
    publisher.publish("a", AtMostOnce, "need not be stored");
    live.expect_message("a", "need not be stored");
    for qos in [AtLeastOnce, ExactlyOnce] {
        assert!(!publisher.publish("volatile/a", qos, "in memory").is_error());
        live.expect_message("volatile/a", "in memory");
        assert!(!publisher.publish("nobody/keeps/it", qos, "delivered").is_error());
        live.expect_message("nobody/keeps/it", "delivered");
    }
}

#[test]
fn a_full_disk_refuses_what_must_be_stored_and_serves_the_rest() {
    need!(external("prlimit"), "prlimit");
    with_workers(|workers| {
        let broker = Broker::with_small_files(KIBIBYTES, workers, SETTINGS);
        let mut filler = fill(&broker);
        expect_what_must_be_stored_to_be_refused(&broker);
        make_room(&broker);
        filler.expect("40 # 7fff");
        broker.program().await_error("INFO the disk is written again");
        let mut publisher = broker.connect(V5, "publisher");
        assert_eq!(publisher.publish("a", AtLeastOnce, "stored"), ReasonCode::Success);
        let broker = Broker::at(broker.kill(), workers, SETTINGS);
        let mut subscriber = broker.resume(V5, "absent");
        assert_eq!(subscriber.receive().payload.len(), KIBIBYTES as usize * 1024);
        subscriber.expect_message("a", "stored");
        subscriber.ping();
    });
}

/// Nobody was told that it is stored, and so nothing that was acknowledged is lost.
#[test]
fn what_the_disk_did_not_take_was_not_acknowledged() {
    with_workers(|workers| {
        let broker = Broker::with_small_files(KIBIBYTES, workers, SETTINGS);
        let mut filler = fill(&broker);
        filler.ping();
        let broker = Broker::at(broker.kill(), workers, SETTINGS);
        broker.resume(V5, "absent").ping();
    });
}

#[test]
fn an_end_while_the_disk_is_full_says_that_something_is_not_stored() {
    let broker = Broker::with_small_files(KIBIBYTES, 2, SETTINGS);
    let mut filler = fill(&broker);
    broker.program().signal("TERM");
    while let Some(packet) = filler.packet_or_close() {
        assert!(!matches!(packet, Packet::PubAck(_)), "it is not stored");
    }
    let finished = broker.finish();
    assert_eq!(finished.code, Some(1), "{finished:#?}");
    let told = finished.errors.lines().find(|line| line.starts_with("error: ")).expect("a reason");
    assert!(told.contains(" bytes could not be stored at the end: ./mqttd-data/"), "{told}");
}

/// Acknowledgements are to be recorded as well, and only they make room. Here the disk is a real one, and it is the whole
/// of it that is full.
#[test]
fn a_disk_that_the_journal_alone_has_filled_gets_room_by_what_is_fetched() {
    let settings = [SETTINGS[0], ("journal.segment_bytes", "1MiB"), ("journal.checkpoint_bytes", "1MiB")];
    let broker = need!(Broker::on_small_disk(8, 2, &settings), "unshare and mount, and the right to mount");
    leave_subscribed(&broker, V5, "absent", "a", AtLeastOnce);
    let mut publisher = broker.connect(V5, "publisher");
    let mut stored = 0;
    while publisher.publish("a", AtLeastOnce, vec![b'x'; 10_000]) == ReasonCode::Success {
        stored += 1;
        assert!(stored < 1_000, "more than fits");
    }
    broker.program().await_error("No space left on device (os error 28)");
    expect_what_must_be_stored_to_be_refused(&broker);
    let mut subscriber = broker.resume(V5, "absent");
    for _ in 0..stored {
        assert_eq!(subscriber.receive().payload.len(), 10_000);
    }
    broker.program().await_error("INFO the disk is written again");
    for _ in 0..300 {
        assert_eq!(publisher.publish("a", AtLeastOnce, vec![b'y'; 10_000]), ReasonCode::Success);
        subscriber.receive();
    }
    subscriber.ping();
}
