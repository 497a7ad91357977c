//! Owns what the tests of mqttctl share: its command lines for a broker.

use dunlin_tests::{Broker, Finished, Program, binary};
use std::process::Command;

/// The versions as `-V` takes them.
pub(crate) const VERSIONS: [&str; 3] = ["31", "311", "5"];

/// `mqttctl` with these words, split at white space.
pub(crate) fn mqttctl(words: &str) -> Command {
    let mut command = Command::new(binary("mqttctl"));
    command.args(words.split_whitespace());
    command
}

/// A command of mqttctl that is to connect to `broker`.
pub(crate) fn to(broker: &Broker, name: &str, words: &str) -> Command {
    mqttctl(&format!("{name} -h 127.0.0.1 -p {} {words}", broker.port()))
}

/// Runs a command that is to connect to `broker` to its end.
#[track_caller]
pub(crate) fn run(broker: &Broker, name: &str, words: &str) -> Finished {
    Finished::from(&mut to(broker, name, words))
}

/// `mqttctl sub`, when it has subscribed.
#[track_caller]
pub(crate) fn subscriber(broker: &Broker, words: &str) -> Program {
    subscribed(&mut to(broker, "sub", &format!("-d {words}")))
}

/// The program of a command with `-d`, when it has subscribed.
#[track_caller]
pub(crate) fn subscribed(command: &mut Command) -> Program {
    let program = Program::start(command);
    program.await_error("received SUBACK");
    program
}
