//! Owns when outboxes are written: once per turn of the worker, at once where too much waits, and when the
//! system takes more. How an outbox is written is its business.

use std::io;

use broker_core::{ConnectionId, Input};

use super::Worker;
use super::connections::token;
use crate::connection::{Connection, Phase, Watch, Writing};
use crate::outbox::{BufferPool, Outbox};

/// Bytes appended to all outboxes together that are written at once, not at the end of the turn, whatever the number
/// of connections: what fits into the processor's cache.
const DIRTY_BYTES_MIN: usize = 256 * 1024;

/// The same for each connection that is dirty: a write is to carry many messages, or the system's part of each
/// would be several times our own.
const DIRTY_BYTES_EACH: usize = 8 * 1024;

/// The same however many connections: one message to a hundred thousand clients is written as it goes.
const DIRTY_BYTES_MAX: usize = 8 * 1024 * 1024;

/// Connections that have something to be written at the end of the turn.
#[derive(Debug, Default)]
pub(super) struct Dirty {
    list: Vec<ConnectionId>,
    bytes: usize,
    /// Beyond which they are large, so many connections being dirty.
    bytes_max: usize,
}

impl Dirty {
    /// Adds a connection that has just become dirty.
    pub(super) fn add(&mut self, connection: ConnectionId) {
        self.list.push(connection);
        self.bytes_max = (self.list.len() * DIRTY_BYTES_EACH).clamp(DIRTY_BYTES_MIN, DIRTY_BYTES_MAX);
    }

    /// Counts bytes that wait in the outbox of a dirty connection.
    #[inline]
    pub(super) fn count(&mut self, bytes: usize) {
        self.bytes += bytes;
    }

    pub(super) fn is_empty(&self) -> bool {
        self.list.is_empty()
    }

    #[inline]
    pub(super) fn is_large(&self) -> bool {
        self.bytes > self.bytes_max
    }
}

/// What the shard is to be told of an outbox.
#[derive(Clone, Copy, Debug)]
pub(super) enum Report {
    /// More than `outbox_bytes_max` waits.
    Full(ConnectionId),
    /// At most half of it still waits.
    Drained(ConnectionId),
}

impl Worker {
    /// Writes to every dirty connection.
    pub(super) fn flush(&mut self) {
        let mut list = std::mem::take(&mut self.dirty.list);
        self.dirty.bytes = 0;
        for id in list.drain(..) {
            self.write(id);
        }
        self.dirty.list = list;
    }

    /// Writes what the system takes now. If it does not take all, an event tells when to go on.
    fn write(&mut self, id: ConnectionId) {
        let answers_bytes_max = self.answers_bytes_max();
        let Some(connection) = self.connections.get_mut(id) else { return };
        let before = connection.outbox.len();
        match connection.writing {
            Writing::Idle | Writing::Dirty => {
                connection.writing = write_outbox(connection, &mut self.pool);
            }
            Writing::Blocked | Writing::Broken => {}
        }
        let written = before - connection.outbox.len();
        // Nearly always all is written, and nobody waits for that.
        let is_all = connection.writing == Writing::Idle;
        let is_awaited =
            connection.is_full || before > answers_bytes_max || connection.phase == Phase::Closing;
        self.stats().bytes_sent.add(written as u64);
        if !is_all {
            self.keep_unwritten(id);
        }
        if is_awaited {
            self.settle(id, before);
            self.stop_writing(id);
        }
    }

    /// The system, or the peer, has not taken all.
    #[cold]
    fn keep_unwritten(&mut self, id: ConnectionId) {
        let Some(connection) = self.connections.get_mut(id) else { return };
        match connection.writing {
            Writing::Blocked if connection.watch != Watch::ReadingAndWriting => self.await_room(id),
            Writing::Broken => connection.outbox = Outbox::default(),
            Writing::Idle | Writing::Dirty | Writing::Blocked => {}
        }
    }

    /// Has an event tell when the system takes more.
    fn await_room(&mut self, id: ConnectionId) {
        self.give_back(id);
        let Some(connection) = self.connections.get_mut(id) else { return };
        connection.watch = Watch::ReadingAndWriting;
        if connection.transport.await_room(self.bed.registry(), token(id)).is_err() {
            connection.writing = Writing::Broken;
            connection.outbox = Outbox::default();
        }
    }

    /// An outbox is over its limit: what the system takes at once does not count.
    #[cold]
    pub(super) fn write_or_report_full(&mut self, id: ConnectionId) {
        self.write(id);
        let Some(connection) = self.connections.get_mut(id) else { return };
        if connection.outbox.len() > self.node.config.limits.outbox_bytes_max {
            connection.is_full = true;
            self.outbox_reports.push_back(Report::Full(id));
        }
    }

    /// Draws the conclusions from a write to an outbox that held so many bytes. It does not step: it may be
    /// called from within the effects of a step.
    fn settle(&mut self, id: ConnectionId, before: usize) {
        let (half, answers_bytes_max) =
            (self.node.config.limits.outbox_bytes_max / 2, self.answers_bytes_max());
        let Some(connection) = self.connections.get_mut(id) else { return };
        let after = connection.outbox.len();
        if connection.is_full && after <= half {
            connection.is_full = false;
            self.outbox_reports.push_back(Report::Drained(id));
        }
        if before > answers_bytes_max && after <= answers_bytes_max {
            self.make_ready(id);
        }
    }

    /// Tells the shard which outboxes have become full or have drained.
    pub(super) fn report_outboxes(&mut self) {
        while let Some(report) = self.outbox_reports.pop_front() {
            let input = match report {
                Report::Full(connection) => Input::OutboxFull { connection },
                Report::Drained(connection) => Input::OutboxDrained { connection },
            };
            let mut effects = self.begin_step();
            self.shard.handle(input, self.now, &mut effects);
            self.end_step(effects);
        }
    }
}

/// Writes until nothing waits, or the system or the peer takes no more.
fn write_outbox(connection: &mut Connection, pool: &mut BufferPool) -> Writing {
    let transport = &mut connection.transport;
    let mut took_all = true;
    let outcome = connection.outbox.write_with(pool, |parts| {
        // A system that took less than it was offered takes no more: asking again would be in vain.
        if !took_all {
            return Err(io::ErrorKind::WouldBlock.into());
        }
        let taken = transport.write(parts)?;
        took_all = taken == parts.iter().map(|part| part.len()).sum::<usize>();
        Ok(taken)
    });
    match outcome {
        Ok(()) => Writing::Idle,
        Err(error) if error.kind() == io::ErrorKind::WouldBlock => Writing::Blocked,
        Err(_) => Writing::Broken,
    }
}
