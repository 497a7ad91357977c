//! Owns the streams that messages are handed out by, and their buffers. Which message belongs to which stream is
//! decided by the protocol.

mod buffer;

pub(crate) use buffer::{BufferLimits, Buffered, Pushed, StreamSender, stream};

use crate::{
    delivery::{Delivery, Feedback},
    error::UnsubscribeError,
    handle::Client,
    protocol::{SubscriptionKey, UnsubscribeTarget},
    request::{Acknowledging, Unsubscribe},
};
use buffer::Buffer;
use mqtt_codec::{Properties, ReasonCode, TopicFilter};
use std::{
    sync::Arc,
    task::{Context, Poll, ready},
};
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender};

/// Messages for one receiver.
///
/// QoS 1 and 2: nothing is lost in it. Automatic acknowledgement happens as a message is handed out, so what waits
/// here is bounded by the Receive Maximum, and a stream that is never asked holds up the acknowledgements of all
/// streams once that is reached. QoS 0: see [`Subscribe::buffer_messages_max`](crate::Subscribe).
///
/// When it is dropped, what it still holds is acknowledged and gone. To keep messages in the session instead,
/// disconnect first.
#[derive(Debug)]
pub struct Deliveries {
    key: SubscriptionKey,
    items: UnboundedReceiver<Buffered>,
    buffer: Arc<Buffer>,
    acknowledging: Acknowledging,
    feedback: UnboundedSender<Feedback>,
}

impl Deliveries {
    /// The next message; none when the subscription or the client has ended and all messages were taken.
    ///
    /// Cancel safe: a message is either returned or still there.
    pub async fn next(&mut self) -> Option<Delivery> {
        std::future::poll_fn(|context| self.poll_next(context)).await
    }

    /// A message that is already there.
    pub fn try_next(&mut self) -> Option<Delivery> {
        self.items.try_recv().ok().map(|item| self.hand_out(item))
    }

    /// As [`next`](Self::next), for implementing a stream.
    pub fn poll_next(&mut self, context: &mut Context<'_>) -> Poll<Option<Delivery>> {
        let item = ready!(self.items.poll_recv(context));
        Poll::Ready(item.map(|item| self.hand_out(item)))
    }

    /// How many QoS 0 messages were dropped because the buffer was full.
    #[must_use]
    pub fn dropped(&self) -> u64 {
        self.buffer.dropped()
    }

    fn hand_out(&self, item: Buffered) -> Delivery {
        self.buffer.taken(&item);
        let Buffered { message, dup, packet_id, receipt } = item;
        let receipt = match self.acknowledging {
            // Dropping the receipt acknowledges.
            Acknowledging::Automatic => None,
            Acknowledging::Manual => receipt.map(|mut receipt| {
                receipt.hand_over();
                receipt
            }),
        };
        Delivery::new(message, dup, packet_id, receipt)
    }
}

impl Drop for Deliveries {
    fn drop(&mut self) {
        // Nobody to tell if the driver has ended.
        let _ = self.feedback.send(Feedback::StreamDropped(self.key));
    }
}

/// An own stream of the messages that one SUBSCRIBE asked for. It lives over reconnects, and keeps its connection
/// alive. Dropping it stops receiving but tells the server nothing; see [`unsubscribe`](Self::unsubscribe).
///
/// With Subscription Identifiers (5.0, unless the server has none) it receives what the server sent because of this
/// SUBSCRIBE. Without, it receives whatever its filters match, and a server that sends a message once per overlapping
/// filter causes copies.
#[derive(Debug)]
pub struct Subscription {
    deliveries: Deliveries,
    filters: Vec<TopicFilter>,
    granted: Granted,
    client: Client,
}

/// What SUBACK said.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Granted {
    pub(crate) reasons: Vec<ReasonCode>,
    pub(crate) properties: Properties,
}

impl Subscription {
    pub(crate) fn new(
        deliveries: Deliveries,
        filters: Vec<TopicFilter>,
        granted: Granted,
        client: Client,
    ) -> Self {
        Self { deliveries, filters, granted, client }
    }

    /// The next message; none when the subscription or the client has ended and all messages were taken.
    ///
    /// Cancel safe: a message is either returned or still there.
    pub async fn next(&mut self) -> Option<Delivery> {
        self.deliveries.next().await
    }

    /// A message that is already there.
    pub fn try_next(&mut self) -> Option<Delivery> {
        self.deliveries.try_next()
    }

    /// As [`next`](Self::next), for implementing a stream.
    pub fn poll_next(&mut self, context: &mut Context<'_>) -> Poll<Option<Delivery>> {
        self.deliveries.poll_next(context)
    }

    /// How many QoS 0 messages were dropped because the buffer was full.
    #[must_use]
    pub fn dropped(&self) -> u64 {
        self.deliveries.dropped()
    }

    /// The filters, in the order of [`granted`](Self::granted).
    #[must_use]
    pub fn filters(&self) -> &[TopicFilter] {
        &self.filters
    }

    /// What the server granted, filter by filter: a QoS, or why it refused. At least one is granted.
    #[must_use]
    pub fn granted(&self) -> &[ReasonCode] {
        &self.granted.reasons
    }

    /// 5.0: Reason String and User Properties of SUBACK.
    #[must_use]
    pub fn properties(&self) -> &Properties {
        &self.granted.properties
    }

    /// Unsubscribes from those of its filters that no other stream of the client has. Messages that are already
    /// there can still be taken.
    ///
    /// # Errors
    /// As [`Client::unsubscribe`].
    ///
    /// Cancel safe: once polled, unsubscribing goes on whether it is awaited or not.
    pub async fn unsubscribe(&mut self) -> Result<(), UnsubscribeError> {
        let unsubscribe = Unsubscribe::filters(self.filters.iter().cloned());
        self.client
            .unsubscribe_target(unsubscribe, UnsubscribeTarget::One(self.deliveries.key))
            .await
            .map(drop)
    }
}
