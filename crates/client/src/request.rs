//! Owns what a caller asks of a connection besides publishing: subscribe, unsubscribe, disconnect. What becomes of
//! it is the protocol's business.

use crate::error::InvalidTopic;
use mqtt_codec::{
    Properties, QoS, ReasonCode, TopicFilter,
    packet::{RetainHandling, SubscriptionOptions},
};
use std::time::Duration;

/// What to subscribe to and how to receive it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Subscribe {
    /// The filters with their options; one stream receives what any of them matches.
    pub filters: Vec<(TopicFilter, SubscriptionOptions)>,
    /// 5.0: User Properties, and the Subscription Identifier if `identifying` leaves it to the caller.
    pub properties: Properties,
    /// 5.0: who sets the Subscription Identifier; default automatic.
    pub identifying: Identifying,
    /// Who acknowledges messages of QoS 1 and 2; default automatic.
    pub acknowledging: Acknowledging,
    /// What happens to QoS 0 messages when the stream's buffer is full; default [`Overflow::DropNewest`].
    pub overflow: Overflow,
    /// Messages of QoS 0 the stream's buffer holds at most; default 16,384. Those of QoS 1 and 2 are bounded by the
    /// Receive Maximum instead: they are not acknowledged before they leave the buffer.
    pub buffer_messages_max: usize,
    /// Bytes of QoS 0 messages the buffer holds at most; default 64 MiB. A single larger message is still taken when
    /// the buffer is empty.
    pub buffer_bytes_max: usize,
}

/// Who sets the Subscription Identifier, which the server repeats in each message of a subscription.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Identifying {
    /// The client, to tell its streams' messages apart; one among the properties is left out.
    #[default]
    Automatic,
    /// The caller: the one among the properties is sent, or none. The stream receives whatever its filters match.
    Manual,
}

/// Who acknowledges messages of QoS 1 and 2.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Acknowledging {
    /// The stream, when it hands the message out.
    #[default]
    Automatic,
    /// The caller, with [`Delivery::acknowledge`](crate::Delivery::acknowledge).
    Manual,
}

/// What happens to QoS 0 messages that find their stream's buffer full.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Overflow {
    /// They are dropped and counted ([`Subscription::dropped`](crate::Subscription::dropped)).
    #[default]
    DropNewest,
    /// The client stops reading from the connection until there is room, which slows the server down. Everything
    /// else on the connection waits as well, acknowledgements included: do not await a publication of the same
    /// client between two messages.
    PauseReading,
}

impl Subscribe {
    /// A subscription to one filter, of QoS 0 at most. Shared Subscriptions are written `$share/{name}/{filter}`.
    ///
    /// # Errors
    /// `filter` is no Topic Filter.
    pub fn new(filter: &str) -> Result<Self, InvalidTopic> {
        parse(filter).map(Self::to)
    }

    /// As [`new`](Self::new), to a filter that has been checked before.
    #[must_use]
    pub fn to(filter: TopicFilter) -> Self {
        Self::filters([(filter, SubscriptionOptions::default())])
    }

    /// A subscription to several filters, each with its own options.
    pub fn filters(filters: impl IntoIterator<Item = (TopicFilter, SubscriptionOptions)>) -> Self {
        Self {
            filters: filters.into_iter().collect(),
            properties: Properties::NONE,
            identifying: Identifying::Automatic,
            acknowledging: Acknowledging::Automatic,
            overflow: Overflow::DropNewest,
            buffer_messages_max: 16_384,
            buffer_bytes_max: 64 << 20,
        }
    }

    /// The same with one more filter, of QoS 0 at most.
    ///
    /// # Errors
    /// `filter` is no Topic Filter.
    pub fn and(mut self, filter: &str) -> Result<Self, InvalidTopic> {
        self.filters.push((parse(filter)?, SubscriptionOptions::default()));
        Ok(self)
    }

    /// The same with this highest QoS for every filter named so far.
    #[must_use]
    pub fn qos(self, maximum_qos: QoS) -> Self {
        self.options(|options| options.maximum_qos = maximum_qos)
    }

    /// 5.0: the same without the client's own publications, for every filter named so far.
    #[must_use]
    pub fn no_local(self) -> Self {
        self.options(|options| options.no_local = true)
    }

    /// 5.0: the same with RETAIN as it was published, for every filter named so far.
    #[must_use]
    pub fn retain_as_published(self) -> Self {
        self.options(|options| options.retain_as_published = true)
    }

    /// 5.0: the same with this Retain Handling, for every filter named so far.
    #[must_use]
    pub fn retain_handling(self, retain_handling: RetainHandling) -> Self {
        self.options(|options| options.retain_handling = retain_handling)
    }

    /// The same with messages that the caller acknowledges.
    #[must_use]
    pub fn manual_acknowledgement(self) -> Self {
        Self { acknowledging: Acknowledging::Manual, ..self }
    }

    /// The same with this answer to a full buffer.
    #[must_use]
    pub fn overflow(self, overflow: Overflow) -> Self {
        Self { overflow, ..self }
    }

    fn options(mut self, change: impl Fn(&mut SubscriptionOptions)) -> Self {
        self.filters.iter_mut().for_each(|(_, options)| change(options));
        self
    }
}

impl TryFrom<&str> for Subscribe {
    type Error = InvalidTopic;

    fn try_from(filter: &str) -> Result<Self, InvalidTopic> {
        Self::new(filter)
    }
}

impl From<TopicFilter> for Subscribe {
    fn from(filter: TopicFilter) -> Self {
        Self::to(filter)
    }
}

/// What to unsubscribe from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unsubscribe {
    /// The filters, as they were subscribed to.
    pub filters: Vec<TopicFilter>,
    /// 5.0: User Properties.
    pub properties: Properties,
}

impl Unsubscribe {
    /// Unsubscribes from one filter.
    ///
    /// # Errors
    /// `filter` is no Topic Filter.
    pub fn new(filter: &str) -> Result<Self, InvalidTopic> {
        parse(filter).map(|filter| Self::filters([filter]))
    }

    /// Unsubscribes from several filters.
    pub fn filters(filters: impl IntoIterator<Item = TopicFilter>) -> Self {
        Self { filters: filters.into_iter().collect(), properties: Properties::NONE }
    }
}

impl TryFrom<&str> for Unsubscribe {
    type Error = InvalidTopic;

    fn try_from(filter: &str) -> Result<Self, InvalidTopic> {
        Self::new(filter)
    }
}

impl From<TopicFilter> for Unsubscribe {
    fn from(filter: TopicFilter) -> Self {
        Self::filters([filter])
    }
}

/// How to leave.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Disconnect {
    /// 5.0: why; default Success, which discards the Will. [`ReasonCode::DisconnectWithWill`] has it published.
    pub reason: ReasonCode,
    /// 5.0: Session Expiry Interval, Reason String, User Properties.
    pub properties: Properties,
    /// How long publications in flight and queued may take to be acknowledged; none takes `drain_timeout` of the
    /// options. Zero sends DISCONNECT at once.
    pub drain_timeout: Option<Duration>,
}

impl Default for Disconnect {
    fn default() -> Self {
        Self { reason: ReasonCode::Success, properties: Properties::NONE, drain_timeout: None }
    }
}

fn parse(filter: &str) -> Result<TopicFilter, InvalidTopic> {
    TopicFilter::owned(filter).map_err(|violation| InvalidTopic { text: filter.to_owned(), violation })
}
