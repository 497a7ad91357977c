//! Owns one simulated client's side of the protocol, without IO: what it is told to do becomes packets, what it
//! receives becomes deliveries and replies. What to do next is the scenario's business; the network is the
//! world's.

mod aliases;
mod connecting;
mod publishing;
mod receiving;
mod subscribing;

use crate::{observation::Delivered, scenario::Message, truth::SessionKey};
use aliases::{InboundAliases, OutboundAliases};
use broker_core::ConnectionId;
use mqtt_codec::{
    Packet, PacketId, ProtocolVersion,
    flow::{PacketIds, Receiver, Sender},
};
use std::collections::{BTreeSet, VecDeque};

/// A client with the session it believes to have.
#[derive(Debug)]
pub(crate) struct Client {
    name: String,
    /// The connection it uses; an older one may linger.
    connection: Option<Connection>,
    sender: Sender<Message>,
    receiver: Receiver,
    packet_ids: PacketIds,
    /// Publications that wait for the window, or for a connection.
    waiting: VecDeque<Message>,
    session: Option<SessionKey>,
}

/// The client's end of a connection.
#[derive(Debug)]
struct Connection {
    id: ConnectionId,
    version: ProtocolVersion,
    phase: Phase,
    buffer: Vec<u8>,
    session_expiry_seconds: u32,
    /// SUBSCRIBE and UNSUBSCRIBE that were not answered.
    requests: BTreeSet<PacketId>,
    inbound_aliases: InboundAliases,
    outbound_aliases: OutboundAliases,
    keep_alive_ms: u64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    AwaitsConnAck,
    Connected,
}

/// What a client wants done after it was told or received something.
#[derive(Debug, Default)]
pub(crate) struct Output {
    /// To be sent now.
    pub packets: Vec<Packet>,
    /// To be sent when the client gets round to it, in order.
    pub replies: Vec<Packet>,
    /// For its application.
    pub delivered: Vec<Delivered>,
    /// What it must refuse.
    pub complaint: Option<String>,
}

impl Client {
    /// A client that was never connected.
    #[must_use]
    pub(crate) fn new(name: String) -> Self {
        Self {
            name,
            connection: None,
            sender: Sender::new(0),
            receiver: Receiver::new(u16::MAX),
            packet_ids: PacketIds::new(),
            waiting: VecDeque::new(),
            session: None,
        }
    }

    /// The connection it uses.
    #[must_use]
    pub(crate) fn connection(&self) -> Option<ConnectionId> {
        self.connection.as_ref().map(|connection| connection.id)
    }

    /// Whether it has been told that it is connected.
    #[must_use]
    pub(crate) fn is_connected(&self) -> bool {
        self.connection.as_ref().is_some_and(|connection| connection.phase == Phase::Connected)
    }

    /// Milliseconds after which it sends PINGREQ; 0 for never.
    #[must_use]
    pub(crate) fn keep_alive_ms(&self) -> u64 {
        self.connection.as_ref().map_or(0, |connection| connection.keep_alive_ms)
    }

    /// Whether everything it published is fully acknowledged.
    #[must_use]
    pub(crate) fn is_idle(&self) -> bool {
        self.sender.is_empty() && self.waiting.is_empty()
    }

    /// Whether something it sent is not fully acknowledged. Sent again in another version, it would be another
    /// message: with other properties.
    #[must_use]
    pub(crate) fn has_in_flight(&self) -> bool {
        !self.sender.is_empty()
    }

    /// The version it speaks now.
    #[must_use]
    pub(crate) fn version(&self) -> ProtocolVersion {
        self.connection.as_ref().map_or(ProtocolVersion::V311, |connection| connection.version)
    }

    /// Whether its session outlives the connection.
    #[must_use]
    pub(crate) fn keeps_session(&self) -> bool {
        self.connection.as_ref().is_some_and(|connection| connection.session_expiry_seconds > 0)
    }

    /// A connection is gone.
    pub(crate) fn lost(&mut self, id: ConnectionId) {
        self.connection.take_if(|connection| connection.id == id);
    }

    /// Forgets what it received, as a client with a bug would.
    pub(crate) fn forget_received(&mut self) {
        self.receiver = Receiver::new(u16::MAX);
    }

    fn next_packet_id(&mut self) -> PacketId {
        let Self { packet_ids, sender, connection, .. } = self;
        let is_requested = |id| connection.as_ref().is_some_and(|it| it.requests.contains(&id));
        packet_ids
            .allocate(|id| sender.contains(id) || is_requested(id))
            .expect("a simulated client never uses all identifiers")
    }
}
