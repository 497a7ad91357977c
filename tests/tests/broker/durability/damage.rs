//! Owns the tests of bytes that are not what they were: what a crash leaves at the end is cut, everything else is refused
//! by name. How damage is looked at is in `inspection`.

use super::leave_subscribed;
use dunlin_tests::{Broker, Home};
use mqtt_codec::{ProtocolVersion::V5, QoS::AtLeastOnce};
use std::{fs, path::PathBuf};

/// What a broker leaves that was killed when it had stored one message after the other, and the file it is in.
pub(super) fn left_by_a_kill() -> (Home, PathBuf) {
    let broker = Broker::start();
    leave_subscribed(&broker, V5, "absent", "a", AtLeastOnce);
    let mut publisher = broker.connect(V5, "publisher");
    for payload in ["the first message", "the second message", "the third message"] {
        publisher.publish("a", AtLeastOnce, payload);
    }
    let home = broker.kill();
    let file = last_file(&home);
    (home, file)
}

fn last_file(home: &Home) -> PathBuf {
    let entries = fs::read_dir(home.data_dir()).expect("a directory");
    let files = entries.map(|entry| entry.expect("a file").path());
    files.filter(|path| path.extension().is_some_and(|extension| extension == "log")).max().expect("a file")
}

/// Turns the bytes of some text in a file into others, and tells where it stood.
pub(super) fn spoil(file: &PathBuf, text: &str) -> usize {
    let mut bytes = fs::read(file).expect("a file");
    let offset = bytes.windows(text.len()).position(|window| window == text.as_bytes()).expect("it is there");
    bytes[offset] ^= 0x20;
    fs::write(file, bytes).expect("a file");
    offset
}

#[test]
fn a_byte_that_has_changed_in_the_middle_is_refused_with_its_file_and_place() {
    let (home, file) = left_by_a_kill();
    let offset = spoil(&file, "the first message");
    let before = fs::read(&file).expect("a file");
    let refused = home.start_refused(&[]);
    assert_eq!(refused.code, Some(1));
    let name = format!("./mqttd-data/{}", file.file_name().expect("a name").display());
    let beginning = format!("error: cannot keep data in ./mqttd-data: it is damaged: {name}, offset ");
    let rest = refused.errors.strip_prefix(&beginning).unwrap_or_else(|| panic!("{}", refused.errors));
    let (found, rest) = rest.split_once(": ").expect("a place and a flaw");
    // That of the record, which begins a little before its payload.
    let found: usize = found.parse().expect("a place");
    assert!((offset - 100..offset).contains(&found), "{offset} is not in the record at {found}");
    assert!(rest.starts_with("the checksum of the record is wrong\nhint: nothing was changed."), "{rest}");
    assert!(rest.contains("mqttd journal verify"), "{rest}");
    assert_eq!(fs::read(&file).expect("a file"), before, "it was changed");
}

#[test]
fn what_a_crash_has_left_unfinished_is_cut_off_and_said() {
    let (home, file) = left_by_a_kill();
    let mut bytes = fs::read(&file).expect("a file");
    // Room for more may stand behind what was written.
    let end = bytes.iter().rposition(|byte| *byte != 0).expect("something was written") + 1;
    bytes.resize(bytes.len().max(end + 100), 0);
    bytes[end..end + 100].fill(0xA5);
    fs::write(&file, &bytes).expect("room");
    let broker = Broker::at(home, 1, &[]);
    broker.program().await_error("WARN the end of the journal was torn");
    let log = broker.program().errors();
    let name = format!("file=./mqttd-data/{}", file.file_name().expect("a name").display());
    assert!(log.contains(&name), "{log}");
    let [offset, torn_bytes] = [" offset=", " bytes="].map(|field| {
        let digits = log.split(field).nth(1).and_then(|rest| rest.split_whitespace().next());
        digits.and_then(|digits| digits.parse::<usize>().ok()).expect("a number")
    });
    // The last record may end with zeros of its own.
    assert!((end..end + 8).contains(&offset), "{offset} for {end}");
    assert_eq!(offset + torn_bytes, bytes.len());
    let mut subscriber = broker.resume(V5, "absent");
    for payload in ["the first message", "the second message", "the third message"] {
        subscriber.expect_message("a", payload);
    }
    subscriber.ping();
    // What was cut off is not looked at again.
    let broker = Broker::at(broker.kill(), 1, &[]);
    assert!(!broker.program().errors().contains("cut off"));
}

/// A disk may decay while the broker runs: what cannot be read back is lost, which is said, and nothing else is.
#[test]
fn a_message_that_cannot_be_read_back_is_lost_with_an_error_in_the_log() {
    let broker = Broker::start();
    leave_subscribed(&broker, V5, "absent", "a", AtLeastOnce);
    let mut publisher = broker.connect(V5, "publisher");
    for payload in ["the first message", "the second message", "the third message"] {
        publisher.publish("a", AtLeastOnce, payload);
    }
    spoil(&last_file(broker.home()), "the second message");
    let mut subscriber = broker.resume(V5, "absent");
    subscriber.expect_message("a", "the first message");
    subscriber.expect_message("a", "the third message");
    subscriber.ping();
    broker.program().await_error("ERROR a message cannot be read and is lost position=");
    broker.program().await_error("the checksum of the record is wrong");
}

#[test]
fn a_file_that_is_missing_in_the_middle_is_refused() {
    let settings = [("journal.segment_bytes", "1MiB")];
    let broker = Broker::with(1, &settings);
    leave_subscribed(&broker, V5, "absent", "a", AtLeastOnce);
    let mut publisher = broker.connect(V5, "publisher");
    for _ in 0..40 {
        publisher.publish("a", AtLeastOnce, vec![b'x'; 100_000]);
    }
    let home = broker.kill();
    let mut files: Vec<_> = fs::read_dir(home.data_dir())
        .expect("a directory")
        .map(|entry| entry.expect("a file").path())
        .collect();
    files.retain(|path| path.extension().is_some_and(|extension| extension == "log"));
    files.sort();
    assert!(files.len() > 3, "{files:?}");
    fs::remove_file(&files[1]).expect("a file");
    let refused = home.start_refused(&settings);
    assert_eq!(refused.code, Some(1));
    assert!(refused.errors.contains("records are missing"), "{}", refused.errors);
}

#[test]
fn a_newer_format_is_refused() {
    let (home, file) = left_by_a_kill();
    let mut bytes = fs::read(&file).expect("a file");
    // The version stands behind the eight bytes that every file begins with, the checksum at the end of the header.
    bytes[8..10].copy_from_slice(&2_u16.to_le_bytes());
    let checksum = crc32c(&bytes[..60]);
    bytes[60..64].copy_from_slice(&checksum.to_le_bytes());
    fs::write(&file, bytes).expect("a file");
    let refused = home.start_refused(&[]);
    assert_eq!(refused.code, Some(1));
    let name = format!("./mqttd-data/{}", file.file_name().expect("a name").display());
    assert_eq!(
        refused.errors,
        format!(
            "error: cannot keep data in ./mqttd-data: {name} was written by a newer mqttd, in version 2 of the format; \
             this one reads up to 1\n\
             hint: start the newer mqttd again, or restore a backup from before the upgrade\n"
        )
    );
}

/// As the file's header has it.
fn crc32c(bytes: &[u8]) -> u32 {
    !bytes.iter().fold(!0, |checksum, byte| {
        (0..8).fold(checksum ^ u32::from(*byte), |bits, _| {
            if bits & 1 == 1 { bits >> 1 ^ 0x82F6_3B78 } else { bits >> 1 }
        })
    })
}
