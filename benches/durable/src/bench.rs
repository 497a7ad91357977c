//! Owns what all parts of a run share: how brokers are started, how long and how often is measured. What is
//! measured is in the parts.

use std::path::PathBuf;
use std::time::Duration;

use dunlin_load::{Histogram, Load, Loss, ProtocolVersion, Publisher, QoS, Target, Usage};

use crate::daemon::{Daemon, Installation, Storage};
use crate::error::Error;
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
    /// Those that are measured; all if there are none.
    pub(crate) cases: Vec<String>,
}

/// What a part of a run does: it measures and adds to the report.
pub(crate) type Part = fn(&Bench, &mut Report) -> Result<(), Error>;

/// A figure of so many units.
#[expect(clippy::cast_precision_loss, reason = "no count here comes near 2^52")]
pub(crate) fn count(value: u64) -> f64 {
    value as f64
}

/// Of every message.
pub(crate) const PAYLOAD_BYTES: u16 = 200;

/// How long messages may take to arrive.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);

/// A load for a broker, without clients yet.
pub(crate) fn load(daemon: &Daemon) -> Result<Load, Error> {
    Ok(Load::new(Target { version: ProtocolVersion::V5, ..Target::new(daemon.address) })?)
}

/// A publisher whose messages the broker is to keep.
pub(crate) fn publisher(topics: Vec<String>, window: u32, messages: Option<u64>) -> Publisher {
    let (qos, payload_bytes) = (QoS::AtLeastOnce, PAYLOAD_BYTES.into());
    Publisher { topics, qos, payload_bytes, retain: false, window, rate: None, messages }
}

/// Waits for all that is on its way; tells what did not come. Whatever came must have come once, in order and
/// after it was taken on.
pub(crate) fn finish(load: &mut Load) -> Result<Loss, Error> {
    load.stop();
    let loss = load.drain(PATIENCE)?;
    let tally = load.tally();
    let broken = [
        (tally.duplicated, "messages came twice"),
        (tally.reordered, "messages came behind a later one"),
        (tally.foreign, "messages came to who did not ask for them"),
        (tally.refused, "messages were refused"),
        (loss.unacknowledged, "messages were not acknowledged"),
    ];
    match broken.into_iter().find(|&(count, _)| count > 0) {
        Some((count, what)) => Err(Error::Broker(format!("{count} {what}"))),
        None => Ok(loss),
    }
}

/// What this part of the times does not exceed, in milliseconds; not a number without any.
pub(crate) fn milliseconds(times: &Histogram<u64>, quantile: f64) -> f64 {
    if times.is_empty() { f64::NAN } else { count(times.value_at_quantile(quantile)) / 1e6 }
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
        if !self.cases.is_empty() && !self.cases.iter().any(|wanted| wanted == case) {
            return Ok(());
        }
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
