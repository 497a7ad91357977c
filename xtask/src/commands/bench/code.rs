//! Owns `cargo xtask bench code`: it starts the packages of Criterion's benchmarks one after the other.

use std::process::Command;

use crate::Verdict;
use crate::error::Error;
use crate::process;
use crate::workspace::Workspace;

/// Measure single functions: our own hot paths, and the same work done by other crates.
///
/// This is `cargo bench` on the packages dunlin-benches and dunlin-compare, in the release profile, with the
/// output of Criterion as it comes: look at the interval.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Run one of the two packages only.
    #[arg(long, value_enum)]
    package: Option<BenchPackage>,
    /// Handed to Criterion as it is: a filter on the names of the benchmarks, or options after `--`.
    #[arg(value_name = "FILTER")]
    passed_on: Vec<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
enum BenchPackage {
    /// Our own hot paths.
    Benches,
    /// The same work done by other crates.
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

pub(super) fn run(args: &Args, workspace: &Workspace) -> Result<Verdict, Error> {
    let packages = match args.package {
        Some(package) => vec![package],
        None => vec![BenchPackage::Benches, BenchPackage::Compare],
    };
    let mut verdict = Verdict::Good;
    for package in packages {
        let mut command = bench_command(workspace, package, &args.passed_on);
        println!("{}", process::shown(&command));
        verdict = verdict.and(process::run_in_view(&mut command)?);
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
