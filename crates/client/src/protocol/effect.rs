//! Owns what the protocol wants done: bytes to write and outcomes to tell. Doing it is the driver's.

use super::{receipts::ReceiptKey, subscriptions::SubscriptionKey};
use crate::{
    delivery::{Feedback, Receipt},
    error::{ConnectionError, PublishError, SubscribeError, UnsubscribeError},
    event::{Connected, Event},
    message::{Message, Published},
    stream::Granted,
};
use bytes::{Buf, BytesMut};
use mqtt_codec::{EncodeError, Packet, PacketId, ProtocolVersion, ReasonCode};
use std::{collections::VecDeque, sync::Arc};
use tokio::sync::mpsc::UnboundedSender;

/// What the protocol hands back with an outcome, so that the driver knows whose it is.
pub(crate) trait Tickets {
    type Publish;
    type Subscribe;
    type Unsubscribe;
}

/// Something to be done, in order.
pub(crate) enum Effect<T: Tickets> {
    /// QoS 0: tell the publisher when the output has been written up to this position.
    Written(T::Publish, u64),
    /// Tell a publisher.
    Published(T::Publish, Result<Published, PublishError>),
    /// Tell a subscriber.
    Subscribed(T::Subscribe, SubscriptionKey, Result<Granted, SubscribeError>),
    /// Tell an unsubscriber.
    Unsubscribed(T::Unsubscribe, Result<Vec<ReasonCode>, UnsubscribeError>),
    /// Put a message into a stream.
    Deliver(SubscriptionKey, Arrival),
    /// No more messages will come for a stream.
    StreamEnded(SubscriptionKey),
    /// The server has accepted the connection.
    Connected(Arc<Connected>),
    /// Tell whoever listens.
    Report(Event),
    /// Write the output, close the connection, and say that it is lost.
    Close(ConnectionError),
    /// Write the output, close the connection, and end.
    Finished {
        /// Publications that were not acknowledged.
        undelivered: usize,
    },
}

/// A message for one stream.
pub(crate) struct Arrival {
    pub(crate) message: Message,
    pub(crate) dup: bool,
    pub(crate) packet_id: Option<PacketId>,
    /// QoS 1 and 2: what to settle when the stream is done with it.
    pub(crate) receipt: Option<ReceiptKey>,
}

impl Arrival {
    /// Nobody is there to receive it: it counts as accepted.
    pub(crate) fn settle(self, feedback: &UnboundedSender<Feedback>) {
        drop(self.receipt.map(|key| Receipt::new(key, feedback.clone())));
    }
}

/// The output and the list of effects; reused from call to call.
pub(crate) struct Effects<T: Tickets> {
    output: BytesMut,
    /// Bytes that were taken from the front of `output` so far.
    written: u64,
    list: VecDeque<Effect<T>>,
}

/// Publications are encoded up to this many waiting bytes; the rest stays queued, where it costs nothing twice.
const OUTPUT_BYTES: usize = 64 << 10;

impl<T: Tickets> Effects<T> {
    pub(crate) fn new() -> Self {
        Self { output: BytesMut::new(), written: 0, list: VecDeque::new() }
    }

    /// The next thing to do.
    pub(crate) fn next(&mut self) -> Option<Effect<T>> {
        self.list.pop_front()
    }

    /// Bytes to be written.
    pub(crate) fn output(&self) -> &[u8] {
        &self.output
    }

    /// Bytes were written. Tells the position up to which all is.
    pub(crate) fn wrote(&mut self, bytes: usize) -> u64 {
        self.output.advance(bytes);
        self.written += bytes as u64;
        self.written
    }

    /// The connection is gone: nothing more can be written on it.
    pub(crate) fn discard_output(&mut self) {
        self.written += self.output.len() as u64;
        self.output.clear();
    }

    /// Whether more publications should be encoded.
    pub(crate) fn has_room(&self) -> bool {
        self.output.len() < OUTPUT_BYTES
    }

    /// The position behind everything that was ever put out.
    pub(super) fn position(&self) -> u64 {
        self.written + self.output.len() as u64
    }

    pub(super) fn push(&mut self, effect: Effect<T>) {
        self.list.push_back(effect);
    }

    /// Appends a packet of fixed form, which always can be encoded.
    pub(super) fn send(&mut self, packet: &Packet, version: ProtocolVersion) {
        let encoded = packet.encode(version, &mut self.output);
        debug_assert_eq!(encoded, Ok(()), "{packet:?}");
    }

    /// Appends what a caller's input went into, if it is a legal packet of at most `packet_bytes_max` bytes
    /// `[MQTT5-3.2.2-15]`; otherwise nothing.
    pub(super) fn try_send(
        &mut self,
        packet_bytes_max: u32,
        encode: impl FnOnce(&mut BytesMut) -> Result<(), EncodeError>,
    ) -> Result<(), NotSent> {
        let start = self.output.len();
        let encoded = encode(&mut self.output);
        let packet_bytes = self.output.len() - start;
        let outcome = match encoded {
            Err(error) => Err(NotSent::Encode(error)),
            Ok(()) if packet_bytes > packet_bytes_max as usize => Err(NotSent::TooLarge { packet_bytes }),
            Ok(()) => return Ok(()),
        };
        self.output.truncate(start);
        outcome
    }
}

/// Why a packet was not sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum NotSent {
    /// It is no legal packet.
    Encode(EncodeError),
    /// It is larger than the server takes.
    TooLarge {
        /// Its size.
        packet_bytes: usize,
    },
}
