//! Owns how the bytes of one connection reach its socket and come from it. What the bytes are and when
//! they are written is the connection's and the worker's business.

use std::io::{self, IoSlice};
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use socket2::SockRef;
use tokio::io::{AsyncRead as _, AsyncWrite as _, ReadBuf};
use tokio::net::TcpStream;

/// One TCP connection, an ordered and lossless stream `[MQTT311-7.1.1-1]`, registered with the runtime of
/// the thread that made it.
#[derive(Debug)]
pub(crate) struct Transport(TcpStream);

impl Transport {
    /// Takes over a socket that another thread has let go. Fails when the system cannot watch one more.
    pub(crate) fn adopt(socket: std::net::TcpStream) -> io::Result<Self> {
        TcpStream::from_std(socket).map(Self)
    }

    /// Reads what is there; 0 bytes are the end. A read that does not fill the buffer is the last one
    /// before the next wake-up and costs no second system call.
    pub(crate) fn poll_read(
        &mut self,
        context: &mut Context<'_>,
        buffer: &mut [u8],
    ) -> Poll<io::Result<usize>> {
        let mut buffer = ReadBuf::new(buffer);
        ready!(Pin::new(&mut self.0).poll_read(context, &mut buffer))?;
        Poll::Ready(Ok(buffer.filled().len()))
    }

    /// Writes as much as the system takes now. Nobody is woken when it takes more.
    ///
    /// The system is asked, not the runtime: that learns only with its next events that a new socket
    /// can be written to, which would put off every CONNACK by one round.
    pub(crate) fn try_write(&mut self, parts: &[IoSlice<'_>]) -> io::Result<usize> {
        let socket = SockRef::from(&self.0);
        match parts {
            [part] => socket.send(part),
            parts => socket.send_vectored(parts),
        }
    }

    /// Writes as much as the system takes; the task is woken when it takes more.
    pub(crate) fn poll_write(
        &mut self,
        context: &mut Context<'_>,
        parts: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.0).poll_write_vectored(context, parts)
    }

    /// Tells the peer that nothing more will be written.
    pub(crate) fn poll_shut_down(&mut self, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_shutdown(context)
    }
}
