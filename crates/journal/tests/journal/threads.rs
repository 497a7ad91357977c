//! Owns what holds when many threads append and read while one writes, on a real disk.

use std::sync::Barrier;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use journal::{Directory, Journal, Options, Position};

use crate::support::{NOW, read, try_open};

const THREADS: u64 = 4;
const RECORDS: u64 = 3_000;

#[test]
fn threads_append_and_read_while_one_writes() {
    let place = tempfile::tempdir().unwrap();
    let options = Options { segment_bytes: 50_000, ..Options::default() };
    let (journal, ..) = try_open(Directory::create(place.path()).unwrap(), options).unwrap();
    let barrier = Barrier::new(usize::try_from(THREADS).unwrap() + 1);
    let is_done = AtomicBool::new(false);
    let positions = std::thread::scope(|scope| {
        let writer = scope.spawn(|| write(&journal, &barrier, &is_done));
        let spawn = |thread| {
            let (journal, barrier) = (&journal, &barrier);
            scope.spawn(move || append(journal, barrier, thread))
        };
        let threads: Vec<_> = (0..THREADS).map(spawn).collect();
        let end = EndWriter(&journal, &is_done);
        let positions: Vec<_> = threads.into_iter().flat_map(|thread| thread.join().unwrap()).collect();
        drop(end);
        let batches = writer.join().unwrap();
        assert!(batches < THREADS * RECORDS, "{batches} batches: commits were shared");
        positions
    });
    assert_eq!(journal.durable(), journal.end());
    drop(journal);
    let (_, _, replayed) = try_open(Directory::create(place.path()).unwrap(), options).unwrap();
    let mut expected = positions;
    expected.sort();
    assert_eq!(replayed, expected);
    for thread in 0..THREADS {
        let own = replayed.iter().filter(|(_, record)| record[..8] == thread.to_le_bytes());
        assert!(
            own.map(|(_, record)| record[8..16].to_vec())
                .eq((0..RECORDS).map(|number| number.to_le_bytes().to_vec()))
        );
    }
}

/// Has the writer end, also if the test fails.
struct EndWriter<'a>(&'a Journal, &'a AtomicBool);

impl Drop for EndWriter<'_> {
    fn drop(&mut self) {
        self.1.store(true, Ordering::Relaxed);
        self.0.kick();
    }
}

/// What the daemon's thread does: sleep, commit, again; and when it is told to end, the last commit.
fn write(journal: &Journal, barrier: &Barrier, is_done: &AtomicBool) -> u64 {
    barrier.wait();
    let mut batches = 0;
    loop {
        let is_last = is_done.load(Ordering::Relaxed);
        batches += u64::from(journal.commit(NOW).unwrap().batches);
        if is_last {
            return batches;
        }
        journal.wait_for_work(Duration::from_secs(60));
    }
}

fn append(journal: &Journal, barrier: &Barrier, thread: u64) -> Vec<(Position, Vec<u8>)> {
    barrier.wait();
    let mut records = Vec::new();
    for number in 0..RECORDS {
        let record = [thread.to_le_bytes(), number.to_le_bytes(), [7; 8]].concat();
        let position = journal.append(&[&record[..10], &record[10..]]);
        journal.kick();
        records.push((position, record));
        // One of them that may be in memory, being written, or on disk.
        let (position, record) = &records[usize::try_from(number / 2).unwrap()];
        if number % 16 == 0 {
            assert_eq!(read(journal, *position), *record);
        }
        if number % 100 == 0 {
            wait_until_durable(journal);
        }
    }
    records
}

/// Would hang if a kick could be missed.
fn wait_until_durable(journal: &Journal) {
    let end = journal.end();
    while journal.durable() < end {
        std::thread::yield_now();
    }
}

#[test]
fn the_writer_does_not_sleep_while_there_is_work_and_wakes_when_told() {
    let place = tempfile::tempdir().unwrap();
    let (journal, ..) = try_open(Directory::create(place.path()).unwrap(), Options::default()).unwrap();
    journal.append(&[b"one"]);
    journal.wait_for_work(Duration::from_secs(3_600));
    journal.commit(NOW).unwrap();
    journal.wait_for_work(Duration::ZERO);
    journal.set_floor(journal.end());
    journal.wait_for_work(Duration::from_secs(3_600));
    journal.commit(NOW).unwrap();
    std::thread::scope(|scope| {
        let sleeper = scope.spawn(|| journal.wait_for_work(Duration::from_secs(3_600)));
        while !sleeper.is_finished() {
            journal.kick();
            std::thread::yield_now();
        }
    });
}
