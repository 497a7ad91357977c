//! Owns the figures of a broker that was killed with messages queued and starts again on its data. What the
//! messages cost on their way in is measured elsewhere.

use crate::backlog::{Backlog, SETTINGS};
use crate::bench::{Bench, count};
use crate::daemon::{Installation, Storage};
use crate::error::Error;
use crate::machine::{directory_bytes, load_average};
use crate::report::{Measured, Report};

pub(crate) const PART: &str = "restart";

/// Its case with an aim for the time, and the figures that have one.
pub(crate) const TEN_THOUSAND_SESSIONS: (&str, &str, &str) =
    ("10000 sessions, 100 messages for each", LISTENING, CPU);

const LISTENING: &str = "s until it listens";
const CPU: &str = "CPU s until then";

const CASES: [(&str, Backlog); 3] = [
    (TEN_THOUSAND_SESSIONS.0, Backlog { sessions: 10_000, topics_per_session: 1, messages_per_topic: 100 }),
    ("1 session, 1M messages", Backlog { sessions: 1, topics_per_session: 10, messages_per_topic: 100_000 }),
    (
        "10000 sessions, the same 100 messages",
        Backlog { sessions: 10_000, topics_per_session: 0, messages_per_topic: 100 },
    ),
];

pub(crate) fn measure(bench: &Bench, report: &mut Report) -> Result<(), Error> {
    for (case, backlog) in CASES {
        for _ in 0..bench.repetitions {
            eprintln!("{PART}: {case}");
            let installation = bench.installation(Storage::Disk, &SETTINGS)?;
            report.add(PART, case, Storage::Disk, restarts(backlog, &installation)?);
        }
    }
    Ok(())
}

fn restarts(backlog: Backlog, installation: &Installation) -> Result<Measured, Error> {
    let daemon = installation.start()?;
    backlog.open_sessions(&daemon)?;
    backlog.fill(&daemon)?;
    // Killed, not asked to end: nothing is tidied up.
    drop(daemon);
    let bytes = directory_bytes(&installation.data());
    let load_average = load_average();
    let daemon = installation.start()?;
    let usage = daemon.usage()?;
    let mut figures = vec![
        (LISTENING, daemon.started_in.as_secs_f64()),
        (CPU, usage.cpu.as_secs_f64()),
        ("resident MB then", count(usage.resident_bytes) / 1e6),
        ("directory MB", count(bytes) / 1e6),
    ];
    drop(daemon);
    let daemon = installation.start()?;
    figures.push(("s until it listens, once more", daemon.started_in.as_secs_f64()));
    let lost = backlog.drain(&daemon)?;
    Ok(Measured { figures, lost, load_average })
}
