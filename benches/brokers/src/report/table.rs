//! Owns tables: what stands in which cell, and how that looks on a terminal and in Markdown.

use std::fmt::Write as _;

use super::{Row, Section};
use crate::figures::{Figure, median};
use crate::modes::traffic::{CPU, LATENCY};

/// Cells; the first column tells what the others are of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Table {
    pub(super) head: Vec<String>,
    pub(super) rows: Vec<Vec<String>>,
}

/// The medians of each broker, the figures that aims are about with their ratio to the floor.
pub(super) fn of(section: &Section) -> Table {
    let measured: Vec<&Row> = section.rows.iter().filter(|row| row.is_measured()).collect();
    let floor = section.floor();
    let has_ratio = |figure: &Figure| figure.name.starts_with(CPU) || figure.name == LATENCY[0];
    let mut head = vec![String::new()];
    let mut rows = Vec::new();
    for row in measured {
        let (mut cells, mut names) = (vec![row.broker.clone()], vec![String::new()]);
        for figure in row.medians().figures {
            names.push(figure.name.to_owned());
            cells.push(readable(figure.value));
            if let Some(floor) = floor.filter(|_| has_ratio(&figure)) {
                names.push("x floor".to_owned());
                cells.push(readable(median(row.times(floor, figure.name))));
            }
        }
        head = names;
        rows.push(cells);
    }
    Table { head, rows }
}

const NO_FIGURE: &str = "-";

/// Three digits that matter, or whole; at most three behind the point.
pub(super) fn readable(value: f64) -> String {
    match value.abs() {
        _ if value.is_nan() => NO_FIGURE.to_owned(),
        size if size >= 100.0 => format!("{value:.0}"),
        size if size >= 10.0 => format!("{value:.1}"),
        size if size >= 1.0 => format!("{value:.2}"),
        _ => format!("{value:.3}"),
    }
}

impl Table {
    /// For a terminal, indented.
    pub(super) fn text(&self) -> String {
        if self.rows.is_empty() {
            return String::new();
        }
        let width = |column: usize| {
            let cells = self.rows.iter().filter_map(|row| row.get(column)).map(String::len);
            cells.chain([self.head[column].len()]).max().unwrap_or(0)
        };
        let widths: Vec<_> = (0..self.head.len()).map(width).collect();
        let mut text = String::new();
        for row in std::iter::once(&self.head).chain(&self.rows) {
            let mut line = String::new();
            for (column, (cell, &width)) in row.iter().zip(&widths).enumerate() {
                // Writing to a string does not fail.
                let _ = match column {
                    0 => write!(line, "  {cell:<width$}"),
                    _ => write!(line, "  {cell:>width$}"),
                };
            }
            text.push_str(line.trim_end());
            text.push('\n');
        }
        text
    }

    pub(super) fn markdown(&self) -> String {
        if self.rows.is_empty() {
            return String::new();
        }
        let line = |cells: &[String]| format!("| {} |\n", cells.join(" | "));
        let is_number = |row: &Vec<String>, column: usize| {
            row.get(column).is_some_and(|cell| cell == NO_FIGURE || cell.parse::<f64>().is_ok())
        };
        let is_of_numbers = |column| self.rows.iter().all(|row| is_number(row, column));
        let rule = (0..self.head.len()).map(|column| if is_of_numbers(column) { "--:|" } else { "---|" });
        let rule = format!("|{}\n", rule.collect::<String>());
        let rows: String = self.rows.iter().map(|row| line(row)).collect();
        line(&self.head) + &rule + &rows
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_have_three_digits() {
        for (value, text) in [
            (12_345.6, "12346"),
            (99.96, "100.0"),
            (12.34, "12.3"),
            (1.234, "1.23"),
            (0.0384, "0.038"),
            (f64::NAN, "-"),
        ] {
            assert_eq!(readable(value), text);
        }
    }

    #[test]
    fn a_table_without_rows_is_nothing() {
        let table = Table { head: vec![String::new()], rows: Vec::new() };
        assert_eq!((table.text(), table.markdown()), (String::new(), String::new()));
    }
}
