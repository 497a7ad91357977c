//! Owns the figures of a session that is away: what a million messages for it cost, and how it gets them when
//! it comes back beside others that are served meanwhile. Restarts are measured elsewhere.

use std::time::{Duration, Instant};

use dunlin_load::{Lifetime, Recording, Tally};

use crate::backlog::{Backlog, SETTINGS};
use crate::bench::{Bench, count, finish, load, milliseconds};
use crate::daemon::{Daemon, Storage};
use crate::error::Error;
use crate::machine::load_average;
use crate::report::{Measured, Report};
use crate::throughput::{CPU, RATE, Shape, WARM_UP, WRITTEN};

pub(crate) const PART: &str = "offline";

/// The case that has an aim, and its figure.
pub(crate) const FILL: (&str, &str, &str) = (PART, "fill: 1M to a session away", RESIDENT);

const RESIDENT: &str = "B memory/queued";
const DRAIN: &str = "drain: 1M to the session back";

const BACKLOG: Backlog = Backlog { sessions: 1, topics_per_session: 10, messages_per_topic: 100_000 };

/// One message at a time beside the drain.
const LIVE: Shape = Shape { publishers: 1, window: 1, topics_per_subscriber: 1, fan_out: 1 };

/// As many messages at once as the backlog is made with.
const BUSY: Shape = Shape { publishers: 10, window: 64, topics_per_subscriber: 1, fan_out: 1 };

const PATIENCE: Duration = Duration::from_secs(120);

pub(crate) fn measure(bench: &Bench, report: &mut Report) -> Result<(), Error> {
    for _ in 0..bench.repetitions {
        for storage in [Storage::Disk, Storage::Memory] {
            let installation = bench.installation(storage, &SETTINGS)?;
            let daemon = installation.start()?;
            eprintln!("{PART}: fill, {}", storage.name());
            report.add(PART, FILL.1, storage, fill(&daemon)?);
            eprintln!("{PART}: drain, {}", storage.name());
            report.add(PART, DRAIN, storage, drain(bench, &daemon)?);
        }
    }
    Ok(())
}

fn fill(daemon: &Daemon) -> Result<Measured, Error> {
    BACKLOG.open_sessions(daemon)?;
    warm_up(daemon)?;
    let before = Bench::settled_usage(daemon)?;
    let load_average = load_average();
    let begin = Instant::now();
    BACKLOG.fill(daemon)?;
    let elapsed = begin.elapsed();
    let used = daemon.usage()?.since(before);
    let settled = Bench::settled_usage(daemon)?;
    let messages = BACKLOG.queued_count();
    let growth = settled.resident_bytes.saturating_sub(before.resident_bytes);
    let figures = vec![
        (RATE, messages / elapsed.as_secs_f64()),
        (CPU, used.cpu.as_secs_f64() * 1e6 / messages),
        (WRITTEN, count(used.written_bytes) / messages),
        (RESIDENT, count(growth) / messages),
    ];
    Ok(Measured { figures, lost: 0, load_average })
}

/// Whatever the broker keeps because of the rate at which messages come, it has afterwards.
fn warm_up(daemon: &Daemon) -> Result<(), Error> {
    let mut load = load(daemon)?;
    BUSY.open(&mut load)?;
    load.start();
    load.run(WARM_UP)?;
    finish(&mut load).map(drop)
}

fn drain(bench: &Bench, daemon: &Daemon) -> Result<Measured, Error> {
    let load_average = load_average();
    let mut load = load(daemon)?;
    LIVE.open(&mut load)?;
    load.start();
    load.record(Recording::On);
    load.run(bench.duration)?;
    let mut figures = Vec::new();
    let alone = ["alone: ack p50 ms", "ack p99 ms", "delivery p99 ms"];
    note_live(alone, load.tally(), &mut figures);

    let before = daemon.usage()?;
    load.record(Recording::On);
    let begin = Instant::now();
    load.collector(Lifetime::Persistent, &Backlog::client_id(0), Backlog::resumed())?;
    let all = BACKLOG.queued();
    load.run_until(PATIENCE, "the session is drained", |tally| tally.collected >= all)?;
    let elapsed = begin.elapsed();
    load.record(Recording::Off);
    let used = daemon.usage()?.since(before);
    let lost = finish(&mut load)?.undelivered;
    let beside = ["beside: ack p50 ms", "ack p99 ms beside", "delivery p99 ms beside"];
    note_live(beside, load.tally(), &mut figures);
    let drained = BACKLOG.queued_count();
    figures.insert(0, (RATE, drained / elapsed.as_secs_f64()));
    figures.insert(1, (CPU, used.cpu.as_secs_f64() * 1e6 / drained));
    Ok(Measured { figures, lost, load_average })
}

/// How the live pair was served since times are noted.
fn note_live(names: [&'static str; 3], tally: &Tally, figures: &mut Vec<(&'static str, f64)>) {
    let Tally { acknowledgement, delivery, .. } = tally;
    let values = [
        milliseconds(acknowledgement, 0.5),
        milliseconds(acknowledgement, 0.99),
        milliseconds(delivery, 0.99),
    ];
    figures.extend(names.into_iter().zip(values));
}
