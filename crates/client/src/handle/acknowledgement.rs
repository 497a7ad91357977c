//! Owns the way of a publication's outcome from the driver to its publisher.

use super::Permit;
use crate::{error::PublishError, message::Published};
use std::{
    future::Future,
    pin::Pin,
    task::{Context, Poll},
};
use tokio::sync::oneshot;

/// The outcome of a queued publication, to be awaited. Dropping it does not stop the publication.
///
/// Cancel safe: it can be awaited by reference and again.
#[derive(Debug)]
#[must_use = "without awaiting it, nobody learns whether the message was refused"]
pub struct Acknowledgement {
    outcome: oneshot::Receiver<Result<Published, PublishError>>,
}

/// The driver's end. The publication's room in the queue is free again when it is dropped.
#[derive(Debug)]
pub(crate) struct PublishReply {
    outcome: oneshot::Sender<Result<Published, PublishError>>,
    permit: Permit,
}

pub(super) fn pair(permit: Permit) -> (PublishReply, Acknowledgement) {
    let (sender, receiver) = oneshot::channel();
    (PublishReply { outcome: sender, permit }, Acknowledgement { outcome: receiver })
}

impl PublishReply {
    pub(crate) fn resolve(self, outcome: Result<Published, PublishError>) {
        // Room comes first, so that whoever awaits the outcome finds it.
        drop(self.permit);
        // Nobody may be waiting.
        let _ = self.outcome.send(outcome);
    }
}

impl Future for Acknowledgement {
    type Output = Result<Published, PublishError>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let outcome = Pin::new(&mut self.outcome).poll(context);
        outcome.map(|outcome| outcome.unwrap_or(Err(PublishError::Closed)))
    }
}
