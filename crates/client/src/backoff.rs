//! Owns the delays between attempts to connect. Waiting is the driver's.

use crate::options::Reconnect;
use std::{
    hash::{BuildHasher, RandomState},
    time::Duration,
};

/// The attempts since the last connection.
#[derive(Debug)]
pub(crate) struct Delays {
    policy: Reconnect,
    attempts: u32,
    /// Keyed with random numbers of the system: a source of jitter that needs no other.
    random: RandomState,
}

/// One more attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Attempt {
    /// 1 for the first.
    pub(crate) number: u32,
    /// How long to wait before it.
    pub(crate) delay: Duration,
}

impl Delays {
    pub(crate) fn new(policy: Reconnect) -> Self {
        Self { policy, attempts: 0, random: RandomState::new() }
    }

    /// There is a connection: the next attempt is the first again.
    pub(crate) fn reset(&mut self) {
        self.attempts = 0;
    }

    /// The next attempt, unless there were enough.
    pub(crate) fn next(&mut self) -> Option<Attempt> {
        let Reconnect::Backoff(backoff) = self.policy else { return None };
        if backoff.attempts_max.is_some_and(|attempts_max| self.attempts >= attempts_max) {
            return None;
        }
        let doubled = 1_u32.checked_shl(self.attempts).and_then(|factor| backoff.initial.checked_mul(factor));
        let whole = doubled.map_or(backoff.maximum, |delay| delay.min(backoff.maximum));
        self.attempts = self.attempts.saturating_add(1);
        let per_mille = u32::try_from(500 + self.random.hash_one(self.attempts) % 501).unwrap_or(1_000);
        // Dividing first: the product could be too long for a duration.
        Some(Attempt { number: self.attempts, delay: (whole / 1_000).saturating_mul(per_mille) })
    }
}

#[cfg(test)]
mod tests {
    use super::Delays;
    use crate::options::{Backoff, Reconnect};
    use std::time::Duration;

    fn delays(attempts_max: Option<u32>) -> Delays {
        let (initial, maximum) = (Duration::from_millis(100), Duration::from_secs(1));
        Delays::new(Reconnect::Backoff(Backoff { initial, maximum, attempts_max }))
    }

    #[test]
    fn delays_double_up_to_the_maximum_less_at_most_half() {
        let mut delays = delays(None);
        for (number, whole_ms) in [(1, 100), (2, 200), (3, 400), (4, 800), (5, 1_000), (6, 1_000)] {
            let attempt = delays.next().unwrap();
            assert_eq!(attempt.number, number);
            let range = Duration::from_millis(whole_ms / 2)..=Duration::from_millis(whole_ms);
            assert!(range.contains(&attempt.delay), "{attempt:?}");
        }
        for _ in 0..100 {
            assert!(delays.next().unwrap().delay <= Duration::from_secs(1));
        }
        delays.reset();
        assert!(delays.next().unwrap().delay <= Duration::from_millis(100));
    }

    #[test]
    fn attempts_end_at_their_limit() {
        let mut delays = delays(Some(2));
        assert!(delays.next().is_some() && delays.next().is_some());
        assert_eq!(delays.next(), None);
        assert_eq!(Delays::new(Reconnect::Never).next(), None);
    }
}
