//! Owns where delivered messages come from: those a resumed session had waiting first, then the subscription's.
//! What becomes of them is not known here.

use dunlin_client::{Deliveries, Delivery, Subscription};
use std::{future::poll_fn, task::Poll};

/// The streams of one connection as one.
#[derive(Debug, Default)]
pub(super) struct Inbox {
    /// Of an earlier connection's subscriptions.
    pub(super) earlier: Option<Deliveries>,
    /// Of this connection's.
    pub(super) subscription: Option<Subscription>,
}

impl Inbox {
    /// A message that is already there.
    pub(super) fn try_next(&mut self) -> Option<Delivery> {
        let earlier = self.earlier.as_mut().and_then(Deliveries::try_next);
        earlier.or_else(|| self.subscription.as_mut().and_then(Subscription::try_next))
    }

    /// The next message; none when no more will come of the subscription, or of anything where there is none.
    ///
    /// Cancel safe: a message is either returned or still there.
    pub(super) async fn next(&mut self) -> Option<Delivery> {
        poll_fn(|context| {
            if let Some(earlier) = &mut self.earlier {
                match earlier.poll_next(context) {
                    Poll::Ready(Some(delivery)) => return Poll::Ready(Some(delivery)),
                    Poll::Ready(None) => self.earlier = None,
                    Poll::Pending => {}
                }
            }
            match &mut self.subscription {
                Some(subscription) => subscription.poll_next(context),
                None if self.earlier.is_some() => Poll::Pending,
                None => Poll::Ready(None),
            }
        })
        .await
    }
}
