//! Owns what a worker keeps of one network connection: its transport, its outbox and how far it has
//! been opened or closed. Who reads it is [`task`]; who writes to it is the worker.

mod task;
mod unread;

use std::net::SocketAddr;
use std::task::Waker;

use broker_core::{ConnectionId, Timestamp};

pub(crate) use self::task::Task;
use crate::outbox::Outbox;
use crate::transport::Transport;

/// One connection whose CONNECT has been received.
#[derive(Debug)]
pub(crate) struct Connection {
    pub(crate) id: ConnectionId,
    pub(crate) transport: Transport,
    pub(crate) outbox: Outbox,
    pub(crate) phase: Phase,
    pub(crate) writing: Writing,
    /// Whether the engine believes that the outbox is full.
    pub(crate) is_full: bool,
    /// Whether nothing is read because other workers are behind.
    pub(crate) is_held_back: bool,
    /// Wakes the task.
    pub(crate) task: Option<Waker>,
    /// For the log; none when the log does not show it.
    pub(crate) label: Option<Box<Label>>,
}

/// How far a connection has come.
///
/// ```text
///        Effect::Close          outbox written,            the peer has closed,
///                               writing shut down          or has had its time
/// Open ---------------> Closing -----------------> Draining -----------------> gone
///  |                       |    (in FLUSH_MS_MAX)            (in DRAIN_MS_MAX)
///  +-----------------------+--> gone: the peer has closed or the network failed
/// ```
///
/// Draining is what makes the last words arrive: to close a socket that has unread bytes resets the
/// connection, and a reset may overtake what was written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Phase {
    /// Packets are exchanged.
    Open,
    /// What the outbox holds is written, nothing is read.
    Closing {
        /// When the peer has had its time.
        until: Timestamp,
    },
    /// What the peer still sends is thrown away.
    Draining {
        /// When the peer has had its time.
        until: Timestamp,
    },
}

/// Who writes what the outbox holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Writing {
    /// Nobody: it is empty.
    Idle,
    /// The worker, at the end of its turn.
    Dirty,
    /// The connection's task, when the system takes more.
    Blocked,
    /// Nobody any more: the peer takes nothing. What it sent before is still read, a DISCONNECT among
    /// it, before the connection is given up.
    Broken,
}

/// Who a connection is, for the log.
#[derive(Debug)]
pub(crate) struct Label {
    pub(crate) address: SocketAddr,
    pub(crate) client_id: String,
}

impl Connection {
    pub(crate) fn new(id: ConnectionId, transport: Transport, label: Option<Box<Label>>) -> Self {
        Self {
            id,
            transport,
            outbox: Outbox::default(),
            phase: Phase::Open,
            writing: Writing::Idle,
            is_full: false,
            is_held_back: false,
            task: None,
            label,
        }
    }

    /// Makes the task look at the connection again.
    pub(crate) fn wake(&self) {
        if let Some(task) = &self.task {
            task.wake_by_ref();
        }
    }
}

impl Phase {
    /// When the peer has had its time, if it is limited.
    pub(crate) fn until(self) -> Option<Timestamp> {
        match self {
            Self::Open => None,
            Self::Closing { until } | Self::Draining { until } => Some(until),
        }
    }
}
