//! Owns the publications that are not complete, and what becomes of them when a connection begins. When each is sent
//! is the parent's.

use super::parts::{Attempt, delivery, parts};
use crate::{
    error::PublishError,
    message::{Message, Published},
    protocol::{Effect, Effects, Tickets},
};
use mqtt_codec::{
    PacketId, Properties, ProtocolVersion, ReasonCode,
    flow::{InFlight, OutboundAlias, OutboundAliases, Sender},
};
use std::collections::VecDeque;

/// All publications that are not complete.
pub(in crate::protocol) struct Outbound<T: Tickets> {
    /// Those that were not sent, in the order they were asked for.
    pub(super) queue: VecDeque<Outgoing<T::Publish>>,
    pub(super) sender: Sender<Flight<T::Publish>>,
    pub(in crate::protocol) aliases: OutboundAliases,
}

/// A publication in the queue.
pub(super) struct Outgoing<P> {
    pub(super) message: Message,
    pub(super) ticket: P,
}

/// A publication of QoS 1 or 2 in flight.
pub(super) struct Flight<P> {
    /// None once PUBREC was received: what is left is the handshake.
    pub(super) message: Option<Message>,
    pub(super) ticket: P,
    /// What PUBREC said.
    pub(super) accepted: Option<Accepted>,
}

/// What an acknowledgement said.
pub(super) struct Accepted {
    pub(super) reason: ReasonCode,
    pub(super) properties: Properties,
}

impl<T: Tickets> Outbound<T> {
    pub(in crate::protocol) const fn new() -> Self {
        Self { queue: VecDeque::new(), sender: Sender::new(0), aliases: OutboundAliases::new(0) }
    }

    pub(in crate::protocol) fn contains(&self, packet_id: PacketId) -> bool {
        self.sender.contains(packet_id)
    }

    /// How many publications are not complete.
    pub(in crate::protocol) fn len(&self) -> usize {
        self.queue.len() + self.sender.len()
    }

    /// Whether the server owes an acknowledgement.
    pub(in crate::protocol) fn is_owed(&self) -> bool {
        !self.sender.is_empty()
    }

    /// The server continues the session: what is in flight will be sent again. What has become too large for it
    /// cannot be `[MQTT5-3.2.2-15]`.
    pub(in crate::protocol) fn resume(
        &mut self,
        window: u16,
        packet_bytes_max: u32,
        version: ProtocolVersion,
        effects: &mut Effects<T>,
    ) {
        if self.sender.iter().any(|entry| too_large(entry, packet_bytes_max, version).is_some()) {
            let in_flight: Vec<_> = self.sender.drain().collect();
            for entry in in_flight {
                match too_large(&entry, packet_bytes_max, version) {
                    None => self.sender.restore(entry),
                    Some(packet_bytes) => {
                        let maximum_packet_size = packet_bytes_max;
                        let error = PublishError::PacketTooLarge { packet_bytes, maximum_packet_size };
                        effects.push(Effect::Published(entry.message.ticket, Err(error)));
                    }
                }
            }
        }
        self.sender.reconnect(window);
    }

    /// The server has forgotten the session: what it has not taken over is published anew, before the queue. What it
    /// has said PUBREC to is its own.
    pub(in crate::protocol) fn start_over(&mut self, window: u16, effects: &mut Effects<T>) {
        let mut again = VecDeque::new();
        for InFlight { packet_id, message: flight, qos, step } in self.sender.drain() {
            match flight {
                Flight { message: Some(message), ticket, .. } => {
                    again.push_back(Outgoing { message, ticket });
                }
                flight @ Flight { message: None, .. } => {
                    release(InFlight { packet_id, message: flight, qos, step }, effects);
                }
            }
        }
        again.append(&mut self.queue);
        self.queue = again;
        self.sender = Sender::new(window);
    }
}

/// Tells the publisher what PUBACK or a refusing PUBREC said.
pub(super) fn complete<T: Tickets>(
    done: InFlight<Flight<T::Publish>>,
    accepted: Option<Accepted>,
    effects: &mut Effects<T>,
) {
    let Accepted { reason, properties } =
        accepted.unwrap_or(Accepted { reason: ReasonCode::Success, properties: Properties::NONE });
    let outcome = if reason.is_error() {
        Err(PublishError::Refused { reason, properties })
    } else {
        Ok(Published { reason, properties, packet_id: Some(done.packet_id) })
    };
    effects.push(Effect::Published(done.message.ticket, outcome));
}

/// Tells the publisher what PUBREC said, now that the handshake is over.
pub(super) fn release<T: Tickets>(mut done: InFlight<Flight<T::Publish>>, effects: &mut Effects<T>) {
    let accepted = done.message.accepted.take();
    complete(done, accepted, effects);
}

/// The size of the packet to be sent again, if it is over the limit.
fn too_large<P>(
    entry: &InFlight<Flight<P>>,
    packet_bytes_max: u32,
    version: ProtocolVersion,
) -> Option<usize> {
    let message = entry.message.message.as_ref()?;
    let parts =
        parts(message, delivery(entry.qos, entry.packet_id, Attempt::Again), OutboundAlias::None, &[]);
    parts.encoded_len(version).ok().filter(|&packet_bytes| packet_bytes > packet_bytes_max as usize)
}
