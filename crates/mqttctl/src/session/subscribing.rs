//! Owns making a subscription and telling of it, and why its stream ended. What is delivered is the command's affair.

use super::Session;
use crate::error::{Error, ErrorKind};
use dunlin_client::{Subscribe, SubscribeError, Subscription, SubscriptionOptions};

impl Session {
    /// Subscribes. Filters that the server refuses while it grants others are warnings.
    ///
    /// # Errors
    /// The server refused all filters, or the connection is lost for good.
    pub(crate) async fn subscribe(&self, subscribe: Subscribe) -> Result<Subscription, Error> {
        for (filter, options) in &subscribe.filters {
            let (qos, bits) = (options.maximum_qos.bits(), option_bits(*options));
            self.report
                .step(format_args!("sending SUBSCRIBE (Topic: {filter}, QoS: {qos}, Options: 0x{bits:02x})"));
        }
        let subscription = match self.client.subscribe(subscribe).await {
            Ok(subscription) => subscription,
            Err(SubscribeError::Closed) => return Err(self.ended().await),
            Err(error) => return Err(Error::remote(ErrorKind::Denied, error.to_string())),
        };
        let granted: Vec<_> = subscription.granted().iter().map(|reason| reason.byte().to_string()).collect();
        self.report.step(format_args!("received SUBACK ({})", granted.join(", ")));
        for (filter, reason) in subscription.filters().iter().zip(subscription.granted()) {
            if reason.is_error() {
                self.report.warn(format_args!("the subscription to {filter} was refused: {reason}"));
            }
        }
        Ok(subscription)
    }

    /// Why a subscription's stream has ended: with the client, or because the server, which had forgotten the
    /// session, refused the filters when they were subscribed to again.
    pub(crate) async fn stream_ended(&self) -> Error {
        if self.client.connected().is_some() {
            Error::remote(ErrorKind::Denied, "the server refused the subscription after reconnecting")
        } else {
            self.ended().await
        }
    }
}

/// The options as the byte that SUBSCRIBE carries, but for the QoS.
fn option_bits(options: SubscriptionOptions) -> u8 {
    u8::from(options.no_local) << 2
        | u8::from(options.retain_as_published) << 3
        | (options.retain_handling as u8) << 4
}
