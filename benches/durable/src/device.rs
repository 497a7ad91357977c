//! Owns what the disk does by itself, for scale: appends that are synced one by one, and writing in a row.
//! The broker has no part in it.

use std::fs::File;
use std::io::Write;
use std::path::Path;
use std::time::{Duration, Instant};

use dunlin_load::Histogram;

use crate::bench::{Bench, count, milliseconds};
use crate::daemon::Storage;
use crate::error::Error;
use crate::machine::load_average;
use crate::report::{Measured, Report};

pub(crate) const PART: &str = "device";
pub(crate) const SYNCS: &str = "4 KiB appends, each synced";
pub(crate) const WRITING: &str = "1 MiB writes, synced at the end";

const SEQUENTIAL_BYTES: usize = 512 << 20;

pub(crate) fn measure(bench: &Bench, report: &mut Report) -> Result<(), Error> {
    std::fs::create_dir_all(&bench.directory).map_err(Error::machine("make the directory"))?;
    let path = bench.directory.join("device");
    for _ in 0..bench.repetitions {
        eprintln!("{PART}: {}", bench.directory.display());
        let measured = synced_appends(&path, bench.duration).map_err(Error::machine("write to the disk"))?;
        report.add(PART, SYNCS, Storage::Disk, measured);
        let measured = sequential(&path).map_err(Error::machine("write to the disk"))?;
        report.add(PART, WRITING, Storage::Disk, measured);
    }
    std::fs::remove_file(&path).map_err(Error::machine("remove a file"))
}

fn synced_appends(path: &Path, duration: Duration) -> std::io::Result<Measured> {
    let load_average = load_average();
    let mut file = File::create(path)?;
    let mut latencies = Histogram::<u64>::new(3).expect("digits that are allowed");
    let (begin, mut appends) = (Instant::now(), 0);
    while begin.elapsed() < duration {
        let before = Instant::now();
        file.write_all(&[0x55; 4_096])?;
        file.sync_data()?;
        latencies.saturating_record(u64::try_from(before.elapsed().as_nanos()).unwrap_or(u64::MAX));
        appends += 1;
    }
    let figures = vec![
        ("syncs/s", count(appends) / begin.elapsed().as_secs_f64()),
        ("p50 ms", milliseconds(&latencies, 0.5)),
        ("p99 ms", milliseconds(&latencies, 0.99)),
    ];
    Ok(Measured { figures, lost: 0, load_average })
}

fn sequential(path: &Path) -> std::io::Result<Measured> {
    let load_average = load_average();
    let mut file = File::create(path)?;
    let chunk = vec![0x55; 1 << 20];
    let begin = Instant::now();
    for _ in 0..SEQUENTIAL_BYTES / chunk.len() {
        file.write_all(&chunk)?;
    }
    file.sync_data()?;
    let megabytes = count(SEQUENTIAL_BYTES as u64) / 1e6;
    let figures = vec![("MB/s", megabytes / begin.elapsed().as_secs_f64())];
    Ok(Measured { figures, lost: 0, load_average })
}
