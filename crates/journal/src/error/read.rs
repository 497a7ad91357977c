//! Owns the reasons why a record cannot be read back. Where it is read from is another file's.

use std::error::Error;
use std::{fmt, io};

use super::Damage;
use crate::Position;

/// Why a record cannot be read.
#[derive(Debug)]
pub enum ReadError {
    /// No record of this position is in the journal: its segment was reclaimed because nothing referred to it, or there
    /// never was one. The caller's mistake, or the work of whoever removed a file.
    Missing(Position),
    /// The record is damaged on disk: it is lost.
    Corrupt(Damage),
    /// The system could not read; it may succeed another time.
    Disk {
        /// The path of the file.
        file: String,
        /// What the system said.
        error: io::Error,
    },
}

impl fmt::Display for ReadError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Missing(position) => write!(f, "no record at {position}: its segment is not there"),
            Self::Corrupt(damage) => write!(f, "{damage}; this record is lost, check the disk"),
            Self::Disk { file, error } => write!(f, "{file}: cannot be read: {error}"),
        }
    }
}

impl Error for ReadError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            Self::Missing(_) => None,
            Self::Corrupt(damage) => Some(damage),
            Self::Disk { error, .. } => Some(error),
        }
    }
}
