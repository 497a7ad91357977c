//! Owns the command line of `cargo xtask`: one file per command, the exit code, how an error is printed.
//! It does not know what any command does.

mod commands;
mod error;
mod process;
mod spec;
mod workspace;

use std::process::ExitCode;

use clap::Parser;

use crate::commands::Command;

/// The project's own runner: every check, tool and benchmark behind one command.
#[derive(Debug, Parser)]
#[command(name = "cargo xtask", bin_name = "cargo xtask", disable_help_subcommand = true)]
struct CommandLine {
    #[command(subcommand)]
    command: Command,
}

fn main() -> ExitCode {
    let command_line = CommandLine::parse();
    match command_line.command.run() {
        Ok(Verdict::Good) => ExitCode::SUCCESS,
        Ok(Verdict::Bad) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::from(USAGE_OR_MACHINE)
        }
    }
}

/// What a command that ran to its end found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Verdict {
    Good,
    Bad,
}

impl Verdict {
    /// Good if both are.
    fn and(self, other: Self) -> Self {
        match self {
            Verdict::Good => other,
            Verdict::Bad => Verdict::Bad,
        }
    }
}

/// The exit code when a command could not do its work at all (1 means that it did and something failed).
const USAGE_OR_MACHINE: u8 = 2;
