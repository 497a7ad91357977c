//! Owns why the daemon ends other than well: the kinds of failure, what to do about each and its
//! exit code. What is wrong with a configuration, value by value, is in
//! [`config::problem`](crate::config::Problem).

use std::fmt;
use std::io;

use crate::config::Problem;

/// What the process tells its parent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ExitCode {
    /// All went well.
    Success = 0,
    /// The machine or the network stood in the way: starting again may help.
    Failure = 1,
    /// The command line or the configuration is wrong: starting again does not help.
    Usage = 2,
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
    /// Ours: this build cannot accept clients.
    NoListener,
    /// The machine's: standard output took no more.
    Output(io::Error),
}

impl Error {
    pub(crate) fn exit_code(&self) -> ExitCode {
        match self {
            Self::Configuration(_) | Self::NothingToCheck => ExitCode::Usage,
            Self::NoListener | Self::Output(_) => ExitCode::Failure,
        }
    }

    /// What the operator can do next, where the message does not say it already.
    pub(crate) fn hint(&self) -> Option<&'static str> {
        match self {
            Self::Configuration(_) => Some("`mqttd config --reference` documents every key"),
            Self::NothingToCheck => Some("`mqttd check FILE`, or set MQTTD_CONFIG"),
            Self::NoListener | Self::Output(_) => None,
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
            Self::NoListener => f.write_str("error: this build accepts no clients"),
            Self::Output(error) => write!(f, "error: cannot write to standard output: {error}"),
        }
    }
}
