//! Owns whether and how a connection is read. Who reads is the connection's task; what is read is the
//! codec's business.

use std::fmt::Display;
use std::task::{Context, Poll};

use broker_core::{ConnectionId, Input};

use super::Worker;
use crate::connection::Phase;

/// Bytes of the buffer that all connections of a worker are read into, and so the most that one read
/// brings.
pub(super) const READ_BUFFER_BYTES: usize = 64 * 1024;

impl Worker {
    /// Whether the connection is there, if only to be closed.
    pub(crate) fn is_connected(&self, id: ConnectionId) -> bool {
        self.connections.get(id).is_some()
    }

    /// Whether packets of the connection may be handled now. If not, its task is woken when they may.
    ///
    /// They may not while other workers or the disk are behind, and while more than twice `outbox_bytes_max` waits
    /// for a client that sends and does not read: the engine stops its deliveries at `outbox_bytes_max`,
    /// so what comes above is answers.
    #[inline]
    pub(crate) fn may_read(&mut self, id: ConnectionId) -> bool {
        let is_held_back = self.is_held_back();
        let Some(connection) = self.connections.get_mut(id) else { return false };
        if connection.phase != Phase::Open {
            return false;
        }
        if is_held_back {
            if !std::mem::replace(&mut connection.is_held_back, true) {
                self.held_back.push(id);
            }
            return false;
        }
        // The task is then waiting for the system to take more, and comes back when it does.
        connection.outbox.len() <= self.node.config.limits.outbox_bytes_max.saturating_mul(2)
    }

    /// Has the task woken from now on.
    pub(crate) fn keep_waker(&mut self, id: ConnectionId, context: &Context<'_>) {
        let Some(connection) = self.connections.get_mut(id) else { return };
        match &mut connection.task {
            Some(task) => task.clone_from(context.waker()),
            None => connection.task = Some(context.waker().clone()),
        }
    }

    /// Reads what is there into `buffer`. None if the connection is gone.
    pub(crate) fn poll_read(
        &mut self,
        id: ConnectionId,
        context: &mut Context<'_>,
        buffer: &mut [u8],
    ) -> Poll<Option<usize>> {
        let Some(connection) = self.connections.get_mut(id) else { return Poll::Ready(None) };
        match connection.transport.poll_read(context, buffer) {
            Poll::Pending => Poll::Pending,
            Poll::Ready(Ok(count)) if count > 0 => {
                self.stats().bytes_received.add(count as u64);
                Poll::Ready(Some(count))
            }
            Poll::Ready(Ok(_)) => {
                self.lose(id, &"closed by the peer");
                Poll::Ready(None)
            }
            Poll::Ready(Err(error)) => {
                self.lose(id, &error);
                Poll::Ready(None)
            }
        }
    }

    /// Takes the buffer that connections are read into, so that it can be decoded from while the worker
    /// steps.
    pub(crate) fn take_read_buffer(&mut self) -> Box<[u8]> {
        std::mem::take(&mut self.read_buffer)
    }

    pub(crate) fn give_back_read_buffer(&mut self, buffer: Box<[u8]>) {
        debug_assert!(self.read_buffer.is_empty());
        self.read_buffer = buffer;
    }

    /// The network connection has gone.
    fn lose(&mut self, id: ConnectionId, reason: &dyn Display) {
        self.log_end(id, "connection lost", reason);
        self.step(Input::Closed { connection: id });
        self.forget(id);
    }
}
