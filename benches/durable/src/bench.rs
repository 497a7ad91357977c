//! Owns what all parts of a run share: how brokers are started, how long and how often is measured. What is
//! measured is in the parts.

use std::path::PathBuf;
use std::time::Duration;

use crate::daemon::{Daemon, Installation, Storage};
use crate::error::Error;
use crate::process::Usage;
use crate::report::{Measured, Report};

/// What a run is told.
#[derive(Debug)]
pub(crate) struct Bench {
    pub(crate) program: PathBuf,
    /// On the disk that is to be measured; all below it is removed.
    pub(crate) directory: PathBuf,
    pub(crate) duration: Duration,
    pub(crate) repetitions: usize,
    pub(crate) settings: Vec<String>,
}

/// What a part of a run does: it measures and adds to the report.
pub(crate) type Part = fn(&Bench, &mut Report) -> Result<(), Error>;

/// A figure of so many units.
#[expect(clippy::cast_precision_loss, reason = "no count here comes near 2^52")]
pub(crate) fn count(value: u64) -> f64 {
    value as f64
}

impl Bench {
    /// A broker to be started with nothing.
    pub(crate) fn installation(&self, storage: Storage, settings: &[&str]) -> Result<Installation, Error> {
        let settings =
            settings.iter().map(|&setting| setting.to_owned()).chain(self.settings.iter().cloned());
        let installation = Installation {
            program: self.program.clone(),
            folder: self.directory.join("broker"),
            storage,
            settings: settings.collect(),
        };
        installation.clear()?;
        Ok(installation)
    }

    /// Measures on disk and in memory in turn, so that a change of the machine's load meets both.
    pub(crate) fn interleave(
        &self,
        report: &mut Report,
        part: &'static str,
        case: &str,
        measure: impl Fn(Storage) -> Result<Measured, Error>,
    ) -> Result<(), Error> {
        for _ in 0..self.repetitions {
            for storage in [Storage::Disk, Storage::Memory] {
                eprintln!("{part}: {case}, {}", storage.name());
                report.add(part, case, storage, measure(storage)?);
            }
        }
        Ok(())
    }

    /// Lets a broker settle, then tells what it has used.
    #[expect(clippy::disallowed_methods, reason = "what a process gives back to the system is no event")]
    pub(crate) fn settled_usage(daemon: &Daemon) -> Result<Usage, Error> {
        std::thread::sleep(Duration::from_millis(500));
        daemon.usage()
    }
}
