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

    /// Seconds from `now` to this time, to the nearest, and at least 1 while there is anything. Not the next: another
    /// shard may have made this time by a clock it read a moment after `now`, and a message would have more left than
    /// it was published with.
    pub(crate) fn seconds_left(self, now: Self) -> u32 {
        let left_ms = self.millis_since(now);
        let seconds = (left_ms.saturating_add(500) / 1000).max(left_ms.min(1));
        u32::try_from(seconds).unwrap_or(u32::MAX)
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

    #[test]
    fn what_is_left_is_never_more_than_it_was_although_clocks_are_read_one_after_another() {
        let expiry = Timestamp::from_millis(600_010);
        for (now, expected) in
            [(0, 600), (9, 600), (10, 600), (509, 600), (511, 599), (599_400, 1), (600_009, 1), (600_010, 0)]
        {
            assert_eq!(expiry.seconds_left(Timestamp::from_millis(now)), expected, "{now}");
        }
        assert_eq!(Timestamp::from_millis(u64::MAX - 1).seconds_left(Timestamp::ZERO), u32::MAX);
    }
}
