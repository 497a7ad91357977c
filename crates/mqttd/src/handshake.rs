//! Owns what a connection has to say before it is one of a client's. Who hears it is the worker.

mod first_packet;

use mio::net::TcpStream;

pub(crate) use self::first_packet::{FirstPacket, Refusal};
use crate::connection::Label;

/// A connection on its way to the worker of its client's session.
#[derive(Debug)]
pub(crate) struct Arrival {
    /// No events come for it.
    pub(crate) socket: TcpStream,
    /// For the log; none when the log does not show it.
    pub(crate) label: Option<Box<Label>>,
    /// A whole CONNECT and whatever was read behind it.
    pub(crate) received: Vec<u8>,
}
