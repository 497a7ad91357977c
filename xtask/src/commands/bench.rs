//! Owns `cargo xtask bench`: which kinds of benchmark there are, and running all of those that measure a whole
//! broker. It measures nothing itself; each kind is a command below it.

mod brokers;
mod code;
mod durable;

use std::path::PathBuf;

use crate::Verdict;
use crate::error::Error;
use crate::process;
use crate::workspace::Workspace;

/// Measure: single functions, whole brokers under load, what durability costs.
///
/// Numbers from a busy machine mean little: repeat, and compare only runs of the same machine. `cargo xtask setup
/// --bench` installs the other brokers that can be installed.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(subcommand)]
    kind: Kind,
}

#[derive(Debug, clap::Subcommand)]
enum Kind {
    Brokers(brokers::Args),
    Durable(durable::Args),
    All(All),
    Code(code::Args),
}

/// Measure `brokers` and then `durable`, all of both; it takes hours.
///
/// With `--markdown`, standard output is a report of its own: `cargo xtask bench all --markdown > benches/REPORT.md`.
#[derive(Debug, clap::Args)]
struct All {
    /// How long one rate is measured.
    #[arg(long, value_name = "N")]
    seconds: Option<u64>,
    /// How often everything is measured.
    #[arg(long, value_name = "N")]
    repetitions: Option<u64>,
    /// Count the brokers' system calls, too; it takes strace.
    #[arg(long)]
    system_calls: bool,
    /// Print the report as a document.
    #[arg(long)]
    markdown: bool,
}

pub(crate) fn run(args: &Args) -> Result<Verdict, Error> {
    let workspace = Workspace::load()?;
    match &args.kind {
        Kind::Brokers(args) => brokers::run(args, &workspace),
        Kind::Durable(args) => durable::run(args, &workspace),
        Kind::All(all) => run_all(all, &workspace),
        Kind::Code(args) => code::run(args, &workspace),
    }
}

/// The second is measured whatever became of the first.
fn run_all(all: &All, workspace: &Workspace) -> Result<Verdict, Error> {
    let &All { seconds, repetitions, system_calls, markdown } = all;
    let brokers = brokers::Args { seconds, repetitions, system_calls, markdown, ..brokers::Args::default() };
    let durable = durable::Args { seconds, repetitions, markdown, ..durable::Args::default() };
    let brokers = brokers::run(&brokers, workspace)?;
    // Between two documents.
    println!();
    Ok(brokers.and(durable::run(&durable, workspace)?))
}

/// Builds what a measurement of whole brokers consists of, optimised; gives the folder of the programs, or nothing if
/// it cannot be built.
fn build(package: &str, workspace: &Workspace) -> Result<Option<PathBuf>, Error> {
    let mut build = process::cargo(&workspace.root);
    build.args(["build", "--quiet", "--release", "--package", BROKER, "--package", package]);
    Ok(match process::run_in_view(&mut build)? {
        Verdict::Good => Some(workspace.target.join("release")),
        Verdict::Bad => None,
    })
}

/// Ours: a package, and the binary in it.
const BROKER: &str = "mqttd";

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    #[derive(Debug, Parser)]
    struct CommandLine {
        #[command(flatten)]
        _args: Args,
    }

    #[test]
    fn without_arguments_all_kinds_are_explained() {
        let help = CommandLine::try_parse_from(["bench"]).expect_err("a kind is wanted").to_string();
        for kind in ["brokers", "durable", "all", "code"] {
            assert!(
                help.lines().any(|line| line.trim_start().starts_with(&format!("{kind} "))),
                "{kind}: {help}"
            );
        }
    }
}
