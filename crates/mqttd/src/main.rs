//! The Dunlin MQTT broker's process: it turns the command line's outcome into standard error and an
//! exit code. What each command does is in [`cli`].

mod cli;
mod clock;
mod config;
mod error;
#[cfg_attr(not(test), expect(dead_code, reason = "most events belong to the listener and the workers"))]
mod log;

use clap::Parser as _;

use crate::cli::Cli;
use crate::error::ExitCode;

fn main() -> std::process::ExitCode {
    let outcome = Cli::parse().run();
    let code = match outcome {
        Ok(()) => ExitCode::Success,
        Err(error) => {
            eprintln!("{error}");
            if let Some(hint) = error.hint() {
                eprintln!("hint: {hint}");
            }
            error.exit_code()
        }
    };
    code.into()
}
