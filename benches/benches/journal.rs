//! What a record costs on its way into the journal and back: appended, committed in batches of several sizes on a disk
//! that costs nothing and on a real one, and recovered. What the engine's records cost is measured elsewhere.

use std::hint::black_box;
use std::io::{self, ErrorKind};
use std::path::Path;
use std::sync::Arc;

use criterion::{Criterion, SamplingMode, Throughput, criterion_group, criterion_main};
use journal::{Directory, Disk, DiskFile, Journal, LockError, LockMode, Options, Position};

criterion_group!(benches, appending, committing, reading, recovering);
criterion_main!(benches);

/// About what a message of 200 bytes takes with its topic and one receiver.
const RECORD: [u8; 250] = [7; 250];

const NOW: u64 = 1_800_000_000_000;

fn appending(criterion: &mut Criterion) {
    let journal = open(NoDisk);
    let mut appended = 0_u32;
    criterion.bench_function("journal append 250 bytes", |bencher| {
        bencher.iter(|| {
            black_box(journal.append(black_box(&[&RECORD[..50], &RECORD[50..]])));
            appended += 1;
            // Memory is to stay bounded; among so many it costs little.
            if appended.is_multiple_of(4_096) {
                journal.commit(NOW).expect("nothing fails");
            }
        });
    });
}

fn committing(criterion: &mut Criterion) {
    let place = tempfile::tempdir().expect("a directory");
    let real = |name: &str| Directory::create(&place.path().join(name)).expect("a directory");
    commits(criterion, "journal commit, no disk", &open(NoDisk));
    commits(criterion, "journal commit, real disk", &open(real("commits")));
}

fn commits(criterion: &mut Criterion, name: &str, journal: &Journal) {
    let mut group = criterion.benchmark_group(name);
    group.sampling_mode(SamplingMode::Flat);
    for records in [1, 100, 10_000] {
        group.throughput(Throughput::Elements(records));
        group.bench_function(format!("batches of {records}"), |bencher| {
            bencher.iter(|| {
                for _ in 0..records {
                    journal.append(&[&RECORD]);
                }
                journal.commit(NOW).expect("nothing fails");
                // What was written before is not needed, so that the disk does not fill up.
                if journal.wants_checkpoint(NOW) {
                    journal.set_floor(journal.end());
                    journal.commit(NOW).expect("nothing fails");
                    journal.reclaim(NOW).expect("nothing fails");
                }
            });
        });
    }
}

fn reading(criterion: &mut Criterion) {
    let place = tempfile::tempdir().expect("a directory");
    let journal = open(Directory::create(place.path()).expect("a directory"));
    let positions: Vec<Position> = (0..100_000).map(|_| journal.append(&[&RECORD])).collect();
    journal.commit(NOW).expect("nothing fails");
    let mut group = criterion.benchmark_group("journal read");
    group.throughput(Throughput::Elements(1));
    let (mut place, mut record) = (0, Vec::new());
    let mut reader = journal.reader();
    group.bench_function("ascending", |bencher| {
        bencher.iter(|| {
            place = (place + 1) % positions.len();
            reader.read(positions[place], &mut record).expect("it is there");
        });
    });
    group.bench_function("one by one", |bencher| {
        bencher.iter(|| {
            place = (place + 7_919) % positions.len();
            journal.read(positions[place], &mut record).expect("it is there");
        });
    });
}

fn recovering(criterion: &mut Criterion) {
    let place = tempfile::tempdir().expect("a directory");
    let mut group = criterion.benchmark_group("journal recovery of 1M records");
    group.sample_size(10).sampling_mode(SamplingMode::Flat);
    for (bytes, batch) in [(40, 1_000), (250, 1_000), (250, 1)] {
        let path = place.path().join(format!("{bytes} {batch}"));
        write_million(&path, bytes, batch);
        group.bench_function(format!("of {bytes} bytes, {batch} a batch"), |bencher| {
            bencher.iter(|| {
                let mut sum = 0;
                let disk = Directory::create(&path).expect("a directory");
                let mut replay = |_, record: &[u8]| {
                    sum += record.len();
                    Ok(())
                };
                Journal::open(Box::new(disk), OPTIONS, NOW, &mut replay).expect("it is sound");
                black_box(sum)
            });
        });
    }
}

fn write_million(path: &Path, bytes: usize, batch: usize) {
    let disk = Unsynced(Directory::create(path).expect("a directory"));
    let journal = open(disk);
    for number in 1..=1_000_000 {
        journal.append(&[&RECORD[..bytes]]);
        if number % batch == 0 {
            journal.commit(NOW).expect("nothing fails");
        }
    }
}

const OPTIONS: Options = Options {
    segment_bytes: 64 << 20,
    checkpoint_bytes: 64 << 20,
    idle_ms: 5_000,
    idle_gain_bytes: 1 << 20,
    seed: 7,
};

fn open(disk: impl Disk + 'static) -> Journal {
    Journal::open(Box::new(disk), OPTIONS, NOW, &mut |_, _| Ok(())).expect("it is empty").0
}

/// A disk that takes everything at once and keeps nothing.
#[derive(Debug)]
struct NoDisk;

impl Disk for NoDisk {
    fn place(&self) -> String {
        "nowhere".to_owned()
    }

    fn lock(&self, _mode: LockMode) -> Result<(), LockError> {
        Ok(())
    }

    fn list(&self) -> io::Result<Vec<String>> {
        Ok(Vec::new())
    }

    fn create(&self, _name: &str) -> io::Result<Arc<dyn DiskFile>> {
        Ok(Arc::new(NoDisk))
    }

    fn open(&self, _name: &str) -> io::Result<Arc<dyn DiskFile>> {
        Err(ErrorKind::NotFound.into())
    }

    fn rename(&self, _from: &str, _to: &str) -> io::Result<()> {
        Ok(())
    }

    fn remove(&self, _name: &str) -> io::Result<()> {
        Ok(())
    }

    fn sync_directory(&self) -> io::Result<()> {
        Ok(())
    }

    fn touch(&self, _now_unix_ms: u64) -> io::Result<()> {
        Ok(())
    }

    fn touched_unix_ms(&self) -> io::Result<u64> {
        Ok(0)
    }
}

impl DiskFile for NoDisk {
    fn len(&self) -> io::Result<u64> {
        Ok(0)
    }

    fn read_at(&self, _offset: u64, _buffer: &mut [u8]) -> io::Result<usize> {
        Ok(0)
    }

    fn write_at(&self, _offset: u64, bytes: &[u8]) -> io::Result<()> {
        black_box(bytes);
        Ok(())
    }

    fn sync_data(&self) -> io::Result<()> {
        Ok(())
    }
}

/// A real disk that is not waited for, to write what is recovered.
#[derive(Debug)]
struct Unsynced(Directory);

#[derive(Debug)]
struct UnsyncedFile(Arc<dyn DiskFile>);

impl Disk for Unsynced {
    fn place(&self) -> String {
        self.0.place()
    }

    fn lock(&self, mode: LockMode) -> Result<(), LockError> {
        self.0.lock(mode)
    }

    fn list(&self) -> io::Result<Vec<String>> {
        self.0.list()
    }

    fn create(&self, name: &str) -> io::Result<Arc<dyn DiskFile>> {
        Ok(Arc::new(UnsyncedFile(self.0.create(name)?)))
    }

    fn open(&self, name: &str) -> io::Result<Arc<dyn DiskFile>> {
        self.0.open(name)
    }

    fn rename(&self, from: &str, to: &str) -> io::Result<()> {
        self.0.rename(from, to)
    }

    fn remove(&self, name: &str) -> io::Result<()> {
        self.0.remove(name)
    }

    fn sync_directory(&self) -> io::Result<()> {
        Ok(())
    }

    fn touch(&self, now_unix_ms: u64) -> io::Result<()> {
        self.0.touch(now_unix_ms)
    }

    fn touched_unix_ms(&self) -> io::Result<u64> {
        self.0.touched_unix_ms()
    }
}

impl DiskFile for UnsyncedFile {
    fn len(&self) -> io::Result<u64> {
        self.0.len()
    }

    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> io::Result<usize> {
        self.0.read_at(offset, buffer)
    }

    fn write_at(&self, offset: u64, bytes: &[u8]) -> io::Result<()> {
        self.0.write_at(offset, bytes)
    }

    fn sync_data(&self) -> io::Result<()> {
        Ok(())
    }
}
