//! Owns one socket of the relay: what of a frame has come, what has not been sent, and where its frames go.

use std::io::{self, ErrorKind, Read as _, Write as _};

use mio::net::TcpStream;
use mqtt_codec::ProtocolVersion;

/// A client of the relay.
#[derive(Debug)]
pub(crate) struct Connection {
    pub(crate) stream: TcpStream,
    pub(crate) version: ProtocolVersion,
    /// Where whole frames go: those of a publisher to its takers, those of a taker to its publisher. None until
    /// the first frame of a publisher told.
    pub(crate) targets: Option<Vec<usize>>,
    /// The beginning of a frame whose rest has not come.
    pub(crate) unread: Vec<u8>,
    unsent: Vec<u8>,
    /// Whether it is on the list of those to be flushed.
    pub(crate) is_dirty: bool,
}

/// What a read brought.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Read {
    /// So many bytes, and there may be more.
    More(usize),
    /// So many, and that was all.
    All(usize),
    /// The peer has ended.
    End,
}

impl Connection {
    pub(crate) fn new(stream: TcpStream) -> Self {
        Self {
            stream,
            version: ProtocolVersion::V311,
            targets: None,
            unread: Vec::new(),
            unsent: Vec::new(),
            is_dirty: false,
        }
    }

    pub(crate) fn read(&mut self, buffer: &mut [u8]) -> io::Result<Read> {
        loop {
            match self.stream.read(buffer) {
                Ok(0) => return Ok(Read::End),
                Ok(count) if count < buffer.len() => return Ok(Read::All(count)),
                Ok(count) => return Ok(Read::More(count)),
                Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(Read::All(0)),
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
    }

    #[inline]
    pub(crate) fn put(&mut self, bytes: &[u8]) {
        self.unsent.extend_from_slice(bytes);
    }

    /// Writes what the socket takes; the rest goes when it takes more.
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
