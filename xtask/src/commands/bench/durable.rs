//! Owns `cargo xtask bench durable`: it builds the broker and the measurement and starts the one with the
//! other. What is measured, and how, is the measurement's business.

use crate::Verdict;
use crate::error::Error;
use crate::process;
use crate::workspace::Workspace;

/// Measure what durability costs: a real broker on the disk of the target directory, beside the same one in
/// memory.
///
/// All of it takes about a quarter of an hour. Each figure is the median of its repetitions and stands next
/// to the load average of the machine; CPU per message is the steadiest of them. The exit code is 1 if
/// anything acknowledged was lost.
#[derive(Debug, Default, clap::Args)]
pub(super) struct Args {
    /// Measure this part only; repeatable: device, publishers, fan-out, offline, restart, space.
    #[arg(long, value_name = "NAME")]
    pub(super) only: Vec<String>,
    /// Of the publishers and the fan-out, measure the case with this name only; repeatable. The names stand in the
    /// report.
    #[arg(long, value_name = "NAME")]
    pub(super) case: Vec<String>,
    /// How long one rate is measured.
    #[arg(long, value_name = "N")]
    pub(super) seconds: Option<u64>,
    /// How often everything is measured.
    #[arg(long, value_name = "N")]
    pub(super) repetitions: Option<u64>,
    /// Set a setting of the broker; repeatable.
    #[arg(long, value_name = "KEY=VALUE")]
    pub(super) set: Vec<String>,
    /// Print the report as JSON.
    #[arg(long, conflicts_with = "markdown")]
    pub(super) json: bool,
    /// Print the report as a document.
    #[arg(long)]
    pub(super) markdown: bool,
}

const PACKAGE: &str = "dunlin-durable-bench";
const BINARY: &str = "durable-bench";

pub(super) fn run(args: &Args, workspace: &Workspace) -> Result<Verdict, Error> {
    let Some(release) = super::build(PACKAGE, workspace)? else { return Ok(Verdict::Bad) };
    let mut command = process::command(&release.join(BINARY).to_string_lossy(), &workspace.root);
    command.arg(release.join(super::BROKER)).arg("--directory").arg(&workspace.target);
    for only in &args.only {
        command.args(["--only", only]);
    }
    for case in &args.case {
        command.args(["--case", case]);
    }
    if let Some(seconds) = args.seconds {
        command.args(["--seconds", &seconds.to_string()]);
    }
    if let Some(repetitions) = args.repetitions {
        command.args(["--repetitions", &repetitions.to_string()]);
    }
    for setting in &args.set {
        command.args(["--set", setting]);
    }
    for (name, is_set) in [("--json", args.json), ("--markdown", args.markdown)] {
        if is_set {
            command.arg(name);
        }
    }
    process::run_in_view(&mut command)
}
