//! Owns the command line of the measurement: what is run, and how its report is printed.

mod aims;
mod backlog;
mod bench;
mod daemon;
mod device;
mod error;
mod machine;
mod parts;
mod report;
mod throughput;

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use clap::Parser;
use clap::builder::PossibleValuesParser;

use crate::bench::Bench;
use crate::error::Error;
use crate::report::Report;

/// Measures what durability costs: a real broker on a real disk under load, beside the same broker in memory.
///
/// Progress goes to standard error. The exit code is 1 if anything acknowledged was lost.
#[derive(Debug, Parser)]
#[command(version)]
struct CommandLine {
    /// The broker's program.
    #[arg(value_name = "MQTTD")]
    mqttd: PathBuf,
    /// Where data is kept meanwhile: on the disk that is to be measured.
    #[arg(long, value_name = "DIR")]
    directory: PathBuf,
    /// Measure this part only; repeatable.
    #[arg(long, value_name = "NAME", value_parser = names())]
    only: Vec<String>,
    /// Of the publishers and the fan-out, measure the case with this name only, such as `1000 to 1000, window 16`;
    /// repeatable.
    #[arg(long, value_name = "NAME")]
    case: Vec<String>,
    /// How long one rate is measured.
    #[arg(long, value_name = "N", default_value_t = 5, value_parser = clap::value_parser!(u64).range(1..=60))]
    seconds: u64,
    /// How often everything is measured; the median counts.
    #[arg(long, value_name = "N", default_value_t = 3, value_parser = clap::value_parser!(u64).range(1..=99))]
    repetitions: u64,
    /// Set a setting of the broker; repeatable.
    #[arg(long, value_name = "KEY=VALUE")]
    set: Vec<String>,
    /// Print the report as JSON.
    #[arg(long, conflicts_with = "markdown")]
    json: bool,
    /// Print the report as a document.
    #[arg(long)]
    markdown: bool,
}

fn names() -> PossibleValuesParser {
    PossibleValuesParser::new(parts::ALL.map(|(name, _)| name))
}

fn main() -> ExitCode {
    let command_line = CommandLine::parse();
    match command_line.measure() {
        Ok(report) => {
            command_line.print(&report);
            if report.lost() == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
        }
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::from(2)
        }
    }
}

impl CommandLine {
    fn measure(&self) -> Result<Report, Error> {
        let bench = Bench {
            program: self.mqttd.clone(),
            directory: self.directory.join("durable-bench"),
            duration: Duration::from_secs(self.seconds),
            repetitions: usize::try_from(self.repetitions).unwrap_or(usize::MAX),
            settings: self.set.clone(),
            cases: self.case.clone(),
        };
        let mut report = Report::default();
        for (name, part) in parts::ALL {
            if self.only.is_empty() || self.only.iter().any(|only| only == name) {
                part(&bench, &mut report)?;
            }
        }
        if let Some(unknown) = self.case.iter().find(|case| !report.has(case)) {
            return Err(Error::NoSuchCase(unknown.clone()));
        }
        std::fs::remove_dir_all(&bench.directory).map_err(Error::machine("remove the directory"))?;
        Ok(report)
    }

    fn print(&self, report: &Report) {
        if self.json {
            println!("{:#}", report.json());
        } else if self.markdown {
            print!("{}", report.markdown(&aims::judged(report)));
        } else {
            print!("{report}\n{}", aims::judged(report));
        }
    }
}
