//! Owns the sockets that clients connect to, and the thread that accepts from them. What happens to an
//! accepted connection is the handshake's business.

mod thread;

use std::io;
use std::net::SocketAddr;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use socket2::{Domain, Protocol, Socket, Type};
use tokio::net::TcpListener;
use tokio::sync::Semaphore;

pub(crate) use self::thread::Acceptor;
use crate::config::ListenAddress;
use crate::error::Error;
use crate::handshake::Reception;
use crate::log::{Level, Log, Throttle};

/// Connections that the system may keep for us until they are accepted; it may cut this down.
const BACKLOG: i32 = 4096;

/// Connections that have not sent their CONNECT yet. Beyond it no more are accepted: the system keeps
/// them until one of these has connected or had its time. Worst case the packet limit each, of bytes
/// really sent.
const HANDSHAKES_MAX: usize = 16 * 1024;

/// Time until accepting is tried again when the machine has no room for one more connection.
const NO_ROOM_PAUSE: Duration = Duration::from_millis(100);

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

    /// Accepts connections for ever. It goes on accepting when the machine runs out of room.
    async fn accept(self, reception: Rc<Reception>, log: Log) -> io::Result<()> {
        let listener = TcpListener::from_std(self.socket.into())?;
        let no_room = Throttle::new(NO_ROOM_LOG_INTERVAL_SECONDS);
        let handshakes = Arc::new(Semaphore::new(HANDSHAKES_MAX));
        loop {
            let permit = Arc::clone(&handshakes).acquire_owned().await.map_err(io::Error::other)?;
            match listener.accept().await {
                Ok((socket, address)) => {
                    // A socket that cannot be told is already closed; its reader will find out.
                    let _ = socket.set_nodelay(true);
                    let handshake = Rc::clone(&reception).receive(socket, address);
                    tokio::task::spawn_local(async move {
                        handshake.await;
                        drop(permit);
                    });
                }
                Err(error) if is_about_one_connection(&error) => {}
                Err(error) => {
                    let fields: [(&str, &dyn std::fmt::Display); 2] =
                        [("address", &self.address), ("error", &error)];
                    log.event_throttled(&no_room, Level::Error, "cannot accept connections", &fields);
                    tokio::time::sleep(NO_ROOM_PAUSE).await;
                }
            }
        }
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
