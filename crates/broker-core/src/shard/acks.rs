//! Owns the acknowledgements of both directions: those we send for what we received, and those we
//! receive for what we sent. The states behind them are `mqtt_codec::flow`'s.

use super::{Shard, publish::DURABILITY_PROPERTY};
use crate::{
    config::Durability,
    effect::Effects,
    held::{Acknowledgement, HeldAcknowledgement},
    ids::SessionId,
    journal::Operation,
    outgoing::Sent,
    recorder::{Handshake, Leaving},
    session::{Queued, Session},
    time::Timestamp,
};
use mqtt_codec::{
    Borrowed, Packet, PacketType, Properties, Property, PropertyOwner, ReasonCode,
    flow::{Progress, Released, Unexpected},
    packet::{Ack, Delivery, PacketId},
};

impl Shard {
    /// Acknowledges a PUBLISH that was taken over: PUBACK at QoS 1, PUBREC at QoS 2 `[MQTT5-3.3.4-1]`
    /// `[MQTT5-4.3.2-4]` `[MQTT5-4.3.3-8]` `[MQTT311-2.3.1-6]` `[MQTT311-3.3.4-1]`
    /// `[MQTT311-4.3.2-2]` `[MQTT311-4.3.3-2]`.
    pub(super) fn acknowledge(
        &mut self,
        id: SessionId,
        delivery: Delivery,
        acknowledgement: Acknowledgement,
        effects: &mut Effects,
    ) {
        let (packet_id, kind) = match delivery {
            Delivery::AtMostOnce => return,
            Delivery::AtLeastOnce { packet_id, .. } => (packet_id, PacketType::PubAck),
            Delivery::ExactlyOnce { packet_id, .. } => (packet_id, PacketType::PubRec),
        };
        let Some(session) = self.sessions.get_mut(id) else { return };
        if kind == PacketType::PubAck {
            session.receiver.acknowledged();
        }
        let Acknowledgement { reason, told } = acknowledgement;
        // Only where it is asked for, wanted [MQTT5-3.1.2-29] and fits [MQTT5-3.4.2-3] [MQTT5-3.5.2-3].
        if let Some(durability) = told
            && session.connection.as_ref().is_some_and(|connection| connection.problem_information)
            && let Some(owner) = kind.property_owner()
        {
            let property = Property::UserProperty(DURABILITY_PROPERTY, durability.name());
            let properties = <Properties>::new(owner, [property]).unwrap_or_default();
            if self.send_ack(id, kind, &Ack { packet_id, reason, properties }, effects) == Sent::Yes {
                return;
            }
        }
        self.send_ack(id, kind, &Ack::bare(packet_id, reason), effects);
    }

    /// Tells a client by the acknowledgement that its PUBLISH is not accepted. That frees its place in the
    /// receive window, and its identifier `[MQTT5-4.3.3-9]`.
    pub(super) fn acknowledge_refusal(
        &mut self,
        id: SessionId,
        delivery: Delivery,
        reason: ReasonCode,
        text: &str,
        effects: &mut Effects,
    ) {
        let is_told = self.connection_ref(id).is_some_and(|connection| connection.version.has_properties());
        if !is_told {
            // 3.x can only be told success, and then must not hear of the message again [MQTT311-3.3.5-2].
            let acknowledgement = Acknowledgement { reason, told: None };
            return self.acknowledge(id, delivery, acknowledgement, effects);
        }
        self.forget_receipt(id, delivery);
        let (owner, kind): (_, fn(Ack) -> Packet) = match delivery {
            Delivery::AtMostOnce => return,
            Delivery::AtLeastOnce { .. } => (PropertyOwner::PubAck, Packet::PubAck),
            Delivery::ExactlyOnce { .. } => (PropertyOwner::PubRec, Packet::PubRec),
        };
        let Some(packet_id) = delivery.packet_id() else { return };
        self.send_explained(
            id,
            owner,
            text,
            |properties| kind(Ack { packet_id, reason, properties }),
            effects,
        );
    }

    /// A PUBLISH was not taken over: sent again, it is a new one.
    pub(super) fn forget_receipt(&mut self, id: SessionId, delivery: Delivery) {
        let Some(session) = self.sessions.get_mut(id) else { return };
        match delivery {
            Delivery::AtMostOnce => {}
            Delivery::AtLeastOnce { .. } => session.receiver.acknowledged(),
            Delivery::ExactlyOnce { packet_id, .. } => session.receiver.refused(packet_id),
        }
    }

    /// Sends an acknowledgement that was held back, if its client is still there to take it.
    pub(super) fn acknowledge_held(&mut self, due: HeldAcknowledgement, effects: &mut Effects) {
        let HeldAcknowledgement { session, connection, packet_id, qos, acknowledgement, waits_for_disk } =
            due;
        if self.sessions.of_connection(connection) == Some(session) {
            if let Some(connection) = self.connection_mut(session) {
                connection.awaiting_disk -= u32::from(waits_for_disk);
            }
            let delivery = crate::outgoing::first_delivery(qos, packet_id);
            self.acknowledge(session, delivery, acknowledgement, effects);
        }
    }

    /// PUBREL: the message is the client's no longer; PUBCOMP in any case `[MQTT5-4.3.3-11]`
    /// `[MQTT311-4.3.3-2]`. After it the client gives the identifier to a new message, which a broker that has
    /// forgotten the release would take for the old one: PUBCOMP waits for the disk.
    pub(super) fn pubrel(&mut self, id: SessionId, ack: &Ack<Borrowed<'_>>, effects: &mut Effects) {
        let Some(session) = self.sessions.get_mut(id) else { return };
        let packet_id = ack.packet_id;
        let reason = match session.receiver.release(packet_id) {
            Released::Known => ReasonCode::Success,
            Released::Unknown => ReasonCode::PacketIdentifierNotFound,
        };
        if id.is_durable() {
            if reason == ReasonCode::Success {
                self.recorder.note(&Operation::InboundReleased { session: id, packet_id });
            }
            // One that releases nothing may be the second about something that is not on disk yet.
            return self.leave_handshake(id, packet_id, Handshake::Completed(reason));
        }
        self.send_handshake(id, packet_id, Handshake::Completed(reason), effects);
    }

    /// PUBACK: a QoS 1 message has arrived, or the client does not want it: either way it is done
    /// `[MQTT5-4.4.0-2]` `[MQTT5-4.8.2-6]`.
    pub(super) fn puback(
        &mut self,
        id: SessionId,
        ack: &Ack<Borrowed<'_>>,
        now: Timestamp,
        effects: &mut Effects,
    ) {
        let Some(session) = self.sessions.get_mut(id) else { return };
        match session.outbound.sender.puback(ack.packet_id) {
            Ok(done) => self.completed(id, ack.packet_id, done.message, now, effects),
            Err(Unexpected) => self.unexpected(id, ack.packet_id, now, effects),
        }
    }

    /// PUBREC: PUBREL follows `[MQTT5-4.3.3-4]` `[MQTT311-4.3.3-1]`, unless the client refused. After PUBREL the
    /// client forgets that it had the message, which must not be sent again then: PUBREL waits for the disk.
    pub(super) fn pubrec(
        &mut self,
        id: SessionId,
        ack: &Ack<Borrowed<'_>>,
        now: Timestamp,
        effects: &mut Effects,
    ) {
        let Some(session) = self.sessions.get_mut(id) else { return };
        let packet_id = ack.packet_id;
        let refused = ack.reason.is_error();
        let mut received = None;
        match session.outbound.sender.pubrec(packet_id, refused, |message| received = message.take()) {
            Ok(Progress::Done(done)) => self.completed(id, packet_id, done.message, now, effects),
            Ok(Progress::Release) => {
                if let Some(queued) = received {
                    session.outbound.finished(&queued);
                    self.recorder.release(queued.position());
                    if let Some(message) = queued.into_message() {
                        self.spare.give(message);
                    }
                    if id.is_durable() {
                        self.recorder.note(&Operation::Received { session: id, packet_id });
                        session.outbound.pubrec_turn = self.recorder.this_turn();
                    }
                }
                if id.is_durable() {
                    return self.leave_handshake(id, packet_id, Handshake::Released);
                }
                self.send_pubrel(id, packet_id, ReasonCode::Success, effects);
            }
            Err(Unexpected) if session.outbound.sender.contains(packet_id) => {
                self.unexpected(id, packet_id, now, effects);
            }
            // Perhaps from a session we no longer have: the client can forget the identifier.
            Err(Unexpected) if !refused => {
                self.send_pubrel(id, packet_id, ReasonCode::PacketIdentifierNotFound, effects);
            }
            Err(Unexpected) => {}
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
        match session.outbound.sender.pubcomp(ack.packet_id) {
            Ok(_) => self.completed(id, ack.packet_id, None, now, effects),
            Err(Unexpected) => self.unexpected(id, ack.packet_id, now, effects),
        }
    }

    /// Has a step of a handshake go out when it is on disk.
    pub(super) fn leave_handshake(&mut self, session: SessionId, packet_id: PacketId, step: Handshake) {
        if let Some(connection) = self.sessions.get(session).and_then(Session::connection_id) {
            self.recorder.leave(Leaving::Handshake { session, connection, packet_id, step });
        }
    }

    /// Sends a step of a handshake.
    pub(super) fn send_handshake(
        &mut self,
        id: SessionId,
        packet_id: PacketId,
        step: Handshake,
        effects: &mut Effects,
    ) {
        // Without properties that might not fit [MQTT5-3.7.2-2] [MQTT5-3.7.2-3].
        let (kind, reason) = match step {
            Handshake::Received => (PacketType::PubRec, ReasonCode::Success),
            Handshake::Released => (PacketType::PubRel, ReasonCode::Success),
            Handshake::Completed(reason) => (PacketType::PubComp, reason),
        };
        self.send_ack(id, kind, &Ack::bare(packet_id, reason), effects);
    }

    /// Sends PUBREL, without properties that might not fit `[MQTT5-3.6.2-2]` `[MQTT5-3.6.2-3]`.
    pub(super) fn send_pubrel(
        &mut self,
        id: SessionId,
        packet_id: PacketId,
        reason: ReasonCode,
        effects: &mut Effects,
    ) {
        self.send_ack(id, PacketType::PubRel, &Ack::bare(packet_id, reason), effects);
    }

    /// A place in the client's window is free, and the record of the message needed no longer. Losing that in a
    /// crash makes the client see the message again, which it knows how to handle: nothing waits for it.
    #[inline(always)]
    fn completed(
        &mut self,
        id: SessionId,
        packet_id: PacketId,
        queued: Option<Queued>,
        now: Timestamp,
        effects: &mut Effects,
    ) {
        let Some(session) = self.sessions.get_mut(id) else { return };
        if let Some(queued) = queued {
            session.outbound.finished(&queued);
            self.recorder.release(queued.position());
            if let Some(message) = queued.into_message() {
                self.spare.give(message);
            }
        }
        if id.is_durable() {
            self.recorder.note(&Operation::Acked { session: id, packet_id });
        }
        self.stats.queued_messages.subtract(1);
        if session.is_waiting() {
            self.send_waiting(id, now, effects);
        } else {
            session.report_load();
        }
    }

    /// An acknowledgement that does not go with what is in flight. Of nothing in flight it is harmless: a
    /// client may acknowledge a message of the connection before, and once more when it is sent again. Of
    /// a message in another handshake, or further back in its own, it breaks the protocol.
    fn unexpected(&mut self, id: SessionId, packet_id: PacketId, now: Timestamp, effects: &mut Effects) {
        if self.sessions.get(id).is_some_and(|session| session.outbound.sender.contains(packet_id)) {
            let text = "the acknowledgement is not the one that this Packet Identifier awaits";
            self.break_off(id, ReasonCode::ProtocolError, text, now, effects);
        }
    }
}

impl Durability {
    /// What an acknowledgement calls it.
    fn name(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Memory => "memory",
            Self::Disk => "disk",
        }
    }
}
