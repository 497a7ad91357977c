//! That the journal by itself, without a broker, stands whatever the disk does: what was durable is there, what is
//! there was appended, and what is referred to can be read.

use super::{Health, LyingDisk};
use crate::random::Random;
use journal::{Journal, Options, Position, ReadError};
use std::collections::BTreeMap;

/// What was appended and must be there, or may.
#[derive(Debug, Default)]
struct Model {
    /// Every record by its position.
    records: BTreeMap<Position, Vec<u8>>,
    /// Everything before is durable.
    durable: Position,
    /// The last floor that was asked for; an older one may hold after a crash.
    floor: Position,
    /// What is referred to.
    referred: Vec<Position>,
    appended: u64,
}

#[derive(Debug)]
struct Run {
    seed: u64,
    random: Random,
    disk: LyingDisk,
    model: Model,
    now_ms: u64,
}

#[test]
fn whatever_the_disk_does_what_was_durable_is_there_and_what_is_there_was_appended() {
    for seed in 1..=400 {
        let mut random = Random::new(seed);
        let disk = LyingDisk::new(random.fork());
        let mut run = Run { seed, random, disk, model: Model::default(), now_ms: 1_000 };
        for _ in 0..12 {
            if let Some(journal) = run.open() {
                run.live(&journal);
                drop(journal);
            }
            if run.random.chance(25) && run.disk.has_power() {
                run.disk.end_process();
            } else {
                run.disk.lose_power();
            }
        }
    }
}

impl Run {
    /// Recovers and compares. None if the power fails over it.
    fn open(&mut self) -> Option<Journal> {
        if self.random.chance(15) {
            self.disk.light_fuse(self.random.between(0, 8));
        }
        let seed = self.seed;
        let options = Options {
            segment_bytes: *self.random.pick(&[2_000, 8_000]),
            checkpoint_bytes: 4_000,
            idle_ms: 500,
            idle_gain_bytes: 1_000,
            seed: self.random.next(),
        };
        let mut replayed = Vec::new();
        let opened =
            Journal::open(Box::new(self.disk.mount()), options, self.now_ms, &mut |position, record| {
                replayed.push((position, record.to_vec()));
                Ok(())
            });
        if !self.disk.has_power() {
            return None;
        }
        let (journal, opened) = opened.unwrap_or_else(|error| panic!("seed {seed}: {error}"));
        let cut = journal.end();
        let model = &mut self.model;
        // No record: a batch without any may go.
        let lost: Vec<_> = model.records.keys().filter(|it| (cut..model.durable).contains(it)).collect();
        assert!(lost.is_empty(), "seed {seed}: {lost:?} were durable, the end is {cut:?}");
        model.records.retain(|&position, _| position < cut);
        let expected: Vec<_> = model
            .records
            .range(opened.floor..)
            .map(|(&position, record)| (position, record.clone()))
            .collect();
        assert_eq!(replayed, expected, "seed {seed}: replay from {:?}", opened.floor);
        assert!(opened.floor <= model.floor, "seed {seed}: {:?} was never a floor", opened.floor);
        model.referred.retain(|&position| position < cut);
        for &position in &model.referred {
            journal.refer(position, 1);
        }
        self.read_all(&journal);
        Some(journal)
    }

    fn read_all(&self, journal: &Journal) {
        let mut record = Vec::new();
        for position in &self.model.referred {
            let seed = self.seed;
            journal.read(*position, &mut record).unwrap_or_else(|error| panic!("seed {seed}: {error}"));
            assert_eq!(record, self.model.records[position], "seed {seed}: the record at {position:?}");
        }
        // What nobody refers to may be gone, but nothing else is in its place.
        for (&position, expected) in &self.model.records {
            let seed = self.seed;
            match journal.read(position, &mut record) {
                Ok(()) => assert_eq!(record, *expected, "seed {seed}: the record at {position:?}"),
                Err(ReadError::Missing(_)) => {}
                Err(error) => panic!("seed {seed}: {error}"),
            }
        }
    }

    /// Appends, commits and the rest of it until the power fails or it is enough.
    fn live(&mut self, journal: &Journal) {
        for _ in 0..self.random.between(1_u16, 80) {
            self.now_ms += self.random.between(0_u64, 300);
            match self.random.index(12) {
                0..=5 => self.append(journal),
                6 | 7 => self.commit(journal),
                8 => _ = journal.reclaim(self.now_ms),
                9 => self.checkpoint(journal),
                10 => self.release(journal),
                _ => self.change_disk(),
            }
            if !self.disk.has_power() {
                return;
            }
        }
        self.read_all(journal);
    }

    fn append(&mut self, journal: &Journal) {
        self.model.appended += 1;
        let length = *self.random.pick(&[3, 40, 400, 3_000]);
        let mut record = self.model.appended.to_le_bytes().to_vec();
        record.resize(8 + self.random.index(length), 0x5A);
        let position = journal.append(&[&record[..3], &record[3..]]);
        self.model.records.insert(position, record);
        if self.random.chance(30) {
            journal.refer(position, 1);
            self.model.referred.push(position);
        }
    }

    fn commit(&mut self, journal: &Journal) {
        let _ = journal.commit(self.now_ms);
        self.model.durable = self.model.durable.max(journal.durable());
    }

    /// Moves the floor up; what is referred to stays.
    fn checkpoint(&mut self, journal: &Journal) {
        let floor = journal.begin_checkpoint();
        self.append(journal);
        self.commit(journal);
        if journal.durable() >= journal.end() {
            journal.set_floor(floor);
            self.model.floor = floor;
        }
    }

    /// Gives a reference up, with a record that says so: without that it would be back after a crash.
    fn release(&mut self, journal: &Journal) {
        if self.model.referred.is_empty() {
            return;
        }
        let at = self.random.index(self.model.referred.len());
        let position = self.model.referred.swap_remove(at);
        self.append(journal);
        journal.release(position, 1);
    }

    fn change_disk(&mut self) {
        let (_, used) = self.disk.usage();
        let room = self.random.index(3_000);
        let health = [Health::Good, Health::Full(used + room), Health::FailsWrites, Health::FailsSyncs];
        match self.random.index(6) {
            0 => self.disk.light_fuse(self.random.between(0, 12)),
            1 | 2 => self.disk.set_health(*self.random.pick(&health)),
            _ => self.disk.set_health(Health::Good),
        }
    }
}
