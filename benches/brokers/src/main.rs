//! Owns the command line of the comparison: what is measured of whom, how often, and how the report is printed.

mod bench;
mod broker;
mod brokers;
mod error;
mod figures;
mod hold;
mod holders;
mod machine;
mod modes;
mod report;
mod scale;
mod system_calls;

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use clap::Parser;

use crate::bench::{Bench, candidates, installed};
use crate::error::Error;
use crate::machine::Machine;
use crate::modes::Work;
use crate::report::{Report, Section};
use crate::scale::Scale;

/// Measures brokers under one load, interleaved, beside a relay that only forwards frames.
///
/// Progress goes to standard error. The exit code is 1 if our broker lost, repeated or reordered anything, or failed.
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
    /// Measure only this mode, or those whose names hold this; repeatable. `--list` names them all.
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
    /// How often everything is measured at least; the median counts.
    #[arg(long, value_name = "N", default_value_t = 3, value_parser = clap::value_parser!(u64).range(1..=99))]
    repetitions: u64,
    /// How often ours and the floor are measured at most, where more than one turn in five says otherwise than the
    /// others whether an aim is met.
    #[arg(long, value_name = "N", default_value_t = 9, value_parser = clap::value_parser!(u64).range(1..=99))]
    repetitions_max: u64,
    /// Idle connections, and sessions that reconnect [default: what the limit of open files allows, at most 1000000].
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    connections: Option<u64>,
    /// What of them one process of the load opens at most [default: what the limit of open files allows].
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    connections_per_process: Option<u64>,
    /// Count the brokers' system calls, too, in runs of their own; it takes strace.
    #[arg(long)]
    system_calls: bool,
    /// Print the report as JSON.
    #[arg(long, conflicts_with = "markdown")]
    json: bool,
    /// Print the whole report as a document.
    #[arg(long)]
    markdown: bool,
}

fn main() -> ExitCode {
    let is_holder = std::env::args().nth(1).is_some_and(|argument| argument == hold::COMMAND);
    let end = if is_holder {
        let command_line = hold::CommandLine::parse_from(std::env::args().skip(1));
        command_line.run().map(|()| ExitCode::SUCCESS)
    } else {
        CommandLine::parse().run()
    };
    end.unwrap_or_else(|error| {
        eprintln!("error: {error}");
        ExitCode::from(2)
    })
}

impl CommandLine {
    fn run(&self) -> Result<ExitCode, Error> {
        if self.list {
            for mode in modes::all() {
                println!("{:<32} {}", mode.name, mode.what);
            }
            return Ok(ExitCode::SUCCESS);
        }
        let report = self.measure()?;
        if self.json {
            println!("{:#}", report.json());
        } else if self.markdown {
            print!("{}", report.markdown());
        }
        Ok(if report.faults() > 0 { ExitCode::FAILURE } else { ExitCode::SUCCESS })
    }

    fn measure(&self) -> Result<Report, Error> {
        let modes = modes::chosen(&self.mode)?;
        let scale = self.scale()?;
        let bench = Bench {
            directory: self.directory.clone(),
            duration: Duration::from_secs(self.seconds),
            repetitions: self.repetitions,
            repetitions_max: self.repetitions_max,
            scale,
        };
        let mut report = Report { machine: Machine::current(), ..Report::default() };
        let all = brokers::all(self.relay.clone(), self.mqttd.clone());
        if let Some(name) = self.broker.iter().find(|name| all.iter().all(|it| it.name() != name.as_str())) {
            return Err(Error::Unknown { what: "broker", name: name.clone() });
        }
        let brokers = installed(all, |name| {
            name == brokers::FLOOR || self.broker.is_empty() || self.broker.iter().any(|it| it == name)
        });
        for broker in &brokers {
            report.brokers.push((broker.name().to_owned(), broker.version()));
            self.show(&format!("{:<14} {}", broker.name(), broker.version()));
        }
        let candidates = candidates(&brokers, &self.workers, scale);
        let tracer = self.system_calls.then(system_calls::tracer);
        if tracer == Some(None) {
            eprintln!("strace is not installed: system calls are not counted");
        }
        for modes in modes.chunk_by(|one, next| next.is_compared_with(one)) {
            for (mode, section) in modes.iter().zip(bench.measure(modes, &candidates)) {
                self.take(section, &mut report);
                if let (Some(Some(tracer)), Work::Traffic(flow)) = (&tracer, &mode.work) {
                    for section in bench.count_system_calls(tracer, mode, flow, &candidates) {
                        self.take(section, &mut report);
                    }
                }
            }
        }
        Ok(report)
    }

    fn scale(&self) -> Result<Scale, Error> {
        // The brokers and the load's processes have it from us.
        let open_files_max = rlimit::increase_nofile_limit(u64::MAX)
            .map_err(Error::machine("raise the limit of open files"))?;
        let default = Scale::of_open_files(open_files_max);
        Ok(Scale {
            connections: self.connections.unwrap_or(default.connections),
            connections_per_process: self.connections_per_process.unwrap_or(default.connections_per_process),
        })
    }

    fn take(&self, section: Section, report: &mut Report) {
        self.show(&format!("\n{}", report.section_text(&section)));
        report.sections.push(section);
    }

    /// As it comes: where the whole report is printed at the end, beside it.
    fn show(&self, text: &str) {
        if self.json || self.markdown {
            eprintln!("{text}");
        } else {
            println!("{text}");
        }
    }
}
