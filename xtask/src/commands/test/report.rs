//! Owns what a person reads of a test run: a line when a step starts and one when it ends, the output of a failing
//! one, and the summary. It runs nothing.

use std::time::{Duration, Instant};

use super::libtest::{Skip, Tally};
use super::plan::{Plan, Step};
use super::step::Outcome;
use crate::Verdict;
use crate::process::Echo;

/// What a skipped test is worth.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Skips {
    Count,
    Fail,
}

#[derive(Debug)]
pub(crate) struct Report {
    steps: usize,
    number: usize,
    skips: Skips,
    echo: Echo,
    run_started: Instant,
    step_started: Instant,
    total: Tally,
    failed_steps: Vec<FailedStep>,
    skipped_tests: Vec<Skip>,
    ignored: usize,
}

#[derive(Debug)]
struct FailedStep {
    name: String,
    tests: Vec<String>,
}

pub(crate) fn list(plan: &Plan) {
    for step in &plan.steps {
        println!("{:<14} {}", step.name, step.about);
    }
}

impl Report {
    pub(crate) fn new(steps: usize, skips: Skips, echo: Echo) -> Self {
        let now = Instant::now();
        Self {
            steps,
            number: 0,
            skips,
            echo,
            run_started: now,
            step_started: now,
            total: Tally::default(),
            failed_steps: Vec::new(),
            skipped_tests: Vec::new(),
            ignored: 0,
        }
    }

    pub(crate) fn started(&mut self, step: &Step) {
        self.number += 1;
        self.step_started = Instant::now();
        println!("[{:>2}/{}] {}: {}", self.number, self.steps, step.name, step.about);
    }

    pub(crate) fn ended(&mut self, step: &Step, outcome: Outcome) {
        let tally = self.skips.weigh(outcome.findings.tally);
        if outcome.findings.tally.failed > 0 && self.echo == Echo::Silent {
            outcome.output.iter().for_each(|line| println!("    {}", line.text));
        }
        println!("        {}", ending(tally, &outcome.notes, self.step_started.elapsed()));

        self.total += tally;
        self.ignored += outcome.findings.tally.skipped - outcome.findings.skips.len();
        self.skipped_tests.extend(outcome.findings.skips);
        if tally.failed > 0 {
            self.failed_steps
                .push(FailedStep { name: step.name.clone(), tests: outcome.findings.failed_tests });
        }
    }

    /// Prints the end of the run; its last line is for scripts too.
    pub(crate) fn summarise(&self) -> Verdict {
        println!();
        for step in &self.failed_steps {
            println!("failed: {}", step.name);
            step.tests.iter().for_each(|test| println!("    {test}"));
        }
        self.explain_skips();
        println!("took {}", shown(self.run_started.elapsed()));
        println!("{}", summary(self.total));
        if self.total.failed == 0 { Verdict::Good } else { Verdict::Bad }
    }

    fn explain_skips(&self) {
        for skip in &self.skipped_tests {
            println!("skipped: {} (needs {})", skip.test, skip.tool);
        }
        if !self.skipped_tests.is_empty() {
            println!("`cargo xtask setup` installs what is missing, where there is apt, pip or npm.");
        }
        // The workspace has none; whoever marks one is to see it in each run.
        if self.ignored > 0 {
            println!("ignored: {} (an `#[ignore]` or an example marked `ignore`)", self.ignored);
        }
        if self.skips == Skips::Fail && self.ignored + self.skipped_tests.len() > 0 {
            println!("Skipped and ignored tests count as failed here (--no-skips or CI is set).");
        }
    }
}

impl Skips {
    fn weigh(self, tally: Tally) -> Tally {
        match self {
            Skips::Count => tally,
            Skips::Fail => Tally { passed: tally.passed, failed: tally.failed + tally.skipped, skipped: 0 },
        }
    }
}

/// The end of one step: `ok: 12 passed, 0 failed, 3.4 s`.
fn ending(tally: Tally, notes: &[String], took: Duration) -> String {
    let word = if tally.failed == 0 { "ok" } else { "FAILED" };
    let notes: String = notes.iter().map(|note| format!(", {note}")).collect();
    format!("{word}: {}, {}{notes}", summary(tally), shown(took))
}

fn summary(tally: Tally) -> String {
    let skipped = if tally.skipped == 0 { String::new() } else { format!(", {} skipped", tally.skipped) };
    format!("{} passed, {} failed{skipped}", tally.passed, tally.failed)
}

fn shown(duration: Duration) -> String {
    let seconds = duration.as_secs();
    if seconds < 60 {
        format!("{:.1} s", duration.as_secs_f64())
    } else {
        format!("{} min {} s", seconds / 60, seconds % 60)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_summary_names_skips_only_if_there_are_any() {
        let check = |passed, failed, skipped, expected: &str| {
            assert_eq!(summary(Tally { passed, failed, skipped }), expected);
        };
        check(0, 0, 0, "0 passed, 0 failed");
        check(412, 0, 0, "412 passed, 0 failed");
        check(412, 2, 5, "412 passed, 2 failed, 5 skipped");
    }

    #[test]
    fn a_skip_is_a_failure_where_none_is_allowed() {
        let tally = Tally { passed: 3, failed: 1, skipped: 2 };
        assert_eq!(Skips::Count.weigh(tally), tally);
        assert_eq!(Skips::Fail.weigh(tally), Tally { passed: 3, failed: 3, skipped: 0 });
    }

    #[test]
    fn a_step_ends_with_its_outcome_its_time_and_what_to_know() {
        let check = |tally, notes: &[&str], took, expected: &str| {
            let notes: Vec<String> = notes.iter().map(|note| (*note).to_owned()).collect();
            assert_eq!(ending(tally, &notes, Duration::from_millis(took)), expected);
        };
        check(Tally::PASSED, &[], 1_240, "ok: 1 passed, 0 failed, 1.2 s");
        check(
            Tally::FAILED,
            &["exit status: 101"],
            61_999,
            "FAILED: 0 passed, 1 failed, 1 min 1 s, exit status: 101",
        );
    }
}
