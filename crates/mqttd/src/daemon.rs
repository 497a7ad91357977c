//! Owns the life of the broker's process: open, serve, end. Each part does its own work; here they are
//! put together and told when to stop.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread::JoinHandle;

use broker_core::Node;

use crate::clock::Clock;
use crate::config::Settings;
use crate::error::Error;
use crate::handshake::Reception;
use crate::listener::{Acceptor, Listener};
use crate::log::Log;
use crate::signal::{self, Signal};
use crate::worker::{self, Mail, Mailbox, Plan};

/// A broker that serves.
pub(crate) struct Daemon {
    addresses: Vec<SocketAddr>,
    acceptor: Acceptor,
    workers: Vec<JoinHandle<()>>,
    mailboxes: Arc<[Mailbox]>,
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
    /// Opens the listeners and starts all threads. Clients are served from here on.
    pub(crate) fn start(settings: &Settings, log: Log) -> Result<Self, Error> {
        let failed = |what| move |source| Error::Start { what, source };
        end_on_panic();
        raise_descriptor_limit(&log);
        // Nothing is sent twice but signals, of which the first two count.
        let (sender, events) = sync_channel(settings.workers + 16);
        let signals = sender.clone();
        signal::watch(move |signal| signals.send(Event::Signal(signal)).is_ok())
            .map_err(failed("signals"))?;
        let listeners = settings.listen.iter().copied().map(Listener::open).collect::<Result<Vec<_>, _>>()?;
        let addresses = listeners.iter().map(Listener::address).collect();

        let node =
            Node::new(settings.engine.clone(), settings.workers, random().map_err(failed("random numbers"))?);
        let mailboxes: Arc<[Mailbox]> = node.shards().map(|_| Mailbox::default()).collect();
        let clock = Clock::start();
        let mut workers = Vec::new();
        for id in node.shards() {
            let plan = Plan {
                id,
                node: Arc::clone(&node),
                mailboxes: Arc::clone(&mailboxes),
                seed: random().map_err(failed("random numbers"))?,
                clock,
                log: log.clone(),
            };
            workers.push(worker::start(plan, Guard(sender.clone())).map_err(failed("a worker's thread"))?);
        }
        let reception = {
            let (mailboxes, log) = (Arc::clone(&mailboxes), log.clone());
            move || Reception::new(node, mailboxes, log)
        };
        let acceptor = Acceptor::start(listeners, reception, log.clone(), Guard(sender))
            .map_err(failed("the listener's thread"))?;
        Ok(Self { addresses, acceptor, workers, mailboxes, events, log })
    }

    /// Where clients are accepted, in the order of the settings.
    pub(crate) fn addresses(&self) -> &[SocketAddr] {
        &self.addresses
    }

    /// Serves until a signal asks for the end, then ends: nobody is accepted any more, every client is
    /// told, and what waits for them is written. A second signal cuts that short.
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
        self.log.info("ended", &[]);
        Ok(())
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
