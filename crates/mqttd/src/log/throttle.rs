//! Owns the suppression of repeats: one event at most per interval, the rest counted. What the
//! event says is the log's business.

use parking_lot::Mutex;

/// Lets one event through per interval. One throttle per kind of event that a peer can cause at
/// will.
#[derive(Debug)]
pub(crate) struct Throttle {
    interval_seconds: u64,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    admitted_at: Option<u64>,
    suppressed: u64,
}

impl Throttle {
    /// A throttle that admits its first event whenever it comes.
    pub(crate) fn new(interval_seconds: u64) -> Self {
        Self { interval_seconds, state: Mutex::default() }
    }

    /// Whether an event at this time may be written: `Some` with the number suppressed since the
    /// last one that was, `None` when this one is suppressed. A clock set back admits: silence
    /// until it has caught up would be worse.
    pub(super) fn admit(&self, unix_seconds: u64) -> Option<u64> {
        let mut state = self.state.lock();
        let too_soon = state
            .admitted_at
            .and_then(|admitted_at| unix_seconds.checked_sub(admitted_at))
            .is_some_and(|elapsed| elapsed < self.interval_seconds);
        if too_soon {
            state.suppressed += 1;
            return None;
        }
        state.admitted_at = Some(unix_seconds);
        Some(std::mem::take(&mut state.suppressed))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clock_set_back_does_not_silence_the_log() {
        let throttle = Throttle::new(60);
        let outcomes = [1_000, 1_001, 10, 11].map(|now| throttle.admit(now));
        assert_eq!(outcomes, [Some(0), None, Some(1), None]);
    }
}
