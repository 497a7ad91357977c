//! Owns the whole report as a document: what it was made with, what is met and what is not, where a peer wins, and
//! every table.

use std::fmt::Write as _;

use super::table::{self, Table};
use super::{Report, Row, Section, Verdict, peers};
use crate::machine::Machine;

/// What a reader has to know of the figures.
const LEGEND: &str = "\
Every figure is the median of its turns, which the brokers took one after the other, each started anew. `relay`
forwards frames and does nothing else: the floor. \"CPU us\" is what the broker's process took, user and system, for a
delivered message, \"x floor\" the same beside the relay's of the same turn. Where the turns did not agree whether an aim
is met, ours and the relay had more of them. Latencies are those at the rate that the mode names, from when a message
was due. \"load CPU us\" is what the load took itself. A name with `2w` is the broker with two workers, where it can be
told.
";

impl Report {
    /// As it stands in a file of its own.
    pub(crate) fn markdown(&self) -> String {
        let verdicts = Verdict::all(&self.sections);
        let mut text = format!("# Brokers under one load\n\n{}\n{LEGEND}", self.made_with());
        text += &aims(&verdicts);
        text += &self.peers();
        text += "\n## Figures\n";
        for section in &self.sections {
            text += &figures(section);
        }
        text
    }

    fn made_with(&self) -> String {
        let Machine { date, processor, cores, memory, kernel, load_average } = &self.machine;
        let mut text = format!(
            "- date: {date}\n- machine: {cores} cores ({processor}), {memory} of memory, Linux {kernel}, load \
             average before {load_average}\n"
        );
        for (name, version) in &self.brokers {
            // Writing to a string does not fail.
            let _ = writeln!(text, "- {name}: {version}");
        }
        text
    }

    fn peers(&self) -> String {
        let mut text = "\n## Where a peer wins\n\n".to_owned();
        let before = text.len();
        for section in &self.sections {
            if let Some(sentence) = peers::sentence(section) {
                let _ = writeln!(text, "- `{}`: {sentence}.", section.name);
            }
        }
        let is_measured_peer = |row: &Row| row.is_peer() && row.is_measured();
        if !self.sections.iter().flat_map(|section| &section.rows).any(is_measured_peer) {
            text += "No peer was measured.\n";
        } else if text.len() == before {
            text += "Nowhere in this run, by 5 % or more.\n";
        }
        text
    }
}

/// Those that are missed come first.
fn aims(verdicts: &[Verdict]) -> String {
    let missed: Vec<_> = verdicts.iter().filter(|it| !it.is_met()).collect();
    let met = verdicts.iter().filter(|it| it.is_met());
    let mut text =
        format!("\n## Aims\n\n{} of {} are met.\n\n", verdicts.len() - missed.len(), verdicts.len());
    let row = |it: &Verdict| {
        vec![
            format!("`{}`", it.mode),
            it.broker.clone(),
            it.figure.to_owned(),
            it.told_value(),
            it.told_turns(),
            it.told_aim(),
            it.told().to_owned(),
        ]
    };
    let head = ["mode", "broker", "figure", "value", "turns", "aim", ""].map(str::to_owned).into();
    let rows = missed.iter().copied().chain(met).map(row).collect();
    text += &Table { head, rows }.markdown();
    text
}

fn figures(section: &Section) -> String {
    let mut text = format!("\n### {}\n\n`{}`\n\n", section.what, section.name);
    text += &table::of(section).markdown();
    let remarks = section.remarks();
    if !remarks.is_empty() {
        text.push('\n');
    }
    for remark in remarks {
        // Writing to a string does not fail.
        let _ = writeln!(text, "- {remark}");
    }
    text
}
