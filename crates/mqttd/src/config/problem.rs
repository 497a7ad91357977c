//! Owns where a value came from and how a wrong one is reported: the place, the thing and the fix
//! on one line. Finding what is wrong is done where values are read.

use std::fmt;

/// Where a value came from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Origin {
    /// Nobody set it.
    Default,
    /// The file as a whole.
    File {
        /// As the operator wrote it.
        path: String,
    },
    /// A line of the file.
    Line {
        /// As the operator wrote it.
        path: String,
        /// Counted from 1.
        line: usize,
    },
    /// A variable of the environment, by name.
    Environment(String),
    /// A flag, as it would be typed, without its value.
    Flag(String),
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Default => f.write_str("default"),
            Self::File { path } => f.write_str(path),
            Self::Line { path, line } => write!(f, "{path}:{line}"),
            Self::Environment(name) | Self::Flag(name) => f.write_str(name),
        }
    }
}

/// One thing that is wrong with the configuration.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Problem {
    /// Where the operator must look.
    pub(crate) origin: Origin,
    /// What is wrong and what would be right.
    pub(crate) text: String,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.origin, self.text)
    }
}
