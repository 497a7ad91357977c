//! Owns what ends a measurement.

use std::fmt;
use std::io;

/// Why there are no figures.
#[derive(Debug)]
pub(crate) enum Error {
    /// The machine refused something.
    Machine { what: &'static str, source: io::Error },
    /// The command line names a mode or a broker that there is not.
    Unknown { what: &'static str, name: String },
    /// A broker did not do what it is measured at.
    Broker(String),
    /// The load could not be made.
    Load(dunlin_load::Error),
}

impl Error {
    pub(crate) fn machine(what: &'static str) -> impl Fn(io::Error) -> Self {
        move |source| Self::Machine { what, source }
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
            Self::Machine { what, source } => write!(f, "cannot {what}: {source}"),
            Self::Unknown { what, name } => write!(f, "there is no {what} \"{name}\""),
            Self::Broker(what) => write!(f, "{what}"),
            Self::Load(error) => write!(f, "{error}"),
        }
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Machine { source, .. } => Some(source),
            Self::Unknown { .. } | Self::Broker(_) => None,
            Self::Load(error) => Some(error),
        }
    }
}
