//! Owns finding a free port for brokers of other people, which cannot be asked for port 0. Ours can.

use std::net::{Ipv4Addr, SocketAddr, TcpListener};

/// A port of the loopback interface that was free a moment ago.
pub(crate) fn free_address() -> SocketAddr {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a free port");
    listener.local_addr().expect("a bound socket has an address")
}
