//! Owns counting: how many statements of a kind are cited, excepted, missing. It prints nothing.

use super::Standing;
use super::catalogue::Bound;

/// The statements whose coverage `--check` is about: those that a server or a sender can break.
pub(crate) const DEMANDED: [Bound; 2] = [Bound::Server, Bound::Both];

/// Counts over some statements.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Tally {
    pub(crate) total: usize,
    /// Cited by code, whether by a test too or not.
    pub(crate) code: usize,
    /// Cited by a test, whether by code too or not.
    pub(crate) test: usize,
    /// Cited by code and by a test.
    pub(crate) covered: usize,
    /// Excepted and not covered.
    pub(crate) excepted: usize,
    pub(crate) missing: usize,
}

impl Tally {
    pub(crate) fn of<'a>(standings: impl IntoIterator<Item = &'a Standing>) -> Self {
        let mut tally = Self::default();
        for standing in standings {
            tally.total += 1;
            tally.code += usize::from(!standing.code.is_empty());
            tally.test += usize::from(!standing.tests.is_empty());
            tally.covered += usize::from(standing.is_covered());
            tally.excepted += usize::from(standing.exception.is_some() && !standing.is_covered());
            tally.missing += usize::from(standing.is_missing());
        }
        tally
    }

    /// Whether at least `percent` of all are covered. The excepted count as not covered.
    pub(crate) fn reaches(&self, percent: u8) -> bool {
        self.covered * 100 >= self.total * usize::from(percent)
    }

    /// The covered share in percent, rounded down to a tenth, so that 100.0 means all.
    pub(crate) fn share(&self) -> String {
        tenths(self.covered, self.total)
    }

    /// The same share of those that are not excepted.
    pub(crate) fn share_without_excepted(&self) -> String {
        tenths(self.covered, self.total - self.excepted)
    }
}

fn tenths(part: usize, whole: usize) -> String {
    let tenths = (part * 1000).checked_div(whole).unwrap_or(1000);
    format!("{}.{} %", tenths / 10, tenths % 10)
}

#[cfg(test)]
mod tests {
    use super::super::catalogue::{Statement, Version};
    use super::super::{Citation, Side};
    use super::*;

    fn standing(bound: Bound, code: usize, tests: usize, exception: Option<&str>) -> Standing {
        let citation = |side| Citation { id: String::new(), side, file: String::new(), line: 1 };
        let (judged, summary) = (String::new(), String::new());
        Standing {
            statement: Statement { id: String::new(), version: Version::V5, bound, judged, summary },
            code: vec![citation(Side::Code); code],
            tests: vec![citation(Side::Test); tests],
            exception: exception.map(str::to_owned),
        }
    }

    #[test]
    fn a_statement_is_covered_by_code_and_test_only() {
        let standings = [
            standing(Bound::Server, 2, 3, None),
            standing(Bound::Server, 1, 0, None),
            standing(Bound::Both, 0, 1, None),
            standing(Bound::Both, 0, 0, None),
            standing(Bound::Client, 0, 1, Some("why")),
            standing(Bound::None, 0, 0, None),
        ];
        let expected = Tally { total: 6, code: 2, test: 3, covered: 1, excepted: 1, missing: 3 };
        assert_eq!(Tally::of(&standings), expected);
    }

    #[test]
    fn an_exception_that_is_covered_counts_as_covered() {
        let tally = Tally::of(&[standing(Bound::Server, 1, 1, Some("why"))]);
        assert_eq!((tally.covered, tally.excepted, tally.missing), (1, 0, 0));
    }

    #[test]
    fn a_share_is_rounded_down_and_the_limit_is_exact() {
        let tally = |covered, total, excepted| Tally { total, covered, excepted, ..Tally::default() };
        assert_eq!(tally(2, 3, 0).share(), "66.6 %");
        assert_eq!(tally(999, 1000, 0).share(), "99.9 %");
        assert_eq!(tally(2, 4, 2).share(), "50.0 %");
        assert_eq!(tally(2, 4, 2).share_without_excepted(), "100.0 %");
        assert!(tally(9, 10, 0).reaches(90));
        assert!(!tally(899, 1000, 0).reaches(90));
        assert!(tally(0, 0, 0).reaches(100));
    }
}
