//! Owns the coverage as a person reads it. It counts nothing itself.

use std::fmt::Write;

use super::demanded;
use crate::spec::{Bound, Citation, Standing, Survey, Tally, Version};

/// The table per version and party, and the one number.
pub(super) fn coverage(survey: &Survey) -> String {
    let mut out = String::new();
    for version in Version::ALL {
        let of_version = || survey.standings.iter().filter(move |it| it.statement.version == version);
        push(&mut out, format_args!("{:<22}{HEADINGS}", version.name()));
        for bound in Bound::ALL {
            let tally = Tally::of(of_version().filter(|it| it.statement.bound == bound));
            if tally.total > 0 {
                push(&mut out, format_args!("  {:<20}{}", party(bound), row(tally)));
            }
        }
        push(&mut out, format_args!("  {:<20}{}\n", "all", row(Tally::of(of_version()))));
    }
    let tally = demanded(survey);
    push(
        &mut out,
        format_args!(
            "{} of the {} statements that bind a server or both ends are cited by code and by a test: {} ({} without \
             the excepted).",
            tally.covered,
            tally.total,
            tally.share(),
            tally.share_without_excepted(),
        ),
    );
    let idle = survey.standings.iter().filter(|it| it.is_covered() && it.exception.is_some());
    for standing in idle {
        push(
            &mut out,
            format_args!("{} is covered and no longer needs its exception.", standing.statement.id),
        );
    }
    out
}

/// One line per statement that is neither covered nor excepted, with what it lacks.
pub(super) fn missing(survey: &Survey) -> String {
    let mut out = String::new();
    for standing in survey.standings.iter().filter(|standing| standing.is_missing()) {
        let statement = &standing.statement;
        push(
            &mut out,
            format_args!(
                "{:<18}{:<18}{:<8}{:<21}{}",
                statement.id,
                lack(standing),
                statement.bound.name(),
                statement.judged,
                statement.summary,
            ),
        );
    }
    if out.is_empty() { out } else { format!("\n{out}") }
}

/// One line per citation of a statement that does not exist.
pub(super) fn unknown(survey: &Survey) -> String {
    let mut out = String::new();
    for Citation { id, file, line, .. } in &survey.unknown {
        let versions = ["MQTT5-", "MQTT311-"];
        let problem = if versions.iter().any(|version| id.starts_with(version)) {
            "there is no statement"
        } else {
            "an id begins with MQTT5- or MQTT311-, not"
        };
        push(&mut out, format_args!("{file}:{line}: {problem} {id}"));
    }
    out
}

fn row(tally: Tally) -> String {
    let Tally { total, code, test, covered, excepted, missing } = tally;
    format!("{total:>6}{code:>9}{test:>9}{covered:>9}{excepted:>10}{missing:>9}")
}

const HEADINGS: &str = " total  by code  by test  by both  excepted  missing";

fn party(bound: Bound) -> &'static str {
    match bound {
        Bound::Server => "binds a server",
        Bound::Client => "binds a client",
        Bound::Both => "binds both ends",
        Bound::None => "binds nobody",
    }
}

fn lack(standing: &Standing) -> &'static str {
    match (standing.code.is_empty(), standing.tests.is_empty()) {
        (true, true) => "no code, no test",
        (true, false) => "no code",
        (false, true) => "no test",
        (false, false) => "",
    }
}

fn push(out: &mut String, line: std::fmt::Arguments<'_>) {
    writeln!(out, "{line}").expect("a string takes everything");
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::spec::{Side, Statement};

    fn citation(id: &str, side: Side, line: usize) -> Citation {
        Citation { id: id.to_owned(), side, file: "crates/x/src/a.rs".to_owned(), line }
    }

    fn standing(id: &str, bound: Bound, sides: &[Side], exception: Option<&str>) -> Standing {
        let version = if id.starts_with("MQTT5") { Version::V5 } else { Version::V311 };
        let (judged, summary) = ("codec".to_owned(), "Something.".to_owned());
        let statement = Statement { id: id.to_owned(), version, bound, judged, summary };
        let citations = sides.iter().map(|&side| citation(id, side, 1));
        let (code, tests) = citations.partition(|citation| citation.side == Side::Code);
        Standing { statement, code, tests, exception: exception.map(str::to_owned) }
    }

    fn survey() -> Survey {
        let standings = vec![
            standing("MQTT5-1.1.1-1", Bound::Server, &[Side::Code, Side::Test], None),
            standing("MQTT5-1.1.1-2", Bound::Server, &[Side::Code], None),
            standing("MQTT5-1.1.1-3", Bound::Both, &[Side::Test], None),
            standing("MQTT5-1.1.1-4", Bound::Client, &[], None),
            standing("MQTT5-1.1.1-5", Bound::None, &[], None),
            standing("MQTT311-1.1.1-1", Bound::Server, &[], Some("why")),
            standing("MQTT311-1.1.1-2", Bound::Client, &[Side::Code, Side::Test], Some("why")),
        ];
        let unknown =
            vec![citation("MQTT5-1.1.1-9", Side::Code, 7), citation("MQTT-1.1.1-1", Side::Test, 12)];
        Survey { standings, unknown }
    }

    #[test]
    fn the_coverage_is_a_table_per_version_and_one_number() {
        let expected = "\
MQTT 5.0               total  by code  by test  by both  excepted  missing
  binds a server           2        2        1        1         0        1
  binds both ends          1        0        1        0         0        1
  binds a client           1        0        0        0         0        1
  binds nobody             1        0        0        0         0        0
  all                      5        2        2        1         0        3

MQTT 3.1.1             total  by code  by test  by both  excepted  missing
  binds a server           1        0        0        0         1        0
  binds a client           1        1        1        1         0        0
  all                      2        1        1        1         1        0

1 of the 4 statements that bind a server or both ends are cited by code and by a test: 25.0 % (33.3 % without the excepted).
MQTT311-1.1.1-2 is covered and no longer needs its exception.
";
        assert_eq!(coverage(&survey()), expected);
    }

    #[test]
    fn a_missing_statement_says_what_it_lacks() {
        let expected = "
MQTT5-1.1.1-2     no test           server  codec                Something.
MQTT5-1.1.1-3     no code           both    codec                Something.
MQTT5-1.1.1-4     no code, no test  client  codec                Something.
";
        assert_eq!(missing(&survey()), expected);
    }

    #[test]
    fn an_unknown_id_is_named_with_its_place_and_its_fault() {
        let expected = "\
crates/x/src/a.rs:7: there is no statement MQTT5-1.1.1-9
crates/x/src/a.rs:12: an id begins with MQTT5- or MQTT311-, not MQTT-1.1.1-1
";
        assert_eq!(unknown(&survey()), expected);
    }
}
