//! Owns what a connection reports about itself, and the stream of it. Messages have streams of their own.

use crate::{error::ConnectionError, message::Message};
use mqtt_codec::{Properties, QoS, ReasonCode, TopicFilter};
use std::{sync::Arc, time::Duration};
use tokio::sync::broadcast::{self, error::RecvError};

/// Something that happened to the connection.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// The server has accepted the client, for the first time or again.
    Connected(Arc<Connected>),
    /// A connection was lost, or an attempt to make one failed.
    Disconnected(ConnectionError),
    /// Another attempt follows.
    Reconnecting {
        /// 1 for the first attempt after a connection.
        attempt: u32,
        /// When it begins, from now.
        delay: Duration,
    },
    /// The server had forgotten the session and a stream's filters were subscribed to again. Filters with an error
    /// receive nothing any more; a stream that has only such ends.
    Resubscribed(Vec<(TopicFilter, ReasonCode)>),
    /// A message came that no stream's filters match, and [`Connector::unmatched`](crate::Connector::unmatched)
    /// was not asked for. It has been acknowledged.
    Unmatched(Message),
    /// This many events were missed because the [`Events`] were not asked for in time.
    Missed(u64),
    /// The client has ended; the error says why, if it was not told to. No event follows.
    Closed(Option<ConnectionError>),
}

/// What a server said when it accepted the client. What it left out has the specification's default.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Connected {
    /// Whether the server continues the session of before.
    pub session_present: bool,
    /// The Client Identifier in use: the client's own or the one the server assigned. Empty where a 3.1.1 server
    /// keeps it to itself.
    pub client_id: String,
    /// Keep Alive in seconds, the server's if it demands one; 0 is off.
    pub keep_alive_seconds: u16,
    /// Seconds the session outlives the connection; 3.x: 0.
    pub session_expiry_interval: u32,
    /// Publications of QoS 1 and 2 that may be in flight to the server.
    pub receive_maximum: u16,
    /// The highest QoS the server takes.
    pub maximum_qos: QoS,
    /// Whether the server retains messages.
    pub retain_available: bool,
    /// The largest packet the server takes, in bytes.
    pub maximum_packet_size: u32,
    /// The highest Topic Alias the server takes; 0 is none.
    pub topic_alias_maximum: u16,
    /// Whether the server has Wildcard Subscriptions.
    pub wildcard_subscription_available: bool,
    /// Whether the server has Subscription Identifiers.
    pub subscription_identifier_available: bool,
    /// Whether the server has Shared Subscriptions.
    pub shared_subscription_available: bool,
    /// All properties of CONNACK: Response Information, Server Reference, Reason String, User Properties.
    pub properties: Properties,
}

/// Events of one client from the moment it was asked for them. The newest 64 are kept.
#[derive(Debug)]
pub struct Events {
    receiver: broadcast::Receiver<Event>,
}

pub(crate) const EVENTS_KEPT: usize = 64;

impl Events {
    pub(crate) const fn new(receiver: broadcast::Receiver<Event>) -> Self {
        Self { receiver }
    }

    /// The next event; none when the client has ended and all events were taken.
    ///
    /// Cancel safe: an event is either returned or still there.
    pub async fn next(&mut self) -> Option<Event> {
        match self.receiver.recv().await {
            Ok(event) => Some(event),
            Err(RecvError::Lagged(count)) => Some(Event::Missed(count)),
            Err(RecvError::Closed) => None,
        }
    }
}
