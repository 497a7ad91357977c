//! Owns `cargo xtask crash`: it builds the broker and the crash test and starts the one with the other. What a
//! round is, and what must hold of it, is the crash test's business.

use std::process::Command;

use crate::Verdict;
use crate::error::Error;
use crate::process;
use crate::workspace::Workspace;

/// Kill real brokers under load of real clients, restart them on their data, hold them to what they acknowledged.
///
/// Who takes part in a round, what they do and when the broker is killed follow from the seed; what the threads
/// of the processes do in between does not, so a failure may need several tries to come back. A round that fails
/// is reported with its seed, its number and what was broken, and its data directory and log stay in
/// target/crash. The exit code is 1 then.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Run so many rounds.
    #[arg(long, value_name = "N", default_value_t = ROUNDS)]
    rounds: u64,
    /// Run this one round alone.
    #[arg(long, value_name = "N", conflicts_with = "rounds")]
    round: Option<u64>,
    /// What clients, load and kills follow from.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// How long the load of a round lasts, kills and restarts not counted [default: 1.5]
    #[arg(long, value_name = "SECONDS")]
    seconds_per_round: Option<f64>,
    /// Kill so often in each round; without, from once to four times.
    #[arg(long, value_name = "N")]
    kills: Option<u64>,
    /// Set a setting of the broker; repeatable.
    #[arg(long, value_name = "KEY=VALUE")]
    set: Vec<String>,
    /// How the broker keeps what it acknowledges: with memory it must fail.
    #[arg(long, value_name = "KIND")]
    storage: Option<String>,
    /// Cut the connections instead of killing the broker: one that keeps everything in memory must pass, too.
    #[arg(long)]
    cut: bool,
    /// Do not ask `mqttd journal verify` what it thinks of the data after a round.
    #[arg(long)]
    no_journal_verify: bool,
}

/// Runs in `cargo xtask test`, too.
pub(crate) const ROUNDS: u64 = 15;

/// The package, and the binaries of the two.
pub(crate) const PACKAGE: &str = "dunlin-crash";
pub(crate) const BINARY: &str = "crash";
pub(crate) const BROKER: &str = "mqttd";

pub(crate) fn run(args: &Args) -> Result<Verdict, Error> {
    let workspace = Workspace::load()?;
    // The profile that users run: the instants at which a process can be killed are those of its real speed.
    let mut build = process::cargo(&workspace.root);
    build.args(["build", "--quiet", "--release", "--package", BROKER, "--package", PACKAGE]);
    if process::run_in_view(&mut build)? == Verdict::Bad {
        return Ok(Verdict::Bad);
    }
    let release = workspace.target.join("release");
    let mut command = process::command(&release.join(BINARY).to_string_lossy(), &workspace.root);
    command.arg(release.join(BROKER)).arg("--directory").arg(workspace.target.join("crash"));
    args.pass_on(&mut command);
    process::run_in_view(&mut command)
}

impl Args {
    fn pass_on(&self, command: &mut Command) {
        match self.round {
            Some(round) => command.args(["--round", &round.to_string()]),
            None => command.args(["--rounds", &self.rounds.to_string()]),
        };
        command.args(["--seed", &self.seed.to_string()]);
        if let Some(seconds) = self.seconds_per_round {
            command.args(["--seconds-per-round", &seconds.to_string()]);
        }
        if let Some(kills) = self.kills {
            command.args(["--kills", &kills.to_string()]);
        }
        for setting in &self.set {
            command.args(["--set", setting]);
        }
        if let Some(storage) = &self.storage {
            command.args(["--storage", storage]);
        }
        if self.cut {
            command.arg("--cut");
        }
        if self.no_journal_verify {
            command.arg("--no-journal-verify");
        }
    }
}
