//! Owns a run: every broker in every mode, in turn and several times. What is measured is the modes' business.

use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::broker::{Backlog, Broker, Conditions, Need, Running};
use crate::error::Error;
use crate::figures::Measured;
use crate::modes::traffic::Flow;
use crate::modes::{Mode, Work};
use crate::report::{Row, Section, row_name};
use crate::scale::Scale;
use crate::system_calls;

/// How everything is measured.
#[derive(Debug)]
pub(crate) struct Bench {
    /// Where brokers keep what they write meanwhile.
    pub(crate) directory: PathBuf,
    pub(crate) duration: Duration,
    pub(crate) repetitions: u64,
    pub(crate) scale: Scale,
}

/// One broker with one number of workers.
pub(crate) struct Candidate<'a> {
    broker: &'a dyn Broker,
    conditions: Conditions,
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
            conditions: Conditions {
                workers: workers.unwrap_or(1),
                connections: scale.connections,
                backlog: Backlog::Lossless,
            },
            row: row_name(broker.name(), workers),
        }));
    }
    candidates
}

/// One broker in one mode, and what it came to so far.
struct Turn<'a> {
    candidate: Candidate<'a>,
    row: Row,
}

impl Candidate<'_> {
    /// The same, with room for what waits.
    fn with(&self, backlog: Backlog) -> Self {
        let conditions = Conditions { backlog, ..self.conditions };
        Self { conditions, row: self.row.clone(), ..*self }
    }
}

impl Bench {
    /// Measures modes that are compared with each other, all of them in each repetition.
    pub(crate) fn measure(&self, modes: &[Mode], candidates: &[Candidate<'_>]) -> Vec<Section> {
        let mut turns: Vec<_> = modes.iter().map(|mode| (mode, mode.turns(candidates))).collect();
        for _ in 0..self.repetitions {
            for (mode, turns) in &mut turns {
                self.take_turns(&mode.name, turns, |running| match &mode.work {
                    Work::Traffic(flow) => flow.measure(&running, self.duration),
                    Work::State(measure) => {
                        let figures = measure(&running, self.scale)?;
                        Ok(Measured { figures, ..Measured::default() })
                    }
                });
            }
        }
        let section = |(mode, turns): (&Mode, Vec<Turn<'_>>)| Section {
            name: mode.name.clone(),
            what: mode.what.clone(),
            aims: mode.aims.clone(),
            rows: rows(turns),
        };
        turns.into_iter().map(section).collect()
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
            let mut turns = mode.turns(candidates);
            self.take_turns(&name, &mut turns, |running| {
                system_calls::measure(tracer, flow, running, self.duration)
            });
            let what = format!("System calls per delivered message, traced: {}", flow.told_traffic());
            Section { name, what, aims: Vec::new(), rows: rows(turns) }
        };
        [flow].into_iter().chain(&paced).map(count).collect()
    }

    /// Gives each broker its turn, started anew.
    fn take_turns(
        &self,
        name: &str,
        turns: &mut [Turn<'_>],
        measure: impl Fn(Running) -> Result<Measured, Error>,
    ) {
        for Turn { candidate, row } in turns {
            eprintln!("{name}: {}", row.broker);
            let started = Running::start(candidate.broker, candidate.conditions, &self.directory);
            match started.and_then(&measure) {
                Ok(measured) => row.all.push(measured),
                // A failure is a result; if it is ours, the exit code tells.
                Err(error) => {
                    eprintln!("  failed: {error}");
                    row.failures.push(error.to_string());
                }
            }
        }
    }
}

impl Mode {
    /// Of those brokers that can.
    fn turns<'a>(&self, candidates: &[Candidate<'a>]) -> Vec<Turn<'a>> {
        let backlog = match self.work {
            Work::Traffic(_) => Backlog::Lossless,
            Work::State(_) => Backlog::Everything,
        };
        let can = |it: &&Candidate<'_>| self.needs.iter().all(|&need| it.broker.can(need));
        let turn = |it: &Candidate<'a>| Turn {
            candidate: it.with(backlog),
            row: Row { broker: it.row.clone(), ..Row::default() },
        };
        candidates.iter().filter(can).map(turn).collect()
    }
}

fn rows(turns: Vec<Turn<'_>>) -> Vec<Row> {
    turns.into_iter().map(|turn| turn.row).collect()
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
