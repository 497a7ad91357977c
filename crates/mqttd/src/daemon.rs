//! Owns the life of the broker's process: open, serve, end. Each part does its own work; here they are
//! put together and told when to stop.

use std::io;
use std::net::SocketAddr;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Arc, Barrier};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use broker_core::Node;
use broker_core::journal::RecoveredShard;

use crate::bed::Bed;
use crate::clock::Clock;
use crate::config::{self, Settings};
use crate::error::{Error, StorageError};
use crate::listener::{Doors, Listener};
use crate::log::Log;
use crate::signal::{self, Signal};
use crate::storage::{self, Opened, Recollection, Storage};
use crate::worker::{self, Crew, Durable, EVENTS_MAX, Mail, Mailbox, Plan, Rule};

/// A broker that serves.
pub(crate) struct Daemon {
    addresses: Vec<SocketAddr>,
    workers: Vec<JoinHandle<()>>,
    mailboxes: Arc<[Mailbox]>,
    /// None if everything is kept in memory.
    storage: Option<Storage>,
    recollection: Option<(Recollection, Duration)>,
    events: Receiver<Event>,
    log: Log,
}

/// What the process waits for.
enum Event {
    Signal(Signal),
    /// One of the threads has ended.
    ThreadEnded,
}

/// The worker that accepts clients.
const ENTRANCE: usize = 0;

/// Tells when the thread that holds it has ended.
struct Guard(SyncSender<Event>);

impl Drop for Guard {
    fn drop(&mut self) {
        // Without a receiver the process ends anyway.
        let _ = self.0.send(Event::ThreadEnded);
    }
}

impl Daemon {
    /// Reads what was stored, starts all threads and opens the listeners. Clients are served from here on.
    pub(crate) fn start(settings: &Settings, log: Log) -> Result<Self, Error> {
        let failed = |what| move |source| Error::Start { what, source };
        end_on_panic();
        raise_descriptor_limit(&log);
        // Nothing is sent twice but signals, of which the first two count.
        let (sender, events) = sync_channel(settings.workers + 16);
        let signals = sender.clone();
        signal::watch(move |signal| signals.send(Event::Signal(signal)).is_ok())
            .map_err(failed("signals"))?;
        // Before the data is touched: a start that is refused for its address leaves no trace there.
        let listeners = settings.listen.iter().copied().map(Listener::bind).collect::<Result<Vec<_>, _>>()?;
        let addresses = listeners.iter().map(Listener::address).collect();
        let began = Instant::now();
        let opened = open_storage(settings, &log)?;
        let recollection = opened.as_ref().map(|opened| opened.recollection);
        let parts = Parts::assemble(settings, opened, log.clone())?;
        let mailboxes = Arc::clone(&parts.mailboxes);
        let entrance = parts.beds[ENTRANCE].registry().try_clone().map_err(failed("a worker"))?;
        let (workers, storage) = parts.start_workers(&sender)?;
        let recollection = recollection.map(|found| (found, began.elapsed()));
        listeners.iter().try_for_each(Listener::listen)?;
        let doors = Doors::open(listeners, &entrance).map_err(failed("the listeners"))?;
        mailboxes[ENTRANCE].put(Mail::Doors(doors));
        Ok(Self { addresses, workers, mailboxes, storage, recollection, events, log })
    }

    /// Where clients are accepted, in the order of the settings.
    pub(crate) fn addresses(&self) -> &[SocketAddr] {
        &self.addresses
    }

    /// What was stored by earlier processes, and how long it took to read it; none if everything is kept in memory.
    pub(crate) fn recollection(&self) -> Option<(Recollection, Duration)> {
        self.recollection
    }

    /// Serves until a signal asks for the end, then ends: nobody is accepted any more, every client is
    /// told, what waits for them is written, and then what is to be stored. A second signal cuts that short.
    pub(crate) fn serve(self) -> Result<(), Error> {
        if let Ok(Event::Signal(signal)) = self.events.recv() {
            self.log.info("ending", &[("signal", &signal)]);
        }
        for mailbox in self.mailboxes.iter() {
            mailbox.put(Mail::Shutdown);
        }
        let mut threads = self.workers.len();
        while threads > 0 {
            match self.events.recv() {
                Ok(Event::Signal(signal)) => return Err(Error::CutShort(signal)),
                Ok(Event::ThreadEnded) => threads -= 1,
                Err(_) => break,
            }
        }
        for worker in self.workers {
            // A panic has ended the process.
            let _ = worker.join();
        }
        if let Some(storage) = self.storage {
            storage.close().map_err(Error::Unsaved)?;
        }
        self.log.info("ended", &[]);
        Ok(())
    }
}

/// What the workers are made of.
struct Parts {
    node: Arc<Node>,
    mailboxes: Arc<[Mailbox]>,
    /// What each worker will sleep on.
    beds: Vec<Bed>,
    /// None if everything is kept in memory.
    storage: Option<Storage>,
    /// What each shard begins with, if something is stored.
    recovered: Vec<RecoveredShard>,
    clock: Clock,
    log: Log,
}

impl Parts {
    fn assemble(settings: &Settings, opened: Option<Opened>, log: Log) -> Result<Self, Error> {
        let (config, shards, seed) = (settings.engine.clone(), settings.workers, random_seed()?);
        let mailboxes: Arc<[Mailbox]> = (0..shards).map(|_| Mailbox::default()).collect();
        let beds = (0..shards).map(|_| Bed::new(EVENTS_MAX)).collect::<io::Result<_>>();
        let beds = beds.map_err(|source| Error::Start { what: "the workers", source })?;
        let Some(opened) = opened else {
            let node = Node::new(config, shards, seed);
            let clock = Clock::start(0);
            let (storage, recovered) = (None, Vec::new());
            return Ok(Self { node, mailboxes, beds, storage, recovered, clock, log });
        };
        let node = Node::with_journal(config, shards, seed, opened.for_engine());
        let Opened { journal, is_full, recovered, alive, clock, .. } = opened;
        // Before anything is written: what is still needed of the files is known only then.
        let recovered = node.restore(recovered, alive, clock.now());
        let storage = Storage::start(journal, is_full, Arc::clone(&node), &mailboxes, settings, clock, &log)
            .map_err(|source| Error::Start { what: "the journal's threads", source })?;
        Ok(Self { node, mailboxes, beds, storage: Some(storage), recovered, clock, log })
    }

    /// Starts all workers, and returns when each knows what it is to know: a publisher that is served before
    /// would publish past sessions that are not there yet.
    fn start_workers(
        self,
        sender: &SyncSender<Event>,
    ) -> Result<(Vec<JoinHandle<()>>, Option<Storage>), Error> {
        let Self { node, mailboxes, beds, storage, recovered, clock, log } = self;
        let mut recovered = recovered.into_iter();
        let everyone = Arc::new(Barrier::new(mailboxes.len()));
        let (unready, ready) = sync_channel::<()>(0);
        let mut workers = Vec::new();
        let mut places = match mailboxes.len() {
            1 => Vec::new(),
            _ => Crew::assemble(&mailboxes, Rule::default())
                .map_err(|source| Error::Start { what: "the workers' threads", source })?,
        }
        .into_iter();
        for (id, bed) in node.shards().zip(beds) {
            let durable = storage.as_ref().zip(recovered.next());
            let plan = Plan {
                id,
                bed,
                node: Arc::clone(&node),
                mailboxes: Arc::clone(&mailboxes),
                everyone: Arc::clone(&everyone),
                seed: random_seed()?,
                durable: durable.map(|(storage, recovered)| Durable { link: storage.link(id), recovered }),
                clock,
                log: log.clone(),
                place: places.next(),
            };
            let thread = worker::start(plan, unready.clone(), Guard(sender.clone()));
            workers.push(thread.map_err(|source| Error::Start { what: "a worker's thread", source })?);
        }
        drop(unready);
        // Nothing is ever sent: it ends when the last of them is ready.
        let _ = ready.recv();
        Ok((workers, storage))
    }
}

/// Opens the data directory, if there is to be one.
fn open_storage(settings: &Settings, log: &Log) -> Result<Option<Opened>, Error> {
    match settings.storage {
        config::Storage::Memory => Ok(None),
        config::Storage::Disk => {
            let failed = |what| move |source| Error::Start { what, source };
            signal::outlive_file_size_limit().map_err(failed("signals"))?;
            let opened = storage::open(settings, random_seed()?, log);
            opened.map(Some).map_err(|reason| {
                Error::Storage(StorageError { directory: settings.data_dir.clone(), reason })
            })
        }
    }
}

/// A broken invariant ends the process. The other threads would go on without one of the shards, which was left
/// in the middle of a step: what they promise could not be kept.
fn end_on_panic() {
    let report = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |panic| {
        report(panic);
        std::process::abort();
    }));
}

/// A client takes a descriptor: the soft limit, often 1,024, is raised to the hard one. What cannot be
/// raised is said and lived with.
fn raise_descriptor_limit(log: &Log) {
    match rlimit::increase_nofile_limit(u64::MAX) {
        Ok(limit) => log.debug("descriptor limit", &[("descriptors", &limit)]),
        Err(error) => log.warn("cannot raise the descriptor limit", &[("error", &error)]),
    }
}

/// A number that strangers cannot guess.
fn random_seed() -> Result<u64, Error> {
    let failed = |error| Error::Start { what: "random numbers", source: io::Error::other(error) };
    getrandom::u64().map_err(failed)
}
