//! Owns the thread of one worker: its parts, its tasks, its end. What the tasks do is theirs.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::io;
use std::rc::Rc;
use std::sync::Arc;
use std::thread::JoinHandle;

use broker_core::{Effects, Node, Shard, ShardId};
use tokio::runtime::Builder;

use super::connections::Connections;
use super::outgoing::Outgoing;
use super::receive::READ_BUFFER_BYTES;
use super::tick::Tick;
use super::timer::{Alarm, Timer};
use super::{Closing, Dirty, Life, Mailbox, Worker};
use crate::clock::Clock;
use crate::log::Log;
use crate::outbox::BufferPool;
use crate::thread::Thread;

/// Bytes of the thread's stack.
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

/// Starts the worker's thread. `guard` is dropped when it ends, however it ends.
pub(crate) fn start(plan: Plan, guard: impl Send + 'static) -> io::Result<JoinHandle<()>> {
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
            let worker = Rc::new(RefCell::new(Worker::new(plan)));
            tokio::task::spawn_local(Alarm::new(Rc::clone(&worker)));
            // A panic has ended the process already.
            let _ = tokio::task::spawn_local(Tick::new(worker)).await;
        });
    })
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
