//! Owns `cargo xtask sim`: which seeds the simulator is started with. What a seed means is the simulator's business.

use std::process::Command;

use crate::Verdict;
use crate::error::Error;
use crate::process;
use crate::workspace::Workspace;

/// Run the whole broker with many clients in one thread, over and over, each time as another seed has it.
///
/// Everything in a run follows from its seed: clients, network, configuration. A run that breaks an invariant is
/// reported with its seed, the invariant and what happened last; `--seed` replays it, `--verbose` shows all of it.
/// The exit code is 1 if a run failed.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Run so many seeds.
    #[arg(long, value_name = "N", default_value_t = SEEDS)]
    seeds: u64,
    /// The first of them.
    #[arg(long, value_name = "SEED", default_value_t = 1)]
    first: u64,
    /// Replay this one seed.
    #[arg(long, conflicts_with_all = ["seeds", "first"])]
    seed: Option<u64>,
    /// Print everything that happens in it.
    #[arg(long, requires = "seed")]
    verbose: bool,
    /// Plant a bug, to see that it is caught; a wrong name is answered with all of them.
    #[arg(long, value_name = "NAME")]
    plant: Option<String>,
}

/// Runs in `cargo xtask test`, too.
pub(crate) const SEEDS: u64 = 1_000;

/// The package, and the binary in it.
pub(crate) const PACKAGE: &str = "dunlin-simulator";
pub(crate) const BINARY: &str = "simulator";

pub(crate) fn run(args: &Args) -> Result<Verdict, Error> {
    let workspace = Workspace::load()?;
    // The profile with assertions: they find as much as the invariants do, and a run takes milliseconds all the same.
    let mut command = process::cargo(&workspace.root);
    command.args(["run", "--quiet", "--package", PACKAGE, "--bin", BINARY, "--"]);
    args.pass_on(&mut command);
    process::run_in_view(&mut command)
}

impl Args {
    fn pass_on(&self, command: &mut Command) {
        match self.seed {
            Some(seed) => command.args(["--seed", &seed.to_string()]),
            None => command.args(["--seeds", &self.seeds.to_string(), "--first", &self.first.to_string()]),
        };
        if self.verbose {
            command.arg("--verbose");
        }
        if let Some(plant) = &self.plant {
            command.args(["--plant", plant]);
        }
    }
}
