//! Owns CONNECT: who may connect, and which session it is. What is told in CONNACK is `connack`'s
//! business; a CONNECT that is no packet is answered by `handshake`.

use super::{Shard, Timer, connack::Terms, publish::is_reserved};
use crate::{
    effect::{CloseCause, Effects, OtherEffect},
    ids::{ConnectionId, SessionId},
    journal::{Operation, WillState},
    session::{Connection, Lifetime, PendingWill},
    subscriptions::Presence,
    time::Timestamp,
};
use mqtt_codec::{
    Borrowed, Packet, ProtocolVersion, ReasonCode,
    packet::{ConnAck, Connect, Will},
};
use std::sync::atomic::Ordering::Relaxed;

/// Why a CONNECT is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Refused {
    pub(super) reason: ReasonCode,
    pub(super) text: &'static str,
}

impl Shard {
    /// Receives a CONNECT: refuse it, or give it its session and say what holds.
    pub(super) fn connect(
        &mut self,
        connection: ConnectionId,
        connect: &Connect<Borrowed<'_>>,
        now: Timestamp,
        effects: &mut Effects,
    ) {
        self.stats.connects_received.add(1);
        self.stats.messages_received.add(1);
        if let Err(refused) = self.check_connect(connect) {
            return self.refuse_connect(connection, connect, refused, effects);
        }
        let terms = self.terms(connect);
        let Some(mut connack) = self.connack(connect, &terms) else {
            let cause = CloseCause::Error(ReasonCode::PacketTooLarge);
            return effects.push_other(OtherEffect::Close { connection, cause });
        };
        let (id, session_present) = match self.session_for(connect, &terms, now, effects) {
            Ok(found) => found,
            Err(refused) => return self.refuse_connect(connection, connect, refused, effects),
        };
        let waits_for_disk = self.note_connected(id, connect, &terms, session_present);
        self.attach(id, connection, connect, &terms, now);
        // A session that is continued was present, one that was begun was not [MQTT5-3.2.2-3]
        // [MQTT311-3.2.2-2] [MQTT311-3.2.2-3].
        connack.session_present = session_present;
        if waits_for_disk {
            self.leave_connack(id, connection, connack);
        } else if session_present {
            self.send_connack(id, connack, now, effects);
        } else {
            // Nothing waits in a session that has just begun.
            self.send(id, &Packet::ConnAck(connack), effects);
        }
    }

    /// First of all CONNACK `[MQTT5-3.1.4-5]` `[MQTT5-3.2.0-1]` `[MQTT311-3.2.0-1]` `[MQTT311-3.1.4-4]`, then
    /// what waited for the client.
    pub(super) fn send_connack(
        &mut self,
        id: SessionId,
        connack: ConnAck,
        now: Timestamp,
        effects: &mut Effects,
    ) {
        self.send(id, &Packet::ConnAck(connack), effects);
        self.send_waiting(id, now, effects);
    }

    /// Whether a client may connect at all.
    fn check_connect(&self, connect: &Connect<Borrowed<'_>>) -> Result<(), Refused> {
        let refused = |reason, text| Err(Refused { reason, text });
        let is_full = self.node.connections.load(Relaxed) >= self.node.config.limits.connections_max;
        // A shortage may pass, and still ends the connection that met it [MQTT311-4.8.0-2]. One that takes over
        // its own connection needs no place.
        if is_full && !self.is_connected(connect.client_id) {
            return refused(ReasonCode::QuotaExceeded, "the broker has as many connections as it may");
        }
        // [MQTT311-3.1.3-8]; MQTT 3.1 asks for 1 to 23 characters. Any other text will do
        // [MQTT5-3.1.3-5] [MQTT311-3.1.3-5].
        let nameless = connect.client_id.is_empty();
        match connect.version {
            ProtocolVersion::V31 if nameless => {
                return refused(ReasonCode::ClientIdentifierNotValid, "MQTT 3.1 needs a client identifier");
            }
            ProtocolVersion::V311 if nameless && !connect.clean_start => {
                let text = "an empty client identifier needs Clean Session";
                return refused(ReasonCode::ClientIdentifierNotValid, text);
            }
            ProtocolVersion::V31 | ProtocolVersion::V311 | ProtocolVersion::V5 => {}
        }
        if self.recorder.is_failing() && self.would_change_disk(connect) {
            let text = "the broker's disk is full or failing: it can begin no session that is kept";
            return refused(ReasonCode::QuotaExceeded, text);
        }
        // [MQTT5-4.12.0-1]
        if connect.properties.authentication_method().is_some() {
            let text = "this broker has no enhanced authentication";
            return refused(ReasonCode::BadAuthenticationMethod, text);
        }
        connect.will.as_ref().map_or(Ok(()), |will| self.check_will(will))
    }

    fn check_will(&self, will: &Will<Borrowed<'_>>) -> Result<(), Refused> {
        let capabilities = &self.node.config.capabilities;
        let refused = |reason, text| Err(Refused { reason, text });
        // [MQTT5-3.2.2-12]
        if will.qos > capabilities.maximum_qos {
            return refused(ReasonCode::QoSNotSupported, "the Will QoS is above the Maximum QoS");
        }
        // [MQTT5-3.2.2-13]
        if will.retain && !capabilities.retain_available {
            return refused(
                ReasonCode::RetainNotSupported,
                "the Will asks for RETAIN, which is not available",
            );
        }
        if !self.allows_topic(will.topic.text()) {
            let text = "the Will topic has more bytes or levels than the broker allows";
            return refused(ReasonCode::TopicNameInvalid, text);
        }
        if is_reserved(will.topic) {
            return refused(ReasonCode::TopicNameInvalid, "topics below $SYS are the broker's own");
        }
        Ok(())
    }

    /// Whether CONNACK would promise what cannot be written to disk.
    fn would_change_disk(&self, connect: &Connect<Borrowed<'_>>) -> bool {
        let expiry_seconds = self.session_expiry_seconds(connect);
        match self.sessions.of_client(connect.client_id).and_then(|id| self.sessions.get(id)) {
            Some(session) if session.id.is_durable() => {
                connect.clean_start || session.expiry_seconds != expiry_seconds
            }
            Some(_) | None => expiry_seconds > 0,
        }
    }

    fn is_connected(&self, client_id: &str) -> bool {
        self.sessions.of_client(client_id).is_some_and(|id| self.connection_ref(id).is_some())
    }

    /// The session of a client identifier: continued, or begun `[MQTT5-3.1.2-4]` `[MQTT5-3.1.2-5]`
    /// `[MQTT5-3.1.2-6]` `[MQTT311-3.1.2-4]` `[MQTT311-3.1.2-6]` `[MQTT311-3.1.4-3]`. Whether it was there
    /// before.
    fn session_for(
        &mut self,
        connect: &Connect<Borrowed<'_>>,
        terms: &Terms,
        now: Timestamp,
        effects: &mut Effects,
    ) -> Result<(SessionId, bool), Refused> {
        let client_id = terms.assigned_client_id.as_deref().unwrap_or(connect.client_id);
        if let Some(former) = self.sessions.of_client(client_id) {
            self.take_over_connection(former, now, effects);
            // Its connection may have been all that kept it.
            if self.sessions.get(former).is_some() {
                if !connect.clean_start {
                    return Ok((former, true));
                }
                // [MQTT5-3.1.4-4]
                self.end_session(former, now, effects);
            }
        }
        let sessions_max = self.node.config.limits.sessions_max;
        let one_more = |sessions| (sessions < sessions_max).then_some(sessions + 1);
        if self.node.sessions.fetch_update(Relaxed, Relaxed, one_more).is_err() {
            let text = "the broker has as many sessions as it may";
            return Err(Refused { reason: ReasonCode::QuotaExceeded, text });
        }
        self.stats.sessions.add(1);
        let is_recorded = terms.session_expiry_seconds > 0 && self.recorder.journal().is_some();
        let lifetime = if is_recorded { Lifetime::Recorded } else { Lifetime::Volatile };
        let id = self.sessions.insert(client_id, lifetime);
        if is_recorded {
            self.recorder.note_opened(id, client_id);
        }
        Ok((id, false))
    }

    /// Records on which terms a client uses its session. Whether CONNACK promises something of it: that there is
    /// a session, or how long it lasts.
    fn note_connected(
        &mut self,
        id: SessionId,
        connect: &Connect<Borrowed<'_>>,
        terms: &Terms,
        session_present: bool,
    ) -> bool {
        // A client that is told that it has no session forgets what it had: the former one must not come back. It may
        // have been told nothing when this one began.
        let client_id = terms.assigned_client_id.as_deref().unwrap_or(connect.client_id);
        let is_unsettled = self.recorder.is_unsettled(client_id);
        let Some(session) = self.sessions.get(id).filter(|_| id.is_durable()) else {
            return !session_present && is_unsettled;
        };
        let expiry_seconds = terms.session_expiry_seconds;
        let is_promised = !session_present || is_unsettled || session.expiry_seconds != expiry_seconds;
        let will = connect.will.as_ref().map(|will| PendingWill::new(will, id).state());
        let will = will.as_ref().map(WillState::borrow);
        self.recorder.note(&Operation::Connected { session: id, expiry_seconds, will });
        // Other shards may record messages for it at once: they must find it there.
        self.recorder.append_notes();
        is_promised
    }

    /// Another connection of the same client gives way `[MQTT5-3.1.4-3]` `[MQTT311-3.1.4-2]`.
    fn take_over_connection(&mut self, id: SessionId, now: Timestamp, effects: &mut Effects) {
        if self.connection_ref(id).is_some() {
            let text = "another connection uses this client identifier";
            self.break_off(id, ReasonCode::SessionTakenOver, text, now, effects);
        }
    }

    /// Puts a connection on a session, and the session under the terms of this CONNECT.
    fn attach(
        &mut self,
        id: SessionId,
        connection_id: ConnectionId,
        connect: &Connect<Borrowed<'_>>,
        terms: &Terms,
        now: Timestamp,
    ) {
        let limits = &self.node.config.limits;
        let mut connection =
            Box::new(Connection::new(connection_id, connect, terms.keep_alive_seconds, limits, now));
        if let Some(at) = connection.silent_at() {
            connection.keep_alive_timer = Some(self.timers.insert(at, Timer::KeepAlive(id, connection_id)));
        }
        let Some(session) = self.sessions.get_mut(id) else { return };
        session.expiry_seconds = terms.session_expiry_seconds;
        // [MQTT5-3.1.2-7]; one that still waited for its delay is not published after all [MQTT5-3.1.3-9].
        session.will = connect.will.as_ref().map(|will| Box::new(PendingWill::new(will, id)));
        // It does not end while it is connected [MQTT5-4.1.0-1] [MQTT311-4.1.0-2].
        for timer in [session.will_timer.take(), session.expiry_timer.take()].into_iter().flatten() {
            self.timers.cancel(timer);
        }
        session.outbound.sender.reconnect(connection.receive_maximum);
        session.receiver.reconnect(match connect.version {
            ProtocolVersion::V5 => limits.receive_maximum,
            ProtocolVersion::V31 | ProtocolVersion::V311 => limits.inbound_inflight_max_v3,
        });
        session.connection = Some(connection);
        self.sessions.connect(connection_id, id);
        self.node.subscriptions.set_presence(id, Presence::Online);
        self.node.connections.fetch_add(1, Relaxed);
        self.stats.clients_connected.add(1);
    }
}
