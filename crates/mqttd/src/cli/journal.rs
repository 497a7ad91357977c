//! Owns `mqttd journal`: looking at the data of a daemon that does not run. What is looked at is the journal's
//! business; nothing is changed.

mod dump;
mod entry;
mod verify;

use std::path::Path;

use clap::{Args, Subcommand};
use journal::Directory;

use crate::error::Error;

#[derive(Debug, Args)]
pub(super) struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Read everything in a data directory and report all that is damaged
    Verify(verify::Arguments),
    /// Show everything in a data directory, record by record
    Dump(dump::Arguments),
}

pub(super) fn run(arguments: &Arguments) -> Result<(), Error> {
    match &arguments.command {
        Command::Verify(arguments) => verify::run(arguments),
        Command::Dump(arguments) => dump::run(arguments),
    }
}

/// The directory, which must be there.
fn existing(directory: &Path) -> Result<Directory, Error> {
    Directory::existing(directory).map_err(|reason| inspection(directory, reason))
}

fn inspection(directory: &Path, reason: journal::OpenError) -> Error {
    Error::Inspection { directory: directory.to_owned(), reason }
}
