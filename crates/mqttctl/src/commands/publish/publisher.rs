//! Owns messages on their way to the server: a bounded number of them, and what became of each. Where payloads come
//! from is not known here.

use crate::{error::Error, session::Session};
use bytes::Bytes;
use dunlin_client::{Acknowledgement, Message, PublishError, Published, QoS};
use std::collections::VecDeque;

/// Messages that may be on their way at once. Memory is bounded by this and by the client's `queue_bytes_max`.
pub(super) const MESSAGES_MAX: usize = 1_000;

/// Publishes payloads with everything else the same.
#[derive(Debug)]
pub(super) struct Publisher<'a> {
    session: &'a Session,
    template: Message,
    pending: VecDeque<Acknowledgement>,
    /// How many have an outcome.
    settled: u64,
    /// How many of those were not published.
    failed: u64,
}

impl<'a> Publisher<'a> {
    /// `template` is every message, but for its payload.
    pub(super) fn new(session: &'a Session, template: Message) -> Self {
        Self { session, template, pending: VecDeque::new(), settled: 0, failed: 0 }
    }

    /// Whether outcomes are still to come.
    pub(super) fn has_pending(&self) -> bool {
        !self.pending.is_empty()
    }

    /// How many messages the server refused, or were lost with a connection.
    pub(super) const fn failed(&self) -> u64 {
        self.failed
    }

    /// Queues a message, waiting for room, and for a connection if there is none.
    ///
    /// # Errors
    /// The connection is lost for good.
    pub(super) async fn publish(&mut self, payload: Bytes) -> Result<(), Error> {
        while self.pending.len() >= MESSAGES_MAX {
            self.settle_one().await?;
        }
        let message = Message { payload, ..self.template.clone() };
        self.tell_sending(&message);
        loop {
            match self.session.client.publish_queued(message.clone()).await {
                Ok(acknowledgement) => {
                    self.pending.push_back(acknowledgement);
                    return Ok(());
                }
                Err(PublishError::QueueFull) => self.session.reconnected().await?,
                Err(error) => return self.settled(Err(error)).await,
            }
        }
    }

    /// Waits for the outcome of the oldest message.
    ///
    /// # Errors
    /// The connection is lost for good.
    ///
    /// Cancel safe: an outcome is either dealt with or still to come.
    pub(super) async fn settle_one(&mut self) -> Result<(), Error> {
        let Some(oldest) = self.pending.front_mut() else { return Ok(()) };
        let outcome = oldest.await;
        self.pending.pop_front();
        self.settled(outcome).await
    }

    async fn settled(&mut self, outcome: Result<Published, PublishError>) -> Result<(), Error> {
        match outcome {
            Ok(published) => {
                self.settled += 1;
                self.tell_published(&published);
                Ok(())
            }
            Err(PublishError::Closed) => Err(self.session.ended().await),
            Err(error) => {
                self.settled += 1;
                self.failed += 1;
                self.session.report.warn(format_args!("message {} was not published: {error}", self.settled));
                Ok(())
            }
        }
    }

    fn tell_sending(&self, message: &Message) {
        self.session.report.step(format_args!(
            "sending PUBLISH (q{}, r{}, '{}', ... ({} bytes))",
            message.qos.bits(),
            u8::from(message.retain),
            message.topic,
            message.payload.len()
        ));
    }

    fn tell_published(&self, published: &Published) {
        let acknowledgement = match self.template.qos {
            QoS::AtMostOnce => return,
            QoS::AtLeastOnce => "PUBACK",
            QoS::ExactlyOnce => "PUBCOMP",
        };
        if let Some(packet_id) = published.packet_id {
            self.session
                .report
                .step(format_args!("received {acknowledgement} (m{packet_id}, {})", published.reason));
        }
    }
}
