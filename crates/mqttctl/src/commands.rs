//! Owns which function carries out which command. Each command has a file.

pub(crate) mod bench;
pub(crate) mod decode;
pub(crate) mod publish;
pub(crate) mod request;
pub(crate) mod subscribe;

use crate::{cli::Command, error::Error, exit::ExitCode, output::Output};
use std::io;

/// Carries out `command`.
///
/// # Errors
/// What the reader has to be told, and the exit code.
pub(crate) fn run(command: Command) -> Result<ExitCode, Error> {
    match command {
        Command::Bench(arguments) => arguments.run(&mut Output::stdout()),
        Command::Decode(arguments) => arguments.run(io::stdin().lock(), &mut Output::stdout()),
        Command::Publish(arguments) => arguments.run(),
        Command::Subscribe(arguments) => arguments.run(),
        Command::Request(arguments) => arguments.run(),
    }
}
