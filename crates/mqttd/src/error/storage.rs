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

const DAMAGED: &str = "nothing was changed. `mqttd journal verify DIR` lists all that is damaged, `mqttd journal \
                                  dump DIR` shows all that is not. Restore the directory from a backup, or move it away \
                                  and begin with an empty one";

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

#[cfg(test)]
mod tests {
    use std::io;

    use journal::{Damage, Flaw, Position, ReplayError};

    use super::*;
    use crate::error::{Error, ExitCode};

    fn told(reason: OpenError) -> String {
        let directory = PathBuf::from("./mqttd-data");
        let error = Error::Storage(StorageError { directory, reason: OpeningError::Journal(reason) });
        assert_eq!(error.exit_code(), ExitCode::Failure);
        format!("{error}\nhint: {}", error.hint().expect("there is always something to do"))
    }

    #[test]
    fn every_reason_names_the_directory_what_is_wrong_and_the_way_out() {
        let directory = || "./mqttd-data".to_owned();
        let file = || "./mqttd-data/0000000000000040.log".to_owned();
        let system = |kind: io::ErrorKind| io::Error::from(kind);
        let reasons = [
            OpenError::CannotCreate {
                directory: directory(),
                error: system(io::ErrorKind::PermissionDenied),
            },
            OpenError::NotADirectory { directory: directory() },
            OpenError::ReadOnly { directory: directory(), error: system(io::ErrorKind::ReadOnlyFilesystem) },
            OpenError::Locked { directory: directory() },
            OpenError::NewerVersion { file: file(), version: 2 },
            OpenError::Corrupt(Damage { file: file(), offset: 4_096, flaw: Flaw::RecordChecksum }),
            OpenError::Refused {
                file: file(),
                position: Position::new(64),
                reason: ReplayError::new("no kind of record is 99"),
            },
            OpenError::Disk { place: file(), error: system(io::ErrorKind::TimedOut) },
        ];
        insta::assert_snapshot!(reasons.map(told).join("\n"), @r"
        error: cannot keep data in ./mqttd-data: it is not there and cannot be created: permission denied
        hint: create it and let this user write to it, or name another with --data-dir; with --set storage=memory nothing is written, and nothing outlives the process
        error: cannot keep data in ./mqttd-data: it is not a directory
        hint: name a directory with --data-dir; it is made if it is not there
        error: cannot keep data in ./mqttd-data: nothing can be written there: read-only filesystem or storage medium
        hint: let this user write to it, or name another with --data-dir; with --set storage=memory nothing is written, and nothing outlives the process
        error: cannot keep data in ./mqttd-data: another mqttd uses it
        hint: end the other one first, or give this one a directory of its own with --data-dir
        error: cannot keep data in ./mqttd-data: ./mqttd-data/0000000000000040.log was written by a newer mqttd, in version 2 of the format; this one reads up to 1
        hint: start the newer mqttd again, or restore a backup from before the upgrade
        error: cannot keep data in ./mqttd-data: it is damaged: ./mqttd-data/0000000000000040.log, offset 4096: the checksum of the record is wrong
        hint: nothing was changed. `mqttd journal verify DIR` lists all that is damaged, `mqttd journal dump DIR` shows all that is not. Restore the directory from a backup, or move it away and begin with an empty one
        error: cannot keep data in ./mqttd-data: ./mqttd-data/0000000000000040.log holds a record, at 0x40, that this mqttd does not understand: no kind of record is 99
        hint: nothing was changed. If a newer mqttd has written it, start that one again; otherwise restore the directory from a backup, or move it away and begin with an empty one
        error: cannot keep data in ./mqttd-data: ./mqttd-data/0000000000000040.log: timed out
        hint: look at the disk; the system's log may say more
        ");
    }
}
