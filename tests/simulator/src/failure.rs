//! Owns what is said when a run breaks an invariant. Which invariants there are is the checkers' business.

use std::fmt;

/// The first invariant that a run broke.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    /// The seed that replays it.
    pub seed: u64,
    /// The checker that found it.
    pub checker: &'static str,
    /// Milliseconds of simulated time.
    pub at_ms: u64,
    /// What was broken.
    pub sentence: String,
    /// What kind of run it was.
    pub circumstances: String,
    /// The last events before it, oldest first.
    pub recent: Vec<String>,
}

impl fmt::Display for Failure {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(formatter, "seed {} broke `{}` at {} ms:", self.seed, self.checker, self.at_ms)?;
        writeln!(formatter, "    {}", self.sentence)?;
        writeln!(formatter, "in a run of {}", self.circumstances)?;
        writeln!(formatter, "the last {} events:", self.recent.len())?;
        for line in &self.recent {
            writeln!(formatter, "    {line}")?;
        }
        write!(formatter, "replay it with: cargo xtask sim --seed {} --verbose", self.seed)
    }
}
