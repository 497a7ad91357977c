//! Owns the report: a table for each mode, ratios to the floor of the same run, and whether the aims are met.

use std::fmt::Write as _;

use serde_json::{Value, json};

use crate::brokers::{FLOOR, OURS};
use crate::figures::{Figures, median};
use crate::modes::Mode;
use crate::modes::state::{Aim, Figure, StateMode};

/// What was measured of one mode.
#[derive(Debug)]
pub(crate) struct Measured {
    pub(crate) mode: Mode,
    /// By the name of the broker, with its number of workers where that was chosen, each time.
    pub(crate) rows: Vec<(String, Vec<Figures>)>,
}

/// What was measured of a broker that holds a lot.
pub(crate) struct MeasuredState {
    pub(crate) mode: StateMode,
    /// As in [`Measured`].
    pub(crate) rows: Vec<(String, Vec<Vec<Figure>>)>,
}

/// Everything of a run.
#[derive(Default)]
pub(crate) struct Report {
    /// Name and version of each broker.
    pub(crate) brokers: Vec<(String, String)>,
    pub(crate) modes: Vec<Measured>,
    pub(crate) states: Vec<MeasuredState>,
}

/// The row of our broker with so many workers.
pub(crate) fn row_name(broker: &str, workers: Option<usize>) -> String {
    workers.map_or_else(|| broker.to_owned(), |workers| format!("{broker} {workers}w"))
}

impl Measured {
    fn medians(&self) -> Vec<(&str, Figures)> {
        self.rows
            .iter()
            .filter(|(_, all)| !all.is_empty())
            .map(|(name, all)| (name.as_str(), Figures::of(all)))
            .collect()
    }

    /// The table, for people.
    pub(crate) fn table(&self) -> String {
        let medians = self.medians();
        let floor = medians.iter().find(|(name, _)| *name == FLOOR).map(|&(_, figures)| figures);
        let mut text = format!("{}  ({})\n", self.mode.what, self.mode.name);
        // Writing to a string does not fail.
        let _ = writeln!(
            text,
            "  {:<14} {:>10} {:>9} {:>7} {:>9} {:>9} {:>9} {:>8} {:>7} {:>8}",
            "", "msg/s", "CPU us", "x floor", "p50 us", "p99 us", "p99.9 us", "switches", "MiB", "load us"
        );
        for (name, figures) in &medians {
            let ratio = floor.map_or(f64::NAN, |floor| figures.cpu_us / floor.cpu_us);
            let [p50, p99, p999] = figures.latency_us;
            let _ = write!(
                text,
                "  {name:<14} {:>10.0} {:>9.3} {ratio:>7.2} {p50:>9.0} {p99:>9.0} {p999:>9.0} {:>8.3} {:>7.1} {:>8.3}",
                figures.rate, figures.cpu_us, figures.switches, figures.resident_mib, figures.load_cpu_us,
            );
            let Figures { lost, reordered, duplicated, .. } = figures;
            if lost + reordered + duplicated > 0 {
                let _ = write!(text, "  LOST {lost} REORDERED {reordered} DUPLICATED {duplicated}");
            }
            text.push('\n');
        }
        text.push_str(&self.judged());
        text
    }

    /// A line for each aim.
    fn judged(&self) -> String {
        let medians = self.medians();
        let Some((_, floor)) = medians.iter().find(|(name, _)| *name == FLOOR) else { return String::new() };
        let mut text = String::new();
        for (name, figures) in medians.iter().filter(|(name, _)| name.starts_with(OURS)) {
            let aims = [
                ("CPU", self.mode.cpu_ratio_max, figures.cpu_us / floor.cpu_us),
                ("p50", self.mode.latency_ratio_max, figures.latency_us[0] / floor.latency_us[0]),
            ];
            for (what, aim, ratio) in aims {
                if let Some(aim) = aim {
                    let verdict = if ratio <= aim { "met" } else { "MISSED" };
                    let _ = writeln!(
                        text,
                        "  {verdict}: {name} {what} {ratio:.2} times the floor, at most {aim}"
                    );
                }
            }
        }
        text
    }

    fn json(&self) -> Value {
        let rows: Vec<_> = self
            .medians()
            .into_iter()
            .map(|(name, it)| {
                json!({
                    "broker": name,
                    "messages_per_second": it.rate,
                    "cpu_us_per_message": it.cpu_us,
                    "load_cpu_us_per_message": it.load_cpu_us,
                    "context_switches_per_message": it.switches,
                    "latency_us": { "p50": it.latency_us[0], "p99": it.latency_us[1], "p99.9": it.latency_us[2] },
                    "resident_mib": it.resident_mib,
                    "lost": it.lost,
                    "reordered": it.reordered,
                    "duplicated": it.duplicated,
                })
            })
            .collect();
        json!({ "mode": self.mode.name, "what": self.mode.what, "rows": rows })
    }
}

impl MeasuredState {
    fn medians(&self) -> Vec<(&str, Vec<Figure>)> {
        let of = |all: &[Vec<Figure>], index: usize| median(all.iter().map(|figures| figures[index].1));
        let measured = self.rows.iter().filter_map(|(row, all)| Some((row, all, all.first()?)));
        measured
            .map(|(row, all, first)| {
                let figures = (0..first.len()).map(|index| (first[index].0, of(all, index)));
                (row.as_str(), figures.collect())
            })
            .collect()
    }

    /// The table, for people.
    pub(crate) fn table(&self) -> String {
        let medians = self.medians();
        let mut text = format!("{}  ({})\n", self.mode.what, self.mode.name);
        let Some((_, first)) = medians.first() else { return text };
        let heads: String = first.iter().map(|(name, _)| format!(" {name:>20}")).collect();
        // Writing to a string does not fail.
        let _ = writeln!(text, "  {:<14}{heads}", "");
        for (row, figures) in &medians {
            let values: String = figures.iter().map(|(_, value)| format!(" {value:>20.2}")).collect();
            let _ = writeln!(text, "  {row:<14}{values}");
        }
        for &(name, aim) in self.mode.aims {
            for (row, figures) in medians.iter().filter(|(row, _)| row.starts_with(OURS)) {
                if let Some(judged) = self.judged(row, name, aim, find(figures, name)) {
                    text.push_str(&judged);
                }
            }
        }
        text
    }

    fn judged(&self, row: &str, name: &str, aim: Aim, value: Option<f64>) -> Option<String> {
        let medians = self.medians();
        let floor = || find(&medians.iter().find(|(row, _)| *row == FLOOR)?.1, name);
        let (value, limit) = match aim {
            Aim::AtMost(limit) => (value?, limit),
            Aim::TimesFloor(limit) => (value? / floor()?, limit),
        };
        let of = if matches!(aim, Aim::TimesFloor(_)) { " times the floor" } else { "" };
        let verdict = if value <= limit { "met" } else { "MISSED" };
        Some(format!("  {verdict}: {row} {name} {value:.2}{of}, at most {limit}\n"))
    }

    fn json(&self) -> Value {
        let rows = self.medians().into_iter().map(|(row, figures)| {
            let figures: serde_json::Map<_, _> =
                figures.into_iter().map(|(name, value)| (name.to_owned(), json!(value))).collect();
            json!({ "broker": row, "figures": figures })
        });
        json!({ "mode": self.mode.name, "what": self.mode.what, "rows": rows.collect::<Vec<_>>() })
    }
}

fn find(figures: &[Figure], name: &str) -> Option<f64> {
    figures.iter().find(|(it, _)| *it == name).map(|&(_, value)| value)
}

impl Report {
    /// For programs.
    pub(crate) fn json(&self) -> Value {
        let brokers: Vec<_> =
            self.brokers.iter().map(|(name, version)| json!({ "name": name, "version": version })).collect();
        let modes: Vec<_> = self.modes.iter().map(Measured::json).collect();
        let states: Vec<_> = self.states.iter().map(MeasuredState::json).collect();
        json!({ "brokers": brokers, "modes": modes, "states": states })
    }

    /// Messages that our broker lost or confused.
    pub(crate) fn faults(&self) -> u64 {
        let ours = self.modes.iter().flat_map(|mode| &mode.rows).filter(|(name, _)| name.starts_with(OURS));
        ours.flat_map(|(_, all)| all).map(|it| it.lost + it.reordered + it.duplicated).sum()
    }
}
