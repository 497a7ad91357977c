//! The command line for MQTT: publish, subscribe, request, measure, decode.

mod cli;
mod commands;
mod delivered;
mod error;
mod exit;
mod format;
mod interrupt;
mod output;
mod print;
mod property_name;
mod report;
mod session;

use exit::ExitCode;
use std::{
    env,
    io::{self, Write},
    process,
};

fn main() -> process::ExitCode {
    let outcome = match cli::parse(env::args_os()) {
        Ok(command) => commands::run(command),
        Err(error) => return usage(&error).into(),
    };
    match outcome {
        Ok(code) => code.into(),
        Err(error) => {
            if error.is_worth_telling() {
                // Nobody is left to be told that standard error was closed.
                let _ = writeln!(io::stderr(), "{error}");
            }
            error.exit_code().into()
        }
    }
}

/// Prints help and version to standard output, and what is wrong with the command line to standard error.
fn usage(error: &clap::Error) -> ExitCode {
    // Nobody is left to be told that even this could not be printed.
    let _ = error.print();
    if error.use_stderr() { ExitCode::Failure } else { ExitCode::Success }
}
