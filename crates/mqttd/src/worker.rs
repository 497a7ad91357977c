//! Owns one shard and everything it needs of this machine: its connections, its mail, its clock. It
//! carries out what the shard wants; what that is, is the shard's business.
//!
//! All of a worker is one value behind one `RefCell`. Only hand-written futures borrow it, each for one
//! turn, so that no borrow is ever held over a wait.

mod apply;
mod arrive;
mod close;
mod connections;
mod durability;
mod flush;
mod mailbox;
mod outgoing;
mod receive;
mod thread;
mod tick;
mod timer;

use std::cell::RefCell;
use std::collections::VecDeque;
use std::rc::Rc;
use std::sync::Arc;
use std::task::Waker;

use broker_core::{ConnectionId, Effects, Input, Node, Shard, ShardId, ShardStats, Timestamp};

use self::close::Closing;
use self::connections::Connections;
use self::flush::{Dirty, Report};
pub(crate) use self::mailbox::{Mail, Mailbox};
use self::outgoing::Outgoing;
pub(crate) use self::thread::{Durable, Plan, start};
use crate::clock::Clock;
use crate::log::Log;
use crate::outbox::BufferPool;
use crate::storage::Link;

/// What all tasks of a worker's thread share.
pub(crate) type SharedWorker = Rc<RefCell<Worker>>;

/// One worker.
pub(crate) struct Worker {
    id: ShardId,
    node: Arc<Node>,
    shard: Shard,
    log: Log,
    clock: Clock,
    /// The time of this turn. A turn is short: reading the clock for each of its steps would cost as
    /// much as decoding a packet.
    now: Timestamp,
    connections: Connections,
    pool: BufferPool,
    /// Connections that the tick is to write to.
    dirty: Dirty,
    /// What the shard has not been told yet of its connections' outboxes, in order.
    outbox_reports: VecDeque<Report>,
    outgoing: Outgoing,
    /// Where the shard's records go; none if everything is kept in memory.
    journal: Option<Link>,
    /// Whether the shard has recorded its part of a checkpoint and nobody knows yet.
    has_recorded: bool,
    /// Connections that wait until other workers have room for mail, or the disk has written enough.
    held_back: Vec<ConnectionId>,
    closing: Closing,
    /// Bytes appended to outboxes since the start.
    appended_bytes: u64,
    /// Where a connection's bytes are read to; a connection has a buffer of its own only for a packet
    /// that is not whole.
    read_buffer: Box<[u8]>,
    /// Wakes the task that receives mail, posts and writes.
    tick: Option<Waker>,
    timer: timer::Timer,
    life: Life,
    /// Kept from step to step; out of its place during one.
    effects: Option<Box<Effects>>,
}

/// Whether the worker serves or ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Life {
    /// Clients are served.
    Serving,
    /// Nothing more is read; what is on its way to the disk is waited for, so that clients hear of it.
    Finishing,
    /// Clients are told; the worker ends with its last connection.
    Ending,
}

impl Worker {
    /// Lets the shard take one input and carries out what it wants.
    #[inline(always)]
    pub(crate) fn step(&mut self, input: Input<'_>) {
        let mut effects = self.begin_step();
        self.shard.handle(input, self.now, &mut effects);
        self.end_step(effects);
        if !self.outbox_reports.is_empty() {
            self.report_outboxes();
        }
        // Between steps, never within one: a mailbox that is found full holds back the next step, and
        // this one's messages are all in time.
        if self.outgoing.is_large() {
            self.post();
        }
    }

    /// Takes out what a step is to fill. Without a panic: for that the input would have to be kept where it is, and
    /// moved at the size of the largest.
    #[inline]
    fn begin_step(&mut self) -> Box<Effects> {
        debug_assert!(self.effects.is_some(), "no step begins within another");
        self.effects.take().unwrap_or_default()
    }

    /// Carries out what a step wants.
    #[inline]
    fn end_step(&mut self, mut effects: Box<Effects>) {
        self.apply(&mut effects);
        self.effects = Some(effects);
    }

    /// Begins the turn of a task.
    pub(crate) fn begin_turn(&mut self) {
        self.now = self.clock.now();
        self.look_behind();
    }

    /// Ends the turn of a task: what came up for the tick and the timer is theirs from here.
    pub(crate) fn end_turn(&mut self) {
        if self.outgoing.own_mailbox().has_mail() || self.has_to_flush_journal() {
            self.wake_tick();
        }
        self.arm_timer();
    }

    /// The most bytes one packet may have.
    pub(crate) fn packet_bytes_max(&self) -> u32 {
        self.node.config.limits.packet_bytes_max
    }

    /// Bytes appended to all outboxes since the start, to measure a turn by.
    pub(crate) fn appended_bytes(&self) -> u64 {
        self.appended_bytes
    }

    fn stats(&self) -> &ShardStats {
        self.node.stats.shard(self.id)
    }

    fn wake_tick(&self) {
        if let Some(tick) = &self.tick {
            tick.wake_by_ref();
        }
    }
}

#[cfg(test)]
mod tests;
