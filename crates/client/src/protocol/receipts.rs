//! Owns which received messages are to be acknowledged, and in which order. Sending PUBACK and PUBREC is the
//! parent's; what a duplicate is, the codec's `flow`.

use crate::delivery::Settlement;
use mqtt_codec::{PacketId, QoS, ReasonCode};
use std::collections::VecDeque;

/// Names a received message whose copies are out; each is used once.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct ReceiptKey(u64);

/// Messages of QoS 1 and 2 that were received and not acknowledged. The window we announced bounds them.
#[derive(Debug, Default)]
pub(super) struct Receipts {
    /// In the order received on this connection, which is the order of acknowledgement `[MQTT5-4.6.0-2]`
    /// `[MQTT5-4.6.0-3]` `[MQTT311-4.6.0-2]` `[MQTT311-4.6.0-3]`.
    queue: VecDeque<Receipt>,
    /// The key of the first in the queue; each next one has the next key.
    first_key: u64,
    /// QoS 2 messages of earlier connections whose copies are still out: the server will send them again, and that
    /// must not be delivered again.
    carried: Vec<(ReceiptKey, Receipt)>,
    /// QoS 2 messages that will not be acknowledged on this connection.
    abandoned: Vec<PacketId>,
}

#[derive(Clone, Copy, Debug)]
struct Receipt {
    packet_id: PacketId,
    qos: QoS,
    state: State,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// Copies are out.
    Waiting { copies: usize, reason: ReasonCode },
    /// It can be acknowledged.
    Ready(ReasonCode),
    /// A copy was dropped unacknowledged; others may be out.
    Abandoned,
    /// It is carried from an earlier connection, where its state is kept.
    Carried,
}

/// An acknowledgement that is due.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Due {
    pub(super) packet_id: PacketId,
    pub(super) qos: QoS,
    pub(super) reason: ReasonCode,
}

impl Receipts {
    /// How many messages of this connection await their acknowledgement.
    pub(super) fn len(&self) -> usize {
        self.queue.len()
    }

    /// A new message was received, of which this many copies go out.
    pub(super) fn received(&mut self, packet_id: PacketId, qos: QoS, copies: usize) -> ReceiptKey {
        let state = match copies {
            0 => State::Ready(ReasonCode::Success),
            copies => State::Waiting { copies, reason: ReasonCode::Success },
        };
        self.push(Receipt { packet_id, qos, state })
    }

    /// A QoS 2 message was received again. It is acknowledged again, in its turn, when its copies are settled.
    pub(super) fn received_again(&mut self, packet_id: PacketId) {
        if self.is_unanswered(packet_id) {
            return;
        }
        let is_carried = self.carried.iter().any(|(_, receipt)| receipt.packet_id == packet_id);
        let state = if is_carried { State::Carried } else { State::Ready(ReasonCode::Success) };
        self.push(Receipt { packet_id, qos: QoS::ExactlyOnce, state });
    }

    /// Whether a QoS 2 message of this connection has not been answered by PUBREC.
    pub(super) fn is_unanswered(&self, packet_id: PacketId) -> bool {
        let is_it = |receipt: &Receipt| receipt.packet_id == packet_id && receipt.qos == QoS::ExactlyOnce;
        self.queue.iter().any(is_it)
    }

    /// One copy is done with. Keys of lost connections mean nothing any more, except those that are carried.
    pub(super) fn settled(&mut self, key: ReceiptKey, settlement: Settlement) {
        if let Some(index) = key.0.checked_sub(self.first_key) {
            let receipt = usize::try_from(index).ok().and_then(|index| self.queue.get_mut(index));
            if let Some(receipt) = receipt {
                receipt.state = receipt.state.settled(settlement);
            }
        } else if let Some((_, receipt)) = self.carried.iter_mut().find(|(carried, _)| *carried == key) {
            receipt.state = receipt.state.settled(settlement);
        }
    }

    /// The next acknowledgement that may go out.
    pub(super) fn next_due(&mut self) -> Option<Due> {
        loop {
            let Receipt { packet_id, qos, state } = *self.queue.front()?;
            let reason = match state {
                State::Ready(reason) => Some(reason),
                State::Abandoned => None,
                State::Waiting { .. } => return None,
                State::Carried => match self.carried_state(packet_id) {
                    State::Waiting { .. } => return None,
                    State::Ready(reason) => Some(reason),
                    State::Abandoned | State::Carried => None,
                },
            };
            self.queue.pop_front();
            self.first_key += 1;
            self.carried.retain(|(_, receipt)| state != State::Carried || receipt.packet_id != packet_id);
            match reason {
                Some(reason) => return Some(Due { packet_id, qos, reason }),
                None if qos == QoS::ExactlyOnce => self.abandoned.push(packet_id),
                None => {}
            }
        }
    }

    /// A new connection continues the session. Tells the QoS 2 identifiers whose messages the server shall deliver
    /// anew.
    pub(super) fn resume(&mut self) -> Vec<PacketId> {
        let mut anew = std::mem::take(&mut self.abandoned);
        for receipt in std::mem::take(&mut self.queue) {
            let key = ReceiptKey(self.first_key);
            self.first_key += 1;
            match receipt.state {
                // QoS 1 starts over: the server sends it again and it is delivered again.
                _ if receipt.qos != QoS::ExactlyOnce => {}
                State::Waiting { .. } | State::Ready(_) => self.carried.push((key, receipt)),
                State::Abandoned => anew.push(receipt.packet_id),
                State::Carried => {}
            }
        }
        self.carried.retain(|(_, receipt)| {
            let keep = receipt.state != State::Abandoned;
            if !keep {
                anew.push(receipt.packet_id);
            }
            keep
        });
        anew
    }

    /// The session is over: nothing of it will be acknowledged.
    pub(super) fn clear(&mut self) {
        self.first_key += self.queue.len() as u64;
        self.queue.clear();
        self.carried.clear();
        self.abandoned.clear();
    }

    fn push(&mut self, receipt: Receipt) -> ReceiptKey {
        let key = ReceiptKey(self.first_key + self.queue.len() as u64);
        self.queue.push_back(receipt);
        key
    }

    fn carried_state(&self, packet_id: PacketId) -> State {
        let carried = self.carried.iter().find(|(_, receipt)| receipt.packet_id == packet_id);
        carried.map_or(State::Abandoned, |(_, receipt)| receipt.state)
    }
}

impl State {
    fn settled(self, settlement: Settlement) -> Self {
        match (self, settlement) {
            (Self::Waiting { .. }, Settlement::Abandoned) => Self::Abandoned,
            (Self::Waiting { copies, reason }, settlement) => {
                // The gravest answer counts: codes grow with gravity.
                let reason = match settlement {
                    Settlement::Answered(answer) => reason.max(answer),
                    Settlement::Accepted | Settlement::Abandoned => reason,
                };
                if copies > 1 { Self::Waiting { copies: copies - 1, reason } } else { Self::Ready(reason) }
            }
            (settled @ (Self::Ready(_) | Self::Abandoned | Self::Carried), _) => settled,
        }
    }
}
