#![doc = include_str!("../README.md")]

mod backoff;
mod delivery;
mod driver;
mod error;
mod event;
mod handle;
mod message;
mod options;
mod protocol;
mod request;
mod requester;
mod stream;
#[cfg(test)]
mod testing;
mod transport;

pub use delivery::Delivery;
pub use error::{
    ConnectionError, DisconnectError, InvalidTopic, NetworkError, PublishError, ReasonNotAllowed,
    RequestError, ServerViolation, SubscribeError, UnsubscribeError,
};
pub use event::{Connected, Event, Events};
pub use handle::{Acknowledgement, Client, Connector};
pub use message::{Message, Published};
pub use options::{Backoff, Options, Reconnect, ServerUrl, UrlError};
pub use request::{Acknowledging, Disconnect, Identifying, Overflow, Subscribe, Unsubscribe};
pub use requester::Requester;
pub use stream::{Deliveries, Subscription};

// What stands in this crate's signatures, so that a user needs no second crate for it.
pub use mqtt_codec::{
    PacketId, PayloadFormat, Properties, Property, PropertyOwner, ProtocolVersion, QoS, ReasonCode,
    TopicFilter, TopicName,
    packet::{RetainHandling, SubscriptionOptions, Will},
};
