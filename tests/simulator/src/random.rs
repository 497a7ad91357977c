//! Owns the randomness of a run: one seed, any number of independent streams. What is drawn for is decided
//! elsewhere.

/// A stream of numbers that looks random and follows from its seed (SplitMix64).
#[derive(Clone, Debug)]
pub(crate) struct Random(u64);

impl Random {
    /// The stream of a seed.
    #[must_use]
    pub(crate) fn new(seed: u64) -> Self {
        let mut random = Self(seed);
        random.next();
        random
    }

    /// A stream of its own, so that one user drawing more often does not change what the others see.
    #[must_use]
    pub(crate) fn fork(&mut self) -> Self {
        Self(self.next())
    }

    /// The next number.
    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }

    /// A number from `low` to `high`, both included.
    pub(crate) fn between<T>(&mut self, low: T, high: T) -> T
    where
        T: TryFrom<u64> + Into<u64> + Copy,
    {
        let (from, to) = (low.into(), high.into());
        debug_assert!(from <= to);
        let drawn = from + self.next() % (to - from + 1);
        T::try_from(drawn).unwrap_or(high)
    }

    /// An index below `count`, which is not zero.
    pub(crate) fn index(&mut self, count: usize) -> usize {
        usize::try_from(self.next() % count as u64).unwrap_or_default()
    }

    /// True in so many of a hundred cases.
    pub(crate) fn chance(&mut self, percent: u32) -> bool {
        self.next() % 100 < u64::from(percent)
    }

    /// One of a list that is not empty.
    pub(crate) fn pick<'a, T>(&mut self, list: &'a [T]) -> &'a T {
        &list[self.index(list.len())]
    }

    /// One of a list, each as often as its weight says.
    pub(crate) fn weighted<T: Copy>(&mut self, list: &[(u32, T)]) -> T {
        let total: u64 = list.iter().map(|&(weight, _)| u64::from(weight)).sum();
        let mut drawn = self.next() % total;
        for &(weight, value) in list {
            match drawn.checked_sub(u64::from(weight)) {
                Some(rest) => drawn = rest,
                None => return value,
            }
        }
        unreachable!("the weights add up to more than was drawn")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_stay_within_their_bounds_and_reach_them() {
        let mut random = Random::new(1);
        let drawn: Vec<u16> = (0..1000).map(|_| random.between(3, 6)).collect();
        assert_eq!((drawn.iter().min(), drawn.iter().max()), (Some(&3), Some(&6)));
    }

    #[test]
    fn a_weight_of_zero_is_never_drawn() {
        let mut random = Random::new(2);
        assert!((0..1000).all(|_| random.weighted(&[(0, 'a'), (1, 'b'), (2, 'c')]) != 'a'));
    }

    #[test]
    fn a_fork_does_not_depend_on_how_much_its_brother_draws() {
        let (mut left, mut right) = (Random::new(3), Random::new(3));
        let (mut left_first, _) = (left.fork(), right.fork());
        left_first.next();
        assert_eq!(left.next(), right.next());
    }
}
