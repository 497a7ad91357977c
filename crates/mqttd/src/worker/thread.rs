//! Owns the thread of one worker: its parts, its tasks, its end. What the tasks do is theirs.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::io;
use std::rc::Rc;
use std::sync::{Arc, Barrier};
use std::thread::JoinHandle;

use broker_core::journal::RecoveredShard;
use broker_core::timers::TICK_MS;
use broker_core::{Node, Shard, ShardId};
use tokio::runtime::Builder;

use super::connections::Connections;
use super::outgoing::Outgoing;
use super::receive::READ_BUFFER_BYTES;
use super::tick::Tick;
use super::timer::{Alarm, Timer};
use super::{Closing, Dirty, Life, Mailbox, SharedWorker, Worker};
use crate::clock::Clock;
use crate::log::Log;
use crate::outbox::BufferPool;
use crate::storage::Link;
use crate::thread::Thread;

/// Bytes of the thread's stack.
const STACK_BYTES: usize = 1024 * 1024;

/// What a worker is made of.
pub(crate) struct Plan {
    pub(crate) id: ShardId,
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
}

/// What makes a worker's shard outlive the process.
pub(crate) struct Durable {
    pub(crate) link: Link,
    pub(crate) recovered: RecoveredShard,
}

/// Starts the worker's thread. `unready` is dropped when clients may be served, `guard` when the thread ends,
/// however it ends.
pub(crate) fn start(
    plan: Plan,
    unready: impl Send + 'static,
    guard: impl Send + 'static,
) -> io::Result<JoinHandle<()>> {
    let own = usize::from(plan.id.0);
    let (parking, unparking) = (Arc::clone(&plan.mailboxes), Arc::clone(&plan.mailboxes));
    let configure = move |builder: &mut Builder| {
        builder
            .on_thread_park(move || parking[own].about_to_park())
            .on_thread_unpark(move || unparking[own].unparked());
    };
    Thread { name: format!("worker-{own}"), stack_bytes: STACK_BYTES }.start(configure, move |runtime| {
        let _guard = guard;
        runtime.block_on(async {
            let everyone = Arc::clone(&plan.everyone);
            let worker = Rc::new(RefCell::new(Worker::new(plan)));
            everyone.wait();
            catch_up(&worker).await;
            drop(unready);
            tokio::task::spawn_local(Alarm::new(Rc::clone(&worker)));
            // A panic has ended the process already.
            let _ = tokio::task::spawn_local(Tick::new(worker)).await;
        });
    })
}

/// Does what came due while no process ran, before anybody could find it undone.
async fn catch_up(worker: &SharedWorker) {
    let settled = worker.borrow().now.plus_millis(TICK_MS);
    loop {
        let due = worker.borrow().instant_of_deadline(settled);
        let Some(due) = due else { return };
        tokio::time::sleep_until(due.into()).await;
        let mut worker = worker.borrow_mut();
        worker.begin_turn();
        worker.time_has_come();
    }
}

impl Worker {
    fn new(plan: Plan) -> Self {
        let Plan { id, node, mailboxes, everyone: _, seed, durable, clock, log } = plan;
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
            connections: Connections::default(),
            pool: BufferPool::default(),
            dirty: Dirty::default(),
            outbox_reports: VecDeque::new(),
            outgoing: Outgoing::new(id, mailboxes),
            held_back: Vec::new(),
            closing: Closing::default(),
            appended_bytes: 0,
            read_buffer: vec![0; READ_BUFFER_BYTES].into(),
            tick: None,
            timer: Timer::new(),
            life: Life::Serving,
            effects: Some(Box::default()),
        }
    }
}
