//! Owns the command line: which commands and flags there are. What a command does is in its own
//! file; what a setting may be is in the configuration.

mod check;
mod config;
mod flags;
mod journal;
mod serve;

use std::io::{ErrorKind, Write as _};

use clap::{Parser, Subcommand};

use self::flags::SettingFlags;
use crate::error::Error;

const EXIT_CODES: &str = "\
Exit codes:
  0  all went well; for `check`: the daemon would start with this configuration;
     for `journal`: nothing is damaged
  1  the machine, its disk or the network stood in the way; for `journal`: something is damaged
  2  the command line or the configuration is wrong
  130, 143  a second SIGINT or SIGTERM cut the ending short";

/// The Dunlin MQTT broker
///
/// Without a command it serves clients until it is told to stop. It reads no file unless --config
/// or MQTTD_CONFIG names one.
#[derive(Debug, Parser)]
#[command(name = "mqttd", version, max_term_width = 100, after_help = EXIT_CODES)]
#[command(args_conflicts_with_subcommands = true)]
pub(crate) struct Cli {
    #[command(subcommand)]
    command: Option<Command>,
    #[command(flatten)]
    flags: SettingFlags,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Report everything that is wrong with a configuration file
    Check(check::Arguments),
    /// Print the configuration in effect, or the reference of all settings
    Config(config::Arguments),
    /// Look at the data of a daemon that does not run
    Journal(journal::Arguments),
}

impl Cli {
    /// Does what the command line says.
    pub(crate) fn run(self) -> Result<(), Error> {
        match self.command {
            None => serve::run(&self.flags),
            Some(Command::Check(arguments)) => check::run(&arguments),
            Some(Command::Config(arguments)) => config::run(&arguments),
            Some(Command::Journal(arguments)) => journal::run(&arguments),
        }
    }
}

/// Writes to standard output. A reader that has seen enough is no failure.
fn print(text: &str) -> Result<(), Error> {
    let mut output = std::io::stdout().lock();
    match output.write_all(text.as_bytes()).and_then(|()| output.flush()) {
        Err(error) if error.kind() != ErrorKind::BrokenPipe => Err(Error::Output(error)),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests;
