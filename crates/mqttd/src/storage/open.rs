//! Owns what happens to the data directory before anybody is served: it is locked, read and understood, and
//! what it held is known. What the records mean is the engine's business.

use std::fmt::Display;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use broker_core::Timestamp;
use broker_core::journal::{InvalidRecord, Position, Recovered, Recovery};
use journal::{Directory, Journal, OpenError, Options, ReadError, ReplayError};

use super::adapter::{Adapter, place};
use crate::clock::{self, Clock};
use crate::config::Settings;
use crate::log::Log;

/// A journal whose records have been read.
#[derive(Debug)]
pub(crate) struct Opened {
    pub(crate) journal: Arc<Journal>,
    /// Whether the disk has no more room than it takes to make some.
    pub(crate) is_full: Arc<AtomicBool>,
    /// What the records say.
    pub(crate) recovered: Recovered,
    /// When the last process was last known to live.
    pub(crate) alive: Timestamp,
    /// The clock that goes on where the last process was last known to live.
    pub(crate) clock: Clock,
    /// What of it is worth telling.
    pub(crate) recollection: Recollection,
}

/// What a start found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Recollection {
    pub(crate) sessions: usize,
    pub(crate) queued_messages: usize,
    pub(crate) retained_messages: usize,
}

/// Why the data directory cannot be used.
#[derive(Debug)]
pub(crate) enum OpeningError {
    /// The journal cannot be opened.
    Journal(OpenError),
    /// A retained message cannot be read.
    Retained(ReadError),
    /// A retained message is there, and is none.
    Invalid(Position, InvalidRecord),
}

/// Opens the journal and reads it. Nothing is served before, so nothing is missed.
pub(crate) fn open(settings: &Settings, seed: u64, log: &Log) -> Result<Opened, OpeningError> {
    let directory = Directory::create(&settings.data_dir).map_err(OpeningError::Journal)?;
    let options = Options {
        segment_bytes: settings.journal.segment_bytes,
        checkpoint_bytes: settings.journal.checkpoint_bytes,
        seed,
        ..Options::default()
    };
    let mut recovery = Recovery::new();
    let mut replay = |position: journal::Position, record: &[u8]| {
        recovery.replay(Position::new(position.get()), record).map_err(ReplayError::new)
    };
    let (journal, found) = Journal::open(Box::new(directory), options, clock::unix_ms(), &mut replay)
        .map_err(OpeningError::Journal)?;
    if let Some(torn) = &found.torn_tail {
        let fields: [(&str, &dyn Display); 3] =
            [("file", &torn.file), ("offset", &torn.offset), ("bytes", &torn.bytes)];
        log.warn("the end of the journal was torn: what nobody was told is stored was cut off", &fields);
    }
    let recovered = read_retained(&journal, recovery.finish(), log)?;
    let recollection = Recollection {
        sessions: recovered.session_count(),
        queued_messages: recovered.queued_count(),
        retained_messages: recovered.retained_count(),
    };
    let clock = Clock::start(found.last_alive_unix_ms);
    let alive = Timestamp::from_millis(found.last_alive_unix_ms);
    let (journal, is_full) = (Arc::new(journal), Arc::default());
    Ok(Opened { journal, is_full, recovered, alive, clock, recollection })
}

/// Reads the retained messages that are only pointed at. They are served from memory, so all are read now.
fn read_retained(journal: &Journal, mut recovered: Recovered, log: &Log) -> Result<Recovered, OpeningError> {
    let mut reader = journal.reader();
    let mut record = Vec::new();
    let (mut missing, missing_max) = (0, recovered.replaced_max());
    for position in recovered.unread().to_vec() {
        match reader.read(place(position), &mut record) {
            Ok(()) => {}
            // It was replaced, cleared or moved, or it has expired, since the checkpoint that names it: only then is a
            // segment given back.
            Err(ReadError::Missing(_)) => {
                missing += 1;
                continue;
            }
            Err(error) => return Err(OpeningError::Retained(error)),
        }
        recovered.supply(position, &record).map_err(|error| OpeningError::Invalid(position, error))?;
    }
    if missing > missing_max {
        let fields: [(&str, &dyn Display); 1] = [("messages", &(missing - missing_max))];
        log.warn(
            "retained messages are gone: they have expired, or a file of the journal is missing",
            &fields,
        );
    }
    Ok(recovered)
}

impl Opened {
    /// The journal as the engine asks for it.
    pub(crate) fn for_engine(&self) -> Arc<dyn broker_core::journal::Journal> {
        Arc::new(Adapter { journal: Arc::clone(&self.journal), is_full: Arc::clone(&self.is_full) })
    }
}
