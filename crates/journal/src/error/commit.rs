//! Owns the reasons why the journal does not get to disk. The retry is the writer's.

use std::error::Error;
use std::{fmt, io};

/// Why a commit did not succeed. Nothing is lost: what was appended stays in memory, and the next commit tries again,
/// in a new file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CommitError {
    /// There is no room: on the device, in the quota, or under the limit of file sizes. Make some.
    Full(Failure),
    /// The device or the file system fails. Look at it; the system's log says more.
    Disk(Failure),
}

impl CommitError {
    pub(crate) fn new(failure: Failure) -> Self {
        match failure.kind {
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded | io::ErrorKind::FileTooLarge => {
                Self::Full(failure)
            }
            _ => Self::Disk(failure),
        }
    }

    /// What failed.
    #[must_use]
    pub fn failure(&self) -> &Failure {
        match self {
            Self::Full(failure) | Self::Disk(failure) => failure,
        }
    }
}

impl fmt::Display for CommitError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Full(failure) => {
                write!(f, "{failure}; make room: what waits in memory is then written by itself")
            }
            Self::Disk(failure) => {
                write!(f, "{failure}; check the disk: what waits in memory is written once it works again")
            }
        }
    }
}

impl Error for CommitError {}

/// What fails, and since when.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    /// What was tried.
    pub operation: Operation,
    /// The path of the file or directory.
    pub place: String,
    /// What kind of error the system reported.
    pub kind: io::ErrorKind,
    /// The system's number for it, if it has one.
    pub os_code: Option<i32>,
    /// When it failed for the first time since it last worked, in milliseconds since 1970.
    pub since_unix_ms: u64,
}

impl Failure {
    pub(crate) fn new(operation: Operation, place: String, error: &io::Error, since_unix_ms: u64) -> Self {
        Self { operation, place, kind: error.kind(), os_code: error.raw_os_error(), since_unix_ms }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}: ", self.place, self.operation)?;
        match self.os_code {
            Some(code) => write!(f, "{}", io::Error::from_raw_os_error(code)),
            None => write!(f, "{}", self.kind),
        }
    }
}

impl Error for Failure {}

/// What the journal asks of the disk once it is open.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Operation {
    /// To create a segment.
    Create,
    /// To write to a segment.
    Write,
    /// To make what was written durable.
    Sync,
    /// To give a finished segment its name.
    Rename,
    /// To make the name durable.
    SyncDirectory,
    /// To remove a segment that nothing needs.
    Remove,
}

impl fmt::Display for Operation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Create => "cannot create a segment",
            Self::Write => "cannot write",
            Self::Sync => "cannot sync",
            Self::Rename => "cannot name a segment",
            Self::SyncDirectory => "cannot sync the directory",
            Self::Remove => "cannot remove a segment",
        })
    }
}
