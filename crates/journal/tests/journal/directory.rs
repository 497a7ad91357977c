//! Owns what holds of real directories: who may use them, and what stands in them.

use std::fs;
use std::io::ErrorKind;
use std::path::Path;

use journal::{BLOCK_BYTES, Directory, Disk, FORMAT_VERSION, OpenError, Options, verify};
use tempfile::{TempDir, tempdir};

use crate::support::{NOW, read, try_open};

fn directory(path: &Path) -> Directory {
    Directory::create(path).unwrap_or_else(|error| panic!("{error}"))
}

/// A directory with a journal of one record.
fn written() -> TempDir {
    let place = tempdir().unwrap();
    let (journal, ..) = try_open(directory(place.path()), Options::default()).unwrap();
    journal.append(&[b"one"]);
    journal.commit(NOW).unwrap();
    place
}

fn segment_of(place: &Path) -> std::path::PathBuf {
    let entries = fs::read_dir(place).unwrap().map(|entry| entry.unwrap().path());
    entries.filter(|path| path.extension().is_some_and(|extension| extension == "log")).max().unwrap()
}

#[test]
fn a_missing_directory_is_created_with_its_parents() {
    let place = tempdir().unwrap();
    let path = place.path().join("a/b/c");
    let (journal, opened, _) = try_open(directory(&path), Options::default()).unwrap();
    assert_eq!((opened.segments, opened.last_alive_unix_ms), (0, 0));
    let position = journal.append(&[b"one"]);
    journal.commit(NOW).unwrap();
    drop(journal);
    let (journal, _, replayed) = try_open(directory(&path), Options::default()).unwrap();
    assert_eq!(replayed, [(position, b"one".to_vec())]);
    assert_eq!(read(&journal, position), b"one");
}

#[test]
fn a_file_is_not_a_directory_and_nothing_can_be_created_in_it() {
    let place = tempdir().unwrap();
    let file = place.path().join("file");
    fs::write(&file, "").unwrap();
    assert!(matches!(Directory::create(&file), Err(OpenError::NotADirectory { .. })));
    assert!(matches!(Directory::existing(&file), Err(OpenError::NotADirectory { .. })));
    assert!(matches!(Directory::create(&file.join("data")), Err(OpenError::CannotCreate { .. })));
    assert!(matches!(Directory::existing(&place.path().join("data")), Err(OpenError::Missing { .. })));
}

#[test]
fn two_journals_cannot_have_one_directory() {
    let place = written();
    let (journal, ..) = try_open(directory(place.path()), Options::default()).unwrap();
    let second = try_open(directory(place.path()), Options::default());
    assert!(matches!(second, Err(OpenError::Locked { .. })));
    let inspection = verify(&Directory::existing(place.path()).unwrap());
    assert!(matches!(inspection, Err(OpenError::Locked { .. })), "neither can it be inspected");
    drop(journal);
    let first = Directory::existing(place.path()).unwrap();
    let second = Directory::existing(place.path()).unwrap();
    assert!(verify(&first).unwrap().is_sound() && verify(&second).unwrap().is_sound(), "two may look at it");
    assert!(matches!(try_open(directory(place.path()), Options::default()), Err(OpenError::Locked { .. })));
    drop((first, second));
    try_open(directory(place.path()), Options::default()).unwrap();
}

/// A directory that takes no files even from the superuser, where there is one.
#[cfg(target_os = "linux")]
fn read_only() -> Vec<std::path::PathBuf> {
    vec!["/proc/self".into(), "/sys".into()]
}

#[cfg(target_os = "linux")]
#[test]
fn a_read_only_directory_is_told_apart() {
    for path in read_only() {
        match try_open(directory(&path), Options::default()) {
            Err(OpenError::ReadOnly { directory, .. }) => assert_eq!(Path::new(&directory), path),
            Err(OpenError::Disk { error, .. }) if error.kind() == ErrorKind::NotFound => {}
            other => panic!("{}: {other:?}", path.display()),
        }
    }
    let place = written();
    let mut mode = fs::metadata(place.path()).unwrap().permissions();
    mode.set_readonly(true);
    fs::remove_file(place.path().join("lock")).unwrap();
    fs::set_permissions(place.path(), mode).unwrap();
    // The superuser may write all the same.
    let may_write = fs::write(place.path().join("probe"), "").is_ok();
    match try_open(directory(place.path()), Options::default()) {
        Err(OpenError::ReadOnly { .. }) => assert!(!may_write),
        Ok(_) => assert!(may_write),
        other => panic!("{other:?}"),
    }
    assert_eq!(
        verify(&Directory::existing(place.path()).unwrap()).unwrap().records,
        1,
        "it can be inspected"
    );
}

#[test]
fn a_newer_version_is_refused_and_nothing_is_changed() {
    let place = written();
    let path = segment_of(place.path());
    let mut bytes = fs::read(&path).unwrap();
    bytes[8..10].copy_from_slice(&(FORMAT_VERSION + 1).to_le_bytes());
    // What a newer version keeps behind these bytes is its own business; the checksum is where it always was.
    bytes[20] ^= 0xFF;
    let checksum = crc32c::crc32c(&bytes[..60]);
    bytes[60..64].copy_from_slice(&checksum.to_le_bytes());
    fs::write(&path, &bytes).unwrap();
    let opened = try_open(directory(place.path()), Options::default());
    assert!(matches!(opened, Err(OpenError::NewerVersion { version, .. }) if version == FORMAT_VERSION + 1));
    let inspection = verify(&Directory::existing(place.path()).unwrap());
    assert!(matches!(inspection, Err(OpenError::NewerVersion { .. })));
    assert_eq!(fs::read(&path).unwrap(), bytes);
}

#[test]
fn other_files_and_a_segment_that_was_not_finished_are_left_alone() {
    let place = written();
    for name in ["segment.new", "notes.txt", "10.log", "zzzzzzzzzzzzzzzz.log", "ffffffffffffffff.log"] {
        fs::write(place.path().join(name), "something else").unwrap();
    }
    let (journal, opened, replayed) = try_open(directory(place.path()), Options::default()).unwrap();
    assert_eq!((opened.segments, replayed.len()), (1, 1));
    journal.append(&[b"two"]);
    journal.commit(NOW).unwrap();
    assert!(!place.path().join("segment.new").exists(), "it became a segment");
    assert_eq!(fs::read(place.path().join("notes.txt")).unwrap(), b"something else");
}

#[test]
fn signs_of_life_and_the_space_that_comes_back_are_real() {
    let place = written();
    let (journal, opened, _) = try_open(directory(place.path()), Options::default()).unwrap();
    assert!(opened.last_alive_unix_ms >= NOW, "the time of the batch, or a later one of the lock");
    journal.touch_alive(NOW + 10_000_000_000).unwrap();
    for _ in 0..3 {
        let floor = journal.begin_checkpoint();
        journal.append(&[&[7; 100_000]]);
        journal.commit(NOW).unwrap();
        journal.set_floor(floor);
        journal.commit(NOW).unwrap();
        journal.reclaim(NOW).unwrap();
        let bytes: u64 =
            fs::read_dir(place.path()).unwrap().map(|entry| entry.unwrap().metadata().unwrap().len()).sum();
        // Two segments, each to the end of its last block.
        assert!(bytes < 101_000 + 2 * BLOCK_BYTES as u64, "{bytes}");
    }
    drop(journal);
    let (_, opened, _) = try_open(directory(place.path()), Options::default()).unwrap();
    assert_eq!(opened.last_alive_unix_ms, NOW + 10_000_000_000);
}

#[test]
fn blocks_get_into_a_file_whatever_the_system_takes() {
    let place = tempfile::tempdir().unwrap();
    let file = Disk::create(&directory(place.path()), "blocks").unwrap();
    let memory = vec![7; 4 * BLOCK_BYTES];
    let aligned = memory.as_ptr().align_offset(BLOCK_BYTES);
    // At the second address no system takes them past its cache.
    for (number, start) in [aligned, aligned + 1].into_iter().enumerate() {
        let blocks = &memory[start..start + 2 * BLOCK_BYTES];
        file.write_blocks_at((number * blocks.len()) as u64, blocks).unwrap();
    }
    file.sync_data().unwrap();
    assert!(fs::read(place.path().join("blocks")).unwrap() == memory);
}
