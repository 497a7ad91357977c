//! Owns the proof that no changed byte passes: every byte of a small log is changed, and every end cut off.

use std::collections::BTreeMap;

use journal::{OpenError, Options, verify};

use crate::support::disk::LyingDisk;
use crate::support::{NOW, Record, fresh, open, try_open};

type Files = BTreeMap<String, Vec<u8>>;

/// Three segments, the last of them with three batches; no floor, so that all of it is replayed.
fn small_log() -> (Files, Vec<Record>) {
    let (journal, disk) = fresh(Options { segment_bytes: 400, seed: 7, ..Options::default() });
    for number in 1..10_u8 {
        for length in [3, 0, 40] {
            journal.append(&[&vec![number; length]]);
        }
        journal.commit(NOW).unwrap();
    }
    drop(journal);
    let files = disk.files_without_room();
    let batches: Vec<_> = files.values().map(|bytes| (bytes.len() - 64) / 107).collect();
    assert_eq!(batches, [3, 3, 3]);
    let records = open(LyingDisk::with_files(&files), Options::default()).2;
    assert_eq!(records.len(), 27);
    (files, records)
}

/// Where in the last segment its last batch begins.
const LAST_BATCH: usize = 64 + 2 * 107;

/// What opening makes of changed files: refused as damaged, or cut to so many records. Anything else is a failure.
#[derive(Debug, PartialEq, Eq)]
enum Outcome {
    Damaged,
    Cut(usize),
}

fn outcome(files: &Files, records: &[Record]) -> Outcome {
    let report = verify(&LyingDisk::with_files(files)).unwrap();
    match try_open(LyingDisk::with_files(files), Options::default()) {
        Ok((_, opened, replayed)) => {
            assert_eq!(replayed, records[..replayed.len()], "nothing is invented, altered or passed over");
            assert!(report.is_sound(), "{report}");
            assert_eq!(opened.torn_tail, report.torn_tail);
            assert_eq!(report.records, replayed.len() as u64);
            assert!(opened.torn_tail.is_some() || replayed.len() % 3 == 0);
            Outcome::Cut(replayed.len())
        }
        Err(OpenError::Corrupt(damage)) => {
            assert_eq!(report.damages.first(), Some(&damage), "an inspection finds what opening found");
            Outcome::Damaged
        }
        Err(error) => panic!("{error}"),
    }
}

#[test]
fn every_changed_byte_is_found() {
    let (files, records) = small_log();
    let last = files.keys().last().unwrap();
    for (name, bytes) in &files {
        for offset in 0..bytes.len() {
            for change in [1, 0x80, 0xFF] {
                let mut changed = files.clone();
                changed.get_mut(name).unwrap()[offset] ^= change;
                let outcome = outcome(&changed, &records);
                if name == last && offset >= LAST_BATCH {
                    assert!(matches!(outcome, Outcome::Cut(24..27)), "{name}, {offset}: {outcome:?}");
                } else {
                    assert_eq!(outcome, Outcome::Damaged, "{name}, {offset}");
                }
            }
        }
    }
}

#[test]
fn of_a_log_that_is_cut_off_the_beginning_is_there_or_nothing_is_opened() {
    let (files, records) = small_log();
    let last = files.keys().last().unwrap().clone();
    for length in 0..files[&last].len() {
        let mut changed = files.clone();
        changed.get_mut(&last).unwrap().truncate(length);
        let outcome = outcome(&changed, &records);
        // A segment has its name since its first batch is on disk.
        if length < 64 + 107 {
            assert_eq!(outcome, Outcome::Damaged, "{length}");
        } else {
            let batches = (length - 64) / 107;
            let within =
                [40 + 8 + 3, 40 + 8 + 3 + 8, 107].iter().filter(|&&end| (length - 64) % 107 >= end).count();
            assert_eq!(outcome, Outcome::Cut(18 + 3 * batches + within), "{length}");
        }
    }
}

#[test]
fn of_an_earlier_segment_nothing_may_be_cut_off() {
    let (files, records) = small_log();
    for name in files.keys().take(2) {
        for length in 0..files[name].len() {
            let mut changed = files.clone();
            changed.get_mut(name).unwrap().truncate(length);
            assert_eq!(outcome(&changed, &records), Outcome::Damaged, "{name}, {length}");
        }
    }
}

#[test]
fn a_missing_segment_is_damage_unless_it_is_the_last() {
    let (files, records) = small_log();
    for (index, name) in files.keys().enumerate() {
        let mut changed = files.clone();
        changed.remove(name);
        let expected = if index == 2 { Outcome::Cut(18) } else { Outcome::Damaged };
        assert_eq!(outcome(&changed, &records), expected, "{name}");
    }
}

#[test]
fn whatever_stands_behind_the_last_batch_is_a_torn_tail() {
    let (files, records) = small_log();
    let last = files.keys().last().unwrap().clone();
    // A copy of a whole batch is not one here: it names another position.
    let stray = files[&last][64..64 + 107].to_vec();
    for tail in [vec![0xFF; 1], [vec![0; 300_000], vec![1]].concat(), vec![0xFF; 300_000], stray] {
        let mut changed = files.clone();
        changed.get_mut(&last).unwrap().extend(&tail);
        assert_eq!(outcome(&changed, &records), Outcome::Cut(27));
        let (_, opened, _) = open(LyingDisk::with_files(&changed), Options::default());
        assert_eq!(opened.torn_tail.unwrap().bytes, tail.len() as u64);
    }
}

#[test]
fn zeros_behind_the_last_batch_are_room_and_no_torn_tail() {
    let (files, records) = small_log();
    let last = files.keys().last().unwrap().clone();
    for length in [1, 39, 300_000] {
        let mut changed = files.clone();
        changed.get_mut(&last).unwrap().extend(vec![0; length]);
        assert_eq!(outcome(&changed, &records), Outcome::Cut(27));
        assert_eq!(open(LyingDisk::with_files(&changed), Options::default()).1.torn_tail, None);
    }
}

#[test]
fn bytes_behind_the_end_of_a_segment_that_another_follows_are_not_looked_at() {
    let (files, records) = small_log();
    let first = files.keys().next().unwrap().clone();
    let batch = files[&first][64..64 + 107].to_vec();
    for tail in [vec![0xFF; 50], batch] {
        let mut changed = files.clone();
        changed.get_mut(&first).unwrap().extend(tail);
        assert_eq!(outcome(&changed, &records), Outcome::Cut(27));
    }
}

#[test]
fn a_payload_that_imitates_a_batch_is_not_taken_for_one() {
    // Whoever attacks knows everything of another journal, where a batch begins at the same place, but not this
    // one's seed.
    const PLACE: usize = 200;
    let (other, other_disk) = fresh(Options { seed: 2, ..Options::default() });
    for length in [PLACE - 48, 10] {
        other.append(&[&vec![7; length]]);
        other.commit(NOW).unwrap();
    }
    let imitation = other_disk.files().into_values().next().unwrap()[64 + PLACE..64 + PLACE + 40].to_vec();
    let seeds = [(1, true), (2, false)];
    for (seed, is_sound) in seeds {
        let options = Options { seed, ..Options::default() };
        let (journal, disk) = fresh(options);
        journal.append(&[b"first"]);
        journal.commit(NOW).unwrap();
        let torn = journal.append(&[b"torn here"]);
        let payload = journal.append(&[&[7; PLACE - (53 + 40 + 17 + 8)], &imitation]);
        assert_eq!(payload.get() + 8 + 82, PLACE as u64);
        journal.commit(NOW).unwrap();
        let mut files = disk.files();
        files.values_mut().next().unwrap()[64 + usize::try_from(torn.get()).unwrap() + 10] ^= 1;
        let opened = try_open(LyingDisk::with_files(&files), options);
        assert_eq!(opened.is_ok(), is_sound, "who knows the seed can do it");
    }
}

#[test]
fn damage_below_the_floor_does_not_hinder_opening_and_is_found_when_it_is_read() {
    let options = Options { segment_bytes: 400, ..Options::default() };
    let (journal, disk) = fresh(options);
    let append = |byte| {
        let position = journal.append(&[&[byte; 200]]);
        journal.commit(NOW).unwrap();
        position
    };
    let positions = [append(1), append(2)];
    let floor = journal.begin_checkpoint();
    append(3);
    journal.set_floor(floor);
    journal.commit(NOW).unwrap();
    let mut files = disk.files();
    files.values_mut().next().unwrap()[64 + 100] ^= 1;
    let damaged = LyingDisk::with_files(&files);
    assert_eq!(verify(&damaged).unwrap().damages.len(), 1);
    let (journal, ..) = open(damaged, options);
    let mut record = Vec::new();
    let error = journal.read(positions[0], &mut record).unwrap_err();
    assert_eq!(
        error.to_string(),
        "data/0000000000000000.log, offset 104: the checksum of the record is wrong; this record is lost, check the disk"
    );
    journal.read(positions[1], &mut record).unwrap();
}
