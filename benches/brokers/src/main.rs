//! Owns the command line of the comparison: what is measured of whom, how often, and how the report is printed.

mod broker;
mod brokers;
mod error;
mod figures;
mod modes;
mod report;

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use clap::Parser;

use crate::broker::{Broker, Conditions, Need, Running};
use crate::error::Error;
use crate::modes::state;
use crate::report::{Measured, MeasuredState, Report, row_name};

/// Measures brokers under one load, interleaved, beside a relay that only forwards frames.
///
/// Progress goes to standard error. The exit code is 1 if our broker lost, repeated or reordered anything.
#[derive(Debug, Parser)]
#[command(version)]
struct CommandLine {
    /// Our broker's program.
    #[arg(value_name = "MQTTD")]
    mqttd: PathBuf,
    /// The relay's program.
    #[arg(value_name = "RELAY")]
    relay: PathBuf,
    /// Where brokers keep what they write meanwhile.
    #[arg(long, value_name = "DIR")]
    directory: PathBuf,
    /// Measure only modes whose name holds this; repeatable. `--list` names them all.
    #[arg(long, value_name = "NAME")]
    mode: Vec<String>,
    /// Name all modes.
    #[arg(long)]
    list: bool,
    /// Measure only these brokers, and the floor; repeatable.
    #[arg(long, value_name = "NAME")]
    broker: Vec<String>,
    /// Numbers of workers, for brokers that can be told.
    #[arg(long, value_name = "N,N", value_delimiter = ',', default_value = "1,2")]
    workers: Vec<usize>,
    /// How long one rate is measured.
    #[arg(long, value_name = "N", default_value_t = 3, value_parser = clap::value_parser!(u64).range(1..=60))]
    seconds: u64,
    /// How often everything is measured; the median counts.
    #[arg(long, value_name = "N", default_value_t = 3, value_parser = clap::value_parser!(u64).range(1..=99))]
    repetitions: u64,
    /// Print the report as JSON.
    #[arg(long)]
    json: bool,
}

fn main() -> ExitCode {
    let command_line = CommandLine::parse();
    match command_line.run() {
        Ok(report) if report.faults() > 0 => ExitCode::FAILURE,
        Ok(_) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::from(2)
        }
    }
}

/// One broker with one number of workers.
struct Candidate<'a> {
    broker: &'a dyn Broker,
    conditions: Conditions,
    row: String,
}

impl CommandLine {
    fn run(&self) -> Result<Report, Error> {
        let mut report = Report::default();
        if self.list {
            for mode in modes::all() {
                println!("{:<28} {}", mode.name, mode.what);
            }
            for mode in state::ALL {
                println!("{:<28} {}", mode.name, mode.what);
            }
            return Ok(report);
        }
        let brokers = self.brokers();
        for broker in &brokers {
            report.brokers.push((broker.name().to_owned(), broker.version()));
        }
        if !self.json {
            for (name, version) in &report.brokers {
                println!("{name:<14} {version}");
            }
        }
        let candidates = self.candidates(&brokers);
        for mode in modes::all().into_iter().filter(|mode| self.wants(&mode.name)) {
            let rows = self.interleave(&mode.name, &mode.needs(), &candidates, |running| {
                mode.flow.measure(running, Duration::from_secs(self.seconds))
            })?;
            let measured = Measured { mode, rows };
            if !self.json {
                println!("\n{}", measured.table());
            }
            report.modes.push(measured);
        }
        for mode in state::ALL.into_iter().filter(|mode| self.wants(mode.name)) {
            let rows = self.interleave(mode.name, mode.needs, &candidates, mode.measure)?;
            let measured = MeasuredState { mode, rows };
            if !self.json {
                println!("\n{}", measured.table());
            }
            report.states.push(measured);
        }
        if self.json {
            println!("{:#}", report.json());
        }
        Ok(report)
    }

    fn wants(&self, mode: &str) -> bool {
        self.mode.is_empty() || self.mode.iter().any(|name| mode.contains(name.as_str()))
    }

    /// Those that are wanted and installed.
    fn brokers(&self) -> Vec<Box<dyn Broker>> {
        let all = brokers::all(self.relay.clone(), self.mqttd.clone());
        let is_wanted = |broker: &dyn Broker| {
            let name = broker.name();
            name == brokers::FLOOR || self.broker.is_empty() || self.broker.iter().any(|it| it == name)
        };
        let wanted = all.into_iter().filter(|broker| is_wanted(broker.as_ref()));
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

    fn candidates<'a>(&self, brokers: &'a [Box<dyn Broker>]) -> Vec<Candidate<'a>> {
        let mut candidates = Vec::new();
        for broker in brokers {
            let broker = broker.as_ref();
            let numbers: Vec<Option<usize>> = match broker.can(Need::Workers) {
                true => self.workers.iter().copied().map(Some).collect(),
                false => vec![None],
            };
            candidates.extend(numbers.into_iter().map(|workers| Candidate {
                broker,
                conditions: Conditions { workers: workers.unwrap_or(1) },
                row: row_name(broker.name(), workers),
            }));
        }
        candidates
    }

    /// All brokers that can, in turn, and that several times, so that a change of the machine's own load meets all.
    /// Each time a broker is started anew.
    fn interleave<T>(
        &self,
        mode: &str,
        needs: &[Need],
        candidates: &[Candidate<'_>],
        measure: impl Fn(&Running) -> Result<T, Error>,
    ) -> Result<Vec<(String, Vec<T>)>, Error> {
        let can = |it: &&Candidate<'_>| needs.iter().all(|&need| it.broker.can(need));
        let able: Vec<_> = candidates.iter().filter(can).collect();
        let mut rows: Vec<_> = able.iter().map(|it| (it.row.clone(), Vec::new())).collect();
        for _ in 0..self.repetitions {
            for (candidate, (row, all)) in able.iter().zip(&mut rows) {
                eprintln!("{mode}: {row}");
                let running = Running::start(candidate.broker, candidate.conditions, &self.directory)?;
                match measure(&running) {
                    Ok(figures) => all.push(figures),
                    // Another broker's failure is a result; ours ends the run.
                    Err(error) if candidate.broker.name() != brokers::OURS => eprintln!("  failed: {error}"),
                    Err(error) => return Err(error),
                }
            }
        }
        Ok(rows)
    }
}
