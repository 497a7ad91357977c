//! Owns the thread that does for the journal what takes the disk long and nobody waits for: it deletes files and copies
//! records. When there is something to delete or to copy is the writer's business.
//!
//! On the writer's thread every acknowledgement would wait for it: to delete a file of 64 MiB takes ten milliseconds and
//! more, and to read what is needed of one as long as the disk takes.

use std::fmt::Display;
use std::io;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread::JoinHandle;

use super::Shared;
use crate::clock::Clock;
use crate::log::{Level, Log, Throttle};

/// Bytes of the thread's stack.
const STACK_BYTES: usize = 256 * 1024;

/// Errands that wait: one of each kind and one that came while its like was run.
const ERRANDS_MAX: usize = 3;

/// Seconds between two lines about files that cannot be deleted.
const LOG_INTERVAL_SECONDS: u64 = 300;

/// What there is to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Errand {
    /// Delete the files that nobody needs.
    GiveBack,
    /// Copy some of the records that are to be relocated.
    Copy,
}

/// The way to the running thread. It ends when this is dropped.
#[derive(Debug)]
pub(super) struct Upkeep {
    errands: SyncSender<Errand>,
}

impl Upkeep {
    /// Starts it.
    pub(super) fn start(shared: Arc<Shared>, clock: Clock, log: Log) -> io::Result<(Self, JoinHandle<()>)> {
        let (errands, receiver) = sync_channel(ERRANDS_MAX);
        let task = Task { shared, clock, log, cannot_delete: Throttle::new(LOG_INTERVAL_SECONDS) };
        let thread = std::thread::Builder::new().name("journal-upkeep".to_owned());
        let thread = thread.stack_size(STACK_BYTES).spawn(move || task.run(&receiver))?;
        Ok((Self { errands }, thread))
    }

    /// Has something done, and tells whether it will be: not if too much waits already. Nobody waits here.
    pub(super) fn ask(&self, errand: Errand) -> bool {
        self.errands.try_send(errand).is_ok()
    }
}

/// The thread's own.
struct Task {
    shared: Arc<Shared>,
    clock: Clock,
    log: Log,
    cannot_delete: Throttle,
}

impl Task {
    fn run(&self, errands: &Receiver<Errand>) {
        for errand in errands {
            match errand {
                Errand::GiveBack => self.give_back(),
                Errand::Copy => {
                    self.shared.survey.copy_some(&self.shared.journal, &self.log);
                    self.shared.journal.kick();
                }
            }
        }
    }

    fn give_back(&self) {
        match self.shared.journal.reclaim(self.clock.now().as_millis()) {
            Ok(reclaimed) if reclaimed.segments > 0 => {
                let fields: [(&str, &dyn Display); 2] =
                    [("files", &reclaimed.segments), ("bytes", &reclaimed.bytes)];
                self.log.debug("space given back", &fields);
            }
            Ok(_) => {}
            Err(error) => {
                let fields: [(&str, &dyn Display); 1] = [("error", &error)];
                self.log.event_throttled(&self.cannot_delete, Level::Warn, "cannot give space back", &fields);
            }
        }
    }
}
