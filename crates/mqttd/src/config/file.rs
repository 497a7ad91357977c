//! Owns reading the TOML file: which key stands on which line with which value. Whether key and
//! value are any good is the catalogue's business.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::setting::is_table;
use super::{Entry, Origin, Problem, Raw};

/// What a file says, by line. A syntax error is a problem of its line and the rest of the file is
/// read all the same.
pub(super) fn entries(path: &str, text: &str) -> Vec<Result<Entry, Problem>> {
    let (document, errors) = DeTable::parse_recoverable(text);
    let mut reader = Reader { path, text, found: Vec::new() };
    reader.walk("", document.get_ref());
    reader.lay_out(&errors)
}

struct Reader<'a> {
    path: &'a str,
    text: &'a str,
    found: Vec<Found>,
}

/// An entry and where its key and value stand in the text.
struct Found {
    span: Range<usize>,
    entry: Entry,
}

impl Found {
    /// The end counts: there a value that never ends is missed.
    fn surrounds(&self, offset: usize) -> bool {
        (self.span.start..=self.span.end).contains(&offset)
    }
}

impl Reader<'_> {
    fn walk(&mut self, parent: &str, table: &DeTable<'_>) {
        for (name, value) in table {
            let key = match parent {
                "" => name.get_ref().to_string(),
                parent => format!("{parent}.{}", name.get_ref()),
            };
            match value.get_ref() {
                DeValue::Table(inner) if is_table(&key) => self.walk(&key, inner),
                _ => {
                    let span = name.span().start..value.span().end.max(name.span().end);
                    let origin = self.origin(span.start);
                    self.found.push(Found { span, entry: Entry { origin, key, raw: raw(value) } });
                }
            }
        }
    }

    /// Entries and syntax errors in the order of the text. Where the syntax of a value is broken
    /// the parser goes on by guessing, so the first error stands for all of that value and the
    /// guessed value is not judged.
    fn lay_out(self, errors: &[toml::de::Error]) -> Vec<Result<Entry, Problem>> {
        let mut outcomes: BTreeMap<(usize, usize), Result<Entry, Problem>> = BTreeMap::new();
        let mut broken_lines = BTreeSet::new();
        for error in errors {
            let offset = error.span().map_or(0, |span| span.start);
            let within = self.found.iter().find(|found| found.surrounds(offset));
            let line = self.line(within.map_or(offset, |found| found.span.start));
            if broken_lines.insert(line) {
                outcomes.insert((line, 0), Err(self.syntax_problem(error, offset)));
            }
        }
        for (index, found) in self.found.iter().enumerate() {
            let line = self.line(found.span.start);
            if !broken_lines.contains(&line) {
                outcomes.insert((line, index), Ok(found.entry.clone()));
            }
        }
        outcomes.into_values().collect()
    }

    fn syntax_problem(&self, error: &toml::de::Error, offset: usize) -> Problem {
        let message = error.message().trim_end().replace('\n', ", ");
        let line = self.text.lines().nth(self.line(offset) - 1).unwrap_or_default();
        Problem { origin: self.origin(offset), text: format!("{message}: {}", line.trim()) }
    }

    fn origin(&self, offset: usize) -> Origin {
        Origin::Line { path: self.path.to_owned(), line: self.line(offset) }
    }

    /// Counted from 1.
    fn line(&self, offset: usize) -> usize {
        let before = self.text.as_bytes().iter().take(offset);
        before.filter(|byte| **byte == b'\n').count() + 1
    }
}

fn raw(value: &Spanned<DeValue<'_>>) -> Raw {
    match value.get_ref() {
        DeValue::String(text) => Raw::Text(text.to_string()),
        DeValue::Boolean(boolean) => Raw::Boolean(*boolean),
        DeValue::Integer(integer) => match i128::from_str_radix(integer.as_str(), integer.radix()) {
            Ok(integer) => Raw::Integer(integer),
            Err(_) => Raw::Other(format!("{integer}")),
        },
        DeValue::Array(array) => Raw::List(array.iter().map(raw).collect()),
        DeValue::Float(float) => Raw::Other(float.to_string()),
        DeValue::Datetime(datetime) => Raw::Other(datetime.to_string()),
        DeValue::Table(_) => Raw::Other("a table".to_owned()),
    }
}
