//! Owns why the daemon ends other than well: the kinds of failure, what to do about each and its
//! exit code. What is wrong with a configuration, value by value, is in
//! [`config::problem`](crate::config::Problem).

mod storage;

use std::fmt;
use std::io;
use std::path::PathBuf;

use journal::OpenError;

pub(crate) use self::storage::StorageError;
use crate::config::{ListenAddress, Problem};
use crate::signal::Signal;
use crate::storage::Unsaved;

/// What the process tells its parent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ExitCode {
    /// All went well.
    Success = 0,
    /// The machine or the network stood in the way: starting again may help.
    Failure = 1,
    /// The command line or the configuration is wrong: starting again does not help.
    Usage = 2,
    /// Interrupted while it was ending: 128 and the number of the signal, as shells do.
    Interrupted = 130,
    /// Terminated while it was ending.
    Terminated = 143,
}

impl From<ExitCode> for std::process::ExitCode {
    fn from(code: ExitCode) -> Self {
        Self::from(code as u8)
    }
}

/// Why a command failed.
#[derive(Debug)]
pub(crate) enum Error {
    /// The operator's: values that cannot be used, all of them.
    Configuration(Vec<Problem>),
    /// The operator's: `mqttd check` was given no file.
    NothingToCheck,
    /// The operator's or the machine's: an address that cannot be listened on.
    Listen {
        /// Which.
        address: ListenAddress,
        /// What the system said.
        source: io::Error,
    },
    /// The machine's: it did not give what the daemon is made of.
    Start {
        /// What was asked for.
        what: &'static str,
        /// What the system said.
        source: io::Error,
    },
    /// The operator's or the machine's: a data directory that cannot be used.
    Storage(StorageError),
    /// The machine's: a journal that was to be looked at could not be read to its end.
    Inspection {
        /// As the operator wrote it.
        directory: PathBuf,
        /// What is in the way.
        reason: OpenError,
    },
    /// The operator's: a journal that was looked at is damaged; how has been said.
    Damaged(PathBuf),
    /// The machine's: the disk took no more when the process was to end.
    Unsaved(Unsaved),
    /// The operator's: a second signal cut the ending short; clients were not waited for.
    CutShort(Signal),
    /// The machine's: standard output took no more.
    Output(io::Error),
}

impl Error {
    pub(crate) fn exit_code(&self) -> ExitCode {
        match self {
            Self::Configuration(_) | Self::NothingToCheck => ExitCode::Usage,
            Self::Listen { .. }
            | Self::Start { .. }
            | Self::Storage(_)
            | Self::Damaged(_)
            | Self::Unsaved(_)
            | Self::Output(_) => ExitCode::Failure,
            Self::Inspection {
                reason: OpenError::Missing { .. } | OpenError::NotADirectory { .. }, ..
            } => ExitCode::Usage,
            Self::Inspection { .. } => ExitCode::Failure,
            Self::CutShort(Signal::Interrupt) => ExitCode::Interrupted,
            Self::CutShort(Signal::Terminate) => ExitCode::Terminated,
        }
    }

    /// What the operator can do next, where the message does not say it already.
    pub(crate) fn hint(&self) -> Option<&'static str> {
        match self {
            Self::Configuration(_) => Some("`mqttd config --reference` documents every key"),
            Self::NothingToCheck => Some("`mqttd check FILE`, or set MQTTD_CONFIG"),
            Self::Listen { source, .. } => listen_hint(source.kind()),
            Self::Storage(error) => Some(error.hint()),
            Self::Damaged(_) => Some(
                "no daemon starts with it; restore it from a backup, or move it away and begin with an empty one",
            ),
            Self::Unsaved(_) => Some("what was acknowledged is safe; clients send the rest again"),
            Self::Start { .. } | Self::Inspection { .. } | Self::Output(_) | Self::CutShort(_) => None,
        }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Configuration(problems) => {
                let lines: Vec<String> = problems.iter().map(ToString::to_string).collect();
                f.write_str(&lines.join("\n"))
            }
            Self::NothingToCheck => f.write_str("error: no file to check"),
            Self::Listen { address, source } => write!(f, "error: cannot listen on {address}: {source}"),
            Self::Start { what, source } => write!(f, "error: cannot start: {what}: {source}"),
            Self::Storage(error) => error.fmt(f),
            Self::Inspection { directory, reason } => {
                write!(f, "error: cannot look at {}: ", directory.display())?;
                storage::write_reason(reason, f)
            }
            Self::Damaged(directory) => write!(f, "error: {} is damaged", directory.display()),
            Self::Unsaved(Unsaved { bytes, reason }) => {
                write!(f, "error: {bytes} bytes could not be stored at the end: {reason}")
            }
            Self::CutShort(signal) => write!(f, "error: {signal} again: clients were not waited for"),
            Self::Output(error) => write!(f, "error: cannot write to standard output: {error}"),
        }
    }
}

fn listen_hint(kind: io::ErrorKind) -> Option<&'static str> {
    match kind {
        io::ErrorKind::AddrInUse => Some(
            "another process listens there; end it, or choose another port with --listen (0 picks a free one)",
        ),
        io::ErrorKind::PermissionDenied => {
            Some("ports below 1024 need a privilege; choose another port with --listen")
        }
        io::ErrorKind::AddrNotAvailable => {
            Some("this machine has no such address; 127.0.0.1 serves this machine, 0.0.0.0 all others too")
        }
        _ => None,
    }
}
