//! Owns the start of a client: what must be in place before the first packet, then the driver's task.

use super::{Client, Quota, Shared};
use crate::{
    delivery::Feedback,
    driver::{Driver, DriverParts, Start},
    error::ConnectionError,
    event::{Connected, EVENTS_KEPT, Event, Events},
    options::Options,
    protocol::SubscriptionKey,
    request::{Acknowledging, Overflow, Subscribe},
    stream::{BufferLimits, Deliveries, StreamSender, stream},
    transport::{Tcp, Transport},
};
use std::{future::Future, sync::Arc};
use tokio::sync::{Notify, broadcast, mpsc, oneshot, watch};

/// A client that has not connected yet. Ask it for what must not miss the first messages and events, then
/// [`connect`](Self::connect) or [`start`](Self::start).
#[derive(Debug)]
pub struct Connector {
    options: Options,
    events: broadcast::Sender<Event>,
    feedback: (mpsc::UnboundedSender<Feedback>, mpsc::UnboundedReceiver<Feedback>),
    room: Arc<Notify>,
    unmatched: Option<StreamSender>,
}

impl Connector {
    /// Nothing happens yet.
    #[must_use]
    #[expect(
        clippy::disallowed_methods,
        reason = "a message reports back once, and buffers and window bound those"
    )]
    pub fn new(options: Options) -> Self {
        Self {
            options,
            events: broadcast::channel(EVENTS_KEPT).0,
            feedback: mpsc::unbounded_channel(),
            room: Arc::new(Notify::new()),
            unmatched: None,
        }
    }

    /// Everything that happens to the connection.
    #[must_use]
    pub fn events(&self) -> Events {
        Events::new(self.events.subscribe())
    }

    /// A stream of the messages that no subscription of this client matches: of a session of before, whose
    /// subscriptions this process has not made, above all. Asked for twice, the later one receives.
    #[must_use]
    pub fn unmatched(&mut self, acknowledging: Acknowledging, overflow: Overflow) -> Deliveries {
        let defaults = Subscribe::filters([]);
        let limits = BufferLimits {
            messages_max: defaults.buffer_messages_max,
            bytes_max: defaults.buffer_bytes_max,
            overflow,
        };
        let (sender, deliveries) =
            stream(SubscriptionKey::UNMATCHED, limits, acknowledging, &self.room, &self.feedback.0);
        self.unmatched = Some(sender);
        deliveries
    }

    /// Connects, and resolves when the server has accepted. From then on the client reconnects by itself.
    ///
    /// # Errors
    /// The first attempt failed; it is not repeated.
    ///
    /// Cancel safe: dropping the future ends the attempt.
    pub async fn connect(self) -> Result<Client, ConnectionError> {
        let (sender, first) = oneshot::channel();
        let (client, run) = self.prepare(Tcp, Start::Once(sender));
        tokio::spawn(run);
        // Dropping this future drops the client, and the driver ends with its last handle.
        match first.await {
            Ok(outcome) => outcome.map(|()| client),
            Err(_) => Err(ConnectionError::Closed),
        }
    }

    /// Connects in the background, repeating failed attempts as the options say, the first included. Meanwhile
    /// publications and subscriptions are queued. Must be called within a tokio runtime.
    #[must_use]
    pub fn start(self) -> Client {
        let (client, run) = self.prepare(Tcp, Start::Background);
        tokio::spawn(run);
        client
    }

    /// The client, and its driver to be run.
    #[expect(
        clippy::disallowed_methods,
        reason = "a request has a permit of the quota; a disconnect is the last one"
    )]
    pub(crate) fn prepare<T: Transport>(
        self,
        transport: T,
        start: Start,
    ) -> (Client, impl Future<Output = ()> + use<T>) {
        let (requests, requests_receiver) = mpsc::unbounded_channel();
        let (connected_sender, connected): (_, watch::Receiver<Option<Arc<Connected>>>) =
            watch::channel(None);
        let quota = Quota::new(self.options.queue_messages_max, self.options.queue_bytes_max);
        let (feedback, feedback_receiver) = self.feedback;
        let shared = Shared {
            requests,
            quota: quota.clone(),
            connected,
            events: self.events.subscribe(),
            version: self.options.version,
        };
        let driver = Driver::new(DriverParts {
            options: self.options,
            transport,
            requests: requests_receiver,
            feedback,
            feedback_receiver,
            events: self.events,
            connected: connected_sender,
            quota,
            room: self.room,
            unmatched: self.unmatched,
        });
        (Client { shared: Arc::new(shared) }, driver.run(start))
    }
}
