//! Owns how each step does its work and what its output means. It prints nothing.

use std::path::Path;
use std::process::Command;
use std::time::Duration;

use super::build::Build;
use super::libtest::{Findings, Tally};
use super::plan::{Capture, TestPrograms, Work};
use super::unpacked;
use crate::commands::{crash, sim, spec};
use crate::error::Error;
use crate::process::{self, Echo, End, Finished, Line, Source};
use crate::workspace::{Publication, Target, Workspace};

/// Runs steps one after the other and keeps what later steps need of earlier ones.
#[derive(Debug)]
pub(crate) struct Runner<'a> {
    workspace: &'a Workspace,
    echo: Echo,
    build: Build,
}

/// What a step found. Whether skips are failures is for the report to say.
#[derive(Debug, Default)]
pub(crate) struct Outcome {
    pub(crate) findings: Findings,
    /// Everything the step printed.
    pub(crate) output: Vec<Line>,
    /// Something to know even when the step passed.
    pub(crate) notes: Vec<String>,
}

impl<'a> Runner<'a> {
    pub(crate) fn new(workspace: &'a Workspace, echo: Echo) -> Self {
        Self { workspace, echo, build: Build::default() }
    }

    pub(crate) fn run(&mut self, work: &Work) -> Result<Outcome, Error> {
        match work {
            Work::Format => self.one_check(&["fmt", "--all", "--check"]),
            Work::Clippy => self.one_check(&[
                "clippy",
                "--workspace",
                "--all-targets",
                "--keep-going",
                "--",
                "-D",
                "warnings",
            ]),
            Work::Citations => Ok(self.citations()),
            Work::Build => self.build(),
            Work::Tests(programs) => self.tests(programs),
            Work::Simulation => self.simulation(),
            Work::Crash => self.crash(),
            Work::DocTests => self.doc_tests(),
            Work::Documentation => self.documentation(),
            Work::Package => self.package(),
        }
    }

    fn one_check(&self, arguments: &[&str]) -> Result<Outcome, Error> {
        let mut command = process::cargo(&self.workspace.root);
        self.one_check_command(command.args(arguments))
    }

    fn one_check_command(&self, command: &mut Command) -> Result<Outcome, Error> {
        let finished = process::run(command, CARGO_TIME_MAX, self.echo)?;
        let mut outcome = Outcome::default();
        outcome.findings.tally = if finished.end == End::Success { Tally::PASSED } else { Tally::FAILED };
        outcome.take_output(&finished.end, finished.lines);
        Ok(outcome)
    }

    /// A list that cannot be read fails the step, not the run.
    fn citations(&self) -> Outcome {
        let mut outcome = Outcome::default();
        let printed = match spec::check_citations(self.workspace) {
            Ok((unknown, coverage)) => {
                outcome.notes.push(coverage);
                unknown
            }
            Err(error) => vec![error.to_string()],
        };
        outcome.findings.tally = if printed.is_empty() { Tally::PASSED } else { Tally::FAILED };
        outcome.output =
            printed.into_iter().map(|text| Line { source: Source::StandardOutput, text }).collect();
        outcome
    }

    /// Builds all test programs and the binaries in one go: with one set of features, so that nothing is built twice,
    /// and without stopping at the first package that does not compile.
    fn build(&mut self) -> Result<Outcome, Error> {
        let mut command = process::cargo(&self.workspace.root);
        command.args(["build", "--workspace", "--tests", "--keep-going"]);
        for binary in self.workspace.published().flat_map(|package| &package.binaries) {
            command.args(["--bin", binary]);
        }
        command.args(["--bin", sim::BINARY, "--bin", crash::BINARY]);
        command.arg("--message-format=json-render-diagnostics");
        let echo = if self.echo == Echo::Live { Echo::Diagnostics } else { self.echo };
        let finished = process::run(&mut command, CARGO_TIME_MAX, echo)?;
        let (messages, diagnostics): (Vec<Line>, Vec<Line>) =
            finished.lines.into_iter().partition(|line| line.source == Source::StandardOutput);
        messages.iter().for_each(|line| self.build.message(&line.text));

        let mut outcome = Outcome::default();
        outcome.findings.tally = if finished.end == End::Success { Tally::PASSED } else { Tally::FAILED };
        outcome.take_output(&finished.end, diagnostics);
        Ok(outcome)
    }

    fn tests(&self, programs: &TestPrograms) -> Result<Outcome, Error> {
        let mut outcome = Outcome::default();
        for target in &programs.targets {
            match self.build.test(&programs.package, target) {
                Some(program) => {
                    let mut command = self.test_command(program, programs);
                    let finished = process::run(&mut command, TESTS_TIME_MAX, self.echo)?;
                    outcome.take_tests(finished, &format!("{} ({})", target.name, target.kind));
                }
                None => outcome.take_missing(target),
            }
        }
        if programs.targets.is_empty() {
            // A renamed target must not make its tests vanish unseen.
            outcome.findings.tally = Tally::FAILED;
            outcome.notes.push(format!("{} holds no such tests", programs.package.name));
        }
        Ok(outcome)
    }

    /// Starts a test program as `cargo test` would: in the folder of its package, with cargo's variables.
    fn test_command(&self, program: &Path, programs: &TestPrograms) -> Command {
        let mut command = process::command(&program.to_string_lossy(), &programs.package.folder);
        command.env("CARGO_MANIFEST_DIR", &programs.package.folder);
        command.env("CARGO_PKG_NAME", &programs.package.name);
        if let Some(folder) = &self.build.binaries {
            command.env("DUNLIN_BIN_DIR", folder);
        }
        match programs.capture {
            Capture::Kept => {}
            Capture::PassedOn => {
                command.arg("--nocapture");
            }
        }
        command
    }

    /// One check, however many runs: a failing one is named by its seed in the output.
    fn simulation(&self) -> Result<Outcome, Error> {
        let mut command = self.binary(sim::BINARY);
        command.args(["--seeds", &sim::SEEDS.to_string()]);
        self.long_run(&mut command)
    }

    /// With the binaries of the tests: what is killed is as real as any, and need not be built again.
    fn crash(&self) -> Result<Outcome, Error> {
        let mut command = self.binary(crash::BINARY);
        command.arg(self.binary(crash::BROKER).get_program());
        command.arg("--directory").arg(self.workspace.target.join("crash"));
        command.args(["--rounds", &crash::ROUNDS.to_string()]);
        self.long_run(&mut command)
    }

    /// One of the binaries that were built.
    fn binary(&self, name: &str) -> Command {
        let folder = self.build.binaries.as_deref().unwrap_or(&self.workspace.target);
        let program = folder.join(format!("{name}{}", std::env::consts::EXE_SUFFIX));
        process::command(&program.to_string_lossy(), &self.workspace.root)
    }

    /// Something that judges itself: its exit code says how, its last line how much it was.
    fn long_run(&self, command: &mut Command) -> Result<Outcome, Error> {
        let finished = process::run(command, TESTS_TIME_MAX, self.echo)?;
        let mut outcome = Outcome::default();
        outcome.findings.tally = if finished.end == End::Success { Tally::PASSED } else { Tally::FAILED };
        outcome.notes.extend(finished.lines.last().map(|line| line.text.clone()));
        outcome.take_output(&finished.end, finished.lines);
        Ok(outcome)
    }

    fn doc_tests(&self) -> Result<Outcome, Error> {
        let mut command = process::cargo(&self.workspace.root);
        command.args(["test", "--workspace", "--doc", "--no-fail-fast"]);
        let finished = process::run(&mut command, CARGO_TIME_MAX, self.echo)?;
        let mut outcome = Outcome::default();
        outcome.take_tests(finished, "documentation examples");
        Ok(outcome)
    }

    fn documentation(&self) -> Result<Outcome, Error> {
        let mut command = process::cargo(&self.workspace.root);
        command.args(["doc", "--workspace", "--no-deps", "--keep-going"]).env("RUSTDOCFLAGS", "-D warnings");
        self.one_check_command(&mut command)
    }

    /// Packages all published crates at once, because they depend on each other, and builds each from its package.
    fn package(&self) -> Result<Outcome, Error> {
        // One folder for all: the crates share most dependencies, and each would build its own otherwise. Not that of the
        // other steps: what is left of an earlier run must go, and theirs may stay.
        let target = self.workspace.target.join("verify");
        let stale = unpacked::forget(self.workspace, &target).err();
        let mut command = process::cargo(&self.workspace.root);
        command.args(["package", "--workspace"]);
        for package in &self.workspace.packages {
            match package.publication {
                Publication::Internal => {
                    command.args(["--exclude", &package.name]);
                }
                Publication::Published => {}
            }
        }
        command.arg("--target-dir").arg(&target);
        let changed = self.uncommitted_changes();
        if changed {
            command.arg("--allow-dirty");
        }
        let mut outcome = self.one_check_command(&mut command)?;
        if changed {
            outcome.notes.push("packaged with uncommitted changes".to_owned());
        }
        if let Some(error) = stale {
            outcome.notes.push(format!("what earlier runs unpacked could not be removed: {error}"));
        }
        Ok(outcome)
    }

    /// Without git, or outside a repository, cargo has nothing to compare with either.
    fn uncommitted_changes(&self) -> bool {
        let mut command = process::command("git", &self.workspace.root);
        command.args(["status", "--porcelain"]);
        command.output().is_ok_and(|output| output.status.success() && !output.stdout.is_empty())
    }
}

impl Outcome {
    fn take_tests(&mut self, finished: Finished, what: &str) {
        let mut findings = Findings::of(finished.lines.iter().map(|line| line.text.as_str()));
        if finished.end != End::Success && findings.tally.failed == 0 {
            // It died before it could count, or did not compile.
            findings.tally.failed = 1;
            findings.failed_tests.push(what.to_owned());
        }
        self.findings.tally += findings.tally;
        self.findings.skips.extend(findings.skips);
        self.findings.failed_tests.extend(findings.failed_tests);
        self.take_output(&finished.end, finished.lines);
    }

    fn take_missing(&mut self, target: &Target) {
        self.findings.tally += Tally::FAILED;
        self.findings.failed_tests.push(format!("{} ({}) was not built", target.name, target.kind));
    }

    fn take_output(&mut self, end: &End, lines: Vec<Line>) {
        self.output.extend(lines);
        match end {
            End::Success => {}
            End::Failure(status) => self.notes.push(status.to_string()),
            End::TimeLimit(limit) => self.notes.push(format!("killed after {} s", limit.as_secs())),
        }
    }
}

/// Cargo may have to fetch and build every dependency.
const CARGO_TIME_MAX: Duration = Duration::from_secs(20 * 60);

/// One test program. None should come near; this is for those that hang.
const TESTS_TIME_MAX: Duration = Duration::from_secs(8 * 60);

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(script: &str, expected: Tally) {
        let mut command = process::command("sh", Path::new("."));
        let finished =
            process::run(command.args(["-c", script]), CARGO_TIME_MAX, Echo::Silent).expect("sh starts");
        let mut outcome = Outcome::default();
        outcome.take_tests(finished, "the program");
        assert_eq!(outcome.findings.tally, expected, "{script}");
    }

    #[test]
    fn a_test_program_that_dies_without_a_result_is_one_failure() {
        check("echo 'test result: ok. 2 passed; 0 failed'", Tally { passed: 2, failed: 0, skipped: 0 });
        check(
            "echo 'test result: FAILED. 2 passed; 3 failed'; exit 101",
            Tally { passed: 2, failed: 3, skipped: 0 },
        );
        check(
            "echo 'test result: ok. 2 passed; 0 failed'; exit 101",
            Tally { passed: 2, failed: 1, skipped: 0 },
        );
        check("kill -9 $$", Tally::FAILED);
    }
}
