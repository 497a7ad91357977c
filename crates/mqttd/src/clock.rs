//! Owns the daemon's reading of the time: nothing else in this crate asks for it. What a time means
//! to the engine is the engine's business.

use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use broker_core::Timestamp;

/// Whole seconds since 1970 in UTC, as this machine believes. It may jump either way; before 1970
/// it is 0.
pub(crate) fn unix_seconds() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |elapsed| elapsed.as_secs())
}

/// The monotonic clock that all shards share: a message that crosses from one to another carries its
/// expiry as a time of this clock.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Clock {
    origin: Instant,
}

impl Clock {
    /// A clock that starts now.
    pub(crate) fn start() -> Self {
        Self { origin: Instant::now() }
    }

    /// The time. It never goes back.
    pub(crate) fn now(self) -> Timestamp {
        Timestamp::ZERO.plus(self.origin.elapsed())
    }

    /// The same time as the runtime's timers know it; none if it is too far away to ever come.
    pub(crate) fn instant(self, timestamp: Timestamp) -> Option<Instant> {
        self.origin.checked_add(Duration::from_millis(timestamp.as_millis()))
    }
}
