//! Owns the reasons why a journal cannot be opened. How it is opened is another file's.

use std::error::Error;
use std::{fmt, io};

use super::Damage;
use crate::{FORMAT_VERSION, Position};

/// Why a journal cannot be opened. Nothing was changed in its directory.
#[derive(Debug)]
pub enum OpenError {
    /// There is no such directory, and it is not to be created.
    Missing {
        /// Its path.
        directory: String,
        /// What the system said.
        error: io::Error,
    },
    /// The directory is missing and cannot be created: name another, or create it with the right owner.
    CannotCreate {
        /// Its path.
        directory: String,
        /// What the system said.
        error: io::Error,
    },
    /// The path is that of something else: name another.
    NotADirectory {
        /// The path.
        directory: String,
    },
    /// Nothing can be written in the directory: change its owner or mode, or mount it writable.
    ReadOnly {
        /// Its path.
        directory: String,
        /// What the system said.
        error: io::Error,
    },
    /// Another process has the journal open: one of the two must end.
    Locked {
        /// Its path.
        directory: String,
    },
    /// A newer program wrote it: that one must be used.
    NewerVersion {
        /// The path of the segment.
        file: String,
        /// Its version.
        version: u16,
    },
    /// Bytes that were once on disk are not what they were: restore a backup, or move the directory away and begin
    /// anew. To go on would be to lose silently what was acknowledged.
    Corrupt(Damage),
    /// The records' owner did not understand one.
    Refused {
        /// The path of the segment.
        file: String,
        /// Where the record is.
        position: Position,
        /// What its owner says.
        reason: ReplayError,
    },
    /// The system failed to do something.
    Disk {
        /// The path of the file or directory.
        place: String,
        /// What the system said.
        error: io::Error,
    },
}

impl fmt::Display for OpenError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Missing { directory, error } => write!(f, "{directory}: no such directory: {error}"),
            Self::CannotCreate { directory, error } => {
                write!(
                    f,
                    "{directory}: the directory is missing and cannot be created: {error}; create it, or name another"
                )
            }
            Self::NotADirectory { directory } => {
                write!(f, "{directory}: this is not a directory; name another place for the journal")
            }
            Self::ReadOnly { directory, error } => write!(
                f,
                "{directory}: nothing can be written here: {error}; change the owner or the mode of the directory, or \
                 name another"
            ),
            Self::Locked { directory } => write!(
                f,
                "{directory}: another process has this journal open; stop it first, or name another directory"
            ),
            Self::NewerVersion { file, version } => write!(
                f,
                "{file}: written in format version {version} by a newer program; this one reads up to version \
                 {FORMAT_VERSION}: use the newer one"
            ),
            Self::Corrupt(damage) => write!(
                f,
                "{damage}; this was on disk and is damaged, so nothing was opened and nothing was changed: restore the \
                 directory from a backup, or move it away to begin with an empty one"
            ),
            Self::Refused { file, position, reason } => {
                write!(f, "{file}: the record at {position} is intact but not understood: {reason}")
            }
            Self::Disk { place, error } => write!(f, "{place}: {error}"),
        }
    }
}

impl Error for OpenError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            Self::Missing { error, .. }
            | Self::CannotCreate { error, .. }
            | Self::ReadOnly { error, .. }
            | Self::Disk { error, .. } => Some(error),
            Self::Corrupt(damage) => Some(damage),
            Self::Refused { reason, .. } => Some(reason),
            Self::NotADirectory { .. } | Self::Locked { .. } | Self::NewerVersion { .. } => None,
        }
    }
}

/// What the records' owner says of a record that it does not understand.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReplayError {
    reason: String,
}

impl ReplayError {
    /// The record is not understood, for this reason.
    pub fn new(reason: impl fmt::Display) -> Self {
        Self { reason: reason.to_string() }
    }
}

impl fmt::Display for ReplayError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.reason)
    }
}

impl Error for ReplayError {}
