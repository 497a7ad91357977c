//! Owns the life of the broker's process: open, serve, end. Each part does its own work; here they are
//! put together and told when to stop.

use std::io;
use std::net::SocketAddr;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Arc, Barrier};
use std::thread::JoinHandle;

use broker_core::Node;

use crate::clock::Clock;
use crate::config::{self, Settings};
use crate::error::{Error, StorageError};
use crate::handshake::Reception;
use crate::listener::{Acceptor, Listener};
use crate::log::Log;
use crate::signal::{self, Signal};
use crate::storage::{self, Opened, Recollection, Storage};
use crate::worker::{self, Durable, Mail, Mailbox, Plan};

/// A broker that serves.
pub(crate) struct Daemon {
    addresses: Vec<SocketAddr>,
    acceptor: Acceptor,
    workers: Vec<JoinHandle<()>>,
    mailboxes: Arc<[Mailbox]>,
    /// None if everything is kept in memory.
    storage: Option<Storage>,
    recollection: Option<Recollection>,
    events: Receiver<Event>,
    log: Log,
}

/// What the process waits for.
enum Event {
    Signal(Signal),
    /// One of the threads has ended.
    ThreadEnded,
}

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
        let opened = open_storage(settings, &log)?;
        let seed = random().map_err(failed("random numbers"))?;
        let config = settings.engine.clone();
        let node = match &opened {
            None => Node::new(config, settings.workers, seed),
            Some(opened) => Node::with_journal(config, settings.workers, seed, opened.for_engine()),
        };
        let mailboxes: Arc<[Mailbox]> = node.shards().map(|_| Mailbox::default()).collect();
        let clock = opened.as_ref().map_or_else(|| Clock::start(0), |opened| opened.clock);
        let recollection = opened.as_ref().map(|opened| opened.recollection);
        let (storage, mut recovered) = match opened {
            None => (None, Vec::new()),
            Some(Opened { journal, recovered, alive, .. }) => {
                // Before anything is written: what is still needed of the files is known only then.
                let recovered = node.restore(recovered, alive, clock.now());
                let storage = Storage::start(journal, Arc::clone(&node), &mailboxes, settings, clock, &log)
                    .map_err(failed("the journal's threads"))?;
                (Some(storage), recovered)
            }
        };
        let mut recovered = recovered.drain(..);
        let everyone = Arc::new(Barrier::new(settings.workers));
        let (unready, ready) = sync_channel::<()>(0);
        let mut workers = Vec::new();
        for id in node.shards() {
            let durable = storage.as_ref().zip(recovered.next());
            let plan = Plan {
                id,
                node: Arc::clone(&node),
                mailboxes: Arc::clone(&mailboxes),
                everyone: Arc::clone(&everyone),
                seed: random().map_err(failed("random numbers"))?,
                durable: durable.map(|(storage, recovered)| Durable { link: storage.link(id), recovered }),
                clock,
                log: log.clone(),
            };
            let thread = worker::start(plan, unready.clone(), Guard(sender.clone()));
            workers.push(thread.map_err(failed("a worker's thread"))?);
        }
        drop(unready);
        // A publisher that is served before every shard knows its sessions would publish past some of them.
        // Nothing is ever sent: this is the moment when the last of them is ready.
        let _ = ready.recv();
        let listeners = settings.listen.iter().copied().map(Listener::open).collect::<Result<Vec<_>, _>>()?;
        let addresses = listeners.iter().map(Listener::address).collect();
        let reception = {
            let (mailboxes, log) = (Arc::clone(&mailboxes), log.clone());
            move || Reception::new(node, mailboxes, log)
        };
        let acceptor = Acceptor::start(listeners, reception, log.clone(), Guard(sender))
            .map_err(failed("the listener's thread"))?;
        Ok(Self { addresses, acceptor, workers, mailboxes, storage, recollection, events, log })
    }

    /// Where clients are accepted, in the order of the settings.
    pub(crate) fn addresses(&self) -> &[SocketAddr] {
        &self.addresses
    }

    /// What was stored by earlier processes; none if everything is kept in memory.
    pub(crate) fn recollection(&self) -> Option<Recollection> {
        self.recollection
    }

    /// Serves until a signal asks for the end, then ends: nobody is accepted any more, every client is
    /// told, what waits for them is written, and then what is to be stored. A second signal cuts that short.
    pub(crate) fn serve(self) -> Result<(), Error> {
        if let Ok(Event::Signal(signal)) = self.events.recv() {
            self.log.info("ending", &[("signal", &signal)]);
        }
        self.acceptor.stop();
        for mailbox in self.mailboxes.iter() {
            mailbox.put(Mail::Shutdown);
        }
        // The acceptor's thread has ended as well.
        let mut threads = self.workers.len() + 1;
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

/// Opens the data directory, if there is to be one.
fn open_storage(settings: &Settings, log: &Log) -> Result<Option<Opened>, Error> {
    match settings.storage {
        config::Storage::Memory => Ok(None),
        config::Storage::Disk => {
            let failed = |what| move |source| Error::Start { what, source };
            signal::outlive_file_size_limit().map_err(failed("signals"))?;
            let seed = random().map_err(failed("random numbers"))?;
            let opened = storage::open(settings, seed, log);
            opened.map(Some).map_err(|reason| {
                Error::Storage(StorageError { directory: settings.data_dir.clone(), reason })
            })
        }
    }
}

/// A broken invariant ends the process. The runtime would go on with the other tasks, and they with a
/// shard that was left in the middle of a step: nothing it says could be believed.
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

fn random() -> io::Result<u64> {
    getrandom::u64().map_err(io::Error::other)
}
