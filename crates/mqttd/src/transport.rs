//! Owns how the bytes of one connection reach its socket and come from it, never waiting for either.
//! What the bytes are and when they are written is the connection's and the worker's business.

use std::io::{self, IoSlice, Read as _, Write as _};
use std::net::{Shutdown, SocketAddr};

use mio::net::TcpStream;
use mio::{Interest, Registry, Token};

use crate::bed;

/// One TCP connection, an ordered and lossless stream `[MQTT311-7.1.1-1]`.
///
/// Whatever would have to wait fails with `WouldBlock`, and an event of the registry says when it need not.
#[derive(Debug)]
pub(crate) struct Transport(TcpStream);

/// What a read brought.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Received {
    /// Bytes now in the buffer; 0 are the end.
    pub(crate) bytes: usize,
    /// Whether there was no more: asking again would be in vain until the next event.
    pub(crate) is_all: bool,
}

impl Transport {
    /// Takes over a socket for which no events come.
    pub(crate) fn adopt(socket: TcpStream) -> Self {
        Self(socket)
    }

    /// Has events come when bytes have, until the connection is dropped, each once: whoever gets one reads until
    /// all has come. Fails when the system cannot watch one more.
    pub(crate) fn register(&mut self, registry: &Registry, token: Token) -> io::Result<()> {
        registry.register(&mut self.0, token, Interest::READABLE)
    }

    /// Has events come as well when more can be written, from here on: one at once if that is so already. A new socket
    /// can be written, so to ask for it from the beginning is an event, and a waking worker, for nothing.
    pub(crate) fn await_room(&mut self, registry: &Registry, token: Token) -> io::Result<()> {
        registry.reregister(&mut self.0, token, Interest::READABLE | Interest::WRITABLE)
    }

    /// Has events come elsewhere from here on, see [`bed::lend`].
    pub(crate) fn lend(&mut self, from: &Registry, to: &Registry, token: Token) -> io::Result<()> {
        bed::lend(&mut self.0, from, to, token)
    }

    /// Has them come where they came before, see [`bed::take_back`].
    pub(crate) fn take_back(&mut self, from: &Registry, home: &Registry, token: Token) -> io::Result<()> {
        bed::take_back(&mut self.0, from, home, token)
    }

    /// Has no more events come: another thread is to have them.
    pub(crate) fn deregister(&mut self, registry: &Registry) -> io::Result<()> {
        registry.deregister(&mut self.0)
    }

    /// Whose it is, if the system still knows.
    pub(crate) fn peer_address(&self) -> io::Result<SocketAddr> {
        self.0.peer_addr()
    }

    /// Reads what is there.
    pub(crate) fn read(&mut self, buffer: &mut [u8]) -> io::Result<Received> {
        let bytes = self.0.read(buffer)?;
        Ok(Received { bytes, is_all: bytes < buffer.len() })
    }

    /// Writes as much as the system takes now.
    pub(crate) fn write(&mut self, parts: &[IoSlice<'_>]) -> io::Result<usize> {
        match parts {
            [part] => self.0.write(part),
            parts => self.0.write_vectored(parts),
        }
    }

    /// Ends both directions: what has come can still be read, and behind it is the end.
    pub(crate) fn break_off(&mut self) {
        // One that the peer has reset ends by itself.
        let _ = self.0.shutdown(Shutdown::Both);
    }

    /// Tells the peer that nothing more will be written.
    pub(crate) fn shut_down(&mut self) -> io::Result<()> {
        self.0.shutdown(Shutdown::Write)
    }
}
