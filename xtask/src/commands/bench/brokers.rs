//! Owns `cargo xtask bench brokers`: it builds the broker, the relay and the measurement and starts the last with
//! the others. What is measured, and how, is the measurement's business.

use crate::Verdict;
use crate::error::Error;
use crate::process;
use crate::workspace::Workspace;

/// Measure brokers under one load, interleaved, beside a relay that only forwards frames: every broker that is
/// installed.
///
/// All of it takes hours; name modes and brokers to see some of it. CPU per message, and its ratio to the relay's,
/// are the steadiest figures of a busy machine. The exit code is 1 if our broker lost, repeated or reordered
/// anything.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
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
    #[arg(long, value_name = "N,N")]
    workers: Option<String>,
    /// How long one rate is measured.
    #[arg(long, value_name = "N")]
    seconds: Option<u64>,
    /// How often everything is measured.
    #[arg(long, value_name = "N")]
    repetitions: Option<u64>,
    /// Print the report as JSON.
    #[arg(long)]
    json: bool,
}

const PACKAGE: &str = "dunlin-broker-bench";
const BINARY: &str = "broker-bench";
const RELAY: &str = "relay";
const BROKER: &str = "mqttd";

pub(super) fn run(args: &Args, workspace: &Workspace) -> Result<Verdict, Error> {
    let mut build = process::cargo(&workspace.root);
    build.args(["build", "--quiet", "--release", "--package", BROKER, "--package", PACKAGE]);
    if process::run_in_view(&mut build)? == Verdict::Bad {
        return Ok(Verdict::Bad);
    }
    let release = workspace.target.join("release");
    let mut command = process::command(&release.join(BINARY).to_string_lossy(), &workspace.root);
    command.arg(release.join(BROKER)).arg(release.join(RELAY));
    command.arg("--directory").arg(workspace.target.join("broker-bench"));
    let modes = args.mode.iter().flat_map(|mode| ["--mode", mode]);
    let brokers = args.broker.iter().flat_map(|broker| ["--broker", broker]);
    command.args(modes).args(brokers);
    let numbers = [
        ("--workers", args.workers.clone()),
        ("--seconds", args.seconds.map(|it| it.to_string())),
        ("--repetitions", args.repetitions.map(|it| it.to_string())),
    ];
    for (name, value) in numbers {
        if let Some(value) = value {
            command.args([name, &value]);
        }
    }
    for (name, is_set) in [("--list", args.list), ("--json", args.json)] {
        if is_set {
            command.arg(name);
        }
    }
    process::run_in_view(&mut command)
}
