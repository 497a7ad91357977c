//! Owns the figures of a session that is away: what a million messages for it cost, and how it gets them when it comes
//! back beside others that are served meanwhile. Restarts are measured elsewhere.

use std::time::{Duration, Instant};

use crate::backlog::{Backlog, SETTINGS};
use crate::bench::{Bench, count};
use crate::client::{Client, Subscriber};
use crate::daemon::{Daemon, Storage};
use crate::error::Error;
use crate::frames::Lifetime;
use crate::load::Load;
use crate::process::load_average;
use crate::report::{Measured, Report};
use crate::throughput::{CPU, RATE, Shape, WRITTEN};

pub(crate) const PART: &str = "offline";

/// The case that has an aim, and its figure.
pub(crate) const FILL: (&str, &str, &str) = (PART, "fill: 1M to a session away", RESIDENT);

const RESIDENT: &str = "B memory/queued";
const DRAIN: &str = "drain: 1M to the session back";

const BACKLOG: Backlog = Backlog { sessions: 1, topics_per_session: 10, messages_per_topic: 100_000 };

/// One message at a time beside the drain.
const LIVE: Shape = Shape { publishers: 1, window: 1, topics_per_subscriber: 1, fan_out: 1 };

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

fn drain(bench: &Bench, daemon: &Daemon) -> Result<Measured, Error> {
    let load_average = load_average();
    let mut load = Load::new(daemon.address)?;
    LIVE.open(&mut load)?;
    load.publish()?;
    load.tally.start_recording();
    load.run(bench.duration)?;
    let alone = load.tally.acknowledgements.per_mille(990);
    let alone_delivery = load.tally.deliveries.per_mille(990);

    let (first_topic, topics) = BACKLOG.topics_of(0);
    let subscriber = Client::Subscriber(Subscriber::resumed(first_topic, topics));
    let before = daemon.usage()?;
    load.tally.start_recording();
    let begin = Instant::now();
    load.open(&Backlog::client_id(0), Lifetime::Persistent, subscriber)?;
    let all = BACKLOG.queued();
    // Of the live pair at most one message is published and not yet delivered.
    load.until_within(PATIENCE, "the drain", |tally| tally.delivered >= all + tally.published - 1)?;
    let elapsed = begin.elapsed();
    load.tally.stop_recording();
    let used = daemon.usage()?.since(before);
    load.stop_publishing();
    let all_in_all = all + load.tally.published;
    let waited = load.until("the last message comes", |tally| tally.delivered == all_in_all);
    if let Err(error @ (Error::Broker(_) | Error::Machine { .. })) = waited {
        return Err(error);
    }
    let tally = &mut load.tally;
    let figures = vec![
        (RATE, BACKLOG.queued_count() / elapsed.as_secs_f64()),
        (CPU, used.cpu.as_secs_f64() * 1e6 / BACKLOG.queued_count()),
        ("live ack p99 ms, alone", alone),
        ("beside the drain", tally.acknowledgements.per_mille(990)),
        ("live delivery p99 ms, alone", alone_delivery),
        ("delivery beside the drain", tally.deliveries.per_mille(990)),
    ];
    Ok(Measured { figures, lost: all_in_all - tally.delivered, load_average })
}

