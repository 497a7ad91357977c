//! Owns the lines of Rust's test harness, and the line of our own tests that says that one was skipped. It does not
//! decide what a skip is worth.

use std::ops::AddAssign;

/// Counts of single tests, or of steps that are one check each.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Tally {
    pub(crate) passed: usize,
    pub(crate) failed: usize,
    pub(crate) skipped: usize,
}

/// A test that passed without having done its work, because a tool is not installed.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Skip {
    pub(crate) test: String,
    pub(crate) tool: String,
}

/// What the output of one or more test programs says.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Findings {
    pub(crate) tally: Tally,
    pub(crate) skips: Vec<Skip>,
    pub(crate) failed_tests: Vec<String>,
}

impl Tally {
    pub(crate) const PASSED: Tally = Tally { passed: 1, failed: 0, skipped: 0 };
    pub(crate) const FAILED: Tally = Tally { passed: 0, failed: 1, skipped: 0 };
}

impl AddAssign for Tally {
    fn add_assign(&mut self, other: Self) {
        self.passed += other.passed;
        self.failed += other.failed;
        self.skipped += other.skipped;
    }
}

impl Findings {
    /// Adds up what the lines say. A test that asks for several tools is skipped once.
    pub(crate) fn of<'a>(lines: impl Iterator<Item = &'a str>) -> Self {
        let mut findings = Findings::default();
        for line in lines {
            if let Some(tally) = result_line(line) {
                findings.tally += tally;
            } else if let Some(skip) = skip_line(line) {
                findings.skips.push(skip);
            } else if let Some(test) = failed_test_line(line) {
                findings.failed_tests.push(test.to_owned());
            }
        }
        findings.skips.sort();
        findings.skips.dedup_by(|later, earlier| later.test == earlier.test);
        // The harness counted each of them as passed.
        findings.tally.passed = findings.tally.passed.saturating_sub(findings.skips.len());
        findings.tally.skipped += findings.skips.len();
        findings
    }
}

/// `test result: ok. 3 passed; 0 failed; 1 ignored; 0 measured; 0 filtered out; finished in 0.00s`
fn result_line(line: &str) -> Option<Tally> {
    let (_, counts) = line.strip_prefix("test result: ")?.split_once(". ")?;
    let mut tally = Tally::default();
    for count in counts.split("; ") {
        match count.split_once(' ') {
            Some((number, "passed")) => tally.passed = number.parse().ok()?,
            Some((number, "failed")) => tally.failed = number.parse().ok()?,
            Some((number, "ignored")) => tally.skipped = number.parse().ok()?,
            Some(_) | None => {}
        }
    }
    Some(tally)
}

/// `SKIPPED: qos_1_reaches_paho: needs paho-mqtt`, which the harness may have put behind its own `test NAME ... `.
fn skip_line(line: &str) -> Option<Skip> {
    let (before, skip) = line.split_once("SKIPPED: ")?;
    if !(before.is_empty() || before.ends_with(" ... ")) {
        return None;
    }
    let (test, tool) = skip.split_once(": needs ")?;
    Some(Skip { test: test.trim().to_owned(), tool: tool.trim().to_owned() })
}

/// `test topic::tests::a_plus_stands_for_one_level ... FAILED`
fn failed_test_line(line: &str) -> Option<&str> {
    line.strip_prefix("test ")?.strip_suffix(" ... FAILED")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tally(passed: usize, failed: usize, skipped: usize) -> Tally {
        Tally { passed, failed, skipped }
    }

    #[test]
    fn result_lines_give_their_counts() {
        let check = |line: &str, expected: Option<Tally>| assert_eq!(result_line(line), expected, "{line}");
        check(
            "test result: ok. 3 passed; 0 failed; 1 ignored; 0 measured; 0 filtered out; finished in 0.00s",
            Some(tally(3, 0, 1)),
        );
        check(
            "test result: FAILED. 120 passed; 4 failed; 0 ignored; 0 measured; 2 filtered out; finished in 1.20s",
            Some(tally(120, 4, 0)),
        );
        check("test result: ok. 1 passed; 0 failed", Some(tally(1, 0, 0)));
        check("test result: ok. many passed; 0 failed", None);
        check("test result_lines_give_their_counts ... ok", None);
        check("running 3 tests", None);
        check("", None);
    }

    #[test]
    fn skip_lines_name_the_test_and_the_tool() {
        let check = |line: &str, expected: Option<(&str, &str)>| {
            let found = skip_line(line);
            let found = found.as_ref().map(|skip| (skip.test.as_str(), skip.tool.as_str()));
            assert_eq!(found, expected, "{line}");
        };
        check("SKIPPED: qos_1_reaches_paho: needs paho-mqtt", Some(("qos_1_reaches_paho", "paho-mqtt")));
        check(
            "SKIPPED: mosquitto::wills_are_sent: needs mosquitto",
            Some(("mosquitto::wills_are_sent", "mosquitto")),
        );
        check("test wills ... SKIPPED: wills: needs mosquitto 2.0", Some(("wills", "mosquitto 2.0")));
        check("SKIPPED: wills", None);
        check("the broker said SKIPPED: wills: needs nothing", None);
        check("skipped: wills: needs mosquitto", None);
    }

    #[test]
    fn failed_tests_are_named() {
        let check =
            |line: &str, expected: Option<&str>| assert_eq!(failed_test_line(line), expected, "{line}");
        check("test topic::a_plus_is_one_level ... FAILED", Some("topic::a_plus_is_one_level"));
        check("test src/lib.rs - frame (line 12) ... FAILED", Some("src/lib.rs - frame (line 12)"));
        check("test topic::a_plus_is_one_level ... ok", None);
        check("---- topic::a_plus_is_one_level stdout ----", None);
    }

    #[test]
    fn skipped_tests_are_not_counted_as_passed() {
        let check = |output: &str, expected: Tally| {
            assert_eq!(Findings::of(output.lines()).tally, expected, "{output}");
        };
        check(
            "test result: ok. 3 passed; 0 failed\ntest result: ok. 2 passed; 0 failed; 1 ignored",
            tally(5, 0, 1),
        );
        check(
            "SKIPPED: a: needs x\nSKIPPED: b: needs x\ntest result: ok. 3 passed; 1 failed",
            tally(1, 1, 2),
        );
        check(
            "SKIPPED: a: needs x\nSKIPPED: a: needs y\ntest result: ok. 1 passed; 0 failed",
            tally(0, 0, 1),
        );
        check("SKIPPED: a: needs x", tally(0, 0, 1));
        check("error: could not compile", tally(0, 0, 0));
    }
}
