//! Owns how a client connects and behaves. The bytes of CONNECT are made of it by the protocol.

mod connect;
mod url;

pub use url::{ServerUrl, UrlError};

pub(crate) use connect::{SessionStart, is_client_disconnect};

use bytes::Bytes;
use mqtt_codec::{MAXIMUM_PACKET_BYTES, Properties, ProtocolVersion, packet::Will};
use std::{
    fmt,
    num::{NonZeroU16, NonZeroU32},
    time::Duration,
};

/// How a client connects and behaves. All fields are public; the methods are for building in one expression.
///
/// Memory: what is received and not yet handed out is bounded by `receive_maximum` times `maximum_packet_size`, and
/// per stream by its buffer; what waits to be published by `queue_bytes_max`.
#[derive(Clone, PartialEq, Eq)]
pub struct Options {
    /// Host name or address; default from the URL.
    pub host: String,
    /// TCP port; default 1883.
    pub port: u16,
    /// Local host name or address to connect from; default any.
    pub bind_address: Option<String>,
    /// Whether small packets are sent without delay (TCP_NODELAY); default yes.
    pub tcp_no_delay: bool,
    /// The protocol version; default 5.0.
    pub version: ProtocolVersion,
    /// The Client Identifier; default empty, which lets the server choose one. MQTT 3.1 needs one, and 3.1.1 for a
    /// session that lasts.
    pub client_id: String,
    /// Whether the first connection forgets a session of before; default yes. In 5.0 reconnects continue the session
    /// whatever this says; in 3.x a clean session also ends with each connection.
    pub clean_start: bool,
    /// Keep Alive in seconds, after which an idle client says that it is alive; default 60, 0 is off.
    pub keep_alive_seconds: u16,
    /// How long a PINGREQ may go without any answer before the connection counts as lost; default 10 s.
    pub ping_timeout: Duration,
    /// 5.0: seconds the server keeps the session after the connection; default 0, `u32::MAX` is for ever. Exactly
    /// once across a lost connection needs a session that lasts until the client is back.
    pub session_expiry_interval: u32,
    /// Messages of QoS 1 and 2 that may be received and not yet acknowledged; default 1,000. 5.0 announces it. In 3.x
    /// the client stops reading at it.
    pub receive_maximum: NonZeroU16,
    /// Publications of QoS 1 and 2 that may be in flight; default 65,535, which leaves it to the server's Receive
    /// Maximum. In 3.x, where no server announces one, leaving it to the server means 20: there are servers that
    /// close the connection of a client that has more.
    pub send_maximum: NonZeroU16,
    /// The largest packet the client accepts, in bytes; default 268,435,460, which is the protocol's. 5.0 announces
    /// it. A larger one ends the connection.
    pub maximum_packet_size: NonZeroU32,
    /// 5.0: the highest Topic Alias the server may use; default 0, which is none. Each keeps a topic in memory.
    pub topic_alias_maximum: u16,
    /// 5.0: the highest Topic Alias the client uses by itself, if the server allows as many; default 0, which is none.
    /// Each keeps a topic in memory.
    pub outbound_topic_alias_maximum: u16,
    /// The user name; default none.
    pub user_name: Option<String>,
    /// The password; default none. 3.x needs a user name with it.
    pub password: Option<Bytes>,
    /// What the server publishes when the connection is lost; default nothing.
    pub will: Option<Will>,
    /// 5.0: more properties for CONNECT, such as User Property or Request Response Information. Those that have a
    /// field here are left out; there is no enhanced authentication.
    pub properties: Properties,
    /// How long reaching the server may take, and then again its answer to CONNECT; default 10 s.
    pub connect_timeout: Duration,
    /// How long the server may acknowledge nothing while it owes something, before the connection counts as lost;
    /// default none, since a server may hold acknowledgements back to slow its publishers down.
    pub acknowledgement_timeout: Option<Duration>,
    /// Whether and when a lost connection is made again.
    pub reconnect: Reconnect,
    /// Publications, subscriptions and unsubscriptions that may await their acknowledgement, offline or not; default
    /// 10,000. At the limit publishing waits, or fails while offline.
    pub queue_messages_max: usize,
    /// Bytes of publications that may await their acknowledgement; default 64 MiB. A single larger one is still taken
    /// when nothing else waits.
    pub queue_bytes_max: usize,
    /// How long a disconnect waits for acknowledgements; default 10 s.
    pub drain_timeout: Duration,
}

/// Whether and when a lost connection is made again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reconnect {
    /// Never: the client ends with its connection.
    Never,
    /// After growing delays.
    Backoff(Backoff),
}

/// Delays between attempts: each attempt doubles the delay up to the maximum, and a random part of up to a half is
/// taken off, so that a thousand clients do not come back at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Backoff {
    /// The first delay; default 250 ms.
    pub initial: Duration,
    /// The longest delay; default 30 s.
    pub maximum: Duration,
    /// Attempts after which the client ends; default none, which is never.
    pub attempts_max: Option<u32>,
}

impl Default for Backoff {
    fn default() -> Self {
        Self { initial: Duration::from_millis(250), maximum: Duration::from_secs(30), attempts_max: None }
    }
}

impl Options {
    /// Options from `mqtt://[user[:password]@]host[:port]`; user and password are percent-decoded.
    ///
    /// # Errors
    /// The URL has another scheme, no host, no valid port, or something after the port.
    pub fn new(url: &str) -> Result<Self, UrlError> {
        let url: ServerUrl = url.parse()?;
        Ok(Self {
            user_name: url.user_name,
            password: url.password.map(Bytes::from),
            ..Self::to(url.host, url.port)
        })
    }

    /// Options with everything else at its default.
    pub fn to(host: impl Into<String>, port: u16) -> Self {
        Self {
            host: host.into(),
            port,
            bind_address: None,
            tcp_no_delay: true,
            version: ProtocolVersion::V5,
            client_id: String::new(),
            clean_start: true,
            keep_alive_seconds: 60,
            ping_timeout: Duration::from_secs(10),
            session_expiry_interval: 0,
            receive_maximum: RECEIVE_MAXIMUM,
            send_maximum: NonZeroU16::MAX,
            maximum_packet_size: PACKET_BYTES_MAX,
            topic_alias_maximum: 0,
            outbound_topic_alias_maximum: 0,
            user_name: None,
            password: None,
            will: None,
            properties: Properties::NONE,
            connect_timeout: Duration::from_secs(10),
            acknowledgement_timeout: None,
            reconnect: Reconnect::Backoff(Backoff::default()),
            queue_messages_max: 10_000,
            queue_bytes_max: 64 << 20,
            drain_timeout: Duration::from_secs(10),
        }
    }

    /// The same with this protocol version.
    #[must_use]
    pub fn version(self, version: ProtocolVersion) -> Self {
        Self { version, ..self }
    }

    /// The same with this Client Identifier.
    #[must_use]
    pub fn client_id(self, client_id: impl Into<String>) -> Self {
        Self { client_id: client_id.into(), ..self }
    }

    /// The same, continuing a session of before and, in 5.0, keeping it this many seconds after the connection.
    #[must_use]
    pub fn resume_session(self, session_expiry_interval: u32) -> Self {
        Self { clean_start: false, session_expiry_interval, ..self }
    }

    /// The same with this Keep Alive in seconds.
    #[must_use]
    pub fn keep_alive_seconds(self, keep_alive_seconds: u16) -> Self {
        Self { keep_alive_seconds, ..self }
    }

    /// The same with this user name and password.
    #[must_use]
    pub fn credentials(self, user_name: impl Into<String>, password: impl Into<Bytes>) -> Self {
        Self { user_name: Some(user_name.into()), password: Some(password.into()), ..self }
    }

    /// The same with this Will.
    #[must_use]
    pub fn will(self, will: Will) -> Self {
        Self { will: Some(will), ..self }
    }

    /// The same with this reconnect policy.
    #[must_use]
    pub fn reconnect(self, reconnect: Reconnect) -> Self {
        Self { reconnect, ..self }
    }
}

/// A thousand small messages in flight fill a fast link over a continent's round trip.
const RECEIVE_MAXIMUM: NonZeroU16 = NonZeroU16::new(1_000).unwrap();
const PACKET_BYTES_MAX: NonZeroU32 = NonZeroU32::new(MAXIMUM_PACKET_BYTES).unwrap();

/// Leaves the password out.
impl fmt::Debug for Options {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Options")
            .field("host", &self.host)
            .field("port", &self.port)
            .field("version", &self.version)
            .field("client_id", &self.client_id)
            .field("clean_start", &self.clean_start)
            .field("user_name", &self.user_name)
            .finish_non_exhaustive()
    }
}
