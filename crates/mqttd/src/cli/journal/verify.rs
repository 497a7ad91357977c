//! Owns `mqttd journal verify`: is everything in a data directory as it was written? How that is found out is the
//! journal's business.

use std::path::PathBuf;

use clap::Args;

use super::{existing, inspection};
use crate::cli::print;
use crate::error::Error;

#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// The data directory of a daemon that does not run
    #[arg(value_name = "DIR")]
    directory: PathBuf,
}

pub(super) fn run(Arguments { directory }: &Arguments) -> Result<(), Error> {
    let report = journal::verify(&existing(directory)?).map_err(|reason| inspection(directory, reason))?;
    print(&format!("{report}\n"))?;
    if report.is_sound() { Ok(()) } else { Err(Error::Damaged(directory.clone())) }
}
