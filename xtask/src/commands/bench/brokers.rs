//! Owns `cargo xtask bench brokers`: it builds the broker, the relay and the measurement and starts the last with
//! the others. What is measured, and how, is the measurement's business.

use std::env;
use std::ffi::OsString;
use std::process::Command;

use crate::Verdict;
use crate::error::Error;
use crate::process;
use crate::workspace::Workspace;

/// Measure brokers under one load, interleaved, beside a relay that only forwards frames: every broker that is
/// installed.
///
/// All of it takes hours; name modes and brokers to see some of it. CPU per message, and its ratio to the relay's,
/// are the steadiest figures of a busy machine. Progress goes to standard error. The exit code is 1 if our broker
/// lost, repeated or reordered anything, or failed.
#[derive(Debug, Default, clap::Args)]
pub(super) struct Args {
    /// Measure only this mode, or those whose names hold this; repeatable. `--list` names them all.
    #[arg(long, value_name = "NAME")]
    pub(super) mode: Vec<String>,
    /// Name all modes.
    #[arg(long)]
    pub(super) list: bool,
    /// Measure only these brokers, and the floor; repeatable.
    #[arg(long, value_name = "NAME")]
    pub(super) broker: Vec<String>,
    /// Numbers of workers, for brokers that can be told.
    #[arg(long, value_name = "N,N")]
    pub(super) workers: Option<String>,
    /// How long one rate is measured.
    #[arg(long, value_name = "N")]
    pub(super) seconds: Option<u64>,
    /// How often everything is measured at least.
    #[arg(long, value_name = "N")]
    pub(super) repetitions: Option<u64>,
    /// How often at most, where the turns do not agree whether an aim is met.
    #[arg(long, value_name = "N")]
    pub(super) repetitions_max: Option<u64>,
    /// Idle connections, and sessions that reconnect [default: what the limit of open files allows, at most 1000000].
    #[arg(long, value_name = "N")]
    pub(super) connections: Option<u64>,
    /// What of them one process of the load opens at most [default: what the limit of open files allows].
    #[arg(long, value_name = "N")]
    pub(super) connections_per_process: Option<u64>,
    /// Count the brokers' system calls, too, in runs of their own; it takes strace.
    #[arg(long)]
    pub(super) system_calls: bool,
    /// Print the report as JSON.
    #[arg(long, conflicts_with = "markdown")]
    pub(super) json: bool,
    /// Print the report as a document.
    #[arg(long)]
    pub(super) markdown: bool,
}

const PACKAGE: &str = "dunlin-broker-bench";
const BINARY: &str = "broker-bench";
const RELAY: &str = "relay";

pub(super) fn run(args: &Args, workspace: &Workspace) -> Result<Verdict, Error> {
    let Some(release) = super::build(PACKAGE, workspace)? else { return Ok(Verdict::Bad) };
    let mut command = process::command(&release.join(BINARY).to_string_lossy(), &workspace.root);
    command.arg(release.join(super::BROKER)).arg(release.join(RELAY));
    command.arg("--directory").arg(workspace.target.join("broker-bench"));
    command.env("PATH", path(workspace));
    args.pass_on(&mut command);
    process::run_in_view(&mut command)
}

/// Brokers that `cargo xtask setup --bench` has installed come last: what the machine's owner has chosen is measured.
fn path(workspace: &Workspace) -> OsString {
    let inherited = env::var_os("PATH").unwrap_or_default();
    let folders = env::split_paths(&inherited).chain([workspace.peers().join("bin")]);
    env::join_paths(folders).unwrap_or_else(|_| inherited.clone())
}

impl Args {
    fn pass_on(&self, command: &mut Command) {
        command.args(self.mode.iter().flat_map(|mode| ["--mode", mode]));
        command.args(self.broker.iter().flat_map(|broker| ["--broker", broker]));
        let number = |number: Option<u64>| number.map(|it| it.to_string());
        let values = [
            ("--workers", self.workers.clone()),
            ("--seconds", number(self.seconds)),
            ("--repetitions", number(self.repetitions)),
            ("--repetitions-max", number(self.repetitions_max)),
            ("--connections", number(self.connections)),
            ("--connections-per-process", number(self.connections_per_process)),
        ];
        for (name, value) in values {
            if let Some(value) = value {
                command.args([name, &value]);
            }
        }
        let switches = [
            ("--list", self.list),
            ("--system-calls", self.system_calls),
            ("--json", self.json),
            ("--markdown", self.markdown),
        ];
        command.args(switches.iter().filter(|(_, is_set)| *is_set).map(|(name, _)| name));
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    #[derive(Parser)]
    struct CommandLine {
        #[command(flatten)]
        args: Args,
    }

    #[test]
    fn what_is_asked_for_is_passed_on_as_it_is() {
        let all = [
            "--mode",
            "idle",
            "--mode",
            "pairs",
            "--broker",
            "nats",
            "--workers",
            "1,4",
            "--seconds",
            "2",
            "--repetitions",
            "5",
            "--repetitions-max",
            "7",
            "--connections",
            "9000",
            "--connections-per-process",
            "3000",
            "--list",
            "--system-calls",
            "--markdown",
        ];
        let asked = CommandLine::try_parse_from(["brokers"].iter().chain(&all)).expect("it is understood");
        let mut command = Command::new("broker-bench");
        asked.args.pass_on(&mut command);
        assert_eq!(command.get_args().collect::<Vec<_>>(), all);
    }
}
