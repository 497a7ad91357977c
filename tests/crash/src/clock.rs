//! Owns time as a round tells it: microseconds since it began. Who waits for what is decided elsewhere.

use std::{
    fmt,
    time::{Duration, Instant},
};

/// A moment of a round: microseconds since it began.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct At(pub(crate) u64);

impl At {
    /// So many milliseconds later.
    pub(crate) const fn plus_ms(self, ms: u64) -> Self {
        Self(self.0 + ms * 1000)
    }

    /// How long after `earlier` it is; nothing if it is before.
    pub(crate) fn since(self, earlier: Self) -> Duration {
        Duration::from_micros(self.0.saturating_sub(earlier.0))
    }
}

impl fmt::Display for At {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}.{:04} s", self.0 / 1_000_000, self.0 % 1_000_000 / 100)
    }
}

/// The one source of moments of a round.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Clock(Instant);

impl Clock {
    pub(crate) fn start() -> Self {
        Self(Instant::now())
    }

    pub(crate) fn now(self) -> At {
        At(u64::try_from(self.0.elapsed().as_micros()).unwrap_or(u64::MAX))
    }
}
