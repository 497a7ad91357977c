//! Owns what a person reads when a command fails: what went wrong, and what to do about it.
//! The detail of a failure belongs to the module that found it.

use crate::{exit::ExitCode, output::OutputError};
use std::fmt;

/// A failed command.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Error {
    kind: ErrorKind,
    message: String,
    hint: Option<String>,
}

/// Who has to act, and with it the exit code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ErrorKind {
    /// The command line cannot be carried out as written.
    Usage,
    /// A file or standard input could not be read, or standard output could not be written.
    Local,
    /// Whoever read standard output wants no more. There is nothing to say and nothing went wrong.
    OutputClosed,
}

impl Error {
    /// The command line asks for something impossible; `message` names the option.
    pub(crate) fn usage(message: impl Into<String>) -> Self {
        Self { kind: ErrorKind::Usage, message: message.into(), hint: None }
    }

    /// Something on this machine is in the way; `message` names the file.
    pub(crate) fn local(message: impl Into<String>) -> Self {
        Self { kind: ErrorKind::Local, message: message.into(), hint: None }
    }

    /// Adds what the reader can do next.
    pub(crate) fn with_hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// The exit code that tells a script about this error.
    pub(crate) const fn exit_code(&self) -> ExitCode {
        match self.kind {
            ErrorKind::Usage | ErrorKind::Local => ExitCode::Failure,
            ErrorKind::OutputClosed => ExitCode::Success,
        }
    }

    /// Whether a person should read about it.
    pub(crate) const fn is_worth_telling(&self) -> bool {
        match self.kind {
            ErrorKind::Usage | ErrorKind::Local => true,
            ErrorKind::OutputClosed => false,
        }
    }
}

impl From<OutputError> for Error {
    fn from(error: OutputError) -> Self {
        match error {
            OutputError::Closed => Self {
                kind: ErrorKind::OutputClosed,
                message: "standard output was closed".to_owned(),
                hint: None,
            },
            OutputError::Failed(error) => Self::local(format!("cannot write standard output: {error}")),
        }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "error: {}", self.message)?;
        match &self.hint {
            Some(hint) => write!(formatter, "\n hint: {hint}"),
            None => Ok(()),
        }
    }
}
