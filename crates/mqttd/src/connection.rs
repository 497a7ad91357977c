//! Owns what a worker keeps of one network connection: its transport, what was received and not handled,
//! what waits to be written, and how far it has been opened or closed. Who reads and writes is the worker.

mod unread;

use std::net::SocketAddr;

use broker_core::ConnectionId;
use mqtt_codec::ProtocolVersion;

pub(crate) use self::unread::Unread;
use crate::outbox::Outbox;
use crate::transport::Transport;

/// One connection. There may be very many of them that do nothing.
#[derive(Debug)]
pub(crate) struct Connection {
    pub(crate) id: ConnectionId,
    pub(crate) outbox: Outbox,
    pub(crate) unread: Unread,
    /// For the log; none when the log does not show it.
    pub(crate) label: Option<Box<Label>>,
    pub(crate) transport: Transport,
    /// That of its CONNECT; until then the one by which a first packet is framed.
    pub(crate) version: ProtocolVersion,
    pub(crate) phase: Phase,
    pub(crate) reading: Reading,
    pub(crate) writing: Writing,
    pub(crate) watch: Watch,
    /// Whether it is on the worker's list of those to be served.
    pub(crate) is_ready: bool,
    /// Whether the engine believes that the outbox is full.
    pub(crate) is_full: bool,
    /// Whether nothing is read because other workers or the disk are behind.
    pub(crate) is_held_back: bool,
}

/// How far a connection has come.
///
/// ```text
///            CONNECT         OtherEffect::Close     outbox written,            the peer has closed,
///                                                   writing shut down          or has had its time
/// Greeting ----------> Open ---------------> Closing -----------------> Draining -----------------> gone
///  |  |                  |                    ^  |    (in FLUSH_MS_MAX)            (in DRAIN_MS_MAX)
///  |  +-- refused with an answer -------------+  |
///  +---------------------+-----------------------+--> gone: the peer has closed or the network failed, or
///                                                     there was no CONNECT in `connect_timeout_ms`
/// ```
///
/// One that turns out to be for another worker's session goes on there, as one that has sent its CONNECT.
///
/// Draining is what makes the last words arrive: to close a socket that has unread bytes resets the
/// connection, and a reset may overtake what was written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Phase {
    /// Its CONNECT is awaited.
    Greeting,
    /// Packets are exchanged.
    Open,
    /// What the outbox holds is written, nothing is read.
    Closing,
    /// What the peer still sends is thrown away.
    Draining,
}

/// What the system has said of bytes to be read: it says so once, and the reader remembers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Reading {
    /// There are none until the next event.
    Blocked,
    /// There may be some.
    Possible,
    /// The end has come behind them. Nothing will be said of it again, so it has to be read up to there.
    Ending,
}

/// Which events come of a connection, and where to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Watch {
    /// Its worker's bed tells when there is something to be read. Most peers take at once whatever is written.
    Reading,
    /// It tells as well when more can be written.
    ReadingAndWriting,
    /// The thread's bed tells when there is something to be read.
    Near,
}

/// Who writes what the outbox holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Writing {
    /// Nobody: it is empty.
    Idle,
    /// The worker, at the end of its turn.
    Dirty,
    /// The worker, when the system takes more.
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
    /// A connection of which nothing is known.
    pub(crate) fn new(id: ConnectionId, transport: Transport) -> Self {
        Self {
            id,
            outbox: Outbox::default(),
            unread: Unread::default(),
            label: None,
            transport,
            version: ProtocolVersion::V5,
            phase: Phase::Greeting,
            reading: Reading::Blocked,
            writing: Writing::Idle,
            watch: Watch::Reading,
            is_ready: false,
            is_full: false,
            is_held_back: false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_idle_connection_is_one_line_of_the_processors_cache() {
        assert!(size_of::<Connection>() < 64, "{} bytes", size_of::<Connection>());
    }
}
