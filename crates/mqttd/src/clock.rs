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
        Timestamp::from_millis(self.origin_unix_ms).plus(self.origin.elapsed())
    }

    /// The same time as the runtime's timers know it; none if it is too far away to ever come. What is past is
    /// the origin.
    pub(crate) fn instant(self, timestamp: Timestamp) -> Option<Instant> {
        self.origin.checked_add(timestamp.since(Timestamp::from_millis(self.origin_unix_ms)))
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

    #[test]
    fn a_time_of_the_clock_is_an_instant_of_the_runtime() {
        let clock = Clock::start(0);
        let origin = Timestamp::from_millis(clock.origin_unix_ms);
        for (time, expected) in [
            (origin, Some(clock.origin)),
            (Timestamp::ZERO, Some(clock.origin)),
            (origin.plus_millis(1_500), Some(clock.origin + Duration::from_millis(1_500))),
            (
                Timestamp::NEVER,
                clock.origin.checked_add(Duration::from_millis(u64::MAX - clock.origin_unix_ms)),
            ),
        ] {
            assert_eq!(clock.instant(time), expected);
        }
    }
}
