//! Owns `cargo xtask bench`: it starts the benchmark packages one after the other. It measures nothing
//! itself, and what takes a whole broker is a command below it.

mod brokers;
mod durable;

use std::process::Command;

use crate::Verdict;
use crate::error::Error;
use crate::process;
use crate::workspace::Workspace;

/// Run the benchmarks: our own, and the comparisons with other codecs and brokers.
///
/// This is `cargo bench` on the packages dunlin-benches and dunlin-compare, in the release profile, with the
/// output of Criterion as it comes. Numbers from a busy machine mean little: look at the interval, repeat,
/// and compare only runs of the same machine.
#[derive(Debug, clap::Args)]
#[command(args_conflicts_with_subcommands = true)]
pub(crate) struct Args {
    #[command(subcommand)]
    whole_process: Option<WholeProcess>,
    /// Run one of the two packages only.
    #[arg(long, value_enum)]
    package: Option<BenchPackage>,
    /// Handed to Criterion as it is: a filter on the names of the benchmarks, or options after `--`.
    #[arg(value_name = "FILTER")]
    passed_on: Vec<String>,
}

#[derive(Debug, clap::Subcommand)]
enum WholeProcess {
    Brokers(brokers::Args),
    Durable(durable::Args),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
enum BenchPackage {
    /// Our own hot paths.
    Benches,
    /// The same work done by other crates and brokers.
    Compare,
}

impl BenchPackage {
    fn name(self) -> &'static str {
        match self {
            BenchPackage::Benches => "dunlin-benches",
            BenchPackage::Compare => "dunlin-compare",
        }
    }
}

pub(crate) fn run(args: &Args) -> Result<Verdict, Error> {
    let workspace = Workspace::load()?;
    match &args.whole_process {
        Some(WholeProcess::Brokers(args)) => return brokers::run(args, &workspace),
        Some(WholeProcess::Durable(args)) => return durable::run(args, &workspace),
        None => {}
    }
    let packages = match args.package {
        Some(package) => vec![package],
        None => vec![BenchPackage::Benches, BenchPackage::Compare],
    };
    let mut verdict = Verdict::Good;
    for package in packages {
        let mut command = bench_command(&workspace, package, &args.passed_on);
        println!("{}", process::shown(&command));
        if process::run_in_view(&mut command)? == Verdict::Bad {
            verdict = Verdict::Bad;
        }
    }
    Ok(verdict)
}

fn bench_command(workspace: &Workspace, package: BenchPackage, passed_on: &[String]) -> Command {
    let mut command = process::cargo(&workspace.root);
    // Only bench targets: a library's unit tests would be started too and do not know Criterion's options.
    command.args(["bench", "--package", package.name(), "--bench", "*"]);
    if !passed_on.is_empty() {
        command.arg("--").args(passed_on);
    }
    command
}
