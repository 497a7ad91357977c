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

impl Candidate<'_> {
    /// The same, with room for what waits.
    fn with(&self, backlog: Backlog) -> Self {
        let conditions = Conditions { backlog, ..self.conditions };
        Self { conditions, row: self.row.clone(), ..*self }
    }
}

impl Bench {
    /// Measures modes that are compared with each other, all of them in each repetition. Where it is not clear then
    /// whether ours meets an aim, ours and the floor go on; peers have no aims.
    pub(crate) fn measure(&self, modes: &[Mode], candidates: &[Candidate<'_>]) -> Vec<Section> {
        let parts: Vec<_> = modes.iter().map(|mode| mode.takes_part(candidates)).collect();
        let mut sections: Vec<_> =
            modes.iter().zip(&parts).map(|(mode, candidates)| mode.section(candidates)).collect();
        for turn in 0..self.repetitions.max(self.repetitions_max) {
            let is_extra = turn >= self.repetitions;
            if is_extra && Verdict::all(&sections).iter().all(Verdict::is_clear) {
                break;
            }
            for ((mode, candidates), section) in modes.iter().zip(&parts).zip(&mut sections) {
                let turns = candidates.iter().zip(&mut section.rows);
                let turns = turns.filter(|(_, row)| !is_extra || !row.is_peer());
                self.take_turns(&mode.name, turns, |running| match &mode.work {
                    Work::Traffic(flow) => flow.measure(&running, self.duration),
                    Work::State(measure) => {
                        let figures = measure(&running, self.scale)?;
                        Ok(Measured { figures, ..Measured::default() })
                    }
                });
            }
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
            let candidates = mode.takes_part(candidates);
            let mut section = Section { name, what, aims: Vec::new(), rows: rows(&candidates) };
            self.take_turns(&section.name, candidates.iter().zip(&mut section.rows), |running| {
                system_calls::measure(tracer, flow, running, self.duration)
            });
            section
        };
        [flow].into_iter().chain(&paced).map(count).collect()
    }

    /// Gives each broker its turn, started anew.
    fn take_turns<'a>(
        &self,
        name: &str,
        turns: impl Iterator<Item = (&'a Candidate<'a>, &'a mut Row)>,
        measure: impl Fn(Running) -> Result<Measured, Error>,
    ) {
        for (candidate, row) in turns {
            eprintln!("{name}: {}", row.broker);
            let started = Running::start(candidate.broker, candidate.conditions, &self.directory);
            // A failure is a result; if it is ours, the exit code tells.
            let turn = started.and_then(&measure).map_err(|error| {
                eprintln!("  failed: {error}");
                error.to_string()
            });
            row.turns.push(turn);
        }
    }
}

impl Mode {
    /// Those brokers that can.
    fn takes_part<'a>(&self, candidates: &[Candidate<'a>]) -> Vec<Candidate<'a>> {
        let backlog = match self.work {
            Work::Traffic(_) => Backlog::Lossless,
            Work::State(_) => Backlog::Everything,
        };
        let can = |it: &&Candidate<'_>| self.needs.iter().all(|&need| it.broker.can(need));
        candidates.iter().filter(can).map(|it| it.with(backlog)).collect()
    }

    /// Before anyone had a turn.
    fn section(&self, candidates: &[Candidate<'_>]) -> Section {
        Section {
            name: self.name.clone(),
            what: self.what.clone(),
            aims: self.aims.clone(),
            rows: rows(candidates),
        }
    }
}

/// A row for each, in their order.
fn rows(candidates: &[Candidate<'_>]) -> Vec<Row> {
    candidates.iter().map(|it| Row { broker: it.row.clone(), turns: Vec::new() }).collect()
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
