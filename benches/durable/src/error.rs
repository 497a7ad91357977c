//! Owns why a measurement could not be made. What it would have told is not its business.

use std::fmt;
use std::io;

/// Why a measurement could not be made.
#[derive(Debug)]
pub(crate) enum Error {
    /// The machine: a socket, a file, a process.
    Machine { doing: &'static str, source: io::Error },
    /// The broker did not start, refused something or ended a connection.
    Broker(String),
    /// What must come did not within the time it had.
    Late(String),
}

impl Error {
    /// For `map_err`.
    pub(crate) fn machine(doing: &'static str) -> impl Fn(io::Error) -> Self {
        move |source| Self::Machine { doing, source }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Machine { doing, source } => write!(f, "{doing}: {source}"),
            Self::Broker(what) | Self::Late(what) => f.write_str(what),
        }
    }
}
