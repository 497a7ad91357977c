//! Owns the sockets that clients connect to, and the thread that accepts from them. What happens to an
//! accepted connection is the handshake's business.

mod thread;

use std::io;
use std::net::SocketAddr;
use std::os::fd::{AsFd as _, AsRawFd};

use broker_core::Timestamp;
use mio::net::{TcpListener, TcpStream};
use rlimit::Resource;
use socket2::{Domain, Protocol, Socket, Type};

pub(crate) use self::thread::Acceptor;
use crate::config::ListenAddress;
use crate::error::Error;
use crate::handshake::Reception;
use crate::log::{Level, Log, Throttle};

/// Connections that the system may keep for us until they are accepted; it may cut this down.
const BACKLOG: i32 = 4096;

/// Connections accepted from one listener before those that were accepted have their turn.
const ACCEPTED_PER_TURN: usize = 64;

/// Descriptors that no client gets: what is stored needs files, and clients wait for what is stored.
const DESCRIPTORS_KEPT: u64 = 8;

/// Milliseconds until accepting is tried again when the machine has no room for one more connection.
const NO_ROOM_PAUSE_MS: u64 = 100;

/// Seconds between two lines about that.
const NO_ROOM_LOG_INTERVAL_SECONDS: u64 = 10;

/// An address that is ours. Nobody can connect before it [listens](Self::listen).
#[derive(Debug)]
pub(crate) struct Listener {
    socket: Socket,
    address: SocketAddr,
}

impl Listener {
    /// Takes the address.
    pub(crate) fn bind(address: ListenAddress) -> Result<Self, Error> {
        bind(address.0)
            .and_then(|socket| {
                let bound = socket.local_addr()?.as_socket().ok_or(io::ErrorKind::Unsupported)?;
                Ok(Self { socket, address: bound })
            })
            .map_err(|source| Error::Listen { address, source })
    }

    /// From here on clients can connect and wait.
    pub(crate) fn listen(&self) -> Result<(), Error> {
        let address = ListenAddress(self.address);
        self.socket.listen(BACKLOG).map_err(|source| Error::Listen { address, source })
    }

    /// Where clients reach it: the port is the one that the system picked for port 0.
    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }
}

/// A listener whose connections are accepted.
struct Door {
    listener: TcpListener,
    address: SocketAddr,
    /// Whether connections may wait: the system says so once.
    is_ready: bool,
    /// While the machine has no room, when it is asked again.
    paused_until: Timestamp,
    no_room: Throttle,
    /// Clients' descriptors are below it: the system gives out the lowest that is free.
    descriptors: u64,
    /// Whether the last client got one that is close to it.
    is_nearly_full: bool,
}

impl Door {
    fn new(listener: Listener) -> io::Result<Self> {
        Ok(Self {
            address: listener.address,
            listener: TcpListener::from_std(listener.socket.into()),
            is_ready: false,
            paused_until: Timestamp::ZERO,
            no_room: Throttle::new(NO_ROOM_LOG_INTERVAL_SECONDS),
            descriptors: Resource::NOFILE.get_soft()?.saturating_sub(DESCRIPTORS_KEPT),
            is_nearly_full: false,
        })
    }

    /// Accepts what waits. It goes on accepting when the machine runs out of room.
    fn accept(&mut self, reception: &mut Reception, now: Timestamp, log: &Log) {
        if now < self.paused_until {
            return;
        }
        for _ in 0..ACCEPTED_PER_TURN {
            if !self.is_ready || !reception.has_room() {
                return;
            }
            match self.accept_one() {
                Ok((socket, address)) => reception.receive(socket, address, now),
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => self.is_ready = false,
                Err(error) if is_about_one_connection(&error) => {}
                Err(error) => {
                    let fields: [(&str, &dyn std::fmt::Display); 2] =
                        [("address", &self.address), ("error", &error)];
                    log.event_throttled(&self.no_room, Level::Error, "cannot accept connections", &fields);
                    self.paused_until = now.plus_millis(NO_ROOM_PAUSE_MS);
                    return;
                }
            }
        }
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

    /// How many milliseconds it may be left to itself; none until the system says something.
    fn patience_ms(&self, reception: &Reception, now: Timestamp) -> Option<u64> {
        (self.is_ready && reception.has_room()).then(|| self.paused_until.millis_since(now))
    }
}

/// An IPv6 address serves IPv6 only, so that what is listed is what is served, and both families may be
/// listed with the same port. The port is exclusive: a second process is refused, not given a share.
fn bind(address: SocketAddr) -> io::Result<Socket> {
    let socket = Socket::new(Domain::for_address(address), Type::STREAM, Some(Protocol::TCP))?;
    if address.is_ipv6() {
        socket.set_only_v6(true)?;
    }
    // The port of a process that has just ended can be taken at once.
    socket.set_reuse_address(true)?;
    // Each turn's bytes go in one write: to wait for more would only delay them. Accepted sockets inherit it.
    socket.set_tcp_nodelay(true)?;
    socket.bind(&address.into())?;
    socket.set_nonblocking(true)?;
    Ok(socket)
}

/// Whether the next connection can be accepted at once.
fn is_about_one_connection(error: &io::Error) -> bool {
    use io::ErrorKind::{ConnectionAborted, ConnectionRefused, ConnectionReset, Interrupted};
    matches!(error.kind(), ConnectionAborted | ConnectionRefused | ConnectionReset | Interrupted)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(text: &str) -> ListenAddress {
        text.parse().expect("an address")
    }

    #[test]
    fn port_0_is_told_as_the_port_that_was_picked() {
        let listener = Listener::bind(address("127.0.0.1:0")).expect("a free port");
        assert_ne!(listener.address().port(), 0);
    }

    #[test]
    fn what_is_accepted_is_sent_without_delay() {
        let listener = Listener::bind(address("127.0.0.1:0")).expect("a free port");
        listener.listen().expect("it is ours");
        let _client = std::net::TcpStream::connect(listener.address()).expect("it listens");
        let listener = std::net::TcpListener::from(listener.socket);
        listener.set_nonblocking(false).expect("a socket");
        let (socket, _) = listener.accept().expect("somebody has connected");
        assert!(socket.nodelay().expect("a socket"));
    }

    #[test]
    fn a_port_that_is_taken_is_refused_by_name() {
        let first = Listener::bind(address("127.0.0.1:0")).expect("a free port");
        first.listen().expect("it is ours");
        let taken = ListenAddress(first.address());
        let error = Listener::bind(taken).expect_err("it is taken");
        assert_eq!(
            error.to_string(),
            format!("error: cannot listen on {taken}: Address already in use (os error 98)")
        );
        assert!(error.hint().is_some_and(|hint| hint.contains("--listen")));
    }

    #[test]
    fn both_families_may_have_the_same_port() {
        let first = Listener::bind(address("0.0.0.0:0")).expect("a free port");
        first.listen().expect("it is ours");
        let port = first.address().port();
        let second = Listener::bind(address(&format!("[::]:{port}"))).expect("the port is free for IPv6");
        second.listen().expect("it is ours");
    }
}
