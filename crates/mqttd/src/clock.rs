//! Owns the daemon's reading of the time: nothing else in this crate asks for it. What a time means
//! to the engine is the engine's business.

use std::time::{SystemTime, UNIX_EPOCH};

/// Whole seconds since 1970 in UTC, as this machine believes. It may jump either way; before 1970
/// it is 0.
pub(crate) fn unix_seconds() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |elapsed| elapsed.as_secs())
}
