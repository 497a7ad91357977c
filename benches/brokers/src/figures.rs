//! Owns the figures of one measurement, and what several make together.

/// What was measured of one broker once.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Figures {
    /// Messages delivered in a second.
    pub(crate) rate: f64,
    /// Of the broker, user and system, for a delivered message.
    pub(crate) cpu_us: f64,
    /// The same of the load.
    pub(crate) load_cpu_us: f64,
    /// How often a thread of the broker was taken off its core, or went, for a delivered message.
    pub(crate) switches: f64,
    /// From when a message was due to its delivery: half of them, 99 %, 99.9 %.
    pub(crate) latency_us: [f64; 3],
    pub(crate) resident_mib: f64,
    pub(crate) lost: u64,
    pub(crate) reordered: u64,
    pub(crate) duplicated: u64,
}

/// A figure of so many units.
#[expect(clippy::cast_precision_loss, reason = "no count here comes near 2^52")]
pub(crate) fn count(value: u64) -> f64 {
    value as f64
}

/// The middle of several; not a number of none.
pub(crate) fn median(values: impl IntoIterator<Item = f64>) -> f64 {
    let mut values: Vec<f64> = values.into_iter().collect();
    values.sort_by(f64::total_cmp);
    match values.len() {
        0 => f64::NAN,
        length if length % 2 == 1 => values[length / 2],
        length => f64::midpoint(values[length / 2 - 1], values[length / 2]),
    }
}

impl Figures {
    /// The medians of several measurements; what was lost is their sum.
    pub(crate) fn of(all: &[Self]) -> Self {
        let of = |figure: fn(&Self) -> f64| median(all.iter().map(figure));
        let sum = |figure: fn(&Self) -> u64| all.iter().map(figure).sum();
        Self {
            rate: of(|it| it.rate),
            cpu_us: of(|it| it.cpu_us),
            load_cpu_us: of(|it| it.load_cpu_us),
            switches: of(|it| it.switches),
            latency_us: [of(|it| it.latency_us[0]), of(|it| it.latency_us[1]), of(|it| it.latency_us[2])],
            resident_mib: of(|it| it.resident_mib),
            lost: sum(|it| it.lost),
            reordered: sum(|it| it.reordered),
            duplicated: sum(|it| it.duplicated),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_median_is_the_middle() {
        for (values, middle) in [(&[3.0, 1.0, 2.0][..], 2.0), (&[4.0, 1.0, 3.0, 2.0], 2.5), (&[7.0], 7.0)] {
            assert_eq!(median(values.iter().copied()).to_bits(), f64::to_bits(middle));
        }
        assert!(median([]).is_nan());
    }
}
