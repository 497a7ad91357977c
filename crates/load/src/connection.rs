//! Owns one socket of the load: what has not been parsed, what has not been sent. What packets mean is its
//! owner's business.

use std::io::{self, ErrorKind, Read, Write};
use std::net::{IpAddr, Shutdown, SocketAddr};
use std::time::Duration;

use mio::net::TcpStream;
use mio::{Interest, Registry, Token};
use socket2::{Domain, SockRef, Socket, Type};

/// A socket that never blocks. Its buffers keep what they have grown to.
#[derive(Debug)]
pub(crate) struct Connection {
    stream: TcpStream,
    /// The beginning of a packet whose rest has not come.
    unread: Vec<u8>,
    /// To be sent with the next [`Connection::flush`].
    pub(crate) unsent: Vec<u8>,
    /// Bytes of it that are.
    sent: usize,
    /// Whether it is in the list of those to be flushed.
    pub(crate) to_be_flushed: bool,
    /// Whether its publisher waits for the socket to take more.
    pub(crate) awaited: bool,
}

/// Beyond this nothing is added to what has not been sent, acknowledgements excepted.
pub(crate) const UNSENT_BYTES_MAX: usize = 256 * 1024;

impl Connection {
    /// Begins to connect.
    pub(crate) fn open(
        address: SocketAddr,
        source: Option<IpAddr>,
        registry: &Registry,
        token: Token,
    ) -> io::Result<Self> {
        let mut stream = match source {
            None => TcpStream::connect(address)?,
            Some(source) => {
                let socket = Socket::new(Domain::for_address(address), Type::STREAM, None)?;
                socket.set_nonblocking(true)?;
                socket.bind(&SocketAddr::new(source, 0).into())?;
                match socket.connect(&address.into()) {
                    // As mio has it: that it succeeds is told by an event.
                    Err(error) if is_under_way(&error) => {}
                    other => other?,
                }
                TcpStream::from_std(socket.into())
            }
        };
        stream.set_nodelay(true)?;
        registry.register(&mut stream, token, Interest::READABLE | Interest::WRITABLE)?;
        Ok(Self {
            stream,
            unread: Vec::new(),
            unsent: Vec::new(),
            sent: 0,
            to_be_flushed: false,
            awaited: false,
        })
    }

    /// Reads all there is and hands it out in pieces: each begins with a packet, and what `take` leaves of it
    /// comes again with more behind. `take` tells how many bytes it took.
    ///
    /// # Errors
    /// Of `take`, or the socket's; its end is one of them.
    pub(crate) fn read<E: From<io::Error>>(
        &mut self,
        buffer: &mut [u8],
        ending: Ending,
        mut take: impl FnMut(&[u8], &mut Vec<u8>) -> Result<usize, E>,
    ) -> Result<(), E> {
        loop {
            let count = match self.stream.read(buffer) {
                Ok(0) => return Err(io::Error::from(ErrorKind::UnexpectedEof).into()),
                Ok(count) => count,
                // Nothing more, or not connected yet.
                Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::NotConnected) => {
                    return Ok(());
                }
                Err(error) if error.kind() == ErrorKind::Interrupted => continue,
                Err(error) => return Err(error.into()),
            };
            if self.unread.is_empty() {
                let taken = take(&buffer[..count], &mut self.unsent)?;
                self.unread.extend_from_slice(&buffer[taken..count]);
            } else {
                self.unread.extend_from_slice(&buffer[..count]);
                let taken = take(&self.unread, &mut self.unsent)?;
                self.unread.drain(..taken);
            }
            // What comes later is a new event; an end that has come already would not be.
            if count < buffer.len() && ending == Ending::NotSeen {
                return Ok(());
            }
        }
    }

    /// Sends what the socket takes; the rest goes when it takes more.
    pub(crate) fn flush(&mut self) -> io::Result<()> {
        while self.sent < self.unsent.len() {
            match self.stream.write(&self.unsent[self.sent..]) {
                Ok(count) => self.sent += count,
                Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::NotConnected) => {
                    return Ok(());
                }
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        self.unsent.clear();
        self.sent = 0;
        Ok(())
    }

    /// Sends what is left and then the end, which the other side answers with its own.
    pub(crate) fn finish(&mut self) -> io::Result<()> {
        self.flush()?;
        if self.is_flushed() { self.stream.shutdown(Shutdown::Write) } else { Ok(()) }
    }

    pub(crate) fn is_flushed(&self) -> bool {
        self.unsent.is_empty()
    }

    /// Gives back what connecting took: an idle connection needs no buffers.
    pub(crate) fn release_buffers(&mut self) {
        self.unread.shrink_to_fit();
        self.unsent.shrink_to_fit();
    }

    /// Has the connection reset when it is dropped: nothing is waited for, and no port is kept back.
    pub(crate) fn reset_on_drop(&self) {
        // If it does not work, the connection is closed in good order.
        let _ = SockRef::from(&self.stream).set_linger(Some(Duration::ZERO));
    }
}

/// Whether the event said that the other side has closed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ending {
    Seen,
    NotSeen,
}

fn is_under_way(error: &io::Error) -> bool {
    /// EINPROGRESS has no kind of its own that is stable.
    #[cfg(target_os = "linux")]
    const IN_PROGRESS: i32 = 115;
    #[cfg(not(target_os = "linux"))]
    const IN_PROGRESS: i32 = 36;
    error.kind() == ErrorKind::WouldBlock || error.raw_os_error() == Some(IN_PROGRESS)
}
