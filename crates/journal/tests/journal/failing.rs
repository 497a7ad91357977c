//! Owns what holds while the disk is full or fails: nothing is lost, everything can be read, and it recovers by itself.

use std::io::ErrorKind;

use journal::{BLOCK_BYTES, CommitError, Operation, Options};

use crate::support::disk::Crash;
use crate::support::{NOW, fresh, open, read};

#[test]
fn a_full_disk_is_told_and_recovers_by_itself_when_there_is_room() {
    let options = Options { segment_bytes: 40_000, ..Options::default() };
    let (journal, disk) = fresh(options);
    let mut positions = vec![journal.append(&[&[0; 5_000]])];
    journal.commit(NOW).unwrap();
    let durable = journal.durable();
    disk.inner().capacity = 2 * BLOCK_BYTES;
    for number in 1..10_u8 {
        positions.push(journal.append(&[&[number; 5_000]]));
        let error = journal.commit(NOW + u64::from(number)).unwrap_err();
        assert!(matches!(&error, CommitError::Full(failure) if failure.kind == ErrorKind::StorageFull));
        let failure = journal.failure().unwrap();
        assert_eq!(failure.since_unix_ms, NOW + 1, "since the first time");
        assert!(journal.is_failing() && journal.durable() == durable);
        // What waits in memory can be read: what is being written, and what came after it.
        for (position, byte) in positions.iter().zip(0..) {
            assert_eq!(read(&journal, *position), [byte; 5_000]);
        }
    }
    disk.inner().capacity = usize::MAX;
    let committed = journal.commit(NOW).unwrap();
    assert_eq!((committed.records, committed.batches), (9, 2), "the failed batch, and what came after it");
    assert!(!journal.is_failing() && journal.failure().is_none() && journal.durable() == journal.end());
    drop(journal);
    disk.crash(Crash::PowerLoss);
    let (_, _, replayed) = open(disk, options);
    assert!(replayed.iter().map(|(position, _)| *position).eq(positions));
}

#[test]
fn every_call_that_fails_is_named_and_the_batch_is_written_again() {
    // Of the calls of a commit the first, the second and so on fails, for a batch that begins a segment and for one
    // that does not.
    let begins = ["create a segment", "write", "sync", "name a segment", "sync the directory"];
    let continues = ["write", "sync"];
    for (is_first, names) in [(true, &begins[..]), (false, &continues[..])] {
        for (calls, name) in names.iter().enumerate() {
            let (journal, disk) = fresh(Options::default());
            if !is_first {
                journal.append(&[b"before"]);
                journal.commit(NOW).unwrap();
            }
            let position = journal.append(&[b"record"]);
            disk.inner().calls_left = Some(calls as u64);
            let error = journal.commit(NOW).unwrap_err();
            assert!(matches!(error, CommitError::Disk(_)));
            assert!(error.to_string().contains(&format!("cannot {name}: ")), "{calls}: {error}");
            disk.inner().calls_left = None;
            journal.commit(NOW).unwrap();
            assert_eq!(read(&journal, position), b"record");
            drop(journal);
            disk.crash(Crash::PowerLoss);
            let (_, opened, replayed) = open(disk, Options::default());
            assert_eq!(replayed.last(), Some(&(position, b"record".to_vec())), "{calls}");
            assert_eq!(opened.torn_tail, None, "what was given up is behind the end of its segment");
        }
    }
}

#[test]
fn after_a_failed_sync_the_file_is_not_trusted_though_it_can_be_read() {
    let options = Options::default();
    let (journal, disk) = fresh(options);
    journal.append(&[b"one"]);
    journal.commit(NOW).unwrap();
    let position = journal.append(&[&[7; 5_000]]);
    // The write succeeds and the sync fails: the system forgets what did not get to disk, and shows it all the same.
    disk.inner().calls_left = Some(1);
    let error = journal.commit(NOW).unwrap_err();
    assert_eq!(error.failure().operation, Operation::Sync);
    drop(journal);
    disk.inner().forget_dirty();
    disk.crash(Crash::Kill);
    let (journal, _, replayed) = open(disk.clone(), options);
    assert_eq!(replayed.len(), 2, "it is readable");
    journal.commit(NOW).unwrap();
    drop(journal);
    disk.crash(Crash::PowerLoss);
    let (_, _, replayed) = open(disk, options);
    assert_eq!(replayed[1], (position, vec![7; 5_000]), "the commit wrote it again");
}

#[test]
fn a_segment_that_cannot_be_removed_is_tried_again() {
    let (journal, disk) = fresh(Options::default());
    journal.append(&[b"one"]);
    journal.commit(NOW).unwrap();
    let floor = journal.begin_checkpoint();
    journal.append(&[b"all"]);
    journal.commit(NOW).unwrap();
    journal.set_floor(floor);
    journal.commit(NOW).unwrap();
    disk.inner().calls_left = Some(0);
    let failure = journal.reclaim(NOW).unwrap_err();
    assert_eq!(failure.operation, Operation::Remove);
    assert!(!journal.is_failing(), "records are written as before");
    disk.inner().calls_left = None;
    assert_eq!(journal.reclaim(NOW).unwrap().segments, 1);
}
