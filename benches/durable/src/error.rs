//! Owns why a measurement could not be made. What it would have told is not its business.

use std::fmt;
use std::io;

/// Why a measurement could not be made.
#[derive(Debug)]
pub(crate) enum Error {
    /// The machine: a socket, a file, a process.
    Machine { doing: &'static str, source: io::Error },
    /// The broker did not start, or broke its promises.
    Broker(String),
    /// No part that was measured has a case of this name.
    NoSuchCase(String),
    /// The load could not go on: it names the client and what the broker answered.
    Load(dunlin_load::Error),
}

impl Error {
    /// For `map_err`.
    pub(crate) fn machine(doing: &'static str) -> impl Fn(io::Error) -> Self {
        move |source| Self::Machine { doing, source }
    }
}

impl From<dunlin_load::Error> for Error {
    fn from(error: dunlin_load::Error) -> Self {
        Self::Load(error)
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Machine { doing, source } => write!(f, "{doing}: {source}"),
            Self::Broker(what) => f.write_str(what),
            Self::NoSuchCase(name) => write!(f, "no case is called '{name}'; the report names them all"),
            Self::Load(error) => write!(f, "{error}"),
        }
    }
}
