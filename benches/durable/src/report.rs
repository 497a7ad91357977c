//! Owns the figures of a run: their medians, the tables a person reads and the JSON of a program. What a
//! figure should be is said in `aims`.

use std::fmt::{self, Write as _};

use serde_json::{Value, json};

use crate::daemon::Storage;

const HEAD: &str = "\
## What durability costs

`mqttd` with its journal on a disk, beside the same broker in memory (`cargo xtask bench durable`).

";

/// What was measured, in the order in which it was.
#[derive(Debug, Default)]
pub(crate) struct Report {
    pub(crate) rows: Vec<Row>,
}

/// One thing that was measured, several times over.
#[derive(Debug)]
pub(crate) struct Row {
    pub(crate) part: &'static str,
    pub(crate) case: String,
    pub(crate) storage: Storage,
    pub(crate) figures: Vec<Figure>,
    /// Acknowledged and not delivered, of all repetitions.
    pub(crate) lost: u64,
    /// When each repetition began.
    pub(crate) load_averages: Vec<f64>,
}

/// The values that the repetitions had.
#[derive(Debug)]
pub(crate) struct Figure {
    /// With its unit.
    pub(crate) name: &'static str,
    pub(crate) values: Vec<f64>,
}

/// What one repetition measured.
#[derive(Debug, Default)]
pub(crate) struct Measured {
    pub(crate) figures: Vec<(&'static str, f64)>,
    pub(crate) lost: u64,
    pub(crate) load_average: f64,
}

impl Report {
    /// Takes a repetition: to the row that is there, or to a new one.
    pub(crate) fn add(&mut self, part: &'static str, case: &str, storage: Storage, measured: Measured) {
        let same = |row: &&mut Row| row.part == part && row.case == case && row.storage == storage;
        if let Some(row) = self.rows.iter_mut().find(same) {
            row.take(measured);
            return;
        }
        let mut row = Row {
            part,
            case: case.to_owned(),
            storage,
            figures: Vec::new(),
            lost: 0,
            load_averages: Vec::new(),
        };
        row.take(measured);
        self.rows.push(row);
    }

    /// The median of a figure.
    pub(crate) fn find(&self, part: &str, case: &str, storage: Storage, name: &str) -> Option<f64> {
        let found = |row: &&Row| row.part == part && row.case == case && row.storage == storage;
        let figure = self.rows.iter().find(found)?.figures.iter().find(|figure| figure.name == name)?;
        Some(median(&figure.values))
    }

    /// Whether this case was measured.
    pub(crate) fn has(&self, case: &str) -> bool {
        self.rows.iter().any(|row| row.case == case)
    }

    pub(crate) fn lost(&self) -> u64 {
        self.rows.iter().map(|row| row.lost).sum()
    }

    /// A chapter of a document: tables and aims as a terminal shows them.
    pub(crate) fn markdown(&self, aims: &str) -> String {
        let block = |text: &str| format!("```text\n{text}```\n");
        let aims = if aims.is_empty() { String::new() } else { format!("\nAims:\n\n{}", block(aims)) };
        format!("{HEAD}{}{aims}", block(&self.to_string()))
    }

    pub(crate) fn json(&self) -> Value {
        self.rows.iter().map(Row::json).collect()
    }
}

impl Row {
    fn take(&mut self, measured: Measured) {
        for (name, value) in measured.figures {
            match self.figures.iter_mut().find(|figure| figure.name == name) {
                Some(figure) => figure.values.push(value),
                None => self.figures.push(Figure { name, values: vec![value] }),
            }
        }
        self.lost += measured.lost;
        self.load_averages.push(measured.load_average);
    }

    fn json(&self) -> Value {
        let figures = self.figures.iter().map(|figure| {
            let value = json!({ "median": median(&figure.values), "values": figure.values });
            (figure.name.to_owned(), value)
        });
        json!({
            "part": self.part,
            "case": self.case,
            "storage": self.storage.name(),
            "figures": figures.collect::<serde_json::Map<_, _>>(),
            "lost": self.lost,
            "load_averages": self.load_averages,
        })
    }

    /// Its cells, and what stands above them.
    fn cells(&self) -> Vec<(&str, String)> {
        let mut cells = vec![("", self.case.clone()), ("storage", self.storage.name().to_owned())];
        cells.extend(self.figures.iter().map(|figure| (figure.name, readable(median(&figure.values)))));
        cells.push(("lost", self.lost.to_string()));
        cells.push(("load average", readable(median(&self.load_averages))));
        cells
    }
}

/// The value in the middle, or between the two there.
fn median(values: &[f64]) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    match sorted.len() {
        0 => f64::NAN,
        count if count % 2 == 0 => f64::midpoint(sorted[count / 2 - 1], sorted[count / 2]),
        count => sorted[count / 2],
    }
}

/// Three digits that matter, or whole.
fn readable(value: f64) -> String {
    match value.abs() {
        _ if value.is_nan() => "-".to_owned(),
        size if size >= 100.0 => format!("{value:.0}"),
        size if size >= 10.0 => format!("{value:.1}"),
        _ => format!("{value:.2}"),
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for rows in self.rows.chunk_by(|one, next| one.part == next.part) {
            writeln!(f, "{}", rows[0].part)?;
            // Rows of one part may have columns of their own: those follow under a new head.
            for alike in rows.chunk_by(|one, next| one.columns().eq(next.columns())) {
                f.write_str(&table(alike))?;
            }
            writeln!(f)?;
        }
        writeln!(f, "Medians of the repetitions. lost: acknowledged to the publisher and not delivered.")
    }
}

impl Row {
    fn columns(&self) -> impl Iterator<Item = &str> {
        self.figures.iter().map(|figure| figure.name)
    }
}

fn table(rows: &[Row]) -> String {
    let rows: Vec<_> = rows.iter().map(Row::cells).collect();
    let head: Vec<&str> = rows[0].iter().map(|&(name, _)| name).collect();
    let width = |column: usize| {
        let cells = rows.iter().map(|row| row[column].1.len());
        cells.max().unwrap_or(0).max(head[column].len())
    };
    let widths: Vec<usize> = (0..head.len()).map(width).collect();
    let mut text = String::new();
    let texts = rows.iter().map(|row| row.iter().map(|(_, cell)| cell.as_str()).collect());
    for line in std::iter::once(head.clone()).chain(texts) {
        let mut written = String::new();
        for (column, (cell, &width)) in line.iter().zip(&widths).enumerate() {
            // Writing to a string does not fail.
            let _ = match column {
                0 => write!(written, "  {cell:<width$}"),
                1 => write!(written, "  {cell:<width$}"),
                _ => write!(written, "  {cell:>width$}"),
            };
        }
        text.push_str(written.trim_end());
        text.push('\n');
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn repetitions_become_a_row_with_their_medians() {
        let mut report = Report::default();
        for (storage, rate, lost) in
            [(Storage::Disk, 900.0, 0), (Storage::Memory, 2_000.0, 0), (Storage::Disk, 1_000.0, 1)]
        {
            let figures = vec![("messages/s", rate), ("p50 ms", 1.5)];
            report.add("publishers", "1, window 16", storage, Measured { figures, lost, load_average: 0.5 });
        }
        let expected = "\
publishers
                storage  messages/s  p50 ms  lost  load average
  1, window 16  disk            950    1.50     1          0.50
  1, window 16  memory         2000    1.50     0          0.50

Medians of the repetitions. lost: acknowledged to the publisher and not delivered.
";
        assert_eq!(report.to_string(), expected);
        let document = format!("{HEAD}```text\n{expected}```\n\nAims:\n\n```text\n  met     all\n```\n");
        assert_eq!(report.markdown("  met     all\n"), document);
        assert_eq!(report.lost(), 1);
        assert_eq!(report.find("publishers", "1, window 16", Storage::Disk, "messages/s"), Some(950.0));
    }
}
