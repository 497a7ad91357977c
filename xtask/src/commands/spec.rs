//! Owns `cargo xtask spec`: what is shown of the coverage, and which finding is bad. The counting is in `crate::spec`.

mod json;
mod report;

use crate::Verdict;
use crate::error::Error;
use crate::spec::{DEMANDED, Survey, Tally};
use crate::workspace::Workspace;

/// Compare the normative statements of MQTT with the citations in the sources.
///
/// A citation is the id of a statement with its version, such as [MQTT5-3.1.2-24] or [MQTT311-3.1.2-24], anywhere in
/// a Rust file of crates, tests or fuzz. It counts for a test in a folder `tests` or `fuzz`, in a file `...tests.rs`,
/// behind `#[cfg(test)]` and at a test function; else for the code. The statements are listed in tests/spec, with
/// whom they bind. The exit code is 1 if a citation names a statement that does not exist.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// List the statements that lack a citation by code or by a test.
    #[arg(long)]
    missing: bool,
    /// Print everything as JSON, with the places of all citations.
    #[arg(long, conflicts_with = "missing")]
    json: bool,
    /// Exit with 1 if less than this share of the statements that bind a server or both ends is cited by code and by
    /// a test. Excepted statements count as not cited.
    #[arg(long, value_name = "PERCENT", value_parser = clap::value_parser!(u8).range(0..=100))]
    check: Option<u8>,
}

pub(crate) fn run(args: &Args) -> Result<Verdict, Error> {
    let survey = Survey::of(&Workspace::load()?.root)?;
    if args.json {
        println!("{:#}", json::of(&survey));
    } else {
        print!("{}", report::coverage(&survey));
        if args.missing {
            print!("{}", report::missing(&survey));
        }
    }
    // Not on standard output: that is for the coverage, perhaps as JSON.
    eprint!("{}", report::unknown(&survey));
    let mut verdict = if survey.unknown.is_empty() { Verdict::Good } else { Verdict::Bad };
    if let Some(percent) = args.check
        && !demanded(&survey).reaches(percent)
    {
        eprintln!("The coverage is below {percent} %.");
        verdict = Verdict::Bad;
    }
    Ok(verdict)
}

/// The part of `cargo xtask test`: citations of statements that do not exist, a line for each, and the coverage.
pub(crate) fn check_citations(workspace: &Workspace) -> Result<(Vec<String>, String), Error> {
    let survey = Survey::of(&workspace.root)?;
    let unknown = report::unknown(&survey).lines().map(str::to_owned).collect();
    Ok((unknown, format!("{} of what binds a server covered", demanded(&survey).share())))
}

/// What binds a server or both ends.
fn demanded(survey: &Survey) -> Tally {
    Tally::of(survey.standings.iter().filter(|standing| DEMANDED.contains(&standing.statement.bound)))
}
