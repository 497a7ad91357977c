//! Owns the bytes of the format: what one program wrote another must read, so they never change within a version.

use insta::assert_snapshot;
use journal::Options;

use crate::support::disk::LyingDisk;
use crate::support::{NOW, fresh, open};

/// Sixteen bytes a line.
fn hex(bytes: &[u8]) -> String {
    let line = |bytes: &[u8]| bytes.iter().map(|byte| format!("{byte:02x}")).collect::<Vec<_>>().join(" ");
    bytes.chunks(16).map(line).collect::<Vec<_>>().join("\n")
}

#[test]
fn version_1_is_what_it_was() {
    let (journal, disk) = fresh(Options { seed: 7, ..Options::default() });
    journal.append(&[b"MQTT"]);
    journal.append(&[]);
    journal.commit(NOW).unwrap();
    let files = disk.files();
    assert!(files.keys().eq(["0000000000000000.log"]));
    let written = disk.files_without_room();
    assert_snapshot!(hex(&written["0000000000000000.log"]), @r"
    44 55 4e 4c 49 4e 4a 0a 01 00 00 00 00 00 00 00
    00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00
    00 50 5c 18 a3 01 00 00 66 4e 20 83 fb 99 b6 43
    00 00 00 00 00 00 00 00 00 00 00 00 10 6a 4b fb
    66 4e 20 83 fb 99 b6 43 00 00 00 00 00 00 00 00
    3c 00 00 00 00 00 00 00 00 50 5c 18 a3 01 00 00
    02 00 00 00 ae 29 48 d5 04 00 00 00 ee e7 7a e4
    4d 51 54 54 00 00 00 00 6a f2 23 6b
    ");
    let replayed = open(LyingDisk::with_files(&files), Options::default()).2;
    assert!(
        replayed
            .iter()
            .map(|(position, record)| (position.get(), &record[..]))
            .eq([(40, &b"MQTT"[..]), (52, b"")])
    );
}
