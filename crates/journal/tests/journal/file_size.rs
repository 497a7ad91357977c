//! Owns a full disk that is real: the system's limit on the size of files, in a process of its own. Simulated ones are
//! tested in `failing`.
#![cfg(target_os = "linux")]

use std::io::ErrorKind;
use std::process::Command;

use journal::{CommitError, Directory, Options};

use crate::support::{NOW, read, try_open};

/// Says to a copy of this process what it is for.
const DIRECTORY: &str = "DUNLIN_JOURNAL_TEST_DIRECTORY";

#[test]
fn a_limit_on_the_size_of_files_is_a_full_disk_and_loses_nothing() {
    if let Some(directory) = std::env::var_os(DIRECTORY) {
        return within_the_limit(directory.as_ref());
    }
    let place = tempfile::tempdir().unwrap();
    // Blocks of 512 bytes; the signal would end the process before it sees the error.
    let script = "trap '' XFSZ; ulimit -f 64; exec \"$0\" --exact \"$1\" --nocapture";
    let output = Command::new("sh")
        .args(["-c", script])
        .arg(std::env::current_exe().unwrap())
        .arg("file_size::a_limit_on_the_size_of_files_is_a_full_disk_and_loses_nothing")
        .env(DIRECTORY, place.path())
        .output()
        .unwrap();
    assert!(output.status.success(), "{output:?}");
    assert!(place.path().join("met").exists(), "the limit was met");
}

fn within_the_limit(place: &std::path::Path) {
    let options = Options::default();
    let open = || try_open(Directory::create(place).unwrap(), options).unwrap();
    let (journal, ..) = open();
    let mut positions = Vec::new();
    let mut met = 0;
    for number in 0..100_u8 {
        positions.push(journal.append(&[&[number; 2_000]]));
        match journal.commit(NOW) {
            Ok(_) => {}
            Err(CommitError::Full(failure)) => {
                met += 1;
                assert_eq!(failure.kind, ErrorKind::FileTooLarge);
                assert_eq!(read(&journal, positions[usize::from(number)]), [number; 2_000]);
                // The next try begins a new file, and there is room in that.
                journal.commit(NOW).unwrap();
            }
            Err(error) => panic!("{error}"),
        }
    }
    assert!(met > 2, "{met}");
    drop(journal);
    let (journal, opened, replayed) = open();
    assert_eq!(opened.torn_tail, None);
    assert!(replayed.iter().map(|(position, _)| *position).eq(positions.iter().copied()));
    for (position, number) in positions.into_iter().zip(0..) {
        assert_eq!(read(&journal, position), [number; 2_000]);
    }
    std::fs::write(place.join("met"), "").unwrap();
}
