//! The Dunlin MQTT broker's process: it turns the command line's outcome into standard error and an
//! exit code. What each command does is in [`cli`].

mod bed;
mod cli;
mod clock;
mod config;
mod connection;
mod daemon;
mod error;
mod handshake;
mod listener;
mod log;
mod outbox;
mod signal;
mod storage;
mod transport;
mod worker;

use clap::Parser as _;
use mimalloc::MiMalloc;

use crate::cli::Cli;
use crate::error::ExitCode;

/// Memory that a turn gives up is used by the next one: see ARCHITECTURE.md for what the system's allocator makes of it.
#[global_allocator]
static ALLOCATOR: MiMalloc = MiMalloc;

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
