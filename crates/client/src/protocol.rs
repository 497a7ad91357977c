//! Owns the client's side of one MQTT session over its connections: packets and requests in, packets and outcomes
//! out. It knows no socket, clock, task or randomness; the driver carries its effects out.
//!
//! ```text
//!           Opened: CONNECT             CONNACK success
//! Offline ────────────────▶ Connecting ─────────────────▶ Connected
//!    ▲                          │ refused, timeout,          │ lost, violation, timeout,
//!    │           Lost           ▼ violation                  ▼ DISCONNECT of either side
//!    └───────────────────── Closing ◀────────────────────────┘
//! ```

mod closing;
mod effect;
mod inbound;
mod keep_alive;
mod opening;
mod outbound;
mod receipts;
mod subscribing;
mod subscriptions;
#[cfg(test)]
mod tests;

pub(crate) use effect::{Arrival, Effect, Effects, Tickets};
pub(crate) use receipts::ReceiptKey;
pub(crate) use subscribing::UnsubscribeTarget;
pub(crate) use subscriptions::SubscriptionKey;

use crate::{
    delivery::Settlement,
    error::{ConnectionError, ServerViolation},
    event::Connected,
    message::Message,
    options::Options,
    request::{Disconnect, Subscribe, Unsubscribe},
};
use closing::Draining;
use keep_alive::KeepAlive;
use mqtt_codec::{
    DecodeError, Packet, PacketId, ProtocolVersion,
    flow::{InboundAliases, PacketIds, Receiver},
};
use outbound::Outbound;
use receipts::Receipts;
use std::{sync::Arc, time::Instant};
use subscribing::Subscribing;
use subscriptions::Subscriptions;

/// One session.
pub(crate) struct Protocol<T: Tickets> {
    options: Arc<Options>,
    phase: Phase,
    /// The options' Client Identifier, or the one the server assigned.
    client_id: String,
    /// What the server said last; none before the first connection.
    connected: Option<Arc<Connected>>,
    packet_ids: PacketIds,
    outbound: Outbound<T>,
    receiver: Receiver,
    inbound_aliases: InboundAliases,
    receipts: Receipts,
    subscriptions: Subscriptions,
    subscribing: Subscribing<T>,
    keep_alive: KeepAlive,
    /// When the server last acknowledged something, or began to owe an acknowledgement.
    progress_at: Option<Instant>,
    draining: Option<Draining>,
    unmatched: UnmatchedStream,
}

/// How far the connection has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    /// There is none.
    Offline,
    /// CONNECT was sent.
    Connecting {
        /// When CONNACK is too late.
        deadline: Instant,
        /// What CONNECT said.
        clean_start: bool,
    },
    /// CONNACK said success.
    Connected,
    /// Nothing is said or heard any more.
    Closing,
}

/// Whether somebody takes messages that no subscription matches.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum UnmatchedStream {
    Open,
    None,
}

/// What can happen to a session.
pub(crate) enum Input<T: Tickets> {
    /// A transport connection was made.
    Opened,
    /// A packet was received.
    Packet(Packet),
    /// What was received is no packet.
    Malformed(DecodeError),
    /// The transport connection is gone.
    Lost,
    /// The output has room again.
    Writable,
    /// A caller publishes.
    Publish(Message, T::Publish),
    /// A caller subscribes. The driver has chosen the key, each once and in ascending order.
    Subscribe(SubscriptionKey, Subscribe, T::Subscribe),
    /// A caller unsubscribes.
    Unsubscribe(Unsubscribe, UnsubscribeTarget, T::Unsubscribe),
    /// A copy of a message needs no more care.
    Settled(ReceiptKey, Settlement),
    /// A stream was dropped.
    StreamDropped(SubscriptionKey),
    /// A caller leaves; checked by [`Protocol::check_disconnect`].
    Disconnect(Disconnect),
    /// A deadline may have passed while nothing is read on purpose.
    ReadingPaused,
    /// A deadline may have passed.
    Tick,
}

impl<T: Tickets> Protocol<T> {
    pub(crate) fn new(options: Arc<Options>, unmatched: UnmatchedStream) -> Self {
        Self {
            phase: Phase::Offline,
            client_id: options.client_id.clone(),
            connected: None,
            packet_ids: PacketIds::new(),
            outbound: Outbound::new(),
            receiver: Receiver::new(0),
            inbound_aliases: InboundAliases::new(0),
            receipts: Receipts::default(),
            subscriptions: Subscriptions::default(),
            subscribing: Subscribing::new(),
            keep_alive: KeepAlive::off(),
            progress_at: None,
            draining: None,
            unmatched,
            options,
        }
    }

    /// The one door: everything that happens, in order.
    pub(crate) fn handle(&mut self, input: Input<T>, now: Instant, effects: &mut Effects<T>) {
        let position = effects.position();
        if !self.is_owed() {
            self.progress_at = Some(now);
        }
        match input {
            Input::Opened => self.opened(now, effects),
            Input::Packet(packet) => self.packet(packet, now, effects),
            Input::Malformed(error) => self.violated(ServerViolation::Malformed(error), effects),
            Input::Lost => self.lost(),
            Input::Publish(message, ticket) => self.publish(message, ticket, effects),
            Input::Subscribe(key, subscribe, ticket) => self.subscribe(key, subscribe, ticket, effects),
            Input::Unsubscribe(unsubscribe, target, ticket) => {
                self.unsubscribe(unsubscribe, target, ticket, effects);
            }
            Input::Settled(key, settlement) => self.settled(key, settlement, effects),
            Input::StreamDropped(key) => self.stream_dropped(key),
            Input::Disconnect(disconnect) => self.drain(disconnect, now),
            Input::ReadingPaused => self.keep_alive.received(now),
            Input::Tick | Input::Writable => {}
        }
        if self.phase == Phase::Connected {
            // First what no window holds back [MQTT5-3.3.4-8].
            self.send_requests(effects);
            self.send_publications(effects);
        }
        self.check_deadlines(now, effects);
        if effects.position() > position {
            self.keep_alive.sent(now);
        }
    }

    /// When [`Input::Tick`] is due at the latest.
    pub(crate) fn next_deadline(&self) -> Option<Instant> {
        let phase = match self.phase {
            Phase::Connecting { deadline, .. } => Some(deadline),
            Phase::Connected => self.keep_alive.next_deadline(),
            Phase::Offline => None,
            Phase::Closing => return None,
        };
        let draining = self.draining.as_ref().and_then(|draining| draining.deadline);
        [phase, self.acknowledgement_deadline(), draining].into_iter().flatten().min()
    }

    /// Whether more packets are welcome. 3.x has no Receive Maximum: not reading is what bounds the unacknowledged.
    pub(crate) fn wants_packets(&self) -> bool {
        match (self.phase, self.options.version) {
            (Phase::Offline | Phase::Closing, _) => false,
            (Phase::Connecting { .. }, _) | (Phase::Connected, ProtocolVersion::V5) => true,
            (Phase::Connected, ProtocolVersion::V31 | ProtocolVersion::V311) => {
                self.receipts.len() < usize::from(self.options.receive_maximum.get())
            }
        }
    }

    /// A packet in the phase it came in.
    fn packet(&mut self, packet: Packet, now: Instant, effects: &mut Effects<T>) {
        self.keep_alive.received(now);
        match self.phase {
            Phase::Connecting { clean_start, .. } => match packet {
                Packet::ConnAck(connack) => self.answered(connack, clean_start, now, effects),
                // [MQTT5-3.2.0-1] [MQTT311-3.2.0-1]
                other => self.violated(ServerViolation::BeforeConnAck(other.packet_type()), effects),
            },
            Phase::Connected => self.connected_packet(packet, now, effects),
            Phase::Offline | Phase::Closing => {}
        }
    }

    fn connected_packet(&mut self, packet: Packet, now: Instant, effects: &mut Effects<T>) {
        let packet_type = packet.packet_type();
        let handled = match packet {
            Packet::Publish(publish) => self.received(publish, effects),
            Packet::PubRel(ack) => self.pubrel(&ack, effects),
            Packet::PubAck(ack) => self.progress(now).puback(ack, effects),
            Packet::PubRec(ack) => self.progress(now).pubrec(ack, effects),
            Packet::PubComp(ack) => self.progress(now).pubcomp(&ack, effects),
            Packet::SubAck(suback) => self.progress(now).suback(&suback, effects),
            Packet::UnsubAck(unsuback) => self.progress(now).unsuback(&unsuback, effects),
            Packet::PingResp => {
                self.keep_alive.answered();
                Ok(())
            }
            Packet::Disconnect(disconnect) if self.options.version.has_properties() => {
                let (reason, properties) = (disconnect.reason, disconnect.properties);
                self.close(ConnectionError::DisconnectedByServer { reason, properties }, effects);
                Ok(())
            }
            // [MQTT5-3.2.0-2] a second CONNACK; [MQTT5-4.12.0-6] AUTH without an Authentication Method; the rest is a
            // client's to send [MQTT5-3.14.0-1] [MQTT311-4.8.0-1].
            Packet::ConnAck(_)
            | Packet::Connect(_)
            | Packet::Subscribe(_)
            | Packet::Unsubscribe(_)
            | Packet::PingReq
            | Packet::Disconnect(_)
            | Packet::Auth(_) => Err(ServerViolation::NotFromServer(packet_type)),
        };
        if let Err(violation) = handled {
            self.violated(violation, effects);
        }
    }

    /// The server has acknowledged something.
    fn progress(&mut self, now: Instant) -> &mut Self {
        self.progress_at = Some(now);
        self
    }

    /// A Packet Identifier that no PUBLISH, SUBSCRIBE or UNSUBSCRIBE of this session uses `[MQTT5-2.2.1-3]`
    /// `[MQTT311-2.3.1-2]`.
    fn allocate_packet_id(&mut self) -> Option<PacketId> {
        let (outbound, subscribing) = (&self.outbound, &self.subscribing);
        self.packet_ids.allocate(|packet_id| outbound.contains(packet_id) || subscribing.contains(packet_id))
    }
}
