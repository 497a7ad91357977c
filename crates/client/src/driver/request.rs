//! Owns what travels from handles to the driver, and the answers that travel back.

use crate::{
    error::{DisconnectError, SubscribeError, UnsubscribeError},
    handle::{Permit, PublishReply},
    message::Message,
    protocol::{Tickets, UnsubscribeTarget},
    request::{Disconnect, Subscribe, Unsubscribe},
    stream::{Deliveries, Granted},
};
use mqtt_codec::ReasonCode;
use tokio::sync::oneshot;

/// What a handle asks for.
#[derive(Debug)]
pub(crate) enum Request {
    Publish {
        message: Message,
        reply: PublishReply,
    },
    Subscribe(SubscribeRequest),
    Unsubscribe {
        unsubscribe: Unsubscribe,
        target: UnsubscribeTarget,
        reply: oneshot::Sender<Result<Vec<ReasonCode>, UnsubscribeError>>,
        permit: Permit,
    },
    Disconnect {
        disconnect: Disconnect,
        reply: oneshot::Sender<Result<(), DisconnectError>>,
    },
}

/// A subscription with the way back.
#[derive(Debug)]
pub(crate) struct SubscribeRequest {
    pub(crate) subscribe: Subscribe,
    pub(crate) reply: oneshot::Sender<Result<(Deliveries, Granted), SubscribeError>>,
    pub(crate) permit: Permit,
}

/// Who awaits which outcome.
pub(super) enum Callers {}

impl Tickets for Callers {
    type Publish = PublishReply;
    type Subscribe = SubscribeTicket;
    type Unsubscribe = UnsubscribeTicket;
}

/// A subscriber, and the stream it will get.
pub(super) struct SubscribeTicket {
    pub(super) reply: oneshot::Sender<Result<(Deliveries, Granted), SubscribeError>>,
    pub(super) deliveries: Deliveries,
    pub(super) permit: Permit,
}

/// An unsubscriber.
pub(super) struct UnsubscribeTicket {
    pub(super) reply: oneshot::Sender<Result<Vec<ReasonCode>, UnsubscribeError>>,
    pub(super) permit: Permit,
}

impl SubscribeTicket {
    pub(super) fn resolve(self, outcome: Result<Granted, SubscribeError>) {
        drop(self.permit);
        // Without a receiver the stream is dropped, which the driver is told.
        let _ = self.reply.send(outcome.map(|granted| (self.deliveries, granted)));
    }
}

impl UnsubscribeTicket {
    pub(super) fn resolve(self, outcome: Result<Vec<ReasonCode>, UnsubscribeError>) {
        drop(self.permit);
        // Nobody may be waiting.
        let _ = self.reply.send(outcome);
    }
}
