//! Owns request and response over publish and subscribe: one request at a time, matched by Correlation Data.

use crate::{
    delivery::Delivery,
    error::{PublishError, RequestError, SubscribeError},
    handle::Client,
    message::Message,
    request::Subscribe,
    stream::Subscription,
};
use mqtt_codec::{
    Properties, Property, PropertyId, PropertyOwner, QoS, TopicFilter, TopicName, packet::SubscriptionOptions,
};
use std::hash::{BuildHasher, RandomState};

/// Asks and awaits the answer, one request after the other. For several at once make several, each with a response
/// topic of its own.
#[derive(Debug)]
pub struct Requester {
    client: Client,
    response_topic: TopicName,
    responses: Subscription,
    /// Tells requests of this requester from those of others that share its response topic.
    prefix: u64,
    requests: u64,
}

impl Requester {
    pub(crate) async fn new(client: Client, response_topic: TopicName) -> Result<Self, SubscribeError> {
        // A Topic Name is a Topic Filter that matches itself, unless it looks like a share.
        let filter = TopicFilter::owned(response_topic.as_str()).map_err(|violation| {
            crate::error::InvalidTopic { text: response_topic.as_str().to_owned(), violation }
        })?;
        let options = SubscriptionOptions::qos(QoS::AtLeastOnce);
        let responses = client.subscribe(Subscribe::filters([(filter, options)])).await?;
        Ok(Self { client, response_topic, responses, prefix: RandomState::new().hash_one(0), requests: 0 })
    }

    /// Publishes `message` with this requester's Response Topic and Correlation Data, its own if it has some, and
    /// resolves with the first message on the response topic that carries the same Correlation Data. Others are
    /// skipped. In 3.x, which has neither, the next message is the response. There is no deadline but the caller's.
    ///
    /// # Errors
    /// The request was not published, or the client ended.
    ///
    /// Cancel safe: if dropped, the request may still be published; its response is skipped later.
    pub async fn request(&mut self, message: Message) -> Result<Delivery, RequestError> {
        let correlation = self.correlation(&message);
        let message = self.addressed(message, &correlation)?;
        // What came before the request is no response to it.
        while self.responses.try_next().is_some() {}
        let has_properties = self.client.has_properties();
        self.client.publish(message).await?;
        loop {
            let response = self.responses.next().await.ok_or(RequestError::Closed)?;
            let is_ours = response.message.properties.correlation_data() == Some(correlation.as_slice());
            if is_ours || !has_properties {
                return Ok(response);
            }
        }
    }

    fn correlation(&mut self, message: &Message) -> Vec<u8> {
        if let Some(own) = message.properties.correlation_data() {
            return own.to_vec();
        }
        self.requests += 1;
        [self.prefix.to_be_bytes(), self.requests.to_be_bytes()].concat()
    }

    fn addressed(&self, message: Message, correlation: &[u8]) -> Result<Message, PublishError> {
        let addressing =
            [Property::ResponseTopic(self.response_topic.borrow()), Property::CorrelationData(correlation)];
        let rest = message.properties.iter().filter(|property| {
            !matches!(property.id(), PropertyId::ResponseTopic | PropertyId::CorrelationData)
        });
        let properties = Properties::new(PropertyOwner::Publish, addressing.into_iter().chain(rest))?;
        Ok(Message { properties, ..message })
    }
}
