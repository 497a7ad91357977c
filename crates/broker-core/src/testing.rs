//! What the tests of several modules share: random numbers from a seed, and a slow matcher.

/// A linear congruential generator: the same numbers from the same seed, everywhere.
pub(crate) struct Random(pub(crate) u64);

impl Random {
    /// A number below the limit.
    pub(crate) fn below(&mut self, limit: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        // The high bits: the low ones of such a generator have short periods.
        let scaled = (u128::from(self.0) * u128::from(limit)) >> 64;
        u64::try_from(scaled).expect("it is below the limit")
    }

    /// One of several.
    pub(crate) fn one_of<T: Copy>(&mut self, choices: &[T]) -> T {
        let place = self.below(choices.len() as u64);
        choices[usize::try_from(place).expect("it is below a usize")]
    }

    /// Yes once in so many times.
    pub(crate) fn once_in(&mut self, times: u64) -> bool {
        self.below(times) == 0
    }
}

/// Whether a Topic Filter matches a Topic Name, read off the text of the specification (section 4.7).
pub(crate) fn matches_slowly(filter: &str, topic: &str) -> bool {
    if topic.starts_with('$') && filter.starts_with(['+', '#']) {
        return false;
    }
    let (filter, topic): (Vec<_>, Vec<_>) = (filter.split('/').collect(), topic.split('/').collect());
    let levels_match = |(filter, topic): (&&str, &&str)| *filter == "+" || filter == topic;
    match filter.split_last() {
        Some((&"#", parents)) => topic.len() >= parents.len() && parents.iter().zip(&topic).all(levels_match),
        _ => filter.len() == topic.len() && filter.iter().zip(&topic).all(levels_match),
    }
}
