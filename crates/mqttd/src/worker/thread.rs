//! Owns the thread of one worker: its runtime, its tasks, its end. What the tasks do is theirs.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::io;
use std::rc::Rc;
use std::sync::Arc;
use std::thread::JoinHandle;

use broker_core::{Effects, Node, Shard, ShardId};
use tokio::runtime::{Builder, LocalOptions, LocalRuntime};

use super::connections::Connections;
use super::outgoing::Outgoing;
use super::receive::READ_BUFFER_BYTES;
use super::tick::Tick;
use super::timer::{Alarm, Timer};
use super::{Closing, Dirty, Life, Mailbox, Worker};
use crate::clock::Clock;
use crate::log::Log;
use crate::outbox::BufferPool;

/// Bytes of address space for the thread's stack; memory is used only as far as it is touched.
const STACK_BYTES: usize = 1024 * 1024;

/// What a worker is made of.
pub(crate) struct Plan {
    pub(crate) id: ShardId,
    pub(crate) node: Arc<Node>,
    /// Of all workers, by shard.
    pub(crate) mailboxes: Arc<[Mailbox]>,
    pub(crate) seed: u64,
    pub(crate) clock: Clock,
    pub(crate) log: Log,
}

/// Starts the worker's thread. `guard` is dropped when it ends, however it ends. The outcome tells
/// whether the system gave it what it needs.
pub(crate) fn start(plan: Plan, guard: impl Send + 'static) -> io::Result<JoinHandle<io::Result<()>>> {
    std::thread::Builder::new().name(format!("worker-{}", plan.id.0)).stack_size(STACK_BYTES).spawn(
        move || {
            let _guard = guard;
            run(plan)
        },
    )
}

fn run(plan: Plan) -> io::Result<()> {
    let runtime = runtime(plan.id, &plan.mailboxes)?;
    runtime.block_on(async {
        let worker = Rc::new(RefCell::new(Worker::new(plan)));
        tokio::task::spawn_local(Alarm::new(Rc::clone(&worker)));
        // A panic has ended the process already.
        let _ = tokio::task::spawn_local(Tick::new(worker)).await;
    });
    Ok(())
}

fn runtime(id: ShardId, mailboxes: &Arc<[Mailbox]>) -> io::Result<LocalRuntime> {
    let own = usize::from(id.0);
    let (parking, unparking) = (Arc::clone(mailboxes), Arc::clone(mailboxes));
    Builder::new_current_thread()
        .enable_io()
        .enable_time()
        .on_thread_park(move || parking[own].about_to_park())
        .on_thread_unpark(move || unparking[own].unparked())
        .build_local(LocalOptions::default())
}

impl Worker {
    fn new(plan: Plan) -> Self {
        let Plan { id, node, mailboxes, seed, clock, log } = plan;
        let now = clock.now();
        Self {
            id,
            shard: Shard::new(Arc::clone(&node), id, seed, now),
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
            effects: Effects::new(),
            effect_list: Vec::new(),
        }
    }
}
