//! Owns where another broker is better than ours, in a sentence for each mode.

use super::table::readable;
use super::{Row, Section};
use crate::figures::{Figure, Good};

/// What is better by less than this part is as good: two runs of one broker differ by more.
const NOTICEABLE: f64 = 0.05;

/// The figures of a mode in which a peer leaves one of our rows behind.
pub(super) fn sentence(section: &Section) -> Option<String> {
    let measured = section.rows.iter().filter(|row| !row.is_floor() && row.is_measured());
    let (ours, peers): (Vec<&Row>, Vec<&Row>) = measured.partition(|row| row.is_ours());
    let figures = ours.first()?.medians().figures;
    let clauses: Vec<_> = figures.iter().filter_map(|figure| clause(figure, &ours, &peers)).collect();
    (!clauses.is_empty()).then(|| clauses.join("; "))
}

fn clause(figure: &Figure, ours: &[&Row], peers: &[&Row]) -> Option<String> {
    let values = |rows: &[&Row]| -> Vec<(String, f64)> {
        rows.iter().filter_map(|row| Some((row.broker.clone(), row.find(figure.name)?))).collect()
    };
    let peers = values(peers);
    let best = peers.iter().map(|(_, value)| *value).reduce(|best, value| match figure.good {
        Good::Low => best.min(value),
        Good::High | Good::Neither => best.max(value),
    })?;
    let (winner, _) = peers.iter().find(|(_, value)| value.total_cmp(&best).is_eq())?;
    let is_behind = |value: f64| match figure.good {
        Good::Low => best < value * (1.0 - NOTICEABLE),
        Good::High => best > value * (1.0 + NOTICEABLE),
        Good::Neither => false,
    };
    let behind = values(ours).into_iter().filter(|(_, value)| is_behind(*value));
    let behind: Vec<_> = behind.map(|(broker, value)| format!("{broker} has {}", readable(value))).collect();
    if behind.is_empty() {
        return None;
    }
    Some(format!("{winner} wins in {} with {}, where {}", figure.name, readable(best), behind.join(" and ")))
}
