//! Owns the list of all settings, in the order of the reference file. From it come the file's keys,
//! the environment's names, `--set`, the reference and every guess at a misspelt key; how they are
//! read and combined is elsewhere.

use broker_core::config::{QueuePolicy, ShareStrategy};

use super::Storage;
use super::field::{Choice as _, Field as _};
use super::setting::{Setting, put};
use super::value::Kind::{self, Addresses, Boolean, Bytes, Path, Rules, TopicPrefix};
use crate::log::Level;

const MIB: u64 = 1 << 20;
const GIB: u64 = 1 << 30;
const PIB: u64 = 1 << 50;
const U16: u64 = u16::MAX as u64;
const U32: u64 = u32::MAX as u64;

/// A setting of the daemon: the key is the path of the field in `Settings`.
macro_rules! daemon {
    ($first:ident $(. $rest:ident)*, $kind:expr, $doc:expr) => {
        Setting {
            name: concat!(stringify!($first) $(, ".", stringify!($rest))*),
            kind: $kind,
            doc: $doc,
            get: |settings| settings.$first $(.$rest)*.to_value(),
            put: |settings, value| put(&mut settings.$first $(.$rest)*, value),
        }
    };
}

/// A setting of the engine: the key is the path of the field in `broker_core::config::Config`.
macro_rules! engine {
    ($first:ident $(. $rest:ident)*, $kind:expr, $doc:expr) => {
        Setting {
            name: concat!(stringify!($first) $(, ".", stringify!($rest))*),
            kind: $kind,
            doc: $doc,
            get: |settings| settings.engine.$first $(.$rest)*.to_value(),
            put: |settings, value| put(&mut settings.engine.$first $(.$rest)*, value),
        }
    };
}

const fn integer(minimum: u64, maximum: u64) -> Kind {
    Kind::Integer { minimum, maximum }
}

const fn bytes(minimum: u64, maximum: u64) -> Kind {
    Bytes { minimum, maximum }
}

/// Every setting there is; those of a table stand together.
pub(super) static SETTINGS: &[Setting] = &[
    daemon!(
        listen,
        Addresses,
        "Where clients are accepted over TCP, as IP:PORT. Port 0 lets the system pick a free one; \
         an IPv6 address serves IPv6 only. An address that other machines can reach is refused unless allow_anonymous is true or \
         authentication is configured."
    ),
    daemon!(
        storage,
        Kind::Choice(Storage::NAMES),
        "Whether data outlives the process. disk: what was acknowledged is on disk, in data_dir. \
         memory: sessions, queued and retained messages end with the process and nothing is \
         written."
    ),
    daemon!(
        data_dir,
        Path,
        "The directory for data that outlives the process; a relative path starts at the working \
         directory. It is made if it is not there, and belongs to one mqttd at a time. It holds at most \
         about 4 times what is queued and retained, and beside that journal.checkpoint_bytes and 4 \
         files of journal.segment_bytes; once nothing is queued and retained any more it shrinks within \
         a quarter of a minute to about 1 MiB and 200 bytes for each session and subscription beyond \
         their texts. While a lot is stored, half of journal.segment_bytes is kept free in a \
         file called reserve. When the disk is full or failing, what would have to be stored is \
         refused: 0x97 for 5.0, a closed connection for 3.x; everything else goes on. The reserve is \
         there for acknowledgements and all that gives space back; when there is room again, \
         everything goes on by itself."
    ),
    engine!(
        durability,
        Rules,
        "Where a message is when its publisher gets the acknowledgement, by topic: rules as \
         FILTER=LEVEL, of which the first that matches holds; disk where none does. disk: on disk, \
         if it is retained or a session that outlives its connection is to have it. memory: in \
         the memory of every session that is to have it; a crash loses it. none: nowhere; a \
         session whose client is away does not get it. A filter that holds a comma can only stand in \
         a file."
    ),
    daemon!(
        workers,
        integer(0, 1024),
        "Worker threads. Each serves its share of the sessions; more than cores gain nothing. 0: \
         one per core."
    ),
    daemon!(
        allow_anonymous,
        Boolean,
        "Whether clients that do not authenticate are served at addresses that other machines can \
         reach. This machine is always served."
    ),
    engine!(
        queue_policy,
        Kind::Choice(QueuePolicy::NAMES),
        "What happens to a QoS 1 or 2 message that finds a session's queue full. hold_publisher: \
         the new message is queued and its publisher's acknowledgement is held back until there is \
         room, so that a slow subscriber slows those who publish to it and loses nothing; a session \
         that is offline drops the newest instead. drop_oldest: the oldest waiting message makes \
         room. drop_newest: the new message is dropped. Every drop is counted."
    ),
    engine!(
        share_strategy,
        Kind::Choice(ShareStrategy::NAMES),
        "Which member of a shared subscription receives a message; connected members come first. \
         round_robin: each in turn. least_in_flight: the one with the fewest messages queued and \
         in flight. sticky_topic: the same one for the same topic. sticky_publisher: the same one \
         for the same publisher."
    ),
    engine!(
        limits.connections_max,
        integer(1, 1_000_000_000),
        "Network connections open at once. One more is refused with CONNACK 0x97 (3.x: return \
         code 3). About 2 KB each when idle."
    ),
    engine!(
        limits.sessions_max,
        integer(1, 1_000_000_000),
        "Sessions kept at once, connected or not. A new one beyond it is refused with CONNACK \
         0x97 (3.x: return code 3). At worst limits.queue_bytes_max each."
    ),
    engine!(
        limits.packet_bytes_max,
        bytes(14, 268_435_460),
        "Bytes of one packet, fixed header included. A larger one ends the connection with 0x95 \
         before it is buffered."
    ),
    engine!(
        limits.topic_bytes_max,
        integer(1, U16),
        "UTF-8 bytes of a topic name or topic filter. A longer one is refused: 0x90 or 0x8F for \
         5.0, failure or a closed connection for 3.x."
    ),
    engine!(
        limits.topic_levels_max,
        integer(1, U16),
        "Levels of a topic name or topic filter: one more than its slashes. More are refused as a \
         longer one is."
    ),
    engine!(
        limits.subscriptions_per_session_max,
        integer(1, U32),
        "Subscriptions of one session. One more is answered with SUBACK 0x97 (3.x: 0x80). About \
         100 bytes each beyond the filter's text."
    ),
    engine!(
        limits.queue_messages_max,
        integer(1, U32),
        "QoS 1 and 2 messages waiting in one session's queue, those in flight not counted. At the \
         limit queue_policy decides."
    ),
    engine!(
        limits.queue_bytes_max,
        bytes(1, PIB),
        "Bytes (topic, payload and properties) waiting in one session's queue. At the limit \
         queue_policy decides."
    ),
    engine!(
        limits.inflight_max,
        integer(1, U16),
        "QoS 1 and 2 messages in flight to one client, which may lower it with its own Receive \
         Maximum. More wait in the queue."
    ),
    engine!(
        limits.receive_maximum,
        integer(1, U16),
        "The Receive Maximum announced to 5.0 clients: QoS 1 and 2 messages in flight from one \
         client. One more ends the connection with 0x93."
    ),
    engine!(
        limits.inbound_inflight_max_v3,
        integer(1, U16),
        "QoS 2 messages of one 3.x client that wait for PUBREL; 3.x knows no Receive Maximum. One \
         more ends the connection."
    ),
    engine!(
        limits.topic_alias_maximum,
        integer(0, U16),
        "Topic aliases that one 5.0 client may define, announced as Topic Alias Maximum. A higher \
         one ends the connection with 0x94. At worst as many topics per connection. 0 switches \
         them off."
    ),
    engine!(
        limits.topic_alias_outbound_max,
        integer(0, U16),
        "Topic aliases that the broker defines towards one client, within what the client allows. \
         0 switches them off."
    ),
    engine!(
        limits.retained_messages_max,
        integer(0, 1_000_000_000),
        "Retained messages. A new one beyond it is not retained: 5.0 is told 0x97 for QoS 1 and \
         2; QoS 0 and 3.x are delivered, not retained and counted."
    ),
    engine!(
        limits.retained_bytes_max,
        bytes(0, PIB),
        "Bytes (topic, payload and properties) of all retained messages. Beyond it as beyond \
         limits.retained_messages_max."
    ),
    engine!(
        limits.outbox_bytes_max,
        bytes(1, GIB),
        "Bytes waiting to be written to one connection. Beyond it QoS 0 messages to that client \
         are dropped and counted; QoS 1 and 2 wait in the queue."
    ),
    engine!(
        limits.connect_timeout_ms,
        integer(1, U32),
        "Milliseconds from accepting a connection to a complete CONNECT. Later the connection is \
         closed."
    ),
    engine!(
        limits.keep_alive_seconds_max,
        integer(1, U16),
        "The highest Keep Alive in seconds. A 5.0 client that asks for more, or for none, is told \
         by Server Keep Alive; 3.x clients cannot be told and keep theirs. 65535: no ceiling."
    ),
    engine!(
        limits.session_expiry_seconds_max,
        integer(0, U32),
        "The longest Session Expiry Interval in seconds. A 5.0 client that asks for more is told \
         in CONNACK; sessions of 3.x clients without Clean Session get exactly this. 4294967295: \
         never expire."
    ),
    engine!(
        capabilities.maximum_qos,
        integer(0, 2),
        "The highest QoS accepted from a publisher and granted to a subscriber."
    ),
    engine!(capabilities.retain_available, Boolean, "Whether messages may be retained."),
    engine!(
        capabilities.wildcard_subscription_available,
        Boolean,
        "Whether topic filters may hold wildcards."
    ),
    engine!(
        capabilities.subscription_identifier_available,
        Boolean,
        "Whether subscriptions may carry an identifier."
    ),
    engine!(capabilities.shared_subscription_available, Boolean, "Whether $share filters are accepted."),
    engine!(
        capabilities.response_information_prefix,
        TopicPrefix,
        "The beginning of the Response Information told to a client that asks for it; the client \
         identifier is appended. Empty: none is told."
    ),
    engine!(
        sys.interval_ms,
        integer(0, U32),
        "Milliseconds between publications of the $SYS topics. 0 switches them off."
    ),
    daemon!(
        journal.segment_bytes,
        bytes(MIB, GIB),
        "Bytes after which the journal goes on in another file. Space comes back by whole files: \
         smaller ones give it back sooner, larger ones are fewer. A larger message has a file of \
         its own."
    ),
    daemon!(
        journal.checkpoint_bytes,
        bytes(MIB, 1024 * GIB),
        "Bytes appended to the journal until everything that is still true is written once more and \
         what was before can go. A start reads at most about twice as much; fewer bytes make starts \
         faster and cost more writing. What is written once more counts four times: with very many \
         sessions it is done less often."
    ),
    daemon!(
        log.level,
        Kind::Choice(Level::NAMES),
        "The least important events that are written to standard error. error: something is lost \
         or refused. warn: something is not as it should be. info: what happens once. debug: what \
         happens per client."
    ),
];
