//! Owns the figures of the data directory: how large it gets under load and what is left once everything was
//! acknowledged.

use std::path::Path;
use std::time::{Duration, Instant};

use dunlin_load::Load;

use crate::bench::{Bench, PAYLOAD_BYTES, count, finish, load};
use crate::daemon::Storage;
use crate::error::Error;
use crate::machine::{directory_bytes, load_average};
use crate::report::{Measured, Report};
use crate::throughput::Shape;

pub(crate) const PART: &str = "space";

const SHAPE: Shape = Shape { publishers: 100, window: 16, topics_per_subscriber: 1, fan_out: 1 };

/// How long the broker has nothing to do.
const IDLE: Duration = Duration::from_secs(15);
const LOOK: Duration = Duration::from_millis(100);

pub(crate) fn measure(bench: &Bench, report: &mut Report) -> Result<(), Error> {
    for _ in 0..bench.repetitions {
        eprintln!("{PART}");
        report.add(PART, "100 publishers, window 16", Storage::Disk, load_and_rest(bench)?);
    }
    Ok(())
}

fn load_and_rest(bench: &Bench) -> Result<Measured, Error> {
    let installation = bench.installation(Storage::Disk, &[])?;
    let data = installation.data();
    let daemon = installation.start()?;
    let load_average = load_average();
    let mut load = load(&daemon)?;
    SHAPE.open(&mut load)?;
    load.start();
    let (begin, mut peak) = (Instant::now(), 0);
    while begin.elapsed() < bench.duration {
        load.run(LOOK)?;
        peak = peak.max(directory_bytes(&data));
    }
    let lost = finish(&mut load)?.undelivered;
    let (small_after, left) = rest(&mut load, &data)?;
    let figures = vec![
        ("MB at the most", count(peak) / 1e6),
        ("MB acknowledged", count(load.tally().acknowledged * u64::from(PAYLOAD_BYTES)) / 1e6),
        ("KB left", count(left) / 1e3),
        ("s until then", small_after.as_secs_f64()),
    ];
    Ok(Measured { figures, lost, load_average })
}

/// The last time the directory changed its size, and what it is then.
fn rest(load: &mut Load, data: &Path) -> Result<(Duration, u64), Error> {
    let begin = Instant::now();
    let (mut changed, mut bytes) = (Duration::ZERO, directory_bytes(data));
    while begin.elapsed() < IDLE {
        load.run(LOOK)?;
        let now = directory_bytes(data);
        if now != bytes {
            (changed, bytes) = (begin.elapsed(), now);
        }
    }
    Ok((changed, bytes))
}
