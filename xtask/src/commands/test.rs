//! Owns `cargo xtask test`: which steps run, in which order, and what the whole is worth. It does not know how a
//! step does its work.

mod build;
mod libtest;
mod plan;
mod report;
mod step;
mod unpacked;

use clap::builder::FalseyValueParser;

use crate::Verdict;
use crate::error::Error;
use crate::process::Echo;
use crate::workspace::Workspace;
use plan::{Plan, Selection};
use report::{Report, Skips};
use step::Runner;

/// Run every check: format, lints, all tests, documentation, packaging.
///
/// A step that fails does not stop the others. The last line is `N passed, N failed`, with `, N skipped` if tests
/// were skipped: the sum of all single tests, and one for each step that is not a test (format, clippy, build,
/// package, doc). The exit code is 0 only if nothing failed, 1 if something did, 2 if the command could not run.
///
/// A test that needs a tool which is not installed is skipped and named at the end; `cargo xtask setup` installs
/// such tools.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Leave out the slow ends: packaging, documentation and interoperability with other people's clients.
    #[arg(long, conflicts_with = "only")]
    quick: bool,
    /// Run this step only (repeatable); what it needs to have built is built first.
    #[arg(long, value_name = "STEP")]
    only: Vec<String>,
    /// Print the names of the steps and what each one does, and run nothing.
    #[arg(long)]
    list: bool,
    /// Count a skipped test as a failed one. Setting the environment variable CI (to anything but an empty text, 0,
    /// false, no or off) has the same effect.
    #[arg(long, env = "CI", value_parser = FalseyValueParser::new(), hide_env = true)]
    no_skips: bool,
    /// Show the output of every step while it runs, not only that of failing steps.
    #[arg(long, short)]
    verbose: bool,
}

pub(crate) fn run(args: &Args) -> Result<Verdict, Error> {
    let workspace = Workspace::load()?;
    let plan = Plan::of(&workspace).select(&args.selection())?;
    if args.list {
        report::list(&plan);
        return Ok(Verdict::Good);
    }

    let skips = if args.no_skips { Skips::Fail } else { Skips::Count };
    let echo = if args.verbose { Echo::Live } else { Echo::Silent };
    let mut report = Report::new(plan.steps.len(), skips, echo);
    let mut runner = Runner::new(&workspace, echo);
    for step in &plan.steps {
        report.started(step);
        let outcome = runner.run(&step.work)?;
        report.ended(step, outcome);
    }
    Ok(report.summarise())
}

impl Args {
    fn selection(&self) -> Selection {
        if !self.only.is_empty() {
            Selection::Only(self.only.clone())
        } else if self.quick {
            Selection::Quick
        } else {
            Selection::Everything
        }
    }
}
