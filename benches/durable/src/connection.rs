//! Owns one socket of the load: what has not been parsed, what has not been sent. What packets mean is its
//! owner's business.

use std::io::{self, ErrorKind, Read, Write};
use std::net::SocketAddr;

use mio::net::TcpStream;
use mio::{Interest, Registry, Token};

/// A socket that never blocks.
#[derive(Debug)]
pub(crate) struct Connection {
    stream: TcpStream,
    /// The beginning of a packet whose rest has not come.
    unread: Vec<u8>,
    /// To be sent with the next [`Connection::flush`].
    pub(crate) unsent: Vec<u8>,
}

impl Connection {
    pub(crate) fn open(address: SocketAddr, registry: &Registry, token: Token) -> io::Result<Self> {
        // A connection on one's own machine is there at once, so it is waited for.
        let stream = std::net::TcpStream::connect(address)?;
        stream.set_nodelay(true)?;
        stream.set_nonblocking(true)?;
        let mut stream = TcpStream::from_std(stream);
        registry.register(&mut stream, token, Interest::READABLE | Interest::WRITABLE)?;
        Ok(Self { stream, unread: Vec::new(), unsent: Vec::new() })
    }

    /// Reads all there is and hands it out in pieces: each begins with a packet, and what `take` leaves of it
    /// comes again with more behind. `take` tells how many bytes it took.
    pub(crate) fn read(
        &mut self,
        buffer: &mut [u8],
        mut take: impl FnMut(&[u8], &mut Vec<u8>) -> usize,
    ) -> io::Result<()> {
        loop {
            let count = match self.stream.read(buffer) {
                Ok(0) => return Err(ErrorKind::UnexpectedEof.into()),
                Ok(count) => count,
                Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(()),
                Err(error) if error.kind() == ErrorKind::Interrupted => continue,
                Err(error) => return Err(error),
            };
            if self.unread.is_empty() {
                let taken = take(&buffer[..count], &mut self.unsent);
                self.unread.extend_from_slice(&buffer[taken..count]);
            } else {
                self.unread.extend_from_slice(&buffer[..count]);
                let taken = take(&self.unread, &mut self.unsent);
                self.unread.drain(..taken);
            }
            if count < buffer.len() {
                // Whatever comes later is a new event.
                return Ok(());
            }
        }
    }

    /// Sends what the socket takes; the rest goes when it takes more.
    pub(crate) fn flush(&mut self) -> io::Result<()> {
        let mut sent = 0;
        while sent < self.unsent.len() {
            match self.stream.write(&self.unsent[sent..]) {
                Ok(count) => sent += count,
                Err(error) if error.kind() == ErrorKind::WouldBlock => break,
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        self.unsent.drain(..sent);
        Ok(())
    }
}
