//! Owns a run: one round after another, each on fresh data or on those of the one before, until one fails. What a
//! round is is `round`'s business.

use crate::{
    daemon::Installation,
    history::{History, Outage},
    options::{Inspection, Options},
    plan::Plan,
    random::Random,
    report::Report,
    round,
    verify::{Violation, verify},
};
use std::{fmt, fs, io, path::PathBuf};

/// A round that broke an invariant. Its data directory and log stay.
#[derive(Clone, Debug)]
pub struct Failure {
    seed: u64,
    round: u64,
    violations: Vec<Violation>,
    outages: Vec<Outage>,
    data: PathBuf,
    log: PathBuf,
}

/// Of so many violations of one kind the first ones are told in full.
const TOLD_MAX: usize = 5;

/// Runs rounds until one fails; `progress` hears a line for each.
///
/// # Errors
/// The directory cannot be written.
pub fn run(options: &Options, mut progress: impl FnMut(&str)) -> io::Result<(Report, Option<Failure>)> {
    fs::create_dir_all(&options.directory)?;
    let mut report = Report::default();
    let rounds = options.only_round.map_or(1..=options.rounds, |round| round..=round);
    let mut data: Option<PathBuf> = None;
    for number in rounds {
        let mut random = Random::new(options.seed ^ number.wrapping_mul(0x9E37_79B9_7F4A_7C15));
        let plan = Plan::draw(number, &mut random, options.load, options.kills);
        let mut installation = install(options, number, data.take(), &mut random)?;
        installation.settings = plan.settings.iter().chain(&options.settings).cloned().collect();
        let mut history = round::play(&installation, &plan, options);
        inspect(&installation, options.inspection, &mut history)?;
        report.add(&history);
        let violations = verify(&history);
        progress(&report.line(number, &history, violations.len()));
        let Installation { data: used, log, .. } = installation;
        if !violations.is_empty() {
            let seed = options.seed;
            return Ok((
                report,
                Some(Failure { seed, round: number, violations, outages: history.outages, data: used, log }),
            ));
        }
        fs::remove_file(log)?;
        data = Some(used);
    }
    if let Some(data) = data {
        remove(&data)?;
    }
    Ok((report, None))
}

/// A third of the rounds goes on with the data of the one before.
fn install(
    options: &Options,
    number: u64,
    before: Option<PathBuf>,
    random: &mut Random,
) -> io::Result<Installation> {
    let goes_on = random.chance(33);
    let data = match before {
        Some(before) if goes_on => before,
        before => {
            let fresh = options.directory.join(format!("round-{number}-data"));
            for old in before.iter().chain([&fresh]) {
                remove(old)?;
            }
            fresh
        }
    };
    let log = options.directory.join(format!("round-{number}.log"));
    remove(&log)?;
    Ok(Installation { program: options.mqttd.clone(), data, log, settings: Vec::new() })
}

/// What the broker's log and data tell after it has ended.
fn inspect(installation: &Installation, inspection: Inspection, history: &mut History) -> io::Result<()> {
    let now =
        history.connections.iter().filter_map(|connection| connection.closed_at).max().unwrap_or_default();
    for line in installation.errors()? {
        history.odd(now, format!("the broker's log says: {line}"));
    }
    if inspection == Inspection::Verify
        && let Some(text) = installation.verify()?
    {
        history.odd(now, format!("mqttd journal verify says {text}"));
    }
    Ok(())
}

fn remove(path: &PathBuf) -> io::Result<()> {
    match if path.is_dir() { fs::remove_dir_all(path) } else { fs::remove_file(path) } {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { seed, round, violations, outages, data, log } = self;
        writeln!(formatter, "FAILED: seed {seed}, round {round}: {} violations", violations.len())?;
        for of_one_kind in violations.chunk_by(|left, right| left.kind == right.kind) {
            for violation in of_one_kind.iter().take(TOLD_MAX) {
                writeln!(formatter, "  {violation}")?;
            }
            if of_one_kind.len() > TOLD_MAX {
                writeln!(
                    formatter,
                    "  {}: ... and {} more",
                    of_one_kind[0].kind,
                    of_one_kind.len() - TOLD_MAX
                )?;
            }
        }
        for outage in outages {
            let listening = outage
                .listening_at
                .map_or("killed before it listened".to_owned(), |at| format!("listening again at {at}"));
            writeln!(formatter, "killed at {}, {listening}", outage.killed_at)?;
        }
        writeln!(formatter, "data   {}", data.display())?;
        writeln!(formatter, "log    {}", log.display())?;
        write!(formatter, "again  cargo xtask crash --seed {seed} --round {round}")
    }
}

impl Failure {
    /// How many messages were lost.
    #[must_use]
    pub fn losses(&self) -> usize {
        self.violations.iter().filter(|violation| violation.kind == crate::verify::Kind::Loss).count()
    }
}
