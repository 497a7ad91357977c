//! Every limit and policy of the engine, with its unit, default and behaviour at the limit. Where
//! values come from (files, flags, environment) is the daemon's business.

use mqtt_codec::{QoS, TopicFilter, TopicNameRef};

/// What the engine allows, offers and prefers. Plain data: build one with `..Config::default()`.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Config {
    /// What a peer may make grow, and how far.
    pub limits: Limits,
    /// What the broker offers its clients, as announced in CONNACK.
    pub capabilities: Capabilities,
    /// What happens to a message that finds a session's queue full.
    pub queue_policy: QueuePolicy,
    /// Which member of a shared subscription receives a message.
    pub share_strategy: ShareStrategy,
    /// The `$SYS` tree.
    pub sys: Sys,
    /// What an acknowledgement promises, by topic: the first rule that matches holds,
    /// [`Durability::Disk`] where none does. Without a journal everything is [`Durability::Memory`] at most.
    pub durability: Vec<DurabilityRule>,
}

impl Config {
    /// What an acknowledgement of a message to this topic promises.
    #[must_use]
    pub fn durability_of(&self, topic: TopicNameRef<'_>) -> Durability {
        let rule = self.durability.iter().find(|rule| rule.filter.matches(&topic));
        rule.map_or(Durability::Disk, |rule| rule.durability)
    }
}

/// Where a message is when its publisher gets the acknowledgement.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Default)]
pub enum Durability {
    /// With those who are connected. Nobody keeps it for a session that is away, and a crash loses what was
    /// not delivered.
    None,
    /// In the memory of every session it is for. A crash loses it.
    Memory,
    /// On disk, if it is retained or for a session that outlives its connection: no crash loses it. For
    /// others there is nothing that could be kept, and it is as with `Memory`.
    #[default]
    Disk,
}

/// The durability of the topics that a filter matches.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DurabilityRule {
    /// Which topics. A shared subscription's filter matches none.
    pub filter: TopicFilter,
    /// What holds for them.
    pub durability: Durability,
}

/// Everything a peer can make grow. A value is the last one allowed: one more is refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Network connections open at once, in the whole broker. One more is refused with CONNACK 0x97
    /// (3.x: return code 3). Default 1,000,000; worst case about 2 KB each when idle.
    pub connections_max: usize,
    /// Sessions kept at once, connected or not. A new one beyond it is refused with CONNACK 0x97
    /// (3.x: return code 3). Default 1,000,000; worst case `queue_bytes_max` each.
    pub sessions_max: usize,
    /// Bytes of one packet, fixed header included. A larger one ends the connection with 0x95 before
    /// it is buffered. Default 1 MiB; at most 268,435,460.
    pub packet_bytes_max: u32,
    /// UTF-8 bytes of a Topic Name or Topic Filter. A longer one is refused: 0x90 or 0x8F for v5,
    /// failure or a closed connection for 3.x. Default 65,535, the most the protocol can carry.
    pub topic_bytes_max: u16,
    /// Levels of a Topic Name or Topic Filter (one more than its slashes). More are refused as above.
    /// Default 128.
    pub topic_levels_max: u16,
    /// Subscriptions of one session. One more is answered with SUBACK 0x97 (3.x: 0x80).
    /// Default 10,000; about 100 bytes each beyond the filter's text.
    pub subscriptions_per_session_max: u32,
    /// QoS 1 and 2 messages waiting in one session's queue, in flight not counted. At the limit
    /// `queue_policy` decides. Default 10,000.
    pub queue_messages_max: u32,
    /// Bytes (topic, payload and properties) waiting in one session's queue. At the limit
    /// `queue_policy` decides. Default 64 MiB.
    pub queue_bytes_max: u64,
    /// QoS 1 and 2 messages in flight to one client; its own Receive Maximum may lower it. More wait
    /// in the queue. Default 1,024.
    pub inflight_max: u16,
    /// The Receive Maximum announced to v5 clients: their QoS 1 and 2 publications in flight to us.
    /// One more ends the connection with 0x93. Default 1,024.
    pub receive_maximum: u16,
    /// QoS 2 publications of a 3.x client awaiting PUBREL (3.x knows no Receive Maximum). One more
    /// ends the connection. Default 65,535, every packet identifier there is.
    pub inbound_inflight_max_v3: u16,
    /// Topic aliases a client may define (announced as Topic Alias Maximum). A higher one ends the
    /// connection with 0x94. Default 64; worst case 64 topics a connection. 0 switches aliases off.
    pub topic_alias_maximum: u16,
    /// Topic aliases we define towards one client, within what it allows. Default 64. 0 switches
    /// them off.
    pub topic_alias_outbound_max: u16,
    /// Retained messages. A new one beyond it is not retained: PUBACK or PUBREC 0x97 for v5, delivered
    /// but not retained and counted for QoS 0 and 3.x. Default 2,000,000.
    pub retained_messages_max: usize,
    /// Bytes (topic, payload and properties) of all retained messages. Beyond it as above.
    /// Default 1 GiB.
    pub retained_bytes_max: u64,
    /// Bytes waiting to be written to one connection. Beyond it QoS 0 messages to that client are
    /// dropped and counted; QoS 1 and 2 wait in the queue, but for those already in flight that waited for the
    /// disk, at most `inflight_max`. Default 4 MiB.
    pub outbox_bytes_max: usize,
    /// Milliseconds from accepting a connection to a complete CONNECT. Later the connection is
    /// closed. Default 10,000.
    pub connect_timeout_ms: u32,
    /// The highest Keep Alive in seconds; a v5 client that asks for more, or for none, is told by
    /// Server Keep Alive. 3.x clients cannot be told and keep theirs. Default 65,535: no ceiling.
    pub keep_alive_seconds_max: u16,
    /// The longest Session Expiry Interval in seconds; a v5 client that asks for more is told in
    /// CONNACK; sessions of 3.x clients without Clean Session get exactly this. Default 4,294,967,295: never expire.
    pub session_expiry_seconds_max: u32,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            connections_max: 1_000_000,
            sessions_max: 1_000_000,
            packet_bytes_max: 1024 * 1024,
            topic_bytes_max: u16::MAX,
            topic_levels_max: 128,
            subscriptions_per_session_max: 10_000,
            queue_messages_max: 10_000,
            queue_bytes_max: 64 * 1024 * 1024,
            inflight_max: 1_024,
            receive_maximum: 1_024,
            inbound_inflight_max_v3: u16::MAX,
            topic_alias_maximum: 64,
            topic_alias_outbound_max: 64,
            retained_messages_max: 2_000_000,
            retained_bytes_max: 1024 * 1024 * 1024,
            outbox_bytes_max: 4 * 1024 * 1024,
            connect_timeout_ms: 10_000,
            keep_alive_seconds_max: u16::MAX,
            session_expiry_seconds_max: u32::MAX,
        }
    }
}

/// What the broker offers. A v5 client reads it in CONNACK; a 3.x client learns it by refusal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Capabilities {
    /// The highest QoS accepted from a publisher and granted to a subscriber. Default 2.
    pub maximum_qos: QoS,
    /// Whether messages may be retained. Default true.
    pub retain_available: bool,
    /// Whether filters may hold wildcards. Default true.
    pub wildcard_subscription_available: bool,
    /// Whether subscriptions may carry an identifier. Default true.
    pub subscription_identifier_available: bool,
    /// Whether `$share` filters are accepted. Default true.
    pub shared_subscription_available: bool,
    /// The prefix of the Response Information told to a client that asks for it; the client id is
    /// appended. Empty: none is told. Default `response/`.
    pub response_information_prefix: String,
}

impl Default for Capabilities {
    fn default() -> Self {
        Self {
            maximum_qos: QoS::ExactlyOnce,
            retain_available: true,
            wildcard_subscription_available: true,
            subscription_identifier_available: true,
            shared_subscription_available: true,
            response_information_prefix: "response/".to_owned(),
        }
    }
}

/// What happens to a QoS 1 or 2 message that finds a session's queue full. Each drop is counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum QueuePolicy {
    /// The oldest waiting message makes room: the subscriber sees what is new.
    DropOldest,
    /// The new message is dropped: the subscriber sees what came first.
    DropNewest,
    /// The new message is queued all the same and its publisher's acknowledgement is held back until
    /// the queue is below its limit: real backpressure, and the default, because what was acknowledged
    /// is not to be lost. A subscriber that is connected and reads nothing then stops those who publish
    /// to it, each after at most its own window of messages. While the subscriber is offline the
    /// publisher would wait without end, so an offline session drops the newest instead.
    #[default]
    HoldPublisher,
}

/// Which member of a shared subscription receives a message. Members that are connected come first
/// whatever the strategy.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum ShareStrategy {
    /// Each in turn.
    #[default]
    RoundRobin,
    /// The member with the fewest messages queued and in flight.
    LeastInFlight,
    /// The same member for the same Topic Name, while the group does not change.
    StickyTopic,
    /// The same member for the same publisher, while the group does not change.
    StickyPublisher,
}

/// The `$SYS` tree.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sys {
    /// Milliseconds between publications of the tree. 0 switches it off. Default 10,000.
    pub interval_ms: u32,
}

impl Default for Sys {
    fn default() -> Self {
        Self { interval_ms: 10_000 }
    }
}
