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

impl Candidate<'_> {
    /// The same, with room for what waits.
    fn with(&self, backlog: Backlog) -> Self {
        let conditions = Conditions { backlog, ..self.conditions };
        Self { conditions, row: self.row.clone(), ..*self }
    }
}

impl Bench {
    pub(crate) fn measure(&self, mode: &Mode, candidates: &[Candidate<'_>]) -> Section {
        let backlog = match mode.work {
            Work::Traffic(_) => Backlog::Lossless,
            Work::State(_) => Backlog::Everything,
        };
        let candidates: Vec<_> = candidates.iter().map(|candidate| candidate.with(backlog)).collect();
        let rows = self.interleave(&mode.name, &mode.needs, &candidates, self.repetitions, |running| {
            match &mode.work {
                Work::Traffic(flow) => flow.measure(&running, self.duration),
                Work::State(measure) => {
                    let figures = measure(&running, self.scale)?;
                    Ok(Measured { figures, ..Measured::default() })
                }
            }
        });
        Section { name: mode.name.clone(), what: mode.what.clone(), aims: mode.aims.clone(), rows }
    }

    /// The same once more, and once only, to count system calls: as fast as the windows allow, and at the rate.
    pub(crate) fn count_system_calls(
        &self,
        tracer: &Path,
        flow: &Flow,
        needs: &[Need],
        candidates: &[Candidate<'_>],
    ) -> Vec<Section> {
        let paced = flow.traffic.rate.is_none().then(|| flow.paced());
        let count = |flow: &Flow| {
            let name = format!("system-calls-{}", flow.name());
            let rows = self.interleave(&name, needs, candidates, 1, |running| {
                system_calls::measure(tracer, flow, running, self.duration)
            });
            let what = format!("System calls per delivered message, traced: {}", flow.told_traffic());
            Section { name, what, aims: Vec::new(), rows }
        };
        [flow].into_iter().chain(&paced).map(count).collect()
    }

    /// All brokers that can, in turn, and that several times, so that a change of the machine's own load meets all.
    /// Each time a broker is started anew.
    fn interleave(
        &self,
        name: &str,
        needs: &[Need],
        candidates: &[Candidate<'_>],
        repetitions: u64,
        measure: impl Fn(Running) -> Result<Measured, Error>,
    ) -> Vec<Row> {
        let can = |it: &&Candidate<'_>| needs.iter().all(|&need| it.broker.can(need));
        let able: Vec<_> = candidates.iter().filter(can).collect();
        let row = |it: &&Candidate<'_>| Row { broker: it.row.clone(), ..Row::default() };
        let mut rows: Vec<_> = able.iter().map(row).collect();
        for _ in 0..repetitions {
            for (candidate, row) in able.iter().zip(&mut rows) {
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
        rows
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
