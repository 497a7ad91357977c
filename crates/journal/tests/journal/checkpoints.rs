//! Owns what holds of floors, references and the space that comes back.

use journal::{Journal, Options, Position, ReadError};

use crate::support::disk::{Crash, LyingDisk};
use crate::support::{NOW, fresh, open, read};

const OPTIONS: Options =
    Options { segment_bytes: 2_000, checkpoint_bytes: 10_000, idle_ms: 1_000, idle_gain_bytes: 500, seed: 7 };

/// Bytes of a segment's header.
const HEADER_BYTES: usize = 64;

/// Appends records of 100 bytes, each in a batch of its own: 148 bytes.
fn fill(journal: &Journal, records: usize) -> Vec<Position> {
    let append = |_| {
        let position = journal.append(&[&[7; 100]]);
        journal.commit(NOW).unwrap();
        position
    };
    (0..records).map(append).collect()
}

/// A pass that states everything in one record.
fn pass(journal: &Journal) -> Position {
    let floor = journal.begin_checkpoint();
    journal.append_of_pass(&[b"all"]);
    journal.commit(NOW).unwrap();
    journal.set_floor(floor);
    journal.commit(NOW).unwrap();
    floor
}

#[test]
fn a_recovery_begins_at_the_floor() {
    let (journal, disk) = fresh(OPTIONS);
    fill(&journal, 30);
    let floor = pass(&journal);
    journal.append(&[b"after"]);
    journal.commit(NOW).unwrap();
    drop(journal);
    disk.crash(Crash::PowerLoss);
    let (_, opened, replayed) = open(disk, OPTIONS);
    assert_eq!(opened.floor, floor);
    assert!(replayed.iter().map(|(_, record)| &record[..]).eq([&b"all"[..], b"after"]));
}

#[test]
fn a_pass_that_began_in_the_middle_of_a_segment_is_replayed_from_there() {
    let (journal, disk) = fresh(Options { segment_bytes: 1 << 20, ..OPTIONS });
    fill(&journal, 3);
    let floor = journal.end();
    journal.append(&[b"all"]);
    journal.commit(NOW).unwrap();
    journal.set_floor(floor);
    journal.commit(NOW).unwrap();
    drop(journal);
    disk.crash(Crash::PowerLoss);
    let (journal, opened, replayed) = open(disk, OPTIONS);
    assert_eq!((opened.floor, replayed.len()), (floor, 1));
    assert_eq!(journal.reclaim(NOW).unwrap().segments, 0, "its segment holds the floor");
}

#[test]
fn what_is_referred_to_stays_and_the_rest_goes() {
    let (journal, disk) = fresh(OPTIONS);
    let positions = fill(&journal, 100);
    let kept = positions[50];
    journal.refer(kept, 2);
    journal.release(kept, 1);
    let before = disk.files().len();
    assert_eq!(journal.reclaim(NOW).unwrap().segments, 0, "there is no floor yet");
    pass(&journal);
    let reclaimed = journal.reclaim(NOW).unwrap();
    assert_eq!(reclaimed.segments, before - 1);
    assert_eq!(read(&journal, kept), [7; 100]);
    let mut record = Vec::new();
    assert!(journal.read(positions[0], &mut record).is_err(), "it is gone");
    let segments = journal.segments();
    assert_eq!(segments.iter().map(|segment| segment.references).sum::<u64>(), 1);

    journal.append(&[b"released"]);
    journal.release(kept, 1);
    assert_eq!(journal.reclaim(NOW).unwrap().segments, 0, "the reason why it is released is not durable");
    journal.commit(NOW).unwrap();
    assert_eq!(journal.reclaim(NOW).unwrap().segments, 1);
    assert!(journal.read(kept, &mut record).is_err());
    drop(journal);
    let left = disk.files();
    disk.crash(Crash::PowerLoss);
    assert_eq!(disk.files(), left, "the removal is durable");
}

#[test]
fn references_follow_a_record_from_memory_to_its_segment() {
    let (journal, disk) = fresh(OPTIONS);
    let pending = journal.append(&[b"pending"]);
    journal.refer_each(&[pending, pending]);
    disk.inner().capacity = 10;
    journal.commit(NOW).unwrap_err();
    journal.refer(pending, 1);
    journal.release_each([pending]);
    disk.inner().capacity = usize::MAX;
    journal.commit(NOW).unwrap();
    assert_eq!(journal.segments()[0].references, 2);
    pass(&journal);
    assert_eq!(journal.reclaim(NOW).unwrap().segments, 0);
    journal.release_each([pending, pending]);
    assert_eq!(journal.reclaim(NOW).unwrap().segments, 1);
}

#[test]
fn after_a_restart_nothing_is_reclaimed_before_the_first_commit() {
    let (journal, disk) = fresh(OPTIONS);
    let positions = fill(&journal, 40);
    pass(&journal);
    drop(journal);
    disk.crash(Crash::PowerLoss);
    let (journal, ..) = open(disk, OPTIONS);
    assert_eq!(journal.reclaim(NOW).unwrap().segments, 0);
    journal.refer(positions[0], 1);
    journal.append(&[b"a process began"]);
    journal.commit(NOW).unwrap();
    assert!(journal.reclaim(NOW).unwrap().segments > 0);
    assert_eq!(read(&journal, positions[0]), [7; 100]);
}

/// Below the floor only the headers of segments are read when a journal is opened.
#[test]
fn after_a_restart_a_record_whose_segment_is_gone_is_missing_and_a_damaged_one_is_damaged() {
    // Segments of several batches with room behind them, and passes that end them there.
    let options = Options { segment_bytes: 1 << 20, ..OPTIONS };
    let (journal, disk) = fresh(options);
    let kept = fill(&journal, 10);
    journal.refer(kept[0], 1);
    pass(&journal);
    let gone = fill(&journal, 10);
    pass(&journal);
    assert!(journal.reclaim(NOW).unwrap().segments > 0);
    drop(journal);
    let mut files = disk.files();
    let first = files.values_mut().next().unwrap();
    assert!(first.len() as u64 > gone[9].get(), "there is room where the next segment was");
    first[64 + 148 + 100] ^= 1;
    let (journal, ..) = open(LyingDisk::with_files(&files), options);
    let mut record = Vec::new();
    for position in gone {
        assert!(matches!(journal.read(position, &mut record), Err(ReadError::Missing(_))), "{position}");
    }
    assert!(matches!(journal.read(kept[1], &mut record), Err(ReadError::Corrupt(_))));
    assert_eq!(read(&journal, kept[0]), [7; 100]);
    assert_eq!(read(&journal, kept[9]), [7; 100]);
}

/// What failed to be written is written again in a new segment. When that one is gone, what the failure left behind
/// the end of the older file is not taken for its records.
#[test]
fn after_a_restart_a_record_is_missing_though_an_older_file_has_what_a_failed_write_left_of_it() {
    let options = Options { segment_bytes: 1 << 20, ..OPTIONS };
    // How much of the batch gets to the file: a part of its header, that and records, all but the last bytes.
    for part in [20, 40, 200, 900, 2_079] {
        let (journal, disk) = fresh(options);
        let kept = fill(&journal, 10);
        journal.refer(kept[0], 1);
        let gone: Vec<_> = (0..20).map(|number| journal.append(&[&[number; 94]])).collect();
        let end = HEADER_BYTES + usize::try_from(journal.durable().get()).unwrap();
        {
            let mut inner = disk.inner();
            inner.cut_room("0000000000000000.log", end);
            inner.capacity = end + part;
        }
        journal.commit(NOW).unwrap_err();
        disk.inner().capacity = usize::MAX;
        journal.commit(NOW).unwrap();
        pass(&journal);
        assert_eq!(journal.reclaim(NOW).unwrap().segments, 1);
        drop(journal);
        disk.crash(Crash::Kill);
        let files = disk.files();
        assert_eq!(files["0000000000000000.log"].len(), end + part, "what the failure left");
        let (journal, ..) = open(disk, options);
        for (position, number) in gone.into_iter().zip(0..) {
            let mut record = Vec::new();
            match journal.read(position, &mut record) {
                Ok(()) => assert_eq!(record, [number; 94]),
                Err(error) => assert!(matches!(error, ReadError::Missing(_)), "{part}: {error}"),
            }
        }
        kept.iter().for_each(|&position| assert_eq!(read(&journal, position), [7; 100]));
    }
}

/// What a failed write leaves is the last in its file, and never what the next segment goes on behind.
#[test]
fn below_the_floor_a_damaged_record_is_damaged_wherever_its_segment_is_known_to_have_held_it() {
    let options = Options { segment_bytes: 1 << 20, ..OPTIONS };
    for (is_followed, damaged) in [(true, 9), (true, 5), (false, 5), (false, 0)] {
        let (journal, disk) = fresh(options);
        let kept = fill(&journal, 10);
        journal.refer(kept[0], 1);
        let next = Position::new(pass(&journal).get() + 40);
        journal.refer(next, u32::from(is_followed));
        pass(&journal);
        assert_eq!(journal.reclaim(NOW).unwrap().segments > 1, !is_followed);
        drop(journal);
        let mut files = disk.files();
        files.values_mut().next().unwrap()[HEADER_BYTES + damaged * 148 + 100] ^= 1;
        let (journal, ..) = open(LyingDisk::with_files(&files), options);
        let found = journal.read(kept[damaged], &mut Vec::new());
        assert!(matches!(found, Err(ReadError::Corrupt(_))), "{is_followed}, {damaged}: {found:?}");
    }
}

#[test]
fn referring_to_a_record_that_is_not_there_does_nothing() {
    let (journal, _disk) = fresh(OPTIONS);
    let gone = fill(&journal, 40)[0];
    pass(&journal);
    journal.reclaim(NOW).unwrap();
    journal.refer(gone, 1);
    journal.release(gone, 1);
    assert_eq!(journal.segments().iter().map(|segment| segment.references).sum::<u64>(), 0);
}

/// The panic is the contract, see `release`: carrying on, the next reclaim would remove what is needed.
#[test]
#[should_panic(expected = "more references were released than there were")]
fn releasing_more_than_there_was_is_a_mistake_of_the_caller() {
    let (journal, _disk) = fresh(OPTIONS);
    journal.release(journal.append(&[b"one"]), 1);
}

/// The panic is the contract, see `set_floor`: behind a floor that a crash takes back, records are missing.
#[test]
#[should_panic(expected = "a pass counts once it is on disk")]
fn a_floor_that_is_not_durable_is_a_mistake_of_the_caller() {
    let (journal, _disk) = fresh(OPTIONS);
    journal.append(&[b"one"]);
    journal.set_floor(journal.end());
}

#[test]
fn a_pass_is_wanted_after_so_many_bytes_or_four_times_the_last_pass() {
    let (journal, disk) = fresh(OPTIONS);
    fill(&journal, 67);
    assert!(!journal.wants_checkpoint(NOW), "9,916 bytes");
    fill(&journal, 1);
    assert!(journal.wants_checkpoint(NOW), "10,064 bytes");
    // What others append while a pass is made does not count as its cost, neither now nor after a restart.
    large_pass(&journal, 4_400);
    fill(&journal, 59);
    assert!(!journal.wants_checkpoint(NOW), "17,620 bytes, and four times 4,408 is more than 10,000");
    fill(&journal, 1);
    assert!(journal.wants_checkpoint(NOW), "17,768 bytes");
    drop(journal);
    disk.crash(Crash::PowerLoss);
    let (journal, ..) = open(disk, OPTIONS);
    journal.commit(NOW).unwrap();
    fill(&journal, 18);
    assert!(!journal.wants_checkpoint(NOW), "20,432 bytes, and what it wrote is rounded up to 5 KiB");
    fill(&journal, 1);
    assert!(journal.wants_checkpoint(NOW), "20,580 bytes");
}

/// A pass that writes so many bytes, while others write 30 records.
fn large_pass(journal: &Journal, bytes: usize) {
    let floor = journal.begin_checkpoint();
    journal.append_of_pass(&[&vec![7; bytes]]);
    fill(journal, 30);
    journal.set_floor(floor);
    journal.commit(NOW).unwrap();
}

#[test]
fn when_idle_a_pass_is_wanted_as_long_as_it_gives_something_back() {
    let (journal, disk) = fresh(OPTIONS);
    fill(&journal, 20);
    assert!(!journal.wants_checkpoint(NOW + 999), "not yet idle");
    assert!(journal.wants_checkpoint(NOW + 1_000));
    pass(&journal);
    journal.reclaim(NOW).unwrap();
    assert!(!journal.wants_checkpoint(NOW + 10_000), "there is nothing to gain");
    assert!(bytes_of(&disk) < 500, "{}", bytes_of(&disk));
}

#[test]
fn what_a_pass_writes_is_no_gain_for_the_next() {
    let (journal, _disk) = fresh(OPTIONS);
    let floor = journal.begin_checkpoint();
    journal.append_of_pass(&[&[7; 4_392]]);
    journal.commit(NOW).unwrap();
    journal.set_floor(floor);
    journal.commit(NOW).unwrap();
    journal.reclaim(NOW).unwrap();
    assert!(!journal.wants_checkpoint(NOW + 1_000), "it would write the same again");
    fill(&journal, 29);
    assert!(!journal.wants_checkpoint(NOW + 1_000), "4,400 bytes would be written for fewer");
    fill(&journal, 1);
    assert!(journal.wants_checkpoint(NOW + 1_000));
}

#[test]
fn what_referred_segments_hold_is_no_gain() {
    let (journal, _disk) = fresh(OPTIONS);
    for position in fill(&journal, 20) {
        journal.refer(position, 1);
    }
    assert!(!journal.wants_checkpoint(NOW + 1_000));
}

#[test]
fn churn_stays_within_bounds_and_ends_small() {
    let (journal, disk) = fresh(OPTIONS);
    let mut now = NOW;
    let mut most = 0;
    for _ in 0..3_000 {
        now += 10;
        let position = journal.append(&[&[7; 100]]);
        journal.refer(position, 1);
        journal.commit(now).unwrap();
        journal.append(&[b"acknowledged"]);
        journal.release(position, 1);
        journal.commit(now).unwrap();
        if journal.wants_checkpoint(now) {
            pass(&journal);
        }
        journal.reclaim(now).unwrap();
        most = most.max(bytes_of(&disk));
    }
    assert!(most < 10_000 + 2 * 2_000 + 500, "{most}");
    while journal.wants_checkpoint(now + 1_000) {
        pass(&journal);
        journal.reclaim(now).unwrap();
    }
    assert!(bytes_of(&disk) < 500, "{}", bytes_of(&disk));
    drop(journal);
    disk.crash(Crash::PowerLoss);
    assert_eq!(open(disk, OPTIONS).2.len(), 1);
}

fn bytes_of(disk: &LyingDisk) -> usize {
    disk.files_without_room().values().map(Vec::len).sum()
}
