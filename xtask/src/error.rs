//! Owns the reasons for which a command cannot do its work. A failing check is a result, not one of these.

use std::fmt;
use std::io;

/// Why a command stopped early.
#[derive(Debug)]
pub(crate) enum Error {
    /// A program could not be started; install it or put it on the PATH.
    Start { program: String, source: io::Error },
    /// A started program could not be waited for.
    Wait { program: String, source: io::Error },
    /// `cargo metadata` failed or answered with something else; its own message says why.
    Metadata { detail: String },
    /// A file of the workspace could not be read.
    Read { path: String, source: io::Error },
    /// A folder could not be made.
    Create { path: String, source: io::Error },
    /// A line of a list in `tests/spec` is not what it should be.
    List { path: String, line: usize, problem: String },
    /// `--only` named a step that does not exist.
    UnknownStep { name: String, known: Vec<String> },
    /// `fuzz` named a target that does not exist.
    UnknownFuzzTarget { name: String, known: Vec<String> },
    /// A tool that a command cannot do without is not installed; the remedy installs it.
    MissingTool { command: String, remedy: &'static str },
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Error::Start { program, source } => write!(f, "cannot start `{program}`: {source}"),
            Error::Wait { program, source } => write!(f, "lost track of `{program}`: {source}"),
            Error::Metadata { detail } => {
                write!(f, "`cargo metadata` did not describe the workspace: {detail}")
            }
            Error::Read { path, source } => write!(f, "cannot read {path}: {source}"),
            Error::Create { path, source } => write!(f, "cannot create {path}: {source}"),
            Error::List { path, line, problem } => write!(f, "{path}:{line}: {problem}"),
            Error::UnknownStep { name, known } => {
                write!(f, "no step is called \"{name}\"; the steps are: {}", known.join(", "))
            }
            Error::UnknownFuzzTarget { name, known } => {
                write!(f, "no fuzz target is called \"{name}\"; the targets are: {}", known.join(", "))
            }
            Error::MissingTool { command, remedy } => {
                write!(f, "`{command}` does not work here; install what is missing with: {remedy}")
            }
        }
    }
}
