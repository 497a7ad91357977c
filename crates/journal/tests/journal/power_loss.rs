//! Owns the proof that nothing durable is lost, changed, invented or reordered, whatever the disk does: a program of
//! appends, commits, passes and crashes that follows from a seed, beside a model of the truth.

use std::collections::BTreeMap;

use journal::{Journal, OpenError, Options, Position};

use crate::support::disk::{Crash, Lie, LyingDisk};
use crate::support::random::Random;

const SEEDS: u64 = 2_000;
const STEPS: u64 = 120;

#[test]
fn what_was_durable_survives_whatever_the_disk_does() {
    for seed in 0..SEEDS {
        run(seed);
    }
}

/// A checker that never failed proves nothing.
#[test]
fn a_disk_that_lies_about_syncs_is_found_out() {
    for lie in [Lie::Sync, Lie::SyncDirectory] {
        let found = |seed| std::panic::catch_unwind(|| run_on(lie, seed)).is_err();
        assert!((0..100).any(found), "{lie:?}");
    }
}

fn run(seed: u64) {
    run_on(Lie::Never, seed);
}

fn run_on(lie: Lie, seed: u64) {
    let guard = PrintSeed(seed);
    let mut run = Run::new(seed);
    run.disk.inner().lie = lie;
    for _ in 0..STEPS {
        run.step();
    }
    run.crash(Crash::PowerLoss);
    std::mem::forget(guard);
}

/// A failure prints its seed.
struct PrintSeed(u64);

impl Drop for PrintSeed {
    fn drop(&mut self) {
        println!("seed {}", self.0);
    }
}

/// What the records say: a body that is needed until it is released, a release, or all bodies that are needed.
const BODY: u8 = 1;
const RELEASE: u8 = 2;
const CHECKPOINT: u8 = 3;

/// What a reader of the records knows: the bodies that are needed.
type Live = BTreeMap<u64, ()>;

fn apply(live: &mut Live, position: u64, record: &[u8]) {
    let mut numbers = record[1..].chunks_exact(8).map(|bytes| u64::from_le_bytes(bytes.try_into().unwrap()));
    match record[0] {
        BODY => _ = live.insert(position, ()),
        RELEASE => _ = live.remove(&numbers.next().unwrap()),
        CHECKPOINT => *live = numbers.map(|number| (number, ())).collect(),
        kind => panic!("a record of kind {kind} was invented"),
    }
}

struct Run {
    random: Random,
    disk: LyingDisk,
    options: Options,
    journal: Option<Journal>,
    now: u64,
    /// All records of the log as it is now, from its beginning.
    log: Vec<(u64, Vec<u8>)>,
    /// All that ever was durable.
    durable: BTreeMap<u64, Vec<u8>>,
    live: Live,
    /// Where a pass began that is not yet the floor.
    pass: Option<Position>,
    /// Floors that were set: those that are on disk, and then those that may be.
    floor_durable: u64,
    floor_set: u64,
}

impl Run {
    fn new(seed: u64) -> Self {
        let mut random = Random(seed);
        let options = Options {
            segment_bytes: 1_000 + random.below(8_000),
            checkpoint_bytes: 4_000,
            idle_ms: 1_000,
            idle_gain_bytes: 500,
            seed: random.next(),
        };
        let disk = LyingDisk::new(random.next());
        let mut run = Self {
            random,
            disk,
            options,
            journal: None,
            now: 1_000,
            log: Vec::new(),
            durable: BTreeMap::new(),
            live: Live::new(),
            pass: None,
            floor_durable: 0,
            floor_set: 0,
        };
        run.open();
        run
    }

    fn journal(&self) -> &Journal {
        self.journal.as_ref().expect("it is open")
    }

    fn step(&mut self) {
        self.now += self.random.below(500);
        match self.random.below(32) {
            0..=11 => self.append_body(),
            12..=14 => self.release(),
            15..=22 => self.commit(),
            23 => self.journal().reclaim(self.now).map_or_else(drop, drop),
            24 => self.read(),
            25 => self.checkpoint(),
            26 => self.set_floor(),
            27 => self.disk.inner().fails_one_in = [0, 0, 3, 10][self.random.index(4)],
            28 => {
                let capacity =
                    if self.random.one_in(2) { usize::MAX } else { 3_000 + self.random.index(20_000) };
                self.disk.inner().capacity = capacity;
            }
            29 => self.disk.inner().calls_left = Some(self.random.below(12)),
            30 => self.crash(Crash::PowerLoss),
            _ => self.crash(Crash::Kill),
        }
    }

    fn append(&mut self, kind: u8, rest: &[u8]) -> Position {
        let end = self.journal().end();
        let cut = self.random.index(rest.len() + 1);
        let position = self.journal().append(&[&[kind], &rest[..cut], &rest[cut..]]);
        assert!(position >= end && position < self.journal().end());
        self.log.push((position.get(), [&[kind], rest].concat()));
        position
    }

    fn append_body(&mut self) {
        let length = if self.random.one_in(10) { self.random.index(9_000) } else { self.random.index(300) };
        let body = self.random.bytes(length);
        let position = self.append(BODY, &body);
        self.journal().refer(position, 1);
        self.live.insert(position.get(), ());
    }

    fn release(&mut self) {
        let Some(&position) = self.live.keys().nth(self.random.index(self.live.len().max(1))) else { return };
        self.append(RELEASE, &position.to_le_bytes());
        self.live.remove(&position);
        self.journal().release(Position::new(position), 1);
    }

    fn commit(&mut self) {
        let was = self.journal().durable();
        match self.journal().commit(self.now) {
            Ok(committed) => {
                assert_eq!(self.journal().durable(), self.journal().end());
                assert!(!self.journal().is_failing() && self.journal().failure().is_none());
                // A floor that was found in a name that may not be durable becomes so with the first batch.
                if committed.batches > 0 {
                    self.floor_durable = self.floor_set;
                }
            }
            Err(error) => assert_eq!(self.journal().failure().as_ref(), Some(error.failure())),
        }
        let durable = self.journal().durable();
        assert!(durable >= was);
        let new = self.log.iter().filter(|(position, _)| (was.get()..durable.get()).contains(position));
        for (position, record) in new {
            let before = self.durable.insert(*position, record.clone());
            assert!(before.is_none_or(|before| before == *record), "a position stands for two records");
        }
    }

    fn checkpoint(&mut self) {
        self.pass = Some(if self.random.one_in(2) {
            self.journal().begin_checkpoint()
        } else {
            self.journal().end()
        });
        let live: Vec<u8> = self.live.keys().flat_map(|position| position.to_le_bytes()).collect();
        self.append(CHECKPOINT, &live);
    }

    fn set_floor(&mut self) {
        let Some(pass) = self.pass else { return };
        let is_durable = self.log.iter().any(|(position, record)| {
            *position >= pass.get() && record[0] == CHECKPOINT && *position < self.journal().durable().get()
        });
        if is_durable {
            self.journal().set_floor(pass);
            self.floor_set = pass.get();
            self.pass = None;
        }
    }

    /// Whatever is needed can be read, from memory or from disk.
    fn read(&mut self) {
        if self.disk.inner().calls_left.is_some() {
            return;
        }
        let journal = self.journal.as_ref().expect("it is open");
        let mut reader = journal.reader();
        let mut out = Vec::new();
        for &position in self.live.keys() {
            let (_, expected) = self.log.iter().find(|(other, _)| *other == position).unwrap();
            reader.read(Position::new(position), &mut out).unwrap();
            assert_eq!(out, *expected, "read ahead");
            journal.read(Position::new(position), &mut out).unwrap();
            assert_eq!(out, *expected, "read alone");
        }
    }

    fn crash(&mut self, crash: Crash) {
        self.journal = None;
        self.disk.crash(crash);
        if self.random.one_in(8) {
            self.crash_while_opening();
        }
        self.open();
    }

    fn crash_while_opening(&mut self) {
        self.disk.inner().calls_left = Some(0);
        let opened = Journal::open(Box::new(self.disk.clone()), self.options, self.now, &mut |_, _| Ok(()));
        assert!(matches!(opened, Err(OpenError::Disk { .. })));
        self.disk.crash(Crash::PowerLoss);
    }

    fn open(&mut self) {
        let mut replayed = Vec::new();
        let mut replay = |position: Position, record: &[u8]| {
            replayed.push((position.get(), record.to_vec()));
            Ok(())
        };
        let opened = Journal::open(Box::new(self.disk.clone()), self.options, self.now, &mut replay);
        let (journal, opened) = opened.unwrap_or_else(|error| panic!("{error}"));
        let floor = opened.floor.get();
        assert!(floor >= self.floor_durable && floor <= self.floor_set, "an old or an invented floor");
        let known = self.log.iter().filter(|(position, _)| *position >= floor);
        let expected: Vec<_> = known.take(replayed.len()).cloned().collect();
        assert_eq!(replayed, expected, "what was replayed is what was appended, without a gap");
        let last = replayed.last().map_or(0, |(position, _)| *position);
        self.log.retain(|(position, _)| *position < floor || *position <= last);
        for (position, record) in self.durable.range(floor..) {
            assert!(
                replayed.iter().any(|known| (known.0, &known.1) == (*position, record)),
                "lost: {position:#x}"
            );
        }
        let mut live = Live::new();
        replayed.iter().for_each(|(position, record)| apply(&mut live, *position, record));
        let mut truth = Live::new();
        self.log.iter().for_each(|(position, record)| apply(&mut truth, *position, record));
        assert_eq!(live, truth);
        live.keys().for_each(|&position| journal.refer(Position::new(position), 1));
        (self.live, self.journal, self.pass) = (live, Some(journal), None);
        self.floor_set = floor;
        self.read();
    }
}
