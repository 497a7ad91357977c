//! Owns what a run has found: of each mode the figures of each broker. How it is judged, and how it is shown to
//! people, is in the files below.

mod markdown;
mod peers;
mod table;
mod verdict;

use std::fmt::Write as _;

use serde_json::{Value, json};

use crate::brokers::{FLOOR, OURS};
use crate::figures::{Faults, Measured};
use crate::machine::Machine;
use crate::modes::Aim;
pub(crate) use verdict::Verdict;

/// Everything of a run.
#[derive(Debug, Default)]
pub(crate) struct Report {
    pub(crate) machine: Machine,
    /// Name and version of each broker.
    pub(crate) brokers: Vec<(String, String)>,
    pub(crate) sections: Vec<Section>,
}

/// One mode, or another look at it.
#[derive(Debug)]
pub(crate) struct Section {
    pub(crate) name: String,
    pub(crate) what: String,
    pub(crate) aims: Vec<(&'static str, Aim)>,
    pub(crate) rows: Vec<Row>,
}

/// One broker in it.
#[derive(Debug, Default)]
pub(crate) struct Row {
    /// With its number of workers where that was chosen.
    pub(crate) broker: String,
    /// What each turn came to, or why it has no figures. The turns of other rows with the same index were at the same
    /// time.
    pub(crate) turns: Vec<Result<Measured, String>>,
}

/// The row of a broker with so many workers.
pub(crate) fn row_name(broker: &str, workers: Option<usize>) -> String {
    workers.map_or_else(|| broker.to_owned(), |workers| format!("{broker} {workers}w"))
}

impl Row {
    pub(crate) fn is_ours(&self) -> bool {
        self.broker == OURS || self.broker.strip_prefix(OURS).is_some_and(|rest| rest.starts_with(' '))
    }

    fn is_floor(&self) -> bool {
        self.broker == FLOOR
    }

    pub(crate) fn is_peer(&self) -> bool {
        !self.is_ours() && !self.is_floor()
    }

    fn is_measured(&self) -> bool {
        self.turns.iter().any(Result::is_ok)
    }

    fn medians(&self) -> Measured {
        Measured::of(&self.turns.iter().flatten().collect::<Vec<_>>())
    }

    /// The median of a figure.
    fn find(&self, figure: &str) -> Option<f64> {
        self.medians().find(figure)
    }

    /// A figure of each turn that has one.
    fn each(&self, figure: &str) -> Vec<f64> {
        self.turns.iter().flatten().filter_map(|it| it.find(figure)).collect()
    }

    /// How many times another's figure this one's is, in each turn that both have. What the machine does meanwhile
    /// meets both, so these differ less than the figures do.
    fn times(&self, other: &Self, figure: &str) -> Vec<f64> {
        let turns = self.turns.iter().zip(&other.turns);
        let both = turns.filter_map(|(ours, others)| ours.as_ref().ok().zip(others.as_ref().ok()));
        both.filter_map(|(ours, others)| Some(ours.find(figure)? / others.find(figure)?)).collect()
    }

    fn failures(&self) -> impl Iterator<Item = &String> {
        self.turns.iter().filter_map(|turn| turn.as_ref().err())
    }

    /// What a person must know beside the figures.
    fn remarks(&self) -> impl Iterator<Item = String> {
        let Faults { lost, reordered, duplicated, behind } = self.medians().faults;
        let faults = (lost + reordered + duplicated > 0)
            .then(|| format!("{}: LOST {lost}, REORDERED {reordered}, DUPLICATED {duplicated}", self.broker));
        let times = self.turns.iter().flatten().count();
        let behind =
            (behind > 0).then(|| format!("{}: BEHIND the rate in {behind} of {times} runs", self.broker));
        let failed = self.failures().map(|why| format!("{}: FAILED, {why}", self.broker));
        faults.into_iter().chain(behind).chain(failed)
    }
}

impl Section {
    /// One that takes part, whether it has had a turn or not.
    pub(crate) fn row_mut(&mut self, broker: &str) -> Option<&mut Row> {
        self.rows.iter_mut().find(|row| row.broker == broker)
    }

    fn row(&self, broker: &str) -> Option<&Row> {
        self.rows.iter().find(|row| row.broker == broker && row.is_measured())
    }

    fn floor(&self) -> Option<&Row> {
        self.row(FLOOR)
    }

    /// What a person must know beside the table.
    fn remarks(&self) -> Vec<String> {
        self.rows.iter().flat_map(Row::remarks).collect()
    }

    fn json(&self) -> Value {
        let rows = self.rows.iter().map(|row| {
            let Measured { figures, faults } = row.medians();
            let figures = figures.into_iter().map(|it| (it.name.to_owned(), json!(it.value)));
            json!({
                "broker": row.broker,
                "figures": figures.collect::<serde_json::Map<_, _>>(),
                "lost": faults.lost,
                "reordered": faults.reordered,
                "duplicated": faults.duplicated,
                "behind": faults.behind,
                "turns": row.turns.len(),
                "failures": row.failures().collect::<Vec<_>>(),
            })
        });
        json!({ "mode": self.name, "what": self.what, "rows": rows.collect::<Vec<_>>() })
    }
}

impl Report {
    /// One section for a terminal. What its aims refer to in others has to be there already.
    pub(crate) fn section_text(&self, section: &Section) -> String {
        let mut text = format!("{}  ({})\n{}", section.what, section.name, table::of(section).text());
        for remark in section.remarks() {
            // Writing to a string does not fail.
            let _ = writeln!(text, "  {remark}");
        }
        for verdict in Verdict::of(section, &self.sections) {
            let _ = writeln!(text, "  {verdict}");
        }
        text
    }

    /// For programs.
    pub(crate) fn json(&self) -> Value {
        let Machine { date, processor, cores, memory, kernel, load_average } = &self.machine;
        let brokers: Vec<_> =
            self.brokers.iter().map(|(name, version)| json!({ "name": name, "version": version })).collect();
        let verdicts = Verdict::all(&self.sections);
        json!({
            "machine": {
                "date": date,
                "processor": processor,
                "cores": cores,
                "memory": memory,
                "kernel": kernel,
                "load_average": load_average,
            },
            "brokers": brokers,
            "modes": self.sections.iter().map(Section::json).collect::<Vec<_>>(),
            "aims": verdicts.iter().map(Verdict::json).collect::<Vec<_>>(),
        })
    }

    /// Messages that our broker lost or confused, and measurements that it made fail.
    pub(crate) fn faults(&self) -> u64 {
        let ours = self.sections.iter().flat_map(|section| &section.rows).filter(|row| row.is_ours());
        ours.map(|row| row.medians().faults.messages() + row.failures().count() as u64).sum()
    }
}

#[cfg(test)]
mod tests;
