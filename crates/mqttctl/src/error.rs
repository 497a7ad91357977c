//! Owns what a person reads when a command fails: what went wrong, and what to do about it.
//! The detail of a failure belongs to the module that found it.

use crate::{exit::ExitCode, output::OutputError, report::Report};
use std::fmt;

/// A failed command.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Error {
    kind: ErrorKind,
    message: String,
    hint: Option<String>,
    told: Told,
}

/// Who reads the message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Told {
    Person,
    /// There is nothing to say, or nobody wants to hear it: the exit code is all.
    Nobody,
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
    /// The server could not be reached.
    Unreachable,
    /// The server answered CONNECT with this code of its version.
    ConnectionRefused(u8),
    /// The connection ended before the work was done.
    ConnectionLost,
    /// The server broke the protocol, or said that we did.
    Protocol,
    /// The server refused what was asked of it on a connection.
    Denied,
    /// `-W` seconds passed.
    TimedOut,
}

impl Error {
    /// The command line asks for something impossible; `message` names the option.
    pub(crate) fn usage(message: impl Into<String>) -> Self {
        Self { kind: ErrorKind::Usage, message: message.into(), hint: None, told: Told::Person }
    }

    /// Something on this machine is in the way; `message` names the file.
    pub(crate) fn local(message: impl Into<String>) -> Self {
        Self { kind: ErrorKind::Local, message: message.into(), hint: None, told: Told::Person }
    }

    /// The server, the network or the clock decided otherwise; `kind` says which.
    pub(crate) fn remote(kind: ErrorKind, message: impl Into<String>) -> Self {
        Self { kind, message: message.into(), hint: None, told: Told::Person }
    }

    /// Adds what the reader can do next.
    pub(crate) fn with_hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// The exit code that tells a script about this error.
    pub(crate) const fn exit_code(&self) -> ExitCode {
        match self.kind {
            ErrorKind::Usage | ErrorKind::Local | ErrorKind::Unreachable | ErrorKind::Denied => {
                ExitCode::Failure
            }
            ErrorKind::OutputClosed => ExitCode::Success,
            ErrorKind::ConnectionRefused(code) => ExitCode::Refused(code),
            ErrorKind::ConnectionLost => ExitCode::ConnectionLost,
            ErrorKind::Protocol => ExitCode::ProtocolError,
            ErrorKind::TimedOut => ExitCode::TimedOut,
        }
    }

    /// The same, kept back if `--quiet` was given. Wrong usage is told in any case.
    pub(crate) fn unless_quiet(self, report: &Report) -> Self {
        let kept_back = report.is_quiet() && self.kind != ErrorKind::Usage;
        let told = if kept_back { Told::Nobody } else { self.told };
        Self { told, ..self }
    }

    /// Whether a person should read about it.
    pub(crate) const fn is_worth_telling(&self) -> bool {
        matches!(self.told, Told::Person)
    }
}

impl From<OutputError> for Error {
    fn from(error: OutputError) -> Self {
        match error {
            OutputError::Closed => Self {
                kind: ErrorKind::OutputClosed,
                message: "standard output was closed".to_owned(),
                hint: None,
                told: Told::Nobody,
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
