//! Owns what a load counts and the times it notes. What is made of them is the report's business.

use std::time::{Duration, Instant};

/// What a load has counted so far.
#[derive(Debug)]
pub(crate) struct Tally {
    begin: Instant,
    /// Clients that may begin.
    pub(crate) ready: usize,
    pub(crate) published: u64,
    pub(crate) acknowledged: u64,
    /// To each subscriber, every message once.
    pub(crate) delivered: u64,
    /// The first refusal, end of a connection or packet that must not come.
    pub(crate) trouble: Option<String>,
    recording: Recording,
    /// From the sending of a PUBLISH to its PUBACK.
    pub(crate) acknowledgements: Latencies,
    /// From the sending of a PUBLISH to its delivery.
    pub(crate) deliveries: Latencies,
}

/// Whether times are noted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Recording {
    On,
    Off,
}

impl Tally {
    pub(crate) fn new() -> Self {
        Self {
            begin: Instant::now(),
            ready: 0,
            published: 0,
            acknowledged: 0,
            delivered: 0,
            trouble: None,
            recording: Recording::Off,
            acknowledgements: Latencies::default(),
            deliveries: Latencies::default(),
        }
    }

    /// A time as a message carries it.
    pub(crate) fn stamp(&self, now: Instant) -> u64 {
        microseconds(now - self.begin)
    }

    /// Forgets the times so far and notes those to come.
    pub(crate) fn start_recording(&mut self) {
        self.recording = Recording::On;
        self.acknowledgements = Latencies::default();
        self.deliveries = Latencies::default();
    }

    pub(crate) fn stop_recording(&mut self) {
        self.recording = Recording::Off;
    }

    /// The first one counts: what follows is its consequence.
    pub(crate) fn trouble(&mut self, what: String) {
        self.trouble.get_or_insert(what);
    }

    pub(crate) fn acknowledged(&mut self, latency: Duration) {
        self.acknowledged += 1;
        if self.recording == Recording::On {
            self.acknowledgements.note(microseconds(latency));
        }
    }

    pub(crate) fn delivered_timed(&mut self, sent_at: u64, now: Instant) {
        self.delivered += 1;
        if self.recording == Recording::On {
            let latency = self.stamp(now).saturating_sub(sent_at);
            self.deliveries.note(latency);
        }
    }
}

fn microseconds(duration: Duration) -> u64 {
    u64::try_from(duration.as_micros()).unwrap_or(u64::MAX)
}

/// Times in microseconds.
#[derive(Clone, Debug, Default)]
pub(crate) struct Latencies(Vec<u32>);

impl Latencies {
    fn note(&mut self, microseconds: u64) {
        self.0.push(u32::try_from(microseconds).unwrap_or(u32::MAX));
    }

    pub(crate) fn note_duration(&mut self, latency: Duration) {
        self.note(microseconds(latency));
    }

    /// What so many of a thousand do not exceed, in milliseconds; not a number without any.
    pub(crate) fn per_mille(&mut self, per_mille: usize) -> f64 {
        let Some(last) = self.0.len().checked_sub(1) else { return f64::NAN };
        let (_, value, _) = self.0.select_nth_unstable(last * per_mille / 1_000);
        f64::from(*value) / 1_000.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_percentile_is_the_value_that_so_many_do_not_exceed() {
        let mut latencies = Latencies((0..=1_000).rev().map(|milliseconds| milliseconds * 1_000).collect());
        let expected = [(0, 0.0), (500, 500.0), (990, 990.0), (1_000, 1_000.0)];
        for (per_mille, milliseconds) in expected {
            assert_eq!(latencies.per_mille(per_mille).to_bits(), f64::to_bits(milliseconds));
        }
        assert!(Latencies::default().per_mille(500).is_nan());
    }
}
