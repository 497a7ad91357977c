//! Owns the exit codes that scripts test for. Which error has which kind is decided where the error is made.

use crate::interrupt::Signal;
use std::process;

/// How the process ends, with the numbers of `mosquitto_pub`, `mosquitto_sub` and `mosquitto_rr`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ExitCode {
    /// Everything asked for was done; also a Ctrl-C that ends `sub`, a closed pipe and `--help`.
    Success,
    /// 1: wrong usage, an unreadable file, no connection to the host, a message or subscription that the server
    /// refused, or `decode` found an error.
    Failure,
    /// 2: the server broke the protocol, or said that we did.
    ProtocolError,
    /// 7: the network connection was lost before the work was done.
    ConnectionLost,
    /// 27: `-W` seconds passed.
    TimedOut,
    /// The CONNACK code of a refused connection: 1 to 5 before MQTT 5, 128 and more from then on.
    Refused(u8),
    /// 128 and the number of the signal that ended `pub` or `rr`, as a shell tells it.
    Interrupted(Signal),
}

impl ExitCode {
    /// The number the operating system hands to the caller.
    pub(crate) const fn number(self) -> u8 {
        match self {
            Self::Success => 0,
            Self::Failure => 1,
            Self::ProtocolError => 2,
            Self::ConnectionLost => 7,
            Self::TimedOut => 27,
            Self::Refused(code) => code,
            Self::Interrupted(signal) => 128 + signal.number(),
        }
    }
}

impl From<ExitCode> for process::ExitCode {
    fn from(code: ExitCode) -> Self {
        Self::from(code.number())
    }
}

#[cfg(test)]
mod tests {
    use super::ExitCode;
    use crate::interrupt::Signal;

    #[test]
    fn the_numbers_are_those_that_scripts_already_test_for() {
        let expected = [
            (ExitCode::Success, 0),
            (ExitCode::Failure, 1),
            (ExitCode::ProtocolError, 2),
            (ExitCode::ConnectionLost, 7),
            (ExitCode::TimedOut, 27),
            (ExitCode::Refused(5), 5),
            (ExitCode::Refused(135), 135),
            (ExitCode::Interrupted(Signal::Interrupt), 130),
            (ExitCode::Interrupted(Signal::Terminate), 143),
        ];
        for (code, number) in expected {
            assert_eq!(code.number(), number, "{code:?}");
        }
    }
}
