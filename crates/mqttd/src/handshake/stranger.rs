//! Owns one connection that is not one of a client yet: what it has sent, and how far it has come. Where it goes
//! is the handshake's business.

use std::io::{self, Read as _, Write as _};
use std::net::{Shutdown, SocketAddr};

use broker_core::{ShardId, Timestamp};
use mio::net::TcpStream;

use super::Workers;
use super::first_packet::{FirstPacket, Refusal};

/// Reads of one stranger before others have their turn.
const READS_PER_TURN: usize = 16;

/// A connection that is not one of a client yet, or never will be.
pub(super) struct Stranger {
    pub(super) socket: TcpStream,
    pub(super) address: SocketAddr,
    pub(super) received: Vec<u8>,
    pub(super) stage: Stage,
    /// When it has had its time.
    pub(super) until: Timestamp,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stage {
    /// Its CONNECT is awaited.
    Greeting,
    /// It was refused and is to close.
    Farewell,
}

/// How far a stranger has come.
pub(super) enum Progress {
    /// Its next event is awaited.
    Pending,
    /// It may have sent more, but others must have their turn.
    Interrupted,
    /// Its CONNECT is whole.
    Connected(ShardId),
    Refused(Refusal),
    Gone(io::Error),
}

impl Stranger {
    /// Reads until the first packet is whole, or wrong, or nothing more is there.
    pub(super) fn first_packet(&mut self, buffer: &mut [u8], workers: &mut Workers) -> Progress {
        let packet_bytes_max = workers.node.config.limits.packet_bytes_max;
        for _ in 0..READS_PER_TURN {
            match self.socket.read(buffer) {
                Ok(0) => return Progress::Gone(io::ErrorKind::UnexpectedEof.into()),
                Ok(count) => self.received.extend_from_slice(&buffer[..count]),
                Err(error) => return progress(error),
            }
            match FirstPacket::judge(&self.received, packet_bytes_max) {
                FirstPacket::Incomplete => {}
                FirstPacket::Refused(refusal) => return Progress::Refused(refusal),
                FirstPacket::Connect { client_id } => {
                    return Progress::Connected(workers.shard_of(client_id));
                }
            }
        }
        Progress::Interrupted
    }

    /// Says the last words. A new socket has room for them; one that has none is closed without.
    pub(super) fn say_farewell(&mut self, answer: &[u8]) -> io::Result<()> {
        self.socket.write_all(answer)?;
        self.socket.shutdown(Shutdown::Write)
    }

    /// Throws away what is there.
    pub(super) fn drain(&mut self, buffer: &mut [u8]) -> Progress {
        for _ in 0..READS_PER_TURN {
            match self.socket.read(buffer) {
                Ok(0) => return Progress::Gone(io::ErrorKind::UnexpectedEof.into()),
                Ok(_) => {}
                Err(error) => return progress(error),
            }
        }
        Progress::Interrupted
    }
}

/// What a failed read comes to.
fn progress(error: io::Error) -> Progress {
    match error.kind() {
        io::ErrorKind::WouldBlock => Progress::Pending,
        _ => Progress::Gone(error),
    }
}
