//! Owns the life of a client: connection after connection until it is told to end or gives up. What is said on a
//! connection is the protocol's.

mod connection;
mod core;
mod inbox;
mod request;
#[cfg(test)]
mod tests;

pub(crate) use request::{Request, SubscribeRequest};

use crate::{
    backoff::Delays,
    delivery::Feedback,
    error::{ConnectionError, DisconnectError},
    event::{Connected, Event},
    handle::Quota,
    options::Options,
    stream::StreamSender,
    transport::Transport,
};
use connection::Connection;
use core::Core;
use inbox::Inbox;
use std::{future::Future, pin::pin, sync::Arc};
use tokio::{
    sync::{Notify, broadcast, mpsc, oneshot, watch},
    time::{sleep, timeout},
};

/// The task behind a client.
pub(crate) struct Driver<T: Transport> {
    options: Arc<Options>,
    transport: T,
    inbox: Inbox,
    core: Core,
    delays: Delays,
}

/// What a driver is made of.
pub(crate) struct DriverParts<T> {
    pub(crate) options: Options,
    pub(crate) transport: T,
    pub(crate) requests: mpsc::UnboundedReceiver<Request>,
    pub(crate) feedback: mpsc::UnboundedSender<Feedback>,
    pub(crate) feedback_receiver: mpsc::UnboundedReceiver<Feedback>,
    pub(crate) events: broadcast::Sender<Event>,
    pub(crate) connected: watch::Sender<Option<Arc<Connected>>>,
    pub(crate) quota: Quota,
    pub(crate) room: Arc<Notify>,
    pub(crate) unmatched: Option<StreamSender>,
}

/// What becomes of a client whose first attempt fails.
#[derive(Debug)]
pub(crate) enum Start {
    /// It ends, and somebody is told. Success is told too.
    Once(oneshot::Sender<Result<(), ConnectionError>>),
    /// It tries again.
    Background,
}

/// How a connection or an attempt ended.
#[derive(Debug)]
enum End {
    /// The client goes on without it.
    Lost(ConnectionError),
    /// The client ends.
    Finished {
        /// Publications that were not acknowledged.
        undelivered: usize,
    },
}

impl<T: Transport> Driver<T> {
    pub(crate) fn new(parts: DriverParts<T>) -> Self {
        let options = Arc::new(parts.options);
        Self {
            transport: parts.transport,
            inbox: Inbox::new(parts.requests, parts.feedback_receiver, Arc::clone(&parts.room)),
            delays: Delays::new(options.reconnect),
            core: Core::new(core::CoreParts {
                options: Arc::clone(&options),
                feedback: parts.feedback,
                events: parts.events,
                connected: parts.connected,
                quota: parts.quota,
                room: parts.room,
                unmatched: parts.unmatched,
            }),
            options,
        }
    }

    /// Connections until the end.
    pub(crate) async fn run(mut self, start: Start) {
        if let Start::Once(sender) = start {
            self.core.first = Some(sender);
        }
        let end = loop {
            let error = match self.connection().await {
                End::Lost(error) => error,
                finished @ End::Finished { .. } => break finished,
            };
            let had_connected = self.core.has_connected();
            if had_connected {
                self.delays.reset();
            }
            self.core.report(Event::Disconnected(error.clone()));
            if let Some(first) = self.core.first.take() {
                // Whoever asked may have gone.
                let _ = first.send(Err(error.clone()));
                break End::Lost(error);
            }
            let Some(attempt) = self.delays.next().filter(|_| !error.is_permanent()) else {
                break End::Lost(error);
            };
            self.core.report(Event::Reconnecting { attempt: attempt.number, delay: attempt.delay });
            if let Err(finished) = self.meanwhile(sleep(attempt.delay)).await {
                break finished;
            }
        };
        self.end(end);
    }

    /// One attempt, and the connection if it succeeds.
    async fn connection(&mut self) -> End {
        let (transport, options) = (self.transport.clone(), Arc::clone(&self.options));
        let attempt = timeout(options.connect_timeout, async { transport.connect(&options).await });
        let end = match self.meanwhile(attempt).await {
            Err(finished) => return finished,
            Ok(Err(_elapsed)) => End::Lost(ConnectionError::ConnectTimeout),
            Ok(Ok(Err(error))) => End::Lost(error),
            Ok(Ok(Ok(stream))) => Connection::new(stream).serve(&mut self.core, &mut self.inbox).await,
        };
        self.core.lost();
        end
    }

    /// Waits for something while requests are queued.
    ///
    /// # Errors
    /// The client ended meanwhile.
    async fn meanwhile<F: Future>(&mut self, future: F) -> Result<F::Output, End> {
        let mut future = pin!(future);
        loop {
            if let Some(end) = self.core.end.take() {
                return Err(end);
            }
            tokio::select! {
                output = &mut future => return Ok(output),
                occurrence = self.inbox.next(self.core.interest()) => self.core.occurred(occurrence, &mut self.inbox),
            }
        }
    }

    /// Tells everybody that it is over.
    fn end(self, end: End) {
        let (error, undelivered) = match end {
            End::Lost(error) => (Some(error), self.core.undelivered()),
            End::Finished { undelivered } => (None, undelivered),
        };
        let leaving = self.core.close(error);
        drop(self.inbox);
        if let Some(leaving) = leaving {
            let outcome = match undelivered {
                0 => Ok(()),
                publications => Err(DisconnectError::Undelivered { publications }),
            };
            // Whoever asked may have gone.
            let _ = leaving.send(outcome);
        }
    }
}
