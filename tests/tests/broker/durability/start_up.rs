//! Owns the tests of what a start says of its data directory, and of the directories it refuses. Damage is in `damage`.

use super::leave_subscribed;
use dunlin_tests::{Broker, Home};
use mqtt_codec::{ProtocolVersion::V5, QoS::AtLeastOnce};
use std::{fs, path::Path};

#[test]
fn the_second_line_says_where_data_is_kept_and_what_was_found() {
    let mut broker = Broker::start();
    let line = broker.line();
    let (place, took) = line.rsplit_once(" recovered in ").expect("a duration");
    assert_eq!(place, "durable: ./mqttd-data (0 sessions, 0 queued messages, 0 retained messages");
    assert!(took.ends_with(" ms)"), "{line}");
    leave_subscribed(&broker, V5, "absent", "a", AtLeastOnce);
    let mut publisher = broker.connect(V5, "publisher");
    publisher.publish_retained("a", AtLeastOnce, "one");
    publisher.publish("a", AtLeastOnce, "two");
    let mut broker = Broker::at(broker.kill(), 1, &[]);
    let line = broker.line();
    assert!(
        line.starts_with(
            "durable: ./mqttd-data (1 session, 2 queued messages, 1 retained message recovered in "
        ),
        "{line}"
    );
}

#[test]
fn a_broker_that_keeps_everything_in_memory_says_so_and_writes_nothing() {
    let mut broker = Broker::with(1, &[("storage", "memory")]);
    assert_eq!(broker.line(), "in memory: nothing survives the process (storage = \"memory\")");
    leave_subscribed(&broker, V5, "absent", "a", AtLeastOnce);
    broker.connect(V5, "publisher").publish_retained("a", AtLeastOnce, "lost");
    let home = broker.kill();
    assert!(!home.data_dir().exists());
    let broker = Broker::at(home, 1, &[("storage", "memory")]);
    broker.connect_lasting(V5, "absent").disconnect();
}

#[test]
fn a_directory_that_is_not_there_is_made_with_those_above_it() {
    let home = Home::new();
    let broker = Broker::at(home, 1, &[("data_dir", "some/where/else")]);
    leave_subscribed(&broker, V5, "absent", "a", AtLeastOnce);
    let home = broker.kill();
    assert!(home.path().join("some/where/else").is_dir());
    assert!(!home.data_dir().exists());
    let broker = Broker::at(home, 1, &[("data_dir", "some/where/else")]);
    broker.resume(V5, "absent").disconnect();
}

#[test]
fn a_second_broker_on_one_directory_is_refused_and_the_first_goes_on() {
    let broker = Broker::start();
    let refused = broker.home().start_refused(&[]);
    assert_eq!(refused.code, Some(1));
    assert_eq!(
        refused.errors,
        "error: cannot keep data in ./mqttd-data: another mqttd uses it\n\
         hint: end the other one first, or give this one a directory of its own with --data-dir\n"
    );
    assert_eq!(refused.lines, [""; 0]);
    leave_subscribed(&broker, V5, "absent", "a", AtLeastOnce);
    // The lock goes with the process, however that ended.
    let broker = Broker::at(broker.kill(), 1, &[]);
    broker.resume(V5, "absent").disconnect();
}

#[test]
fn a_directory_that_cannot_be_used_is_refused_with_the_way_out() {
    let home = Home::new();
    fs::write(home.path().join("file"), "not ours").expect("a file");
    let cases = [
        ("file", "error: cannot keep data in file: it is not a directory\nhint: name a directory"),
        (
            "file/below",
            "error: cannot keep data in file/below: it is not there and cannot be created: Not a directory (os error 20)\n\
             hint: create it",
        ),
        (
            "/proc/below",
            "error: cannot keep data in /proc/below: it is not there and cannot be created: No such file or directory \
             (os error 2)\nhint: create it",
        ),
        // Nobody creates files here, not even the superuser.
        (
            "/sys",
            "error: cannot keep data in /sys: nothing can be written there: Permission denied (os error 13)\n\
             hint: let this user write to it",
        ),
    ];
    for (data_dir, expected) in cases {
        let above = Path::new(data_dir).ancestors().find(|path| path.parent() == Some(Path::new("/")));
        if above.is_some_and(|above| !above.is_dir()) {
            continue;
        }
        let refused = home.start_refused(&[("data_dir", data_dir)]);
        assert_eq!(refused.code, Some(1), "{refused:#?}");
        assert!(refused.errors.starts_with(expected), "{}", refused.errors);
        assert_eq!(refused.lines, [""; 0]);
    }
    assert_eq!(fs::read_to_string(home.path().join("file")).expect("it is there"), "not ours");
}
