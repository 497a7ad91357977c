//! Owns what the operator is told of a data directory that cannot be used: what is wrong with it and what to
//! do. What it takes to find that out is the journal's business.

use std::fmt;
use std::path::PathBuf;

use journal::OpenError;

use crate::storage::OpeningError;

/// A data directory, and why it cannot be used. Nothing in it was changed.
#[derive(Debug)]
pub(crate) struct StorageError {
    /// As the operator wrote it.
    pub(crate) directory: PathBuf,
    pub(crate) reason: OpeningError,
}

impl StorageError {
    /// What the operator can do.
    pub(super) fn hint(&self) -> &'static str {
        match &self.reason {
            OpeningError::Journal(error) => hint(error),
            OpeningError::Retained(_) | OpeningError::Invalid(..) => DAMAGED,
        }
    }
}

impl fmt::Display for StorageError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "error: cannot keep data in {}: ", self.directory.display())?;
        match &self.reason {
            OpeningError::Journal(error) => write_reason(error, f),
            OpeningError::Retained(error) => write!(f, "a retained message cannot be read: {error}"),
            OpeningError::Invalid(position, error) => {
                write!(f, "the retained message at {:016x} is none: {error}", position.get())
            }
        }
    }
}

pub(super) const DAMAGED: &str = "nothing was changed. `mqttd journal verify DIR` lists all that is damaged. Restore the \
                       directory from a backup; or move the named file away and lose what it holds; or move the whole \
                       directory away and begin with an empty one";

fn hint(error: &OpenError) -> &'static str {
    match error {
        OpenError::Missing { .. } | OpenError::NotADirectory { .. } => {
            "name a directory with --data-dir; it is made if it is not there"
        }
        OpenError::CannotCreate { .. } => {
            "create it and let this user write to it, or name another with --data-dir; with --set storage=memory \
             nothing is written, and nothing outlives the process"
        }
        OpenError::ReadOnly { .. } => {
            "let this user write to it, or name another with --data-dir; with --set storage=memory nothing is written, \
             and nothing outlives the process"
        }
        OpenError::Locked { .. } => {
            "end the other one first, or give this one a directory of its own with --data-dir"
        }
        OpenError::NewerVersion { .. } => {
            "start the newer mqttd again, or restore a backup from before the upgrade"
        }
        OpenError::Corrupt(_) => DAMAGED,
        OpenError::Refused { .. } => {
            "nothing was changed. If a newer mqttd has written it, start that one again; otherwise restore the \
             directory from a backup, or move it away and begin with an empty one"
        }
        OpenError::Disk { .. } => "look at the disk; the system's log may say more",
    }
}

/// What is wrong, after the directory has been named.
pub(super) fn write_reason(error: &OpenError, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    match error {
        OpenError::Missing { error, .. } => write!(f, "it is not there: {error}"),
        OpenError::CannotCreate { error, .. } => write!(f, "it is not there and cannot be created: {error}"),
        OpenError::NotADirectory { .. } => f.write_str("it is not a directory"),
        OpenError::ReadOnly { error, .. } => write!(f, "nothing can be written there: {error}"),
        OpenError::Locked { .. } => f.write_str("another mqttd uses it"),
        OpenError::NewerVersion { file, version } => write!(
            f,
            "{file} was written by a newer mqttd, in version {version} of the format; this one reads up to {}",
            journal::FORMAT_VERSION
        ),
        OpenError::Corrupt(damage) => write!(f, "it is damaged: {damage}"),
        OpenError::Refused { file, position, reason } => {
            write!(f, "{file} holds a record, at {position}, that this mqttd does not understand: {reason}")
        }
        OpenError::Disk { place, error } => write!(f, "{place}: {error}"),
    }
}
