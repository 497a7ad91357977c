//! Owns the end of connections: write the last words, stop writing, let the peer finish, close. When a
//! connection is to end is the engine's business.

use std::collections::VecDeque;
use std::fmt::Display;
use std::io;

use broker_core::{CloseCause, ConnectionId, Timestamp};

use super::Worker;
use crate::connection::{Phase, Reading};
use crate::log::Level;

/// Milliseconds in which a peer must take what its outbox still holds.
const FLUSH_MS_MAX: u64 = 5_000;

/// Milliseconds in which a peer must close after the broker has stopped writing.
const DRAIN_MS_MAX: u64 = 2_000;

/// Reads of a draining connection in one turn.
const DRAIN_READS_MAX: usize = 4;

/// The connections that are ending, with the time at which their peers have had theirs.
///
/// All that enter a phase have the same time for it, so each list is in order by itself, and whoever goes earlier
/// need not be searched for. What is at the front is there still.
#[derive(Debug, Default)]
pub(super) struct Closing {
    flushing: VecDeque<(Timestamp, ConnectionId)>,
    draining: VecDeque<(Timestamp, ConnectionId)>,
}

impl Closing {
    pub(super) fn next_deadline(&self) -> Option<Timestamp> {
        let fronts = [self.flushing.front(), self.draining.front()];
        fronts.into_iter().flatten().map(|(until, _)| *until).min()
    }

    fn of_phase(&mut self, phase: Phase) -> Option<(&mut VecDeque<(Timestamp, ConnectionId)>, u64)> {
        match phase {
            Phase::Open => None,
            Phase::Closing => Some((&mut self.flushing, FLUSH_MS_MAX)),
            Phase::Draining => Some((&mut self.draining, DRAIN_MS_MAX)),
        }
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
        self.enter(id, Phase::Closing);
        // It ends when its outbox is written, if there is anything in it.
        self.dirty.add(id);
    }

    /// Tells the peer of a closing connection that all has been written, if it has.
    pub(super) fn stop_writing(&mut self, id: ConnectionId) {
        let Some(connection) = self.connections.get_mut(id) else { return };
        if connection.phase != Phase::Closing || !connection.outbox.is_empty() {
            return;
        }
        if connection.transport.shut_down().is_err() {
            return self.forget(id);
        }
        self.enter(id, Phase::Draining);
        self.make_ready(id);
    }

    /// Throws away what the peer still sends, until it closes.
    pub(super) fn drain(&mut self, id: ConnectionId) {
        for _ in 0..DRAIN_READS_MAX {
            let Some(connection) = self.connections.get_mut(id) else { return };
            if connection.reading == Reading::Blocked {
                return;
            }
            match connection.transport.read(&mut self.read_buffer) {
                Ok(received) if received.bytes > 0 => {
                    if received.is_all && connection.reading == Reading::Possible {
                        connection.reading = Reading::Blocked;
                    }
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                    connection.reading = Reading::Blocked;
                }
                Ok(_) | Err(_) => return self.forget(id),
            }
        }
        self.make_ready(id);
    }

    /// Closes the connections whose peers have had their time.
    pub(super) fn close_overdue(&mut self) {
        for phase in [Phase::Closing, Phase::Draining] {
            while let Some((list, _)) = self.closing.of_phase(phase)
                && let Some(&(until, id)) = list.front()
                && until <= self.now
            {
                list.pop_front();
                if self.connections.get(id).is_some_and(|connection| connection.phase == phase) {
                    self.forget(id);
                }
            }
        }
    }

    /// Closes the socket.
    pub(super) fn forget(&mut self, id: ConnectionId) {
        let Some(connection) = self.connections.remove(id) else { return };
        self.drop_passed(connection.phase);
    }

    fn enter(&mut self, id: ConnectionId, phase: Phase) {
        let Some(connection) = self.connections.get_mut(id) else { return };
        let before = std::mem::replace(&mut connection.phase, phase);
        if let Some((list, milliseconds)) = self.closing.of_phase(phase) {
            list.push_back((self.now.plus_millis(milliseconds), id));
        }
        self.drop_passed(before);
    }

    /// Forgets the deadlines at the front of a phase's list that count no more.
    fn drop_passed(&mut self, phase: Phase) {
        let Some((list, _)) = self.closing.of_phase(phase) else { return };
        while let Some((_, id)) = list.front()
            && self.connections.get(*id).is_none_or(|connection| connection.phase != phase)
        {
            list.pop_front();
        }
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
