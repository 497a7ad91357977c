//! Owns what a connection has to say before it is one of a client's. Who hears it is the worker.

mod first_packet;

pub(crate) use self::first_packet::{FirstPacket, Refusal};
use crate::connection::Label;
use crate::transport::Transport;

/// A connection on its way to the worker of its client's session.
#[derive(Debug)]
pub(crate) struct Arrival {
    /// No events come for it.
    pub(crate) transport: Transport,
    /// For the log; none when the log does not show it.
    pub(crate) label: Option<Box<Label>>,
    /// A whole CONNECT and whatever was read behind it.
    pub(crate) received: Vec<u8>,
}
