//! Owns the sources of settings and their order: file, environment, flags. What their values must
//! be is the catalogue's business.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use super::{Origin, Problem, Raw, environment, file};

/// One value that somebody gave for a key, not yet judged.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Entry {
    /// Who gave it.
    pub(crate) origin: Origin,
    /// The dotted key, which may be unknown.
    pub(crate) key: String,
    /// The value as given.
    pub(crate) raw: Raw,
}

impl Entry {
    /// Something is wrong with this entry.
    pub(super) fn problem(&self, text: String) -> Problem {
        Problem { origin: self.origin.clone(), text }
    }
}

/// All that was given, each as an entry or as what kept it from being one.
#[derive(Debug, Default)]
pub(crate) struct Sources {
    /// The one file, in the order of its lines.
    pub(super) file: Vec<Result<Entry, Problem>>,
    /// The environment, by name.
    pub(super) environment: Vec<Result<Entry, Problem>>,
    /// The command line; of two for one key the later wins.
    pub(super) flags: Vec<Entry>,
    /// How many workers one per core makes.
    pub(super) cores: usize,
}

impl Sources {
    /// Reads the file, if there is one, and takes the rest as it is.
    pub(crate) fn read(
        file: Option<&Path>,
        environment: impl IntoIterator<Item = (OsString, OsString)>,
        flags: Vec<Entry>,
    ) -> Self {
        Self {
            file: file.map(read_file).unwrap_or_default(),
            environment: environment::entries(environment),
            flags,
            cores: std::thread::available_parallelism().map_or(1, usize::from),
        }
    }

    /// Later ones win.
    pub(super) fn in_rising_precedence(&self) -> impl Iterator<Item = Result<&Entry, Problem>> {
        let read = self.file.iter().chain(&self.environment);
        let read = read.map(|outcome| outcome.as_ref().map_err(Clone::clone));
        read.chain(self.flags.iter().map(Ok))
    }
}

/// The file that the environment names, for when no flag does.
pub(crate) fn file_from_environment() -> Option<PathBuf> {
    std::env::var_os(environment::FILE).map(PathBuf::from)
}

fn read_file(path: &Path) -> Vec<Result<Entry, Problem>> {
    let name = path.display().to_string();
    match std::fs::read_to_string(path) {
        Ok(text) => file::entries(&name, &text),
        Err(error) => {
            let text = format!("cannot be read: {error}");
            vec![Err(Problem { origin: Origin::File { path: name }, text })]
        }
    }
}
