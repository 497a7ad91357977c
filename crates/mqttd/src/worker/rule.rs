//! Owns when workers change threads: what a thread measures of itself, and the rule that follows from it. How they
//! change is the crew's business.

use std::time::Duration;

/// Rounds of which one is measured as long as they are brief: one with a single message takes some microseconds, and to
/// look at the clock once more a tenth of one.
const MEASURED_EVERY: u32 = 8;

/// A round that is shorter.
const BRIEF_ROUND: Duration = Duration::from_micros(20);

/// When a thread that hosts several workers gives some away, and when two threads' workers come together.
///
/// What decides is not how busy a thread is: clients that wait for an answer before they send again keep any thread
/// busy, and are served best by one, because what goes from worker to worker there wakes nobody. It is how long
/// clients wait for each other, and that is a round: whoever becomes ready just after its beginning waits for its end.
///
/// - **Spread**: in a window the mean round was `long_round` or more, and rounds took at least a quarter of it. Below
///   that they are rare, however long: a fan-out now and then is no reason. Half of the workers go to an idle thread.
/// - **Gather**: for the time of the patience, rounds were `short_round` or less in the mean on both threads, and
///   both together worked less than one could.
///
/// Between the two there is room, so that it does not swing. Where it does all the same (rounds that are short apart
/// and long together) the patience doubles with each time.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Rule {
    /// Over which is averaged: many rounds, so that neither a burst nor a thread that the system suspended for one of
    /// its slices (a few milliseconds) counts as load, and short to somebody who waits.
    pub(super) window: Duration,
    /// A thousand messages and more: a second thread's wake-ups, of some microseconds each, are nothing beside them,
    /// and clients begin to notice: it is what a network adds.
    pub(super) long_round: Duration,
    /// Two of them come to much less than `long_round`.
    pub(super) short_round: Duration,
    /// The part of a window, of 256, that rounds must have taken for their length to count.
    pub(super) busy_min: u32,
    /// What two threads may have worked of their windows together, of 256, to come together. All of one: together they
    /// work less, as they wake each other no more.
    pub(super) busy_max: u32,
    /// Before threads come together, at first: much longer than a pause of those who publish every second.
    pub(super) patience_min: Duration,
    /// The same when all attempts were in vain.
    pub(super) patience_max: Duration,
}

impl Default for Rule {
    fn default() -> Self {
        Self {
            window: Duration::from_millis(64),
            long_round: Duration::from_millis(1),
            short_round: Duration::from_micros(200),
            busy_min: 64,
            busy_max: 256,
            patience_min: Duration::from_secs(2),
            patience_max: Duration::from_secs(64),
        }
    }
}

impl Rule {
    /// Whether clients wait too long for each other.
    pub(super) fn asks_to_spread(&self, load: &Load) -> bool {
        load.mean_round >= self.long_round && load.busy >= self.busy_min
    }

    /// Whether two threads' workers are to come together, after so much patience.
    pub(super) fn asks_to_gather(&self, loads: [&Load; 2], now: Duration, patience: Duration) -> bool {
        let busy: u32 = loads.iter().map(|load| self.busy(load, now)).sum();
        let are_short = loads.iter().all(|load| now.saturating_sub(load.short_since) >= patience);
        are_short && busy <= self.busy_max
    }

    /// A thread that has ended no window for long sleeps.
    fn busy(&self, load: &Load, now: Duration) -> u32 {
        if now.saturating_sub(load.ended) > 2 * self.window { 0 } else { load.busy }
    }
}

/// What a thread's last window came to. All times are since the clock's origin.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Load {
    pub(super) ended: Duration,
    pub(super) mean_round: Duration,
    /// The part that was worked, of 256.
    pub(super) busy: u32,
    /// Since when no window's mean round has been more than short.
    pub(super) short_since: Duration,
}

/// Measures the rounds of one thread.
#[derive(Debug)]
pub(super) struct Meter {
    rule: Rule,
    began: Duration,
    worked: Duration,
    rounds: u32,
    /// Those since the last one that was measured.
    unmeasured: u32,
    /// Whether that one was brief.
    are_brief: bool,
    short_since: Duration,
}

impl Meter {
    pub(super) fn new(rule: Rule, now: Duration) -> Self {
        Self {
            rule,
            began: now,
            worked: Duration::ZERO,
            rounds: 0,
            unmeasured: 0,
            are_brief: false,
            short_since: now,
        }
    }

    /// Counts a round and tells whether it is to be measured.
    #[inline]
    pub(super) fn count(&mut self) -> bool {
        self.unmeasured += 1;
        !self.are_brief || self.unmeasured == MEASURED_EVERY
    }

    /// Measures the round that was counted last, which stands for those that were not; with the last one of a window
    /// comes what the window came to.
    pub(super) fn measure(&mut self, began: Duration, ended: Duration) -> Option<Load> {
        let round = ended.saturating_sub(began);
        self.worked += round * self.unmeasured;
        self.rounds += self.unmeasured;
        self.unmeasured = 0;
        self.are_brief = round < BRIEF_ROUND;
        (ended.saturating_sub(self.began) >= self.rule.window).then(|| self.end_window(ended))
    }

    fn end_window(&mut self, now: Duration) -> Load {
        let mean_round = self.worked / self.rounds;
        if mean_round > self.rule.short_round {
            self.short_since = now;
        }
        let elapsed = now.saturating_sub(self.began).max(Duration::from_nanos(1));
        let busy = 256 * self.worked.as_nanos() / elapsed.as_nanos();
        let load = Load {
            ended: now,
            mean_round,
            busy: u32::try_from(busy).unwrap_or(256),
            short_since: self.short_since,
        };
        *self = Self { short_since: self.short_since, ..Self::new(self.rule, now) };
        load
    }

    /// What was measured so far was of other workers.
    pub(super) fn begin_anew(&mut self, now: Duration) {
        *self = Self::new(self.rule, now);
    }
}

#[cfg(test)]
mod tests;
