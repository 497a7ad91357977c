//! Owns the handle that callers share. It sends requests to the driver and awaits answers; it decides nothing.

mod acknowledgement;
mod connector;
mod quota;

pub use acknowledgement::Acknowledgement;
pub(crate) use acknowledgement::PublishReply;
pub use connector::Connector;
pub(crate) use quota::{Permit, Quota};

use crate::{
    driver::{Request, SubscribeRequest},
    error::{ConnectionError, DisconnectError, PublishError, SubscribeError, UnsubscribeError},
    event::{Connected, Event, Events},
    message::{Message, Published},
    options::Options,
    protocol::UnsubscribeTarget,
    request::{Disconnect, Subscribe, Unsubscribe},
    requester::Requester,
    stream::{Deliveries, Granted, Subscription},
};
use mqtt_codec::{ProtocolVersion, ReasonCode, TopicName};
use std::sync::Arc;
use tokio::sync::{broadcast, mpsc::UnboundedSender, oneshot, watch};

/// A connection to a server, shared by any number of publishers and subscribers: clone it.
///
/// A task of the tokio runtime owns the socket, reconnects and resumes. When the last clone and the last
/// [`Subscription`] are dropped, it delivers what is queued for at most `drain_timeout`, disconnects and ends, as long
/// as the runtime lives; [`disconnect`](Self::disconnect) lets you await that.
#[derive(Clone, Debug)]
pub struct Client {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    requests: UnboundedSender<Request>,
    quota: Quota,
    connected: watch::Receiver<Option<Arc<Connected>>>,
    /// Never read: later receivers are made of it.
    events: broadcast::Receiver<Event>,
    version: ProtocolVersion,
}

impl Client {
    /// Connects, once: see [`Connector::connect`].
    ///
    /// # Errors
    /// The first attempt failed. Later failures are events.
    ///
    /// Cancel safe: dropping the future ends the attempt.
    pub async fn connect(options: Options) -> Result<Self, ConnectionError> {
        Connector::new(options).connect().await
    }

    /// Publishes and resolves with the server's acknowledgement, at QoS 0 when the message has been written to the
    /// socket. A lost connection does not fail QoS 1 and 2: they are sent again on the next. If the server has
    /// forgotten the session meanwhile, QoS 2 may then arrive twice.
    ///
    /// # Errors
    /// The server refused the message or announced that it would; the queue is full while offline; the client ended.
    ///
    /// Cancel safe: once queued, the message is published whether this is awaited or not.
    pub async fn publish(&self, message: Message) -> Result<Published, PublishError> {
        self.publish_queued(message).await?.await
    }

    /// Queues a message, waiting for room, and leaves the acknowledgement for later: a publisher of many messages
    /// keeps a bounded number of [`Acknowledgement`]s and awaits the oldest. They are sent in the order queued.
    ///
    /// # Errors
    /// The queue is full while offline, or the client ended.
    ///
    /// Cancel safe: if dropped, the message was not queued.
    pub async fn publish_queued(&self, message: Message) -> Result<Acknowledgement, PublishError> {
        match self.shared.quota.acquire(message.queued_bytes(), &self.shared.connected).await {
            Ok(permit) => self.queue(message, permit),
            Err(quota::NoRoom::Full) => Err(PublishError::QueueFull),
            Err(quota::NoRoom::Closed) => Err(PublishError::Closed),
        }
    }

    /// As [`publish_queued`](Self::publish_queued) without waiting for room.
    ///
    /// # Errors
    /// The queue is full, or the client ended.
    pub fn try_publish(&self, message: Message) -> Result<Acknowledgement, PublishError> {
        match self.shared.quota.try_acquire(message.queued_bytes()) {
            Ok(permit) => self.queue(message, permit),
            Err(quota::NoRoom::Full) => Err(PublishError::QueueFull),
            Err(quota::NoRoom::Closed) => Err(PublishError::Closed),
        }
    }

    fn queue(&self, message: Message, permit: Permit) -> Result<Acknowledgement, PublishError> {
        let (reply, acknowledgement) = acknowledgement::pair(permit);
        let request = Request::Publish { message, reply };
        self.shared.requests.send(request).map_err(|_| PublishError::Closed)?;
        Ok(acknowledgement)
    }

    /// Subscribes and resolves with a stream of its own when the server has granted at least one filter. Takes a
    /// filter's text for a subscription of QoS 0, or a [`Subscribe`]. The stream lives over reconnects: when the
    /// server has forgotten the session, it is subscribed to again.
    ///
    /// # Errors
    /// A filter is not legal; the server refused all filters or announced that it would; the queue is full while
    /// offline; the client ended.
    ///
    /// Cancel safe: if dropped, the subscription may still be made; its messages are then [`Event::Unmatched`].
    pub async fn subscribe<S>(&self, subscribe: S) -> Result<Subscription, SubscribeError>
    where
        S: TryInto<Subscribe>,
        SubscribeError: From<S::Error>,
    {
        let subscribe = subscribe.try_into()?;
        let filters = subscribe.filters.iter().map(|(filter, _)| filter.clone()).collect();
        let (deliveries, granted) = self.subscribe_stream(subscribe).await?;
        Ok(Subscription::new(deliveries, filters, granted, self.clone()))
    }

    async fn subscribe_stream(&self, subscribe: Subscribe) -> Result<(Deliveries, Granted), SubscribeError> {
        let permit = match self.shared.quota.acquire(REQUEST_BYTES, &self.shared.connected).await {
            Ok(permit) => permit,
            Err(quota::NoRoom::Full) => return Err(SubscribeError::QueueFull),
            Err(quota::NoRoom::Closed) => return Err(SubscribeError::Closed),
        };
        let (reply, answer) = oneshot::channel();
        let request = Request::Subscribe(SubscribeRequest { subscribe, reply, permit });
        self.shared.requests.send(request).map_err(|_| SubscribeError::Closed)?;
        answer.await.unwrap_or(Err(SubscribeError::Closed))
    }

    /// Unsubscribes. Every stream of this client stops receiving what only these filters asked for, and ends if it
    /// has no other. Resolves with the server's answers, filter by filter; 3.x has none and success is assumed.
    ///
    /// # Errors
    /// A filter is not legal; the server refused; the queue is full while offline; the client ended.
    ///
    /// Cancel safe: once polled, unsubscribing goes on whether it is awaited or not.
    pub async fn unsubscribe<U>(&self, unsubscribe: U) -> Result<Vec<ReasonCode>, UnsubscribeError>
    where
        U: TryInto<Unsubscribe>,
        UnsubscribeError: From<U::Error>,
    {
        self.unsubscribe_target(unsubscribe.try_into()?, UnsubscribeTarget::All).await
    }

    pub(crate) async fn unsubscribe_target(
        &self,
        unsubscribe: Unsubscribe,
        target: UnsubscribeTarget,
    ) -> Result<Vec<ReasonCode>, UnsubscribeError> {
        let permit = match self.shared.quota.acquire(REQUEST_BYTES, &self.shared.connected).await {
            Ok(permit) => permit,
            Err(quota::NoRoom::Full) => return Err(UnsubscribeError::QueueFull),
            Err(quota::NoRoom::Closed) => return Err(UnsubscribeError::Closed),
        };
        let (reply, answer) = oneshot::channel();
        let request = Request::Unsubscribe { unsubscribe, target, reply, permit };
        self.shared.requests.send(request).map_err(|_| UnsubscribeError::Closed)?;
        answer.await.unwrap_or(Err(UnsubscribeError::Closed))
    }

    pub(crate) fn has_properties(&self) -> bool {
        self.shared.version.has_properties()
    }

    /// Prepares request and response: subscribes to `response_topic` with QoS 1, for this requester alone.
    ///
    /// # Errors
    /// As [`subscribe`](Self::subscribe).
    ///
    /// Cancel safe: as [`subscribe`](Self::subscribe).
    pub async fn requester(&self, response_topic: TopicName) -> Result<Requester, SubscribeError> {
        Requester::new(self.clone(), response_topic).await
    }

    /// What happens to the connection from now on. What happened before it is asked is not told:
    /// [`Connector::events`] is early enough for the first connection.
    #[must_use]
    pub fn events(&self) -> Events {
        Events::new(self.shared.events.resubscribe())
    }

    /// What the server said when it accepted the connection; none while there is none.
    #[must_use]
    pub fn connected(&self) -> Option<Arc<Connected>> {
        self.shared.connected.borrow().clone()
    }

    /// Ends the client: takes no more publications, awaits the acknowledgements of those in flight and queued for at
    /// most `drain_timeout`, sends DISCONNECT and closes. Streams end when they have been emptied.
    ///
    /// # Errors
    /// The deadline passed first, or the client had ended. It has ended in any case.
    ///
    /// Cancel safe: once polled, the client ends whether this is awaited or not.
    pub async fn disconnect(&self) -> Result<(), DisconnectError> {
        self.disconnect_with(Disconnect::default()).await
    }

    /// As [`disconnect`](Self::disconnect) with a reason, properties and a deadline.
    ///
    /// # Errors
    /// As [`disconnect`](Self::disconnect), or what is asked for makes no legal DISCONNECT; the client then goes on.
    ///
    /// Cancel safe: once polled, the client ends whether this is awaited or not.
    pub async fn disconnect_with(&self, disconnect: Disconnect) -> Result<(), DisconnectError> {
        let (reply, answer) = oneshot::channel();
        let request = Request::Disconnect { disconnect, reply };
        self.shared.requests.send(request).map_err(|_| DisconnectError::Closed)?;
        answer.await.unwrap_or(Err(DisconnectError::Closed))
    }
}

/// What a subscription or unsubscription counts for in the queue, in bytes.
const REQUEST_BYTES: usize = 1;
