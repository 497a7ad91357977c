//! Owns the daemon's settings and how their sources combine: flags over environment over file over
//! defaults. What each setting means is in the [`catalogue`]; who acts on it is elsewhere.

mod byte_size;
mod catalogue;
mod document;
mod durability;
mod environment;
mod field;
mod file;
mod listen;
mod nearest;
mod problem;
mod setting;
mod source;
mod value;

use std::collections::BTreeMap;
use std::path::PathBuf;

pub(crate) use self::document::{effective, reference};
pub(crate) use self::listen::ListenAddress;
pub(crate) use self::problem::{Origin, Problem};
pub(crate) use self::source::{Entry, Sources, file_from_environment};
pub(crate) use self::value::Raw;
use crate::log::Level;

/// Everything an operator can decide.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Settings {
    /// Where clients are accepted. Never empty.
    pub(crate) listen: Vec<ListenAddress>,
    /// Whether data outlives the process.
    pub(crate) storage: Storage,
    /// Where data is kept.
    pub(crate) data_dir: PathBuf,
    /// How the journal in it is kept.
    pub(crate) journal: JournalSettings,
    /// Worker threads, one shard each. 0 stands for one per core and is gone once loaded.
    pub(crate) workers: usize,
    /// Whether clients may connect without authentication from other machines.
    pub(crate) allow_anonymous: bool,
    /// What is written to standard error.
    pub(crate) log: LogSettings,
    /// The engine's limits and policies.
    pub(crate) engine: broker_core::config::Config,
}

/// Whether data outlives the process.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Storage {
    /// What was acknowledged is in the data directory.
    #[default]
    Disk,
    /// Everything ends with the process, and nothing is written.
    Memory,
}

/// How the journal is kept. In bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct JournalSettings {
    /// Of a file that is full.
    pub(crate) segment_bytes: u64,
    /// Appended since the last checkpoint before the next one begins.
    pub(crate) checkpoint_bytes: u64,
}

impl Default for JournalSettings {
    fn default() -> Self {
        Self { segment_bytes: 64 << 20, checkpoint_bytes: 64 << 20 }
    }
}

/// What is written to standard error.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct LogSettings {
    /// The least important level that is written.
    pub(crate) level: Level,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            listen: vec![ListenAddress::DEFAULT],
            storage: Storage::default(),
            data_dir: PathBuf::from("./mqttd-data"),
            journal: JournalSettings::default(),
            workers: 0,
            allow_anonymous: false,
            log: LogSettings::default(),
            engine: broker_core::config::Config::default(),
        }
    }
}

/// Settings that can be used, and who set what.
#[derive(Debug)]
pub(crate) struct Loaded {
    /// The values.
    pub(crate) settings: Settings,
    /// For each key that is not at its default, the source that won.
    origins: BTreeMap<&'static str, Origin>,
}

impl Loaded {
    /// Combines the sources. Fails with every problem of every source, in the order in which they
    /// are read.
    pub(crate) fn from_sources(sources: &Sources) -> Result<Self, Vec<Problem>> {
        let mut loaded = Self { settings: Settings::default(), origins: BTreeMap::new() };
        let mut problems = Vec::new();
        for outcome in sources.in_rising_precedence() {
            let applied = outcome.and_then(|entry| loaded.apply(entry));
            problems.extend(applied.err());
        }
        problems.extend(loaded.open_to_strangers());
        if loaded.settings.workers == 0 {
            loaded.settings.workers = sources.cores;
        }
        if problems.is_empty() { Ok(loaded) } else { Err(problems) }
    }

    fn apply(&mut self, entry: &Entry) -> Result<(), Problem> {
        let Some(setting) = setting::find(&entry.key) else {
            return Err(entry.problem(setting::unknown(entry)));
        };
        let value = setting
            .kind
            .accept(&entry.raw)
            .map_err(|refusal| entry.problem(format!("{} {refusal}", setting.name)))?;
        setting.set(&mut self.settings, value);
        self.origins.insert(setting.name, entry.origin.clone());
        Ok(())
    }

    /// Safe by default: without authentication only this machine is served, unless the operator
    /// says otherwise.
    fn open_to_strangers(&self) -> Option<Problem> {
        if self.settings.allow_anonymous {
            return None;
        }
        let address = self.settings.listen.iter().find(|address| !address.is_loopback())?;
        let text = format!(
            "listen is {address}, which other machines can reach, and no authentication is configured; \
             set allow_anonymous = true to serve them all the same, or listen on 127.0.0.1"
        );
        Some(Problem { origin: self.origin("listen"), text })
    }

    fn origin(&self, name: &str) -> Origin {
        self.origins.get(name).cloned().unwrap_or(Origin::Default)
    }
}

#[cfg(test)]
mod tests;
