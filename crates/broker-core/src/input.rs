//! Owns what can happen to a shard. What it does about it is `shard`'s business.

use crate::{
    ids::{ConnectionId, SessionId},
    journal::Position,
    message::Message,
    peers::PeerMessage,
};
use mqtt_codec::{
    Borrowed, DecodeError, PacketRef,
    packet::{Connect, PublishRun},
};
use std::sync::Arc;

/// One thing that happened. Everything is borrowed: a shard keeps copies of what it needs.
#[derive(Debug)]
pub enum Input<'a> {
    /// A CONNECT was received on a connection that has moved to the shard of its client identifier
    /// (see [`Node::shard_of`](crate::Node::shard_of)). The first input of every connection.
    Connect {
        /// The connection, until [`Input::Closed`] or an [`OtherEffect::Close`](crate::OtherEffect::Close).
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
        /// The whole frame it was decoded from: a PUBLISH that goes on as it
        /// stands is not encoded anew. Empty if there is none.
        frame: &'a [u8],
    },
    /// Plain PUBLISH packets were received that differ in their payloads only, or one alone. It comes to what an
    /// [`Input::Packet`] for each of them comes to, at less cost.
    Publishes {
        /// Where.
        connection: ConnectionId,
        /// Which.
        run: PublishRun<'a>,
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
    Peer(PeerMessage<'a>),
    /// The time has reached [`Shard::next_deadline`](crate::Shard::next_deadline).
    Tick,
    /// The broker goes down: every client is told and disconnected.
    Shutdown,
    /// A turn ends: what the steps since the last one recorded goes to the journal, and what awaits it is
    /// marked. Due whenever [`Shard::wants_flush`](crate::Shard::wants_flush), before messages are handed to other
    /// shards.
    Flush,
    /// Everything that was appended to the journal before this position is on disk. It never goes back.
    Durable(Position),
    /// The answer to [`OtherEffect::Load`](crate::OtherEffect::Load).
    Loaded {
        /// Whose messages.
        session: SessionId,
        /// What was asked for, in its order; none for what cannot be read, which is lost.
        messages: Vec<(Position, Option<Arc<Message>>)>,
    },
    /// These places of the journal are to be given up although something may still be needed there: the shard
    /// looks for it, some of it with each tick, until [`OtherEffect::Surveyed`](crate::OtherEffect::Surveyed).
    Survey {
        /// The first place.
        from: Position,
        /// Behind the last.
        to: Position,
    },
    /// Records have been copied to other places (see [`journal::copied`](crate::journal::copied)), sorted by
    /// their former one: the next checkpoint goes over to the copies, and the former ones are given up.
    Copied(Arc<[(Position, Position)]>),
    /// A checkpoint begins: everything the shard knows is to be recorded once more, a slice with each
    /// tick, until [`OtherEffect::CheckpointWritten`](crate::OtherEffect::CheckpointWritten).
    Checkpoint,
}
