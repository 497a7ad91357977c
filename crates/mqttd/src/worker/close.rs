//! Owns the end of connections: write the last words, stop writing, let the peer finish, close. When a
//! connection is to end is the engine's business.

use std::collections::BTreeSet;
use std::fmt::Display;
use std::task::{Context, Poll};

use broker_core::{CloseCause, ConnectionId, Timestamp};

use super::{Life, Worker};
use crate::connection::Phase;
use crate::log::Level;

/// Milliseconds in which a peer must take what its outbox still holds.
const FLUSH_MS_MAX: u64 = 5_000;

/// Milliseconds in which a peer must close after the broker has stopped writing.
const DRAIN_MS_MAX: u64 = 2_000;

/// Reads of a draining connection in one turn.
const DRAIN_READS_MAX: usize = 4;

/// The connections that are ending, by the time at which their peers have had their time.
#[derive(Debug, Default)]
pub(super) struct Closing(BTreeSet<(Timestamp, ConnectionId)>);

impl Closing {
    pub(super) fn next_deadline(&self) -> Option<Timestamp> {
        self.0.first().map(|(until, _)| *until)
    }
}

impl Worker {
    /// The engine has done with the connection.
    pub(super) fn close(&mut self, id: ConnectionId, cause: CloseCause) {
        if !self.connections.get(id).is_some_and(|connection| connection.phase == Phase::Open) {
            return;
        }
        match cause {
            CloseCause::Disconnected => self.log_end(id, "disconnected", &"by the client"),
            CloseCause::Error(reason) => self.log_end(id, "disconnected", &reason),
            CloseCause::Malformed(error) => self.log_end(id, "disconnected", &error),
        }
        self.enter(id, Phase::Closing { until: self.now.plus_millis(FLUSH_MS_MAX) });
        if let Some(connection) = self.connections.get(id) {
            connection.wake();
        }
    }

    /// Goes on with a connection that is ending.
    pub(crate) fn continue_close(&mut self, id: ConnectionId, context: &mut Context<'_>) {
        let Some(connection) = self.connections.get_mut(id) else { return };
        if matches!(connection.phase, Phase::Closing { .. }) && connection.outbox.is_empty() {
            let outcome = connection.transport.poll_shut_down(context);
            match outcome {
                Poll::Ready(Ok(())) => {
                    self.enter(id, Phase::Draining { until: self.now.plus_millis(DRAIN_MS_MAX) });
                }
                Poll::Ready(Err(_)) => return self.forget(id),
                Poll::Pending => return,
            }
        }
        self.drain(id, context);
    }

    /// Throws away what the peer still sends, until it closes.
    fn drain(&mut self, id: ConnectionId, context: &mut Context<'_>) {
        let Some(connection) = self.connections.get_mut(id) else { return };
        if !matches!(connection.phase, Phase::Draining { .. }) {
            return;
        }
        for _ in 0..DRAIN_READS_MAX {
            match connection.transport.poll_read(context, &mut self.read_buffer) {
                Poll::Pending => return,
                Poll::Ready(Ok(count)) if count > 0 => {}
                Poll::Ready(Ok(_) | Err(_)) => return self.forget(id),
            }
        }
        context.waker().wake_by_ref();
    }

    /// Closes the connections whose peers have had their time.
    pub(super) fn close_overdue(&mut self) {
        while let Some(&(until, id)) = self.closing.0.first() {
            if until > self.now {
                return;
            }
            self.forget(id);
        }
    }

    /// Closes the socket and ends the task.
    pub(super) fn forget(&mut self, id: ConnectionId) {
        let Some(connection) = self.connections.remove(id) else { return };
        if let Some(until) = connection.phase.until() {
            self.closing.0.remove(&(until, id));
        }
        connection.wake();
        if self.life != Life::Serving && self.connections.is_empty() {
            self.wake_tick();
        }
    }

    fn enter(&mut self, id: ConnectionId, phase: Phase) {
        let Some(connection) = self.connections.get_mut(id) else { return };
        let before = std::mem::replace(&mut connection.phase, phase);
        if let Some(until) = before.until() {
            self.closing.0.remove(&(until, id));
        }
        self.closing.0.extend(phase.until().map(|until| (until, id)));
    }

    /// Says who has gone and why, where the log shows what happens per client.
    pub(super) fn log_end(&self, id: ConnectionId, event: &str, reason: &dyn Display) {
        if !self.log.shows(Level::Debug) {
            return;
        }
        if let Some(label) = self.connections.get(id).and_then(|connection| connection.label.as_ref()) {
            let fields: [(&str, &dyn Display); 3] =
                [("client_id", &label.client_id), ("address", &label.address), ("reason", reason)];
            self.log.debug(event, &fields);
        }
    }
}
