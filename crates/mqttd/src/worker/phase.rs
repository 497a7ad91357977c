//! Owns how far connections come, and how long they may stay there. What they do there is decided elsewhere.

use std::collections::VecDeque;

use broker_core::{ConnectionId, Timestamp};

use super::Worker;
use crate::connection::{Phase, Watch};

/// Connections that have not sent their CONNECT yet. Beyond it no more are accepted: the system keeps
/// them until one of these has connected or had its time. Worst case the packet limit each, of bytes
/// really sent.
const STRANGERS_MAX: usize = 16 * 1024;

/// Milliseconds in which a peer must take what its outbox still holds.
const FLUSH_MS_MAX: u64 = 5_000;

/// Milliseconds in which a peer must close after the broker has stopped writing.
const DRAIN_MS_MAX: u64 = 2_000;

/// The connections whose time is limited, with when they have had theirs.
///
/// All that enter a phase have the same time for it, so each list is in order by itself, and whoever goes earlier
/// need not be searched for. What is at the front is there still.
#[derive(Debug, Default)]
pub(super) struct Deadlines {
    greeting: VecDeque<(Timestamp, ConnectionId)>,
    flushing: VecDeque<(Timestamp, ConnectionId)>,
    draining: VecDeque<(Timestamp, ConnectionId)>,
}

impl Deadlines {
    /// The first of them, [`Timestamp::NEVER`] if there are none.
    pub(super) fn next(&self) -> Timestamp {
        let front =
            |list: &VecDeque<(Timestamp, _)>| list.front().map_or(Timestamp::NEVER, |(until, _)| *until);
        front(&self.greeting).min(front(&self.flushing)).min(front(&self.draining))
    }

    /// Takes out one that may still be a stranger.
    pub(super) fn next_stranger(&mut self) -> Option<ConnectionId> {
        self.greeting.pop_front().map(|(_, id)| id)
    }

    fn of_phase(&mut self, phase: Phase) -> Option<&mut VecDeque<(Timestamp, ConnectionId)>> {
        match phase {
            Phase::Greeting => Some(&mut self.greeting),
            Phase::Open => None,
            Phase::Closing => Some(&mut self.flushing),
            Phase::Draining => Some(&mut self.draining),
        }
    }
}

impl Worker {
    /// A connection goes on to its next phase.
    pub(super) fn enter(&mut self, id: ConnectionId, phase: Phase) {
        let Some(connection) = self.connections.get_mut(id) else { return };
        let before = std::mem::replace(&mut connection.phase, phase);
        self.has_entered(id, phase);
        self.has_left(before);
    }

    /// Closes the socket.
    pub(super) fn forget(&mut self, id: ConnectionId) {
        if let Some(connection) = self.connections.remove(id) {
            if connection.watch == Watch::Near {
                self.free_place(id);
            }
            self.has_left(connection.phase);
        }
    }

    /// How many connections may be accepted.
    pub(super) fn room_for_strangers(&self) -> usize {
        STRANGERS_MAX.saturating_sub(self.strangers)
    }

    /// Ends the connections that have had their time.
    pub(super) fn end_overdue(&mut self) {
        for phase in [Phase::Greeting, Phase::Closing, Phase::Draining] {
            while let Some(list) = self.deadlines.of_phase(phase)
                && let Some(&(until, id)) = list.front()
                && until <= self.now
            {
                list.pop_front();
                if !self.connections.is_in(id, phase) {
                    continue;
                }
                match phase {
                    Phase::Greeting => self.part(id, &"no CONNECT within limits.connect_timeout_ms"),
                    Phase::Open | Phase::Closing | Phase::Draining => self.forget(id),
                }
            }
        }
    }

    /// A connection that is new, or was in another phase, has the time of this one from here on.
    pub(super) fn has_entered(&mut self, id: ConnectionId, phase: Phase) {
        let milliseconds = match phase {
            Phase::Open => return,
            Phase::Greeting => self.node.config.limits.connect_timeout_ms.into(),
            Phase::Closing => FLUSH_MS_MAX,
            Phase::Draining => DRAIN_MS_MAX,
        };
        self.strangers += usize::from(phase == Phase::Greeting);
        let Some(list) = self.deadlines.of_phase(phase) else { return };
        // One that says nothing must not have the list keep all that came behind it and connected.
        if phase == Phase::Greeting && list.len() >= 2 * STRANGERS_MAX {
            list.retain(|(_, id)| self.connections.is_in(*id, phase));
        }
        list.push_back((self.now.plus_millis(milliseconds), id));
    }

    /// A connection is in another phase, or no more.
    pub(super) fn has_left(&mut self, phase: Phase) {
        if phase == Phase::Greeting {
            self.strangers -= 1;
        }
        self.forget_passed(phase);
    }

    /// Forgets the deadlines at the front of a phase's list that count no more.
    fn forget_passed(&mut self, phase: Phase) {
        let Some(list) = self.deadlines.of_phase(phase) else { return };
        while let Some((_, id)) = list.front()
            && !self.connections.is_in(*id, phase)
        {
            list.pop_front();
        }
    }
}
