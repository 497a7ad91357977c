//! Owns a run: every broker in every mode, in turn and several times. What is measured is the modes' business.

use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::broker::{Backlog, Broker, Conditions, Need, Running};
use crate::error::Error;
use crate::figures::Measured;
use crate::modes::traffic::Flow;
use crate::modes::{Mode, Work};
use crate::report::{Row, Section, Verdict, row_name};
use crate::scale::Scale;
use crate::system_calls;

/// How everything is measured.
#[derive(Debug)]
pub(crate) struct Bench {
    /// Where brokers keep what they write meanwhile.
    pub(crate) directory: PathBuf,
    pub(crate) duration: Duration,
    pub(crate) repetitions: u64,
    /// How often at most, where so many turns do not agree whether an aim is met.
    pub(crate) repetitions_max: u64,
    pub(crate) scale: Scale,
}

/// One broker with one number of workers.
pub(crate) struct Candidate<'a> {
    broker: &'a dyn Broker,
    workers: usize,
    connections: u64,
    row: String,
}

/// Each broker once, or once for each number of workers if it can be told.
pub(crate) fn candidates<'a>(
    brokers: &'a [Box<dyn Broker>],
    workers: &[usize],
    scale: Scale,
) -> Vec<Candidate<'a>> {
    let mut candidates = Vec::new();
    for broker in brokers {
        let broker = broker.as_ref();
        let numbers: Vec<Option<usize>> = match broker.can(Need::Workers) {
            true => workers.iter().copied().map(Some).collect(),
            false => vec![None],
        };
        candidates.extend(numbers.into_iter().map(|workers| Candidate {
            broker,
            workers: workers.unwrap_or(1),
            connections: scale.connections,
            row: row_name(broker.name(), workers),
        }));
    }
    candidates
}

impl Bench {
    /// Measures modes that are compared with each other, all of them in each repetition. Where it is not clear then
    /// whether ours meets an aim, ours and the floor go on; peers have no aims.
    pub(crate) fn measure(&self, modes: &[Mode], candidates: &[Candidate<'_>]) -> Vec<Section> {
        let mut sections: Vec<_> = modes.iter().map(|mode| mode.section(candidates)).collect();
        // What one broker does in modes that are compared stands together, and every second time all of it comes
        // backwards: the machine's drift, which is slower than a few turns, is in neither's favour.
        let of_one = |candidate| (0..modes.len()).map(move |at| (candidate, at));
        let mut order: Vec<_> = candidates.iter().flat_map(of_one).collect();
        for repetition in 0..self.repetitions.max(self.repetitions_max) {
            let is_extra = repetition >= self.repetitions;
            if is_extra && Verdict::all(&sections).iter().all(Verdict::is_clear) {
                break;
            }
            for &(candidate, at) in &order {
                let mode = &modes[at];
                // Who cannot do what it takes has no row.
                let Some(row) = sections[at].row_mut(&candidate.row) else { continue };
                if is_extra && row.is_peer() {
                    continue;
                }
                row.turns.push(self.take_turn(&mode.name, candidate, mode.backlog(), |running| {
                    mode.measure(&running, self)
                }));
            }
            order.reverse();
        }
        sections
    }

    /// The same with the flow of a mode once more, and once only, to count system calls: as fast as the windows allow,
    /// and at the rate.
    pub(crate) fn count_system_calls(
        &self,
        tracer: &Path,
        mode: &Mode,
        flow: &Flow,
        candidates: &[Candidate<'_>],
    ) -> Vec<Section> {
        let paced = flow.traffic.rate.is_none().then(|| flow.paced());
        let count = |flow: &Flow| {
            let name = format!("system-calls-{}", flow.name());
            let what = format!("System calls per delivered message, traced: {}", flow.told_traffic());
            let candidates = candidates.iter().filter(|candidate| mode.is_for(candidate));
            let rows = candidates.map(|candidate| {
                let turn = self.take_turn(&name, candidate, mode.backlog(), |running| {
                    system_calls::measure(tracer, flow, running, self.duration)
                });
                Row { broker: candidate.row.clone(), turns: vec![turn] }
            });
            Section { rows: rows.collect(), name: name.clone(), what, aims: Vec::new() }
        };
        [flow].into_iter().chain(&paced).map(count).collect()
    }

    /// Measures a broker that is started for it. A failure is a result, too; if it is ours, the exit code tells.
    fn take_turn(
        &self,
        name: &str,
        candidate: &Candidate<'_>,
        backlog: Backlog,
        measure: impl FnOnce(Running) -> Result<Measured, Error>,
    ) -> Result<Measured, String> {
        eprintln!("{name}: {}", candidate.row);
        let Candidate { workers, connections, .. } = *candidate;
        let conditions = Conditions { workers, connections, backlog };
        let started = Running::start(candidate.broker, conditions, &self.directory);
        started.and_then(measure).map_err(|error| {
            eprintln!("  failed: {error}");
            error.to_string()
        })
    }
}

impl Mode {
    /// Whether a broker can do what it takes.
    fn is_for(&self, candidate: &Candidate<'_>) -> bool {
        self.needs.iter().all(|&need| candidate.broker.can(need))
    }

    /// What a broker is to have room for.
    fn backlog(&self) -> Backlog {
        match self.work {
            Work::Traffic(_) => Backlog::Lossless,
            Work::State(_) => Backlog::Everything,
        }
    }

    fn measure(&self, running: &Running, bench: &Bench) -> Result<Measured, Error> {
        match &self.work {
            Work::Traffic(flow) => flow.measure(running, bench.duration),
            Work::State(measure) => {
                let figures = measure(running, bench.scale)?;
                Ok(Measured { figures, ..Measured::default() })
            }
        }
    }

    /// Before anyone had a turn.
    fn section(&self, candidates: &[Candidate<'_>]) -> Section {
        let row = |it: &Candidate<'_>| Row { broker: it.row.clone(), turns: Vec::new() };
        Section {
            name: self.name.clone(),
            what: self.what.clone(),
            aims: self.aims.clone(),
            rows: candidates.iter().filter(|candidate| self.is_for(candidate)).map(row).collect(),
        }
    }
}

/// Those of a list that are wanted and installed; the floor and ours are ours to build.
pub(crate) fn installed(all: Vec<Box<dyn Broker>>, is_wanted: impl Fn(&str) -> bool) -> Vec<Box<dyn Broker>> {
    let wanted = all.into_iter().filter(|broker| is_wanted(broker.name()));
    wanted
        .filter(|broker| {
            let is_installed = broker.program().is_some();
            if !is_installed {
                eprintln!("{} is not installed: left out", broker.name());
            }
            is_installed
        })
        .collect()
}
