//! Owns the state of one network connection, both ends of it. What moves along it is `network`'s business.

use broker_core::ShardId;
use mqtt_codec::{Packet, ProtocolVersion};

/// One network connection.
#[derive(Debug)]
pub(super) struct Link {
    pub(super) client: usize,
    pub(super) version: ProtocolVersion,
    /// Known once CONNECT was received.
    pub(super) shard: Option<ShardId>,
    /// Whether the broker reads from it.
    pub(super) broker_end: End,
    /// Whether the client reads from it.
    pub(super) client_end: End,
    /// What the broker received and could not make a packet of yet.
    pub(super) received: Vec<u8>,
    /// What the broker has not written yet.
    pub(super) outbox: Vec<u8>,
    pub(super) outbox_state: OutboxState,
    pub(super) flush: FlushState,
    pub(super) speed: Speed,
    /// When the last bytes under way arrive, each way: what is sent later does not arrive sooner.
    pub(super) to_broker_at_ms: u64,
    pub(super) to_client_at_ms: u64,
    /// What arrived at a frozen client, and what it would have replied.
    pub(super) unread: Vec<u8>,
    pub(super) unsent: Vec<Packet>,
    /// When the client's last reply is due.
    pub(super) reply_at_ms: u64,
}

/// One end of a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum End {
    Open,
    Closed,
}

/// Whether the shard was told that the outbox is full.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum OutboxState {
    HasRoom,
    Full,
}

/// Whether the outbox is about to be written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum FlushState {
    Idle,
    Scheduled,
}

/// How fast a client reads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Speed {
    Fast,
    /// So many bytes at a time.
    Slow(usize),
    /// Not at all, and it says nothing either.
    Frozen,
    /// The network is gone: whatever is on its way is lost.
    Cut,
}

impl Link {
    pub(super) fn new(client: usize, version: ProtocolVersion, speed: Speed, now_ms: u64) -> Self {
        Self {
            client,
            version,
            shard: None,
            broker_end: End::Open,
            client_end: End::Open,
            received: Vec::new(),
            outbox: Vec::new(),
            outbox_state: OutboxState::HasRoom,
            flush: FlushState::Idle,
            speed,
            to_broker_at_ms: now_ms,
            to_client_at_ms: now_ms,
            unread: Vec::new(),
            unsent: Vec::new(),
            reply_at_ms: now_ms,
        }
    }
}
