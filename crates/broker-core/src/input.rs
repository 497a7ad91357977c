//! Owns what can happen to a shard. What it does about it is `shard`'s business.

use crate::{ids::ConnectionId, peers::PeerMessage};
use mqtt_codec::{Borrowed, DecodeError, PacketRef, packet::Connect};

/// One thing that happened. Everything is borrowed: a shard keeps copies of what it needs.
#[derive(Debug)]
pub enum Input<'a> {
    /// A CONNECT was received on a connection that has moved to the shard of its client identifier
    /// (see [`Node::shard_of`](crate::Node::shard_of)). The first input of every connection.
    Connect {
        /// The connection, until [`Input::Closed`] or an [`Effect::Close`](crate::Effect::Close).
        connection: ConnectionId,
        /// The packet.
        connect: Connect<Borrowed<'a>>,
    },
    /// A packet was received. The connection's version is known from its CONNECT.
    Packet {
        /// Where.
        connection: ConnectionId,
        /// The packet.
        packet: PacketRef<'a>,
    },
    /// Bytes were received that are no packet. Nothing more can be read from the connection.
    Malformed {
        /// Where.
        connection: ConnectionId,
        /// What is wrong with them.
        error: DecodeError,
    },
    /// The network connection is gone, from either side. The last input of a connection.
    Closed {
        /// Which.
        connection: ConnectionId,
    },
    /// More bytes than `outbox_bytes_max` wait to be written.
    OutboxFull {
        /// Where.
        connection: ConnectionId,
    },
    /// At most half of `outbox_bytes_max` still waits.
    OutboxDrained {
        /// Where.
        connection: ConnectionId,
    },
    /// Another shard sent this.
    Peer(PeerMessage),
    /// The time has reached [`Shard::next_deadline`](crate::Shard::next_deadline).
    Tick,
    /// The broker goes down: every client is told and disconnected.
    Shutdown,
}
