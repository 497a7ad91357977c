//! Owns when outboxes are written: once per turn of the worker, at once where too much waits, and by
//! the connection's own task after the system took no more. How an outbox is written is its business.

use std::io::{self, IoSlice};
use std::task::{Context, Poll};

use broker_core::{ConnectionId, Input};

use super::Worker;
use crate::connection::{Connection, Phase, Writing};
use crate::outbox::{BufferPool, Outbox};

/// Bytes appended to all outboxes together that are written at once, not at the end of the turn: what
/// fits into the processor's cache. One message to a hundred thousand clients is written as it goes.
const DIRTY_BYTES_MAX: usize = 256 * 1024;

/// Connections that have something to be written at the end of the turn.
#[derive(Debug, Default)]
pub(super) struct Dirty {
    list: Vec<ConnectionId>,
    bytes: usize,
}

impl Dirty {
    /// Counts bytes, and a connection that has just become dirty. Tells whether it is the first.
    #[inline]
    pub(super) fn add(&mut self, connection: Option<ConnectionId>, bytes: usize) -> bool {
        self.bytes += bytes;
        let is_first = connection.is_some() && self.list.is_empty();
        self.list.extend(connection);
        is_first
    }

    #[inline]
    pub(super) fn is_large(&self) -> bool {
        self.bytes > DIRTY_BYTES_MAX
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

/// How an attempt to write ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Written {
    /// Nothing waits any more.
    All,
    /// The system takes no more at the moment.
    Blocked,
    /// The peer takes nothing any more.
    Lost,
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

    /// Writes what the system takes now. If it does not take all, the connection's task goes on.
    fn write(&mut self, id: ConnectionId) {
        let Some(connection) = self.connections.get_mut(id) else { return };
        match connection.writing {
            Writing::Idle | Writing::Dirty => {}
            Writing::Blocked | Writing::Broken => return,
        }
        let (written, bytes) = try_write(connection, &mut self.pool);
        if written != Written::All || connection.phase != Phase::Open {
            connection.wake();
        }
        self.settle(id, written, bytes);
    }

    /// Continues a write that the system did not take, or that is the last one.
    pub(crate) fn continue_write(&mut self, id: ConnectionId, context: &mut Context<'_>) {
        let Some(connection) = self.connections.get_mut(id) else { return };
        let is_last = connection.phase != Phase::Open && !connection.outbox.is_empty();
        if connection.writing == Writing::Blocked || is_last {
            let (written, bytes) = poll_write(connection, &mut self.pool, context);
            self.settle(id, written, bytes);
            self.report_outboxes();
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

    /// Draws the conclusions from an attempt to write. It does not step: it may be called from within
    /// the effects of a step.
    fn settle(&mut self, id: ConnectionId, written: Written, bytes: u64) {
        self.stats().bytes_sent.add(bytes);
        let outbox_bytes_max = self.node.config.limits.outbox_bytes_max;
        let Some(connection) = self.connections.get_mut(id) else { return };
        connection.writing = match written {
            Written::All => Writing::Idle,
            Written::Blocked => Writing::Blocked,
            Written::Lost => {
                connection.outbox = Outbox::default();
                Writing::Broken
            }
        };
        if connection.is_full && connection.outbox.len() <= outbox_bytes_max / 2 {
            connection.is_full = false;
            self.outbox_reports.push_back(Report::Drained(id));
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

fn try_write(connection: &mut Connection, pool: &mut BufferPool) -> (Written, u64) {
    let transport = &mut connection.transport;
    let mut took_all = true;
    let before = connection.outbox.len();
    let outcome = connection.outbox.write_with(pool, |parts| {
        // A system that took less than it was offered takes no more: asking again would be in vain.
        if !took_all {
            return Err(io::ErrorKind::WouldBlock.into());
        }
        let taken = transport.try_write(parts)?;
        took_all = taken == parts.iter().map(|part| part.len()).sum::<usize>();
        Ok(taken)
    });
    (written(&outcome), (before - connection.outbox.len()) as u64)
}

fn poll_write(
    connection: &mut Connection,
    pool: &mut BufferPool,
    context: &mut Context<'_>,
) -> (Written, u64) {
    let transport = &mut connection.transport;
    let before = connection.outbox.len();
    let write = |parts: &[IoSlice<'_>]| match transport.poll_write(context, parts) {
        Poll::Ready(outcome) => outcome,
        Poll::Pending => Err(io::ErrorKind::WouldBlock.into()),
    };
    let outcome = connection.outbox.write_with(pool, write);
    (written(&outcome), (before - connection.outbox.len()) as u64)
}

fn written(outcome: &io::Result<()>) -> Written {
    match outcome {
        Ok(()) => Written::All,
        Err(error) if error.kind() == io::ErrorKind::WouldBlock => Written::Blocked,
        Err(_) => Written::Lost,
    }
}
