//! Owns the daemon's reading of the time: nothing else in this crate asks for it. What a time means
//! to the engine is the engine's business.

use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use broker_core::Timestamp;

/// Whole seconds since 1970 in UTC, as this machine believes. It may jump either way; before 1970
/// it is 0.
pub(crate) fn unix_seconds() -> u64 {
    since_1970().as_secs()
}

/// The same in milliseconds.
pub(crate) fn unix_ms() -> u64 {
    u64::try_from(since_1970().as_millis()).unwrap_or(u64::MAX)
}

fn since_1970() -> Duration {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default()
}

/// The clock that all shards share, in milliseconds since 1970. The machine is asked for the date once, at
/// the start; from there on it is a monotonic clock, so that no session ends, and no message expires, because
/// somebody has put the machine's clock right.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Clock {
    origin: Instant,
    /// What the machine believed at the origin.
    origin_unix_ms: u64,
}

impl Clock {
    /// A clock that starts now. It does not start before `earliest_unix_ms`, when an earlier process was known to
    /// live: of times that were recorded, none is then in the future.
    pub(crate) fn start(earliest_unix_ms: u64) -> Self {
        Self { origin: Instant::now(), origin_unix_ms: unix_ms().max(earliest_unix_ms) }
    }

    /// The time. It never goes back.
    pub(crate) fn now(self) -> Timestamp {
        self.at(self.uptime())
    }

    /// How long it has run, finer than a timestamp is.
    pub(crate) fn uptime(self) -> Duration {
        self.origin.elapsed()
    }

    /// The time when it has run so long.
    pub(crate) fn at(self, uptime: Duration) -> Timestamp {
        Timestamp::from_millis(self.origin_unix_ms).plus(uptime)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clock_does_not_start_before_what_an_earlier_process_recorded() {
        let future = unix_ms() + 1_000_000;
        for (earliest, expected_at_least) in [(0, future - 1_000_000), (future, future)] {
            let now = Clock::start(earliest).now().as_millis();
            assert!((expected_at_least..expected_at_least + 60_000).contains(&now), "{now}");
        }
    }
}
