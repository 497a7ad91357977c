//! Owns the addresses that clients connect to. Who accepts them is the first worker's business.

mod door;

use std::io;
use std::net::SocketAddr;

use socket2::{Domain, Protocol, Socket, Type};

pub(crate) use self::door::Doors;
use crate::config::ListenAddress;
use crate::error::Error;

/// Connections that the system may keep for us until they are accepted; it may cut this down.
const BACKLOG: i32 = 4096;

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
