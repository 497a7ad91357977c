//! Owns `mqttd config`: prints the configuration in effect, or the reference. Both are written by
//! the configuration.

use clap::Args;

use super::flags::SettingFlags;
use super::print;
use crate::config::{effective, reference};
use crate::error::Error;

#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// Print every setting with its meaning, range and default instead
    #[arg(long)]
    reference: bool,
    #[command(flatten)]
    flags: SettingFlags,
}

pub(super) fn run(arguments: &Arguments) -> Result<(), Error> {
    if arguments.reference {
        return print(&reference());
    }
    print(&effective(&arguments.flags.load()?))
}
