//! Owns the command line of the crash test: what is run, and what a person reads of it.

use clap::Parser;
use dunlin_crash::{Inspection, Interruption, Options, run};
use std::{path::PathBuf, process::ExitCode, time::Duration};

/// Kills real brokers under load of real clients, restarts them on their data, and holds them to what they
/// acknowledged.
#[derive(Debug, Parser)]
#[command(version)]
struct CommandLine {
    /// The broker's program.
    #[arg(value_name = "MQTTD")]
    mqttd: PathBuf,
    /// Run so many rounds.
    #[arg(long, value_name = "N", default_value_t = 15)]
    rounds: u64,
    /// Run this one round alone.
    #[arg(long, value_name = "N", conflicts_with = "rounds")]
    round: Option<u64>,
    /// What clients, load and kills follow from.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// How long the load of a round lasts, kills and restarts not counted.
    #[arg(long, value_name = "SECONDS", default_value_t = 1.5)]
    seconds_per_round: f64,
    /// Kill so often in each round; without, from once to four times.
    #[arg(long, value_name = "N")]
    kills: Option<usize>,
    /// Where data and logs are made; those of a failing round stay.
    #[arg(long, value_name = "DIR")]
    directory: Option<PathBuf>,
    /// Set a setting of the broker; repeatable.
    #[arg(long, value_name = "KEY=VALUE")]
    set: Vec<String>,
    /// How the broker keeps what it acknowledges: with memory it must fail. Without, as its own default is.
    #[arg(long, value_name = "KIND")]
    storage: Option<String>,
    /// How long what must come is waited for.
    #[arg(long, value_name = "SECONDS", default_value_t = 10.0)]
    patience: f64,
    /// Cut the connections instead of killing the broker: one that keeps everything in memory must pass, too.
    #[arg(long)]
    cut: bool,
    /// Do not ask `mqttd journal verify` what it thinks of the data after a round.
    #[arg(long)]
    no_journal_verify: bool,
}

fn main() -> ExitCode {
    let options = CommandLine::parse().options();
    match run(&options, |line| println!("{line}")) {
        Ok((report, None)) => {
            println!("\n{report}\nlosses           0");
            ExitCode::SUCCESS
        }
        Ok((report, Some(failure))) => {
            println!("\n{report}\nlosses           {}\n\n{failure}", failure.losses());
            ExitCode::FAILURE
        }
        Err(error) => {
            eprintln!("error: {}: {error}", options.directory.display());
            ExitCode::from(2)
        }
    }
}

impl CommandLine {
    fn options(self) -> Options {
        // What is in memory alone leaves no data to be judged.
        let is_skipped = self.no_journal_verify || self.storage.as_deref() == Some("memory");
        let storage = self.storage.map(|kind| format!("storage={kind}"));
        let seconds = |seconds: f64| Duration::try_from_secs_f64(seconds).unwrap_or(Duration::from_secs(1));
        Options {
            mqttd: self.mqttd,
            directory: self.directory.unwrap_or_else(|| std::env::temp_dir().join("dunlin-crash")),
            rounds: self.rounds,
            only_round: self.round,
            seed: self.seed,
            load: seconds(self.seconds_per_round),
            kills: self.kills,
            settings: self.set.into_iter().chain(storage).collect(),
            patience: seconds(self.patience),
            interruption: if self.cut { Interruption::Cut } else { Interruption::Kill },
            inspection: if is_skipped { Inspection::Skip } else { Inspection::Verify },
        }
    }
}
