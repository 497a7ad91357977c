//! A point in time as the engine sees it. Reading a clock is the caller's business.

use core::time::Duration;

/// Milliseconds of a clock that the caller chose: monotonic while a process lives, and from an origin that
/// means the same to the next process, such as 1970, if there is a journal, because times are recorded there.
/// It never overflows: the last millisecond stands for "never".
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Timestamp(u64);

impl Timestamp {
    /// The clock's origin.
    pub const ZERO: Self = Self(0);
    /// Later than any time the clock reaches.
    pub const NEVER: Self = Self(u64::MAX);

    /// A time in milliseconds since the clock's origin.
    #[must_use]
    pub const fn from_millis(milliseconds: u64) -> Self {
        Self(milliseconds)
    }

    /// Milliseconds since the clock's origin.
    #[must_use]
    pub const fn as_millis(self) -> u64 {
        self.0
    }

    /// This time plus milliseconds, or [`Timestamp::NEVER`].
    #[must_use]
    pub const fn plus_millis(self, milliseconds: u64) -> Self {
        Self(self.0.saturating_add(milliseconds))
    }

    /// This time plus seconds, or [`Timestamp::NEVER`].
    #[must_use]
    pub const fn plus_seconds(self, seconds: u64) -> Self {
        self.plus_millis(seconds.saturating_mul(1000))
    }

    /// This time plus a duration (its part below a millisecond is cut), or [`Timestamp::NEVER`].
    #[must_use]
    pub fn plus(self, duration: Duration) -> Self {
        self.plus_millis(u64::try_from(duration.as_millis()).unwrap_or(u64::MAX))
    }

    /// Milliseconds from `earlier` to this time, 0 if it is not earlier.
    #[must_use]
    pub const fn millis_since(self, earlier: Self) -> u64 {
        self.0.saturating_sub(earlier.0)
    }

    /// The duration from `earlier` to this time, zero if it is not earlier.
    #[must_use]
    pub const fn since(self, earlier: Self) -> Duration {
        Duration::from_millis(self.millis_since(earlier))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_saturate_at_both_ends() {
        let ten = Timestamp::from_millis(10);
        assert_eq!(ten.plus_millis(5).as_millis(), 15);
        assert_eq!(ten.plus_seconds(2).as_millis(), 2010);
        assert_eq!(ten.plus(Duration::from_micros(1999)).as_millis(), 11);
        assert_eq!(ten.plus_seconds(u64::MAX), Timestamp::NEVER);
        assert_eq!(ten.plus(Duration::MAX), Timestamp::NEVER);
        assert_eq!(ten.since(Timestamp::ZERO), Duration::from_millis(10));
        assert_eq!(ten.since(Timestamp::NEVER), Duration::ZERO);
    }
}
