//! Owns how a worker and its thread begin, and what it is made of. Which thread gives it its turns then is the crew's
//! business.

use std::collections::VecDeque;
use std::io;
use std::sync::{Arc, Barrier};
use std::thread::JoinHandle;

use broker_core::journal::RecoveredShard;
use broker_core::timers::TICK_MS;
use broker_core::{Node, Shard, ShardId, Timestamp};
use mio::Waker;

use super::connections::Connections;
use super::crew::Place;
use super::host::Host;
use super::outgoing::Outgoing;
use super::phase::Deadlines;
use super::receive::READ_BUFFER_BYTES;
use super::wait::MAIL;
use super::{Dirty, Life, Mailbox, Worker};
use crate::bed::Bed;
use crate::clock::Clock;
use crate::listener::Doors;
use crate::log::Log;
use crate::outbox::BufferPool;
use crate::storage::Link;

/// Bytes of the thread's stack.
const STACK_BYTES: usize = 1024 * 1024;

/// What a worker is made of.
pub(crate) struct Plan {
    pub(crate) id: ShardId,
    /// In which its connections will be registered.
    pub(crate) bed: Bed,
    pub(crate) node: Arc<Node>,
    /// Of all workers, by shard.
    pub(crate) mailboxes: Arc<[Mailbox]>,
    /// Where the workers wait for each other until each has its shard: what one publishes, the others are to
    /// have their sessions for.
    pub(crate) everyone: Arc<Barrier>,
    pub(crate) seed: u64,
    /// Its end of the journal and what is known from an earlier process; none if everything is kept in memory.
    pub(crate) durable: Option<Durable>,
    pub(crate) clock: Clock,
    pub(crate) log: Log,
    /// The thread's among those that share the workers; none if there is one worker.
    pub(crate) place: Option<Place>,
}

/// What makes a worker's shard outlive the process.
pub(crate) struct Durable {
    pub(crate) link: Link,
    pub(crate) recovered: RecoveredShard,
}

/// Starts the worker and a thread, as many of one as of the other. `unready` is dropped when clients may be served,
/// `guard` when the thread ends, however it ends.
pub(crate) fn start(
    mut plan: Plan,
    unready: impl Send + 'static,
    guard: impl Send + 'static,
) -> io::Result<JoinHandle<()>> {
    let own = usize::from(plan.id.0);
    // Here, so that the thread needs nothing that the system could refuse, however many clients come.
    plan.mailboxes[own].set_reader(Waker::new(plan.bed.registry(), MAIL)?);
    let body = move || {
        let _guard = guard;
        let (everyone, place, clock) = (Arc::clone(&plan.everyone), plan.place.take(), plan.clock);
        let mut worker = Worker::new(plan);
        everyone.wait();
        worker.catch_up(worker.now.plus_millis(TICK_MS));
        worker.await_disk();
        let Some(place) = place else {
            drop(unready);
            return worker.run();
        };
        place.crew.begin(Box::new(worker));
        drop(unready);
        Host::new(place, clock).run();
    };
    std::thread::Builder::new().name(format!("worker-{own}")).stack_size(STACK_BYTES).spawn(body)
}

impl Worker {
    pub(super) fn new(plan: Plan) -> Self {
        let Plan { id, bed, node, mailboxes, everyone: _, seed, durable, clock, log, place: _ } = plan;
        let now = clock.now();
        let (shard, journal) = match durable {
            None => (Shard::new(Arc::clone(&node), id, seed, now), None),
            Some(Durable { link, recovered }) => {
                (Shard::recover(Arc::clone(&node), id, seed, now, recovered), Some(link))
            }
        };
        Self {
            id,
            shard,
            journal,
            has_recorded: false,
            node,
            log,
            clock,
            now,
            due: Timestamp::ZERO,
            bed,
            connections: Connections::default(),
            near: None,
            doors: Doors::default(),
            ready: Vec::new(),
            dirty: Dirty::default(),
            outbox_reports: VecDeque::new(),
            pool: BufferPool::default(),
            outgoing: Outgoing::new(id, mailboxes),
            held_back: Vec::new(),
            deadlines: Deadlines::default(),
            strangers: 0,
            appended_bytes: 0,
            read_buffer: vec![0; READ_BUFFER_BYTES].into(),
            life: Life::Serving,
            effects: Some(Box::default()),
            mail: Vec::new(),
            read: Vec::new(),
            senders: Vec::new(),
        }
    }
}
