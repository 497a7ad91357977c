//! Owns how connections are accepted, and what is done when the machine has no room for one more. What becomes of
//! them is the worker's business.

use std::io;
use std::net::SocketAddr;
use std::os::fd::{AsFd as _, AsRawFd};

use broker_core::Timestamp;
use mio::net::{TcpListener, TcpStream};
use mio::{Interest, Registry, Token};
use rlimit::Resource;

use super::Listener;
use crate::bed::{self, NAME_MAX};
use crate::log::{Level, Log, Throttle};

/// Descriptors that no client gets: what is stored needs files, and clients wait for what is stored.
const DESCRIPTORS_KEPT: u64 = 8;

/// Milliseconds until accepting is tried again when the machine has no room for one more connection.
const NO_ROOM_PAUSE_MS: u64 = 100;

/// Seconds between two lines about that.
const NO_ROOM_LOG_INTERVAL_SECONDS: u64 = 10;

/// What events call the first listener; the others have the numbers below.
const FIRST: usize = NAME_MAX - 1;

/// The listeners whose connections are accepted; none on most workers.
#[derive(Debug, Default)]
pub(crate) struct Doors(Vec<Door>);

impl Doors {
    /// Has events come for them from here on.
    pub(crate) fn open(listeners: Vec<Listener>, registry: &Registry) -> io::Result<Self> {
        let tokens = (0..).map(|place| Token(FIRST - place));
        let open = |(listener, token)| Door::open(listener, registry, token);
        listeners.into_iter().zip(tokens).map(open).collect::<io::Result<_>>().map(Self)
    }

    /// Something has happened to what these events call so: perhaps that connections wait.
    pub(crate) fn note(&mut self, token: Token) {
        if let Some(door) = FIRST.checked_sub(token.0).and_then(|place| self.0.get_mut(place)) {
            door.is_ready = true;
        }
    }

    /// Has events of them come elsewhere from here on, as far as there are tokens, each for the one in its place.
    pub(crate) fn lend(&mut self, from: &Registry, to: &Registry, tokens: impl Iterator<Item = Token>) {
        for (door, token) in self.0.iter_mut().zip(tokens) {
            if door.watch == Watch::Home && bed::lend(&mut door.listener, from, to, token).is_ok() {
                door.watch = Watch::Lent;
            }
        }
    }

    /// Has them come where they came before.
    pub(crate) fn take_back(&mut self, from: &Registry, home: &Registry) {
        for (place, door) in self.0.iter_mut().enumerate() {
            if door.watch != Watch::Lent {
                continue;
            }
            match bed::take_back(&mut door.listener, from, home, Token(FIRST - place)) {
                Ok(()) => door.watch = Watch::Home,
                Err(_) => {
                    door.watch = Watch::Nobody;
                    door.is_ready = true;
                }
            }
        }
    }

    /// Connections may wait at the one in this place.
    pub(crate) fn note_lent(&mut self, place: usize) {
        if let Some(door) = self.0.get_mut(place) {
            door.is_ready = true;
        }
    }

    /// Whether connections may wait at one of them.
    #[inline]
    pub(crate) fn are_ready(&self) -> bool {
        self.0.iter().any(|door| door.is_ready)
    }

    /// When they should be looked at, if nothing happens before; [`Timestamp::NEVER`] if that is never.
    pub(crate) fn next_deadline(&self) -> Timestamp {
        let looks = |door: &Door| if door.is_ready { door.paused_until } else { Timestamp::NEVER };
        self.0.iter().map(looks).fold(Timestamp::NEVER, Timestamp::min)
    }

    pub(crate) fn iter_mut(&mut self) -> impl Iterator<Item = &mut Door> {
        self.0.iter_mut()
    }
}

/// A listener whose connections are accepted.
#[derive(Debug)]
pub(crate) struct Door {
    listener: TcpListener,
    address: SocketAddr,
    /// Whether connections may wait: the system says so once.
    is_ready: bool,
    watch: Watch,
    /// While the machine has no room, when it is asked again.
    paused_until: Timestamp,
    no_room: Throttle,
    /// Clients' descriptors are below it: the system gives out the lowest that is free.
    descriptors: u64,
    /// Whether the last client got one that is close to it.
    is_nearly_full: bool,
}

/// Who is told that connections wait.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Watch {
    /// The worker.
    Home,
    /// The thread.
    Lent,
    /// Nobody, as the system had no room for it: it is looked at every `NO_ROOM_PAUSE_MS`.
    Nobody,
}

impl Door {
    fn open(listener: Listener, registry: &Registry, token: Token) -> io::Result<Self> {
        let address = listener.address;
        let mut listener = TcpListener::from_std(listener.socket.into());
        registry.register(&mut listener, token, Interest::READABLE)?;
        Ok(Self {
            address,
            listener,
            // Whoever came before it was opened is found by looking.
            is_ready: true,
            watch: Watch::Home,
            paused_until: Timestamp::ZERO,
            no_room: Throttle::new(NO_ROOM_LOG_INTERVAL_SECONDS),
            descriptors: Resource::NOFILE.get_soft()?.saturating_sub(DESCRIPTORS_KEPT),
            is_nearly_full: false,
        })
    }

    /// The next connection, if one waits. It goes on accepting when the machine runs out of room.
    pub(crate) fn accept(&mut self, now: Timestamp, log: &Log) -> Option<(TcpStream, SocketAddr)> {
        while self.is_ready && self.paused_until <= now {
            match self.accept_one() {
                Ok(accepted) => return Some(accepted),
                Err(error) if error.kind() == io::ErrorKind::WouldBlock && self.watch == Watch::Nobody => {
                    self.paused_until = now.plus_millis(NO_ROOM_PAUSE_MS);
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => self.is_ready = false,
                Err(error) if is_about_one_connection(&error) => {}
                Err(error) => {
                    let fields: [(&str, &dyn std::fmt::Display); 2] =
                        [("address", &self.address), ("error", &error)];
                    log.event_throttled(&self.no_room, Level::Error, "cannot accept connections", &fields);
                    self.paused_until = now.plus_millis(NO_ROOM_PAUSE_MS);
                }
            }
        }
        None
    }

    /// Accepts a connection, unless that would take one of the last descriptors.
    fn accept_one(&mut self) -> io::Result<(TcpStream, SocketAddr)> {
        // Another one of our own tells which would be next.
        if self.is_nearly_full && self.is_beyond(&self.listener.as_fd().try_clone_to_owned()?, 0) {
            return Err(io::Error::other("too few descriptors are left"));
        }
        let (socket, address) = self.listener.accept()?;
        self.is_nearly_full = self.is_beyond(&socket, DESCRIPTORS_KEPT);
        Ok((socket, address))
    }

    fn is_beyond(&self, descriptor: &impl AsRawFd, margin: u64) -> bool {
        u64::try_from(descriptor.as_raw_fd()).is_ok_and(|number| number + margin >= self.descriptors)
    }
}

/// Whether the next connection can be accepted at once.
fn is_about_one_connection(error: &io::Error) -> bool {
    use io::ErrorKind::{ConnectionAborted, ConnectionRefused, ConnectionReset, Interrupted};
    matches!(error.kind(), ConnectionAborted | ConnectionRefused | ConnectionReset | Interrupted)
}
