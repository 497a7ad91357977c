//! Owns `mqttd journal dump`: everything in a data directory, record by record. How one looks is in [`entry`]; what a
//! record says is told by the engine.

use std::io::{self, BufWriter, Write as _};
use std::path::PathBuf;

use clap::Args;
use journal::Entry;

use super::{entry, existing, inspection};
use crate::error::Error;

#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// Write one JSON object per line
    #[arg(long)]
    json: bool,
    /// The data directory of a daemon that does not run
    #[arg(value_name = "DIR")]
    directory: PathBuf,
}

pub(super) fn run(Arguments { json, directory }: &Arguments) -> Result<(), Error> {
    let write = if *json { entry::as_json } else { entry::as_text };
    let mut output = BufWriter::new(io::stdout().lock());
    let mut written = Ok(());
    let mut is_sound = true;
    let mut look = |entry: Entry<'_>| {
        is_sound &= !matches!(entry, Entry::Damage(_));
        if written.is_ok() {
            written = writeln!(output, "{}", write(&entry));
        }
    };
    journal::dump(&existing(directory)?, &mut look).map_err(|reason| inspection(directory, reason))?;
    match written.and_then(|()| output.flush()) {
        // A reader that has seen enough is no failure.
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => Err(Error::Output(error)),
        _ if is_sound => Ok(()),
        _ => Err(Error::Damaged(directory.clone())),
    }
}
