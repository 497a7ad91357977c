//! Owns the figures of one measurement, and what several make together. Which they are is said where they are
//! measured.

/// A name with its unit, and a value.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Figure {
    pub(crate) name: &'static str,
    pub(crate) value: f64,
    pub(crate) good: Good,
}

/// Which of two brokers' figures is the better one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Good {
    Low,
    High,
    /// It explains others, or is the load's own.
    Neither,
}

/// What was measured of one broker once, or the medians of several times.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Measured {
    pub(crate) figures: Vec<Figure>,
    pub(crate) faults: Faults,
}

/// What must not be, of all times together.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Faults {
    pub(crate) lost: u64,
    pub(crate) reordered: u64,
    pub(crate) duplicated: u64,
    /// How often a rate could not be kept: latencies say how long it was tried, then.
    pub(crate) behind: u64,
}

impl Figure {
    pub(crate) const fn low(name: &'static str, value: f64) -> Self {
        Self { name, value, good: Good::Low }
    }

    pub(crate) const fn high(name: &'static str, value: f64) -> Self {
        Self { name, value, good: Good::High }
    }

    pub(crate) const fn noted(name: &'static str, value: f64) -> Self {
        Self { name, value, good: Good::Neither }
    }
}

impl Measured {
    /// The medians of several measurements, which have the same figures; faults are their sum.
    pub(crate) fn of(all: &[&Self]) -> Self {
        let mut medians = all.first().copied().cloned().unwrap_or_default();
        for (index, figure) in medians.figures.iter_mut().enumerate() {
            figure.value = median(all.iter().filter_map(|it| Some(it.figures.get(index)?.value)));
        }
        medians.faults = all.iter().fold(Faults::default(), |sum, it| sum.and(it.faults));
        medians
    }

    pub(crate) fn find(&self, name: &str) -> Option<f64> {
        self.figures.iter().find(|it| it.name == name).map(|it| it.value)
    }
}

impl Faults {
    pub(crate) const fn and(self, other: Self) -> Self {
        Self {
            lost: self.lost + other.lost,
            reordered: self.reordered + other.reordered,
            duplicated: self.duplicated + other.duplicated,
            behind: self.behind + other.behind,
        }
    }

    /// Messages that did not come as they should.
    pub(crate) const fn messages(self) -> u64 {
        self.lost + self.reordered + self.duplicated
    }
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

    #[test]
    fn several_measurements_have_the_median_of_each_figure_and_all_faults() {
        let measured = |cpu_us, rate, lost| Measured {
            figures: vec![Figure::low("CPU us", cpu_us), Figure::high("messages/s", rate)],
            faults: Faults { lost, behind: 1, ..Faults::default() },
        };
        let all = [measured(3.0, 10.0, 0), measured(1.0, 30.0, 2), measured(2.0, 20.0, 0)];
        let mut expected = measured(2.0, 20.0, 2);
        expected.faults.behind = 3;
        assert_eq!(Measured::of(&all.each_ref()), expected);
        assert_eq!(Measured::of(&[]), Measured::default());
    }
}
