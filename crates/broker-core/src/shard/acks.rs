//! Owns the acknowledgements of both directions: those we send for what we received, and those we
//! receive for what we sent. The states behind them are `mqtt_codec::flow`'s.

use super::Shard;
use crate::{effect::Effects, held::HeldAcknowledgement, ids::SessionId, time::Timestamp};
use mqtt_codec::{
    Borrowed, Packet, ReasonCode,
    flow::{Progress, Released},
    packet::{Ack, Delivery, PacketId},
};

impl Shard {
    /// Acknowledges a PUBLISH: PUBACK at QoS 1, PUBREC at QoS 2 `[MQTT5-4.3.2-4]` `[MQTT5-4.3.3-8]`
    /// `[MQTT311-4.3.2-2]` `[MQTT311-4.3.3-2]`. An error frees the place in the receive window
    /// `[MQTT5-4.3.3-9]`.
    pub(super) fn acknowledge(
        &mut self,
        id: SessionId,
        delivery: Delivery,
        reason: ReasonCode,
        effects: &mut Effects,
    ) {
        let Some(session) = self.sessions.get_mut(id) else { return };
        let packet = match delivery {
            Delivery::AtMostOnce => return,
            Delivery::AtLeastOnce { packet_id, .. } => {
                session.receiver.acknowledged();
                Packet::PubAck(Ack::new(packet_id, reason))
            }
            Delivery::ExactlyOnce { packet_id, .. } => {
                if reason.is_error() {
                    session.receiver.refused(packet_id);
                }
                Packet::PubRec(Ack::new(packet_id, reason))
            }
        };
        self.send(id, &packet, effects);
    }

    /// Sends an acknowledgement that was held back, if its client is still there to take it.
    pub(super) fn acknowledge_held(&mut self, due: HeldAcknowledgement, effects: &mut Effects) {
        let HeldAcknowledgement { session, connection, packet_id, qos, reason } = due;
        if self.sessions.of_connection(connection) == Some(session) {
            let delivery = crate::outgoing::first_delivery(qos, packet_id);
            self.acknowledge(session, delivery, reason, effects);
        }
    }

    /// PUBREL: the message is the client's no longer; PUBCOMP in any case `[MQTT5-4.3.3-11]`
    /// `[MQTT311-4.3.3-2]`.
    pub(super) fn pubrel(&mut self, id: SessionId, ack: &Ack<Borrowed<'_>>, effects: &mut Effects) {
        let Some(session) = self.sessions.get_mut(id) else { return };
        let reason = match session.receiver.release(ack.packet_id) {
            Released::Known => ReasonCode::Success,
            Released::Unknown => ReasonCode::PacketIdentifierNotFound,
        };
        self.send(id, &Packet::PubComp(Ack::new(ack.packet_id, reason)), effects);
    }

    /// PUBACK: a QoS 1 message has arrived, or the client does not want it: either way it is done
    /// `[MQTT5-4.8.2-6]`.
    pub(super) fn puback(
        &mut self,
        id: SessionId,
        ack: &Ack<Borrowed<'_>>,
        now: Timestamp,
        effects: &mut Effects,
    ) {
        let Some(session) = self.sessions.get_mut(id) else { return };
        match session.outbound.sender.puback(ack.packet_id) {
            Ok(_) => self.completed(id, now, effects),
            Err(_) => self.unexpected(id, now, effects),
        }
    }

    /// PUBREC: PUBREL follows `[MQTT5-4.3.3-4]` `[MQTT311-4.3.3-1]`, unless the client refused.
    pub(super) fn pubrec(
        &mut self,
        id: SessionId,
        ack: &Ack<Borrowed<'_>>,
        now: Timestamp,
        effects: &mut Effects,
    ) {
        let Some(session) = self.sessions.get_mut(id) else { return };
        let refused = ack.reason.is_error();
        match session.outbound.sender.pubrec(ack.packet_id, refused, |message| *message = None) {
            Ok(Progress::Done(_)) => self.completed(id, now, effects),
            Ok(Progress::Release) => self.send_pubrel(id, ack.packet_id, ReasonCode::Success, effects),
            // Perhaps from a session we no longer have: the client can forget the identifier.
            Err(_) if !refused => {
                self.send_pubrel(id, ack.packet_id, ReasonCode::PacketIdentifierNotFound, effects);
            }
            Err(_) => {}
        }
    }

    /// PUBCOMP: a QoS 2 message has arrived, once.
    pub(super) fn pubcomp(
        &mut self,
        id: SessionId,
        ack: &Ack<Borrowed<'_>>,
        now: Timestamp,
        effects: &mut Effects,
    ) {
        let Some(session) = self.sessions.get_mut(id) else { return };
        // One that is not awaited says only what we know: the identifier is free.
        if session.outbound.sender.pubcomp(ack.packet_id).is_ok() {
            self.completed(id, now, effects);
        }
    }

    fn send_pubrel(&mut self, id: SessionId, packet_id: PacketId, reason: ReasonCode, effects: &mut Effects) {
        self.send(id, &Packet::PubRel(Ack::new(packet_id, reason)), effects);
    }

    /// A place in the client's window is free.
    fn completed(&mut self, id: SessionId, now: Timestamp, effects: &mut Effects) {
        self.stats().queued_messages.subtract(1);
        self.send_waiting(id, now, effects);
    }

    /// An acknowledgement of what was never sent. 3.x clients are known to repeat them, and it does no
    /// harm there; 5.0 calls it an error of the protocol.
    fn unexpected(&mut self, id: SessionId, now: Timestamp, effects: &mut Effects) {
        if self.connection_ref(id).is_some_and(|connection| connection.version.has_properties()) {
            self.break_off(id, ReasonCode::ProtocolError, now, effects);
        }
    }
}
