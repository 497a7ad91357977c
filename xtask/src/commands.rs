//! Owns the list of commands. Each one is a file with an `Args` struct and one `run` function; a new command is
//! such a file and one line in each place below.

mod bench;
mod crash;
mod fuzz;
mod setup;
pub(crate) mod sim;
pub(crate) mod spec;
mod test;

use clap::Subcommand;

use crate::Verdict;
use crate::error::Error;

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    Test(test::Args),
    Setup(setup::Args),
    Bench(bench::Args),
    Fuzz(fuzz::Args),
    Spec(spec::Args),
    Sim(sim::Args),
    Crash(crash::Args),
}

impl Command {
    pub(crate) fn run(&self) -> Result<Verdict, Error> {
        match self {
            Command::Test(args) => test::run(args),
            Command::Setup(args) => setup::run(args),
            Command::Bench(args) => bench::run(args),
            Command::Fuzz(args) => fuzz::run(args),
            Command::Spec(args) => spec::run(args),
            Command::Sim(args) => sim::run(args),
            Command::Crash(args) => crash::run(args),
        }
    }
}
