//! Owns what holds of appending, committing and reading while the disk works.

use journal::{BLOCK_BYTES, Committed, Options, Position, ReadError};

use crate::support::{NOW, fresh, open, read};

#[test]
fn a_record_is_durable_after_the_commit_and_not_before() {
    let (journal, disk) = fresh(Options::default());
    assert_eq!((journal.end(), journal.durable()), (Position::NONE, Position::NONE));
    let first = journal.append(&[b"one"]);
    let second = journal.append(&[b"t", b"", b"wo"]);
    assert!(Position::NONE < first && first < second && second < journal.end());
    assert_eq!(journal.durable(), Position::NONE);
    assert_eq!(journal.pending_bytes(), journal.end().get());
    let syncs = disk.inner().syncs;
    let committed = journal.commit(NOW).unwrap();
    assert_eq!(committed, Committed { records: 2, bytes: 40 + 2 * (8 + 3), batches: 1 });
    assert_eq!(journal.durable(), journal.end());
    assert_eq!(disk.inner().syncs, syncs + 1);
}

#[test]
fn a_commit_of_nothing_touches_no_disk() {
    let (journal, disk) = fresh(Options::default());
    journal.append(&[b"one"]);
    journal.commit(NOW).unwrap();
    let syncs = disk.inner().syncs;
    assert_eq!(journal.commit(NOW).unwrap(), Committed::default());
    assert_eq!(disk.inner().syncs, syncs);
}

#[test]
fn a_record_may_be_empty_or_longer_than_a_segment() {
    let options = Options { segment_bytes: 1_000, ..Options::default() };
    let (journal, disk) = fresh(options);
    let records = [vec![], vec![7; 100_000], vec![], vec![8; 2_000_000], vec![9]];
    let mut positions = Vec::new();
    for record in &records {
        positions.push(journal.append(&[record]));
        journal.commit(NOW).unwrap();
    }
    for (position, record) in positions.iter().zip(&records) {
        assert_eq!(read(&journal, *position), *record);
    }
    drop(journal);
    disk.crash(crate::support::disk::Crash::PowerLoss);
    let (_, _, replayed) = open(disk, options);
    assert!(replayed.iter().map(|(position, record)| (position, record)).eq(positions.iter().zip(&records)));
}

#[test]
fn segments_roll_at_their_size_and_a_batch_is_never_divided() {
    let options = Options { segment_bytes: 1_000, ..Options::default() };
    let (journal, disk) = fresh(options);
    for _ in 0..40 {
        journal.append(&[&[7; 200]]);
        journal.append(&[&[8; 52]]);
        journal.commit(NOW).unwrap();
    }
    // 308 bytes a batch: three and a header of 64 are 988.
    let sizes: Vec<_> = disk.files_without_room().values().map(Vec::len).collect();
    assert_eq!(sizes.len(), 14);
    assert!(sizes[..13].iter().all(|&size| size == 988), "{sizes:?}");
    assert!(disk.files().values().all(|file| file.len() == BLOCK_BYTES));
    let segments = journal.segments();
    assert_eq!(segments.iter().map(|segment| segment.bytes).sum::<u64>(), journal.end().get());
    assert!(segments.windows(2).all(|pair| pair[0].first.get() + pair[0].bytes == pair[1].first.get()));
}

#[test]
fn a_reader_reads_ascending_positions_with_few_calls_and_any_order_rightly() {
    let (journal, _disk) = fresh(Options { segment_bytes: 100_000, ..Options::default() });
    let mut positions = Vec::new();
    for number in 0..2_000_u32 {
        positions.push((journal.append(&[&number.to_le_bytes(), &[7; 300]]), number));
        if number % 100 == 0 {
            journal.commit(NOW).unwrap();
        }
    }
    let mut reader = journal.reader();
    let mut record = Vec::new();
    let backwards = positions.iter().rev();
    for (position, number) in positions.iter().chain(backwards) {
        reader.read(*position, &mut record).unwrap();
        assert_eq!(record[..4], number.to_le_bytes());
        assert_eq!(record.len(), 304);
    }
}

#[test]
fn a_position_that_is_no_records_is_an_error_and_leaves_nothing() {
    let (journal, _disk) = fresh(Options::default());
    let position = journal.append(&[b"one"]);
    let beside = Position::new(position.get() + 1);
    let mut record = vec![1, 2, 3];
    for place in [beside, Position::NONE, journal.end(), Position::MAX] {
        assert!(matches!(journal.read(place, &mut record), Err(ReadError::Missing(_))), "{place}, in memory");
        assert!(record.is_empty());
    }
    journal.commit(NOW).unwrap();
    assert!(matches!(journal.read(beside, &mut record), Err(ReadError::Corrupt(_))));
    assert!(matches!(journal.read(journal.end(), &mut record), Err(ReadError::Missing(_))));
    assert_eq!(read(&journal, position), b"one");
}

#[test]
fn opening_tells_when_the_process_last_lived() {
    let options = Options::default();
    let (journal, disk) = fresh(options);
    journal.append(&[b"one"]);
    journal.commit(5_000).unwrap();
    drop(journal);
    disk.crash(crate::support::disk::Crash::Kill);
    let (journal, opened, _) = open(disk.clone(), options);
    assert_eq!(opened.last_alive_unix_ms, 5_000, "the last batch");
    journal.touch_alive(9_000).unwrap();
    drop(journal);
    disk.crash(crate::support::disk::Crash::Kill);
    let (_, opened, replayed) = open(disk, options);
    assert_eq!((opened.last_alive_unix_ms, replayed.len()), (9_000, 1), "the last touch");
}

#[test]
fn opening_writes_nothing_and_the_first_commit_writes_the_last_batch_again() {
    let options = Options::default();
    let (journal, disk) = fresh(options);
    for record in [b"one", b"two"] {
        journal.append(&[record]);
        journal.commit(NOW).unwrap();
    }
    drop(journal);
    disk.crash(crate::support::disk::Crash::Kill);
    let before = disk.files();
    let (journal, opened, replayed) = open(disk.clone(), options);
    assert_eq!(disk.files(), before);
    assert_eq!((opened.segments, opened.records, &opened.torn_tail), (1, 2, &None));
    assert_eq!(journal.durable().get(), 51, "the second batch counts as appended");
    assert_eq!(read(&journal, replayed[1].0), b"two");
    journal.commit(NOW).unwrap();
    assert_eq!(disk.files().len(), 2);
    assert_eq!(read(&journal, replayed[0].0), b"one");
    assert_eq!(read(&journal, replayed[1].0), b"two");
}
