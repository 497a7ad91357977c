//! Owns one shard and everything it needs of this machine: its thread, its connections, its mail, its
//! clock. It carries out what the shard wants; what that is, is the shard's business.

mod apply;
mod close;
mod connections;
mod crew;
mod due;
mod durability;
mod flush;
mod greet;
mod host;
mod mail;
mod mailbox;
mod near;
mod outgoing;
mod phase;
mod receive;
mod rule;
mod thread;
mod wait;

use std::collections::VecDeque;
use std::sync::Arc;

use broker_core::{ConnectionId, Effects, Input, Node, PeerBatch, Shard, ShardId, ShardStats, Timestamp};

use self::connections::Connections;
pub(crate) use self::crew::Crew;
use self::flush::{Dirty, Report};
use self::mailbox::Batches;
pub(crate) use self::mailbox::{Mail, Mailbox};
use self::near::Near;
use self::outgoing::Outgoing;
use self::phase::Deadlines;
pub(crate) use self::rule::Rule;
pub(crate) use self::thread::{Durable, Plan, start};
pub(crate) use self::wait::EVENTS_MAX;
use crate::bed::Bed;
use crate::clock::Clock;
use crate::listener::Doors;
use crate::log::Log;
use crate::outbox::BufferPool;
use crate::storage::Link;

/// One worker. All it does, it does in turns: [`run`](Self::run) is the whole of it.
pub(crate) struct Worker {
    id: ShardId,
    node: Arc<Node>,
    shard: Shard,
    log: Log,
    clock: Clock,
    /// The time of this turn. A turn is short: reading the clock for each of its steps would cost as
    /// much as decoding a packet.
    now: Timestamp,
    /// When something is due by itself, as far as was known when the last turn ended.
    due: Timestamp,
    bed: Bed,
    connections: Connections,
    /// Connections that the thread watches; none if the worker has it for itself.
    near: Option<Near>,
    /// Where clients are accepted: on one of the workers.
    doors: Doors,
    /// Connections that may have something to be read.
    ready: Vec<ConnectionId>,
    /// Connections that have something to be written at the end of the turn.
    dirty: Dirty,
    /// What the shard has not been told yet of its connections' outboxes, in order.
    outbox_reports: VecDeque<Report>,
    pool: BufferPool,
    outgoing: Outgoing,
    /// Where the shard's records go; none if everything is kept in memory.
    journal: Option<Link>,
    /// Whether the shard has recorded its part of a checkpoint and nobody knows yet.
    has_recorded: bool,
    /// Connections that wait until other workers have room for mail, or the disk has written enough.
    held_back: Vec<ConnectionId>,
    deadlines: Deadlines,
    /// How many of the connections have not sent their CONNECT yet.
    strangers: usize,
    /// Bytes appended to outboxes since the start.
    appended_bytes: u64,
    /// Where a connection's bytes are read to; a connection has a buffer of its own only for a packet
    /// that is not whole.
    read_buffer: Box<[u8]>,
    life: Life,
    /// Kept from step to step; out of its place while steps are taken.
    effects: Option<Box<Effects>>,
    // Kept from turn to turn.
    mail: Vec<Mail>,
    read: Batches,
    senders: Vec<ShardId>,
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
    /// Serves until the broker goes down and its clients have gone or had their time, if it is the only worker. One of
    /// several is given its turns by the thread that hosts it.
    ///
    /// In every turn all that came is handled first and written then: one write carries what the whole
    /// turn had to say to a client, one post what it had to say to a worker.
    fn run(mut self) {
        while !self.has_ended() {
            self.wait();
            self.begin_turn(self.clock.now());
            self.end_turn();
        }
    }

    /// Handles all that came.
    fn begin_turn(&mut self, now: Timestamp) {
        self.now = now;
        self.hear_of_durability();
        self.accept();
        self.serve_ready();
        self.receive_mail();
        self.do_what_is_due();
        // Before anybody hears of it: what another worker records because of our mail is then behind it.
        self.flush_journal();
        self.go_down();
        self.post_or_hand_over();
    }

    /// Handles what a worker of the same thread has for it, between the two halves of a turn: a batch, or something in
    /// the mailbox.
    ///
    /// It may have slept until now, for long: its own time is then that of the last turn it had. What it has for others
    /// thereupon is still to be posted or handed over.
    fn exchange(&mut self, batch: Option<&mut PeerBatch>, now: Timestamp) {
        self.now = self.now.max(now);
        // What is in the mailbox was said before.
        self.receive_mail();
        if let Some(batch) = batch {
            self.step_batch(batch);
        }
        self.flush_journal();
    }

    /// Writes what it came to.
    fn end_turn(&mut self) {
        self.let_go();
        self.flush();
        self.report_outboxes();
    }

    /// Lets the shard take one input and carries out what it wants.
    fn step(&mut self, input: Input<'_>) {
        let mut effects = self.begin_step();
        self.shard.handle(input, self.now, &mut effects);
        self.end_step(effects);
        self.follow_up();
    }

    /// Draws the conclusions from what steps wanted.
    fn follow_up(&mut self) {
        if !self.outbox_reports.is_empty() {
            self.report_outboxes();
        }
        // Between steps, never within one: a mailbox that is found full holds back the next step, and
        // this one's messages are all in time.
        if self.has_to_post_now() {
            self.post();
        }
    }

    /// Takes out what a step, or a run of them, is to fill.
    #[inline]
    fn begin_step(&mut self) -> Box<Effects> {
        debug_assert!(self.effects.is_some(), "no step begins within another");
        self.effects.take().unwrap_or_default()
    }

    /// Carries out what was filled in.
    #[inline]
    fn end_step(&mut self, mut effects: Box<Effects>) {
        self.apply(&mut effects);
        self.effects = Some(effects);
    }

    /// Whether a turn has left something for the next one.
    fn has_more_to_do(&mut self) -> bool {
        !self.ready.is_empty() || !self.dirty.is_empty() || self.has_to_post() || self.has_to_flush_journal()
    }

    /// Tells the clients that the broker goes down, once they have heard all that the disk was waited for.
    fn go_down(&mut self) {
        if self.life == Life::Finishing && !self.waits_for_disk() {
            self.life = Life::Ending;
            self.step(Input::Shutdown);
        }
    }

    /// Whether the worker has told its clients that it ends, and they have gone or had their time.
    fn has_ended(&mut self) -> bool {
        self.life == Life::Ending && self.connections.is_empty() && !self.has_more_to_do()
    }

    /// The most bytes one packet may have.
    fn packet_bytes_max(&self) -> u32 {
        self.node.config.limits.packet_bytes_max
    }

    fn stats(&self) -> &ShardStats {
        self.node.stats.shard(self.id)
    }
}

#[cfg(test)]
mod tests;
