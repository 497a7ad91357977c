//! Owns one transport connection: reads into one buffer, cuts it into packets, writes what the protocol puts out. It
//! reads and writes at the same time, so that two full sockets cannot wait for each other.

use super::{End, core::Core, inbox::Inbox};
use crate::{error::ConnectionError, protocol::Input};
use bytes::{Buf, Bytes, BytesMut};
use mqtt_codec::{DecodeError, Packet, ProtocolVersion};
use std::{future::Future, future::poll_fn, io, pin::pin, task::Poll, time::Duration};
use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt},
    time::timeout,
};

/// A connection that is being served.
pub(super) struct Connection<S> {
    stream: S,
    input: BytesMut,
}

/// What the socket did.
enum Transfer {
    Read(io::Result<usize>),
    Wrote(io::Result<usize>),
}

/// How much is read at once.
const READ_BYTES: usize = 16 << 10;
/// Smaller packets are copied out of the buffer, so that a message somebody keeps does not keep the buffer.
const COPIED_BYTES_MAX: usize = 1 << 10;
/// How long the last packet of a connection, and the server's close after it, may take.
const CLOSING_TIMEOUT: Duration = Duration::from_secs(1);

impl<S: AsyncRead + AsyncWrite + Unpin> Connection<S> {
    pub(super) fn new(stream: S) -> Self {
        Self { stream, input: BytesMut::new() }
    }

    /// The connection from CONNECT to its end.
    pub(super) async fn serve(mut self, core: &mut Core, inbox: &mut Inbox) -> End {
        core.step(Input::Opened);
        loop {
            self.decode(core);
            if let Some(end) = core.end.take() {
                self.close(core, &end).await;
                return end;
            }
            let transfer = tokio::select! {
                transfer = transfer(&mut self.stream, core, &mut self.input) => transfer,
                occurrence = inbox.next(core.interest()) => {
                    core.occurred(occurrence, inbox);
                    continue;
                }
            };
            match transfer {
                Transfer::Wrote(Ok(bytes)) if bytes > 0 => {
                    core.wrote(bytes);
                    core.step(Input::Writable);
                }
                Transfer::Read(Ok(bytes)) if bytes > 0 => {}
                Transfer::Read(Ok(_)) | Transfer::Wrote(Ok(_)) => {
                    return End::Lost(ConnectionError::ClosedByServer);
                }
                Transfer::Read(Err(error)) => return End::Lost(ConnectionError::network("reading", &error)),
                Transfer::Wrote(Err(error)) => return End::Lost(ConnectionError::network("writing", &error)),
            }
        }
    }

    /// Hands whole packets to the protocol, as long as it wants them.
    fn decode(&mut self, core: &mut Core) {
        while core.may_read() {
            match self.next_packet(core.protocol.version(), core.protocol.inbound_packet_bytes_max()) {
                Ok(Some(packet)) => core.step(Input::Packet(packet)),
                Ok(None) => return,
                Err(error) => core.step(Input::Malformed(error)),
            }
        }
    }

    fn next_packet(
        &mut self,
        version: ProtocolVersion,
        packet_bytes_max: u32,
    ) -> Result<Option<Packet>, DecodeError> {
        let Some(frame) = mqtt_codec::frame(&self.input, version, packet_bytes_max)? else { return Ok(None) };
        let packet_bytes = frame.header.packet_bytes;
        let bytes = if packet_bytes <= COPIED_BYTES_MAX {
            let bytes = Bytes::copy_from_slice(frame.bytes);
            self.input.advance(packet_bytes);
            bytes
        } else {
            self.input.split_to(packet_bytes).freeze()
        };
        let decoded = Packet::decode_first(&bytes, version, packet_bytes_max)?;
        Ok(decoded.map(|(packet, _)| packet))
    }

    /// Writes what is left, closes, and lets the server close too: a socket that is dropped with unread bytes in it
    /// may take the last packet back.
    async fn close(mut self, core: &mut Core, end: &End) {
        let patience = match end {
            End::Lost(_) => CLOSING_TIMEOUT,
            End::Finished { .. } => core.drain_timeout().max(CLOSING_TIMEOUT),
        };
        let last_words = async {
            while !core.effects.output().is_empty() {
                let bytes = self.stream.write(core.effects.output()).await?;
                if bytes == 0 {
                    return Err(io::ErrorKind::WriteZero.into());
                }
                core.wrote(bytes);
            }
            self.stream.shutdown().await
        };
        // A connection that is over anyway: whoever waits for what was not written is told that it is lost.
        if let Ok(Ok(())) = timeout(patience, last_words).await {
            let until_closed = async {
                self.input.clear();
                while matches!(self.stream.read_buf(&mut self.input).await, Ok(bytes) if bytes > 0) {
                    self.input.clear();
                }
            };
            let _ = timeout(CLOSING_TIMEOUT, until_closed).await;
        }
    }
}

/// Writes if there is something to write, else reads if that is welcome; whichever can be done first.
async fn transfer<S: AsyncRead + AsyncWrite + Unpin>(
    stream: &mut S,
    core: &Core,
    input: &mut BytesMut,
) -> Transfer {
    let output = core.effects.output();
    let may_read = core.may_read();
    if may_read && input.capacity() - input.len() < READ_BYTES / 4 {
        input.reserve(READ_BYTES);
    }
    // Both operations can be dropped and begun again without losing bytes.
    poll_fn(|context| {
        if !output.is_empty()
            && let Poll::Ready(wrote) = pin!(stream.write(output)).poll(context)
        {
            return Poll::Ready(Transfer::Wrote(wrote));
        }
        if may_read && let Poll::Ready(read) = pin!(stream.read_buf(input)).poll(context) {
            return Poll::Ready(Transfer::Read(read));
        }
        Poll::Pending
    })
    .await
}
