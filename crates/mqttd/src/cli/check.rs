//! Owns `mqttd check`: would the daemon start with this file? What makes a file good is the
//! configuration's business.

use std::path::PathBuf;

use clap::Args;

use super::flags::SettingFlags;
use super::print;
use crate::config::file_from_environment;
use crate::error::Error;

#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// The file to check, instead of the one that --config or MQTTD_CONFIG names
    ///
    /// It is judged as at a start: together with the environment and the flags given here.
    #[arg(conflicts_with = "config")]
    file: Option<PathBuf>,
    #[command(flatten)]
    flags: SettingFlags,
}

pub(super) fn run(arguments: &Arguments) -> Result<(), Error> {
    let named = arguments.file.clone().or_else(|| arguments.flags.config.clone());
    let file = named.or_else(file_from_environment).ok_or(Error::NothingToCheck)?;
    arguments.flags.load_with_file(Some(&file))?;
    print(&format!("{}: OK\n", file.display()))
}
