//! Owns the lists in `tests/spec`: their format, the statements and the exceptions. It does not look at sources.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use crate::error::Error;

/// What the committed lists say.
#[derive(Debug)]
pub(crate) struct Catalogue {
    /// Version 5.0 first, each in the order of its standard.
    pub(crate) statements: Vec<Statement>,
    /// Why a statement need not be cited, by id.
    pub(crate) exceptions: BTreeMap<String, String>,
}

/// One normative statement.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Statement {
    /// As it is cited: `MQTT5-3.1.2-24`.
    pub(crate) id: String,
    pub(crate) version: Version,
    pub(crate) bound: Bound,
    /// The parts of the project that judge it, as the list says.
    pub(crate) judged: String,
    /// What it demands, in our words.
    pub(crate) summary: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Version {
    V5,
    V311,
}

/// Who can break a statement.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Bound {
    Server,
    Client,
    /// Either end, as sender or receiver.
    Both,
    /// Nobody: it demands nothing of its own.
    None,
}

impl Catalogue {
    pub(crate) fn load(root: &Path) -> Result<Self, Error> {
        let mut catalogue = Self { statements: Vec::new(), exceptions: BTreeMap::new() };
        for version in Version::ALL {
            let path = version.list();
            catalogue.add_statements(version, path, &read(root, path)?)?;
        }
        catalogue.add_exceptions(EXCEPTIONS, &read(root, EXCEPTIONS)?)?;
        Ok(catalogue)
    }

    pub(crate) fn contains(&self, id: &str) -> bool {
        self.statements.iter().any(|statement| statement.id == id)
    }

    /// Lines of `id bound judged summary`.
    fn add_statements(&mut self, version: Version, path: &str, text: &str) -> Result<(), Error> {
        for (number, line) in entries(text) {
            let broken = |problem: String| Error::List { path: path.to_owned(), line: number, problem };
            let (id, rest) = word(line);
            let (bound, rest) = word(rest);
            let (judged, summary) = word(rest);
            let id = format!("{}{id}", version.prefix());
            if self.contains(&id) {
                return Err(broken(format!("{id} stands here a second time")));
            }
            let bound = Bound::ALL.into_iter().find(|known| known.name() == bound).ok_or_else(|| {
                broken(format!("\"{bound}\" is not one of {}", Bound::ALL.map(Bound::name).join(", ")))
            })?;
            if let Some(place) = judged.split(',').find(|place| !PLACES.contains(place)) {
                return Err(broken(format!("\"{place}\" is not one of {}", PLACES.join(", "))));
            }
            if summary.is_empty() {
                return Err(broken(format!("{id} has no summary")));
            }
            let (judged, summary) = (judged.to_owned(), summary.to_owned());
            self.statements.push(Statement { id, version, bound, judged, summary });
        }
        Ok(())
    }

    /// Lines of `id id ...: reason`.
    fn add_exceptions(&mut self, path: &str, text: &str) -> Result<(), Error> {
        for (number, line) in entries(text) {
            let broken = |problem: String| Error::List { path: path.to_owned(), line: number, problem };
            let (ids, reason) = line.split_once(": ").unwrap_or((line, ""));
            if reason.trim().is_empty() {
                return Err(broken("an exception needs its reason: `id id ...: reason`".to_owned()));
            }
            for id in ids.split_whitespace() {
                if !self.contains(id) {
                    return Err(broken(format!("there is no statement {id}")));
                }
                if self.exceptions.insert(id.to_owned(), reason.trim().to_owned()).is_some() {
                    return Err(broken(format!("{id} is excepted a second time")));
                }
            }
        }
        Ok(())
    }
}

impl Version {
    pub(crate) const ALL: [Self; 2] = [Self::V5, Self::V311];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Version::V5 => "MQTT 5.0",
            Version::V311 => "MQTT 3.1.1",
        }
    }

    fn prefix(self) -> &'static str {
        match self {
            Version::V5 => "MQTT5-",
            Version::V311 => "MQTT311-",
        }
    }

    fn list(self) -> &'static str {
        match self {
            Version::V5 => "tests/spec/mqtt-v5.0.txt",
            Version::V311 => "tests/spec/mqtt-v3.1.1.txt",
        }
    }
}

impl Bound {
    pub(crate) const ALL: [Self; 4] = [Self::Server, Self::Both, Self::Client, Self::None];

    /// As the lists spell it.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Bound::Server => "server",
            Bound::Client => "client",
            Bound::Both => "both",
            Bound::None => "none",
        }
    }

    pub(crate) fn demands(self) -> bool {
        self != Bound::None
    }
}

/// Everything but empty lines and comments, with its line number.
fn entries(text: &str) -> impl Iterator<Item = (usize, &str)> {
    let lines = text.lines().enumerate().map(|(index, line)| (index + 1, line.trim()));
    lines.filter(|(_, line)| !line.is_empty() && !line.starts_with('#'))
}

fn word(line: &str) -> (&str, &str) {
    let (word, rest) = line.split_once(char::is_whitespace).unwrap_or((line, ""));
    (word, rest.trim_start())
}

fn read(root: &Path, path: &str) -> Result<String, Error> {
    fs::read_to_string(root.join(path)).map_err(|source| Error::Read { path: path.to_owned(), source })
}

const EXCEPTIONS: &str = "tests/spec/exceptions.txt";

/// Where a statement may be judged; `-` is nowhere.
const PLACES: [&str; 5] = ["codec", "engine", "daemon", "client", "-"];

#[cfg(test)]
mod tests {
    use super::*;

    fn lists(statements: &str, exceptions: &str) -> Result<Catalogue, Error> {
        let mut catalogue = Catalogue { statements: Vec::new(), exceptions: BTreeMap::new() };
        catalogue.add_statements(Version::V5, "list.txt", statements)?;
        catalogue.add_exceptions("exceptions.txt", exceptions)?;
        Ok(catalogue)
    }

    #[test]
    fn a_line_is_a_statement_and_comments_are_not() {
        let text =
            "# heading\n\n1.5.4-1   both    codec,client  Strings are legal.  \n4.2-1 none - Nothing.\n";
        let catalogue =
            lists(text, "# why\nMQTT5-1.5.4-1 MQTT5-4.2-1: nobody can: not at all\n").expect("legal");
        let statement = |id: &str, bound, judged: &str, summary: &str| Statement {
            id: id.to_owned(),
            version: Version::V5,
            bound,
            judged: judged.to_owned(),
            summary: summary.to_owned(),
        };
        let expected = [
            statement("MQTT5-1.5.4-1", Bound::Both, "codec,client", "Strings are legal."),
            statement("MQTT5-4.2-1", Bound::None, "-", "Nothing."),
        ];
        assert_eq!(catalogue.statements, expected);
        assert_eq!(catalogue.exceptions["MQTT5-4.2-1"], "nobody can: not at all");
        assert_eq!(catalogue.exceptions.len(), 2);
    }

    #[test]
    fn a_broken_line_is_named_with_what_is_wrong() {
        let check = |statements: &str, exceptions: &str, expected: &str| {
            let error = lists(statements, exceptions).expect_err(statements);
            assert_eq!(error.to_string(), expected);
        };
        let good = "1.1.1-1 both codec Something.\n";
        check(&format!("{good}\n{good}"), "", "list.txt:3: MQTT5-1.1.1-1 stands here a second time");
        check(
            "1.1.1-1 sender codec X",
            "",
            "list.txt:1: \"sender\" is not one of server, both, client, none",
        );
        check(
            "1.1.1-1 both codec,core X",
            "",
            "list.txt:1: \"core\" is not one of codec, engine, daemon, client, -",
        );
        check("1.1.1-1 both codec", "", "list.txt:1: MQTT5-1.1.1-1 has no summary");
        check(good, "MQTT5-1.1.1-2: why", "exceptions.txt:1: there is no statement MQTT5-1.1.1-2");
        check(
            good,
            "MQTT5-1.1.1-1: ",
            "exceptions.txt:1: an exception needs its reason: `id id ...: reason`",
        );
        check(
            good,
            "MQTT5-1.1.1-1: a\nMQTT5-1.1.1-1: b",
            "exceptions.txt:2: MQTT5-1.1.1-1 is excepted a second time",
        );
    }

    #[test]
    fn the_committed_lists_hold_every_statement_of_both_standards() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
        let catalogue = Catalogue::load(&root).expect("the lists can be read");
        let count =
            |version| catalogue.statements.iter().filter(|statement| statement.version == version).count();
        assert_eq!(Version::ALL.map(count), [252, 141]);
    }
}
