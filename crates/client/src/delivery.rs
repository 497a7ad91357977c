//! Owns a message as a stream hands it out, with the duty to acknowledge it. The order in which acknowledgements go
//! out is the protocol's business.

use crate::{error::ReasonNotAllowed, message::Message, protocol::ReceiptKey};
use mqtt_codec::{PacketId, PacketType, ReasonCode};
use tokio::sync::mpsc::UnboundedSender;

/// A message from a stream.
#[derive(Debug)]
pub struct Delivery {
    /// The message; its topic is there even if the server sent an alias.
    pub message: Message,
    /// Whether the server may have sent it before.
    pub dup: bool,
    /// The identifier it was sent with; none at QoS 0.
    pub packet_id: Option<PacketId>,
    /// Manual acknowledgement of QoS 1 and 2.
    receipt: Option<Receipt>,
}

impl Delivery {
    pub(crate) fn new(
        message: Message,
        dup: bool,
        packet_id: Option<PacketId>,
        receipt: Option<Receipt>,
    ) -> Self {
        Self { message, dup, packet_id, receipt }
    }

    /// Acknowledges a message of a stream with manual acknowledgement; nothing is left to do for others.
    ///
    /// Acknowledgements leave in the order in which the messages came `[MQTT5-4.6.0-2]` `[MQTT5-4.6.0-3]`: this one
    /// waits for those of earlier messages. A delivery that is dropped instead is skipped and stays unacknowledged:
    /// it keeps its place in the Receive Maximum, and a server that keeps the session sends it again on the next
    /// connection. After the connection it came on is lost, this does nothing, because the server sends the message
    /// again.
    pub fn acknowledge(self) {
        if let Some(receipt) = self.receipt {
            receipt.settle(Settlement::Accepted);
        }
    }

    /// As [`acknowledge`](Self::acknowledge) with this reason code; 0x80 and above refuses the message. 3.x cannot
    /// say the reason and acknowledges.
    ///
    /// # Errors
    /// PUBACK and PUBREC cannot carry the code. The message then stays unacknowledged.
    pub fn acknowledge_with(self, reason: ReasonCode) -> Result<(), ReasonNotAllowed> {
        if !reason.is_allowed_in(PacketType::PubAck) {
            return Err(ReasonNotAllowed(reason));
        }
        if let Some(receipt) = self.receipt {
            receipt.settle(Settlement::Answered(reason));
        }
        Ok(())
    }
}

/// The duty to acknowledge one copy of a message.
#[derive(Debug)]
pub(crate) struct Receipt {
    key: ReceiptKey,
    feedback: UnboundedSender<Feedback>,
    on_drop: OnDrop,
}

/// What the end of a receipt means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum OnDrop {
    /// The message is in a buffer, or its stream acknowledges by itself.
    Accept,
    /// The message is in the caller's hands.
    Abandon,
    /// It has been settled.
    Nothing,
}

/// What streams and deliveries tell the driver.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Feedback {
    /// One copy of a message needs no more care.
    Settled(ReceiptKey, Settlement),
    /// A stream was dropped.
    StreamDropped(crate::protocol::SubscriptionKey),
}

/// How one copy of a message ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Settlement {
    /// With success.
    Accepted,
    /// With a reason code.
    Answered(ReasonCode),
    /// Without acknowledgement.
    Abandoned,
}

impl Receipt {
    pub(crate) const fn new(key: ReceiptKey, feedback: UnboundedSender<Feedback>) -> Self {
        Self { key, feedback, on_drop: OnDrop::Accept }
    }

    /// From now on only the caller acknowledges.
    pub(crate) fn hand_over(&mut self) {
        self.on_drop = OnDrop::Abandon;
    }

    fn settle(mut self, settlement: Settlement) {
        self.on_drop = OnDrop::Nothing;
        self.send(settlement);
    }

    /// A driver that has ended has nobody to acknowledge to.
    fn send(&self, settlement: Settlement) {
        let _ = self.feedback.send(Feedback::Settled(self.key, settlement));
    }
}

impl Drop for Receipt {
    fn drop(&mut self) {
        match self.on_drop {
            OnDrop::Accept => self.send(Settlement::Accepted),
            OnDrop::Abandon => self.send(Settlement::Abandoned),
            OnDrop::Nothing => {}
        }
    }
}
