//! Owns a distribution of times as it is reported: percentiles, and how many fell between which powers of two.

use dunlin_load::Histogram;

/// Times in nanoseconds.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Latency {
    pub(super) count: u64,
    /// In the order of [`PERCENTILES`].
    pub(super) percentiles_ns: [u64; PERCENTILES.len()],
    /// From the first that is not empty to the last.
    pub(super) bars: Vec<Bar>,
}

/// The times from some microseconds to just under twice as many.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Bar {
    /// A power of two, or 0.
    pub(super) from_us: u64,
    pub(super) count: u64,
}

/// What is reported, with its name.
pub(super) const PERCENTILES: [(&str, f64); 5] =
    [("p50", 0.5), ("p90", 0.9), ("p99", 0.99), ("p99.9", 0.999), ("max", 1.0)];

impl Latency {
    pub(super) fn new(histogram: &Histogram<u64>) -> Self {
        let percentiles_ns = PERCENTILES.map(|(_, quantile)| histogram.value_at_quantile(quantile));
        Self { count: histogram.len(), percentiles_ns, bars: bars(histogram) }
    }
}

fn bars(histogram: &Histogram<u64>) -> Vec<Bar> {
    let mut bars: Vec<Bar> = Vec::new();
    for recorded in histogram.iter_recorded() {
        let us = recorded.value_iterated_to() / 1_000;
        let from_us = us.checked_ilog2().map_or(0, |power| 1 << power);
        // What lies between two that are there is shown empty.
        while let Some(last) = bars.last().filter(|last| last.from_us < from_us) {
            bars.push(Bar { from_us: (last.from_us * 2).max(1), count: 0 });
        }
        match bars.last_mut() {
            Some(last) => last.count += recorded.count_at_value(),
            None => bars.push(Bar { from_us, count: recorded.count_at_value() }),
        }
    }
    bars
}

#[cfg(test)]
mod tests {
    use super::{Bar, Latency};
    use dunlin_load::Histogram;

    #[test]
    fn times_fall_between_powers_of_two_without_a_gap() {
        let mut histogram = Histogram::<u64>::new(3).unwrap();
        for us in [0, 3, 3, 3, 17] {
            histogram.record(us * 1_000 + 1).unwrap();
        }
        let latency = Latency::new(&histogram);
        let expected =
            [(0, 1), (1, 0), (2, 3), (4, 0), (8, 0), (16, 1)].map(|(from_us, count)| Bar { from_us, count });
        assert_eq!(latency.bars, expected);
        assert_eq!(latency.count, 5);
        assert_eq!(latency.percentiles_ns.map(|ns| ns / 1_000), [3, 17, 17, 17, 17]);
    }

    #[test]
    fn nothing_has_no_bars() {
        let nothing = Latency::new(&Histogram::<u64>::new(3).unwrap());
        assert_eq!((nothing.count, nothing.bars.len(), nothing.percentiles_ns), (0, 0, [0; 5]));
    }
}
