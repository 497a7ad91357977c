//! Owns the journal of a running daemon: it is opened before anybody is served, its threads run beside the
//! workers, and it is closed behind them. What the records mean is the engine's business, how they are kept
//! the journal's.

mod adapter;
mod checkpoint;
mod link;
mod open;
mod reader;
mod relocation;
mod reserve;
mod upkeep;
mod waiting;
mod writer;

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize};
use std::sync::mpsc::Sender;
use std::thread::JoinHandle;

use broker_core::{Node, ShardId};
use journal::Journal;

pub(crate) use self::link::Link;
pub(crate) use self::open::{Opened, OpeningError, Recollection, open};
use self::reader::{Reader, Request};
use self::relocation::Survey;
use self::reserve::Reserve;
use self::upkeep::Upkeep;
use self::waiting::Waiting;
pub(crate) use self::writer::Unsaved;
use self::writer::Writer;
use crate::clock::Clock;
use crate::config::Settings;
use crate::log::Log;
use crate::worker::Mailbox;

/// The journal while the daemon serves.
pub(crate) struct Storage {
    shared: Arc<Shared>,
    requests: Sender<Request>,
    writer: Writer,
    reader: JoinHandle<()>,
    upkeep: JoinHandle<()>,
}

/// What the workers share with the journal's threads.
#[derive(Debug)]
struct Shared {
    journal: Arc<Journal>,
    waiting: Waiting,
    /// Bytes of a file that is full.
    segment_bytes: u64,
    /// Workers that have not recorded their part of the checkpoint under way.
    unrecorded: AtomicUsize,
    /// What the workers still need of the places that are to be given up.
    survey: Survey,
    node: Arc<Node>,
}

impl Storage {
    /// Starts the threads that write and read.
    pub(crate) fn start(
        journal: Arc<Journal>,
        is_full: Arc<AtomicBool>,
        node: Arc<Node>,
        mailboxes: &Arc<[Mailbox]>,
        settings: &Settings,
        clock: Clock,
        log: &Log,
    ) -> io::Result<Self> {
        let waiting = Waiting::new(Arc::clone(mailboxes));
        let shared = Arc::new(Shared {
            journal,
            waiting,
            segment_bytes: settings.journal.segment_bytes,
            unrecorded: AtomicUsize::new(0),
            survey: Survey::default(),
            node,
        });
        let place = settings.data_dir.display().to_string();
        let reserve = Reserve::new(&settings.data_dir, settings.journal.segment_bytes, is_full);
        let (requests, receiver) = reader::requests();
        let reader = Reader::new(Arc::clone(&shared.journal), Arc::clone(mailboxes), log.clone());
        let (upkeep, upkeep_thread) = Upkeep::start(Arc::clone(&shared), clock, log.clone())?;
        Ok(Self {
            reader: reader.start(receiver)?,
            writer: Writer::start(Arc::clone(&shared), upkeep, reserve, place, clock, log.clone())?,
            upkeep: upkeep_thread,
            requests,
            shared,
        })
    }

    /// One worker's end of it.
    pub(crate) fn link(&self, shard: ShardId) -> Link {
        Link::new(Arc::clone(&self.shared), self.requests.clone(), shard)
    }

    /// Writes what is left, when no worker is.
    ///
    /// # Errors
    /// The disk took no more: what is left is lost. Nobody was told that it was kept.
    pub(crate) fn close(self) -> Result<(), Unsaved> {
        let Self { shared, requests, writer, reader, upkeep } = self;
        drop(requests);
        // A panic has ended the process.
        let _ = reader.join();
        let outcome = writer.stop(&shared.journal);
        // What it copied last nobody has heard of.
        let _ = upkeep.join();
        outcome
    }
}

#[cfg(test)]
impl Shared {
    /// What so many workers share that the test plays, and a journal that nobody writes but the test.
    fn for_test(workers: usize) -> (tempfile::TempDir, Arc<Self>) {
        let directory = tempfile::tempdir().expect("a directory");
        let disk = journal::Directory::create(directory.path()).expect("it is there");
        let options = journal::Options::default();
        let opened = Journal::open(Box::new(disk), options, 1, &mut |_, _| Ok(()));
        let shared = Self {
            journal: Arc::new(opened.expect("an empty journal").0),
            waiting: Waiting::new((0..workers).map(|_| Mailbox::default()).collect()),
            segment_bytes: options.segment_bytes,
            unrecorded: AtomicUsize::new(0),
            survey: Survey::default(),
            node: Node::new(broker_core::config::Config::default(), workers, 0),
        };
        (directory, Arc::new(shared))
    }
}
