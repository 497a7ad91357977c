//! Owns the end of connections and sessions: who ended them, what the client is told, what becomes of
//! the Will and of what was on its way.

use super::{Shard, Timer};
use crate::{
    effect::{CloseCause, Effects, OtherEffect},
    ids::{ConnectionId, SessionId},
    journal::Operation,
    outgoing::Outgoing,
    subscriptions::Presence,
    time::Timestamp,
};
use mqtt_codec::{
    Borrowed, Packet, PropertyOwner, ReasonCode,
    packet::{Auth, Disconnect},
};
use std::sync::atomic::Ordering::Relaxed;

/// What becomes of the Will when a connection ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum WillFate {
    /// It is published, now or after its delay `[MQTT5-3.1.2-8]` `[MQTT311-3.1.2-8]`.
    Publish,
    /// It is discarded `[MQTT5-3.14.4-3]` `[MQTT311-3.1.2-10]` `[MQTT311-3.14.4-3]`.
    Discard,
}

impl Shard {
    /// DISCONNECT from a client.
    pub(super) fn disconnect(
        &mut self,
        id: SessionId,
        disconnect: &Disconnect<Borrowed<'_>>,
        now: Timestamp,
        effects: &mut Effects,
    ) {
        let Some(session) = self.sessions.get_mut(id) else { return };
        if let Some(seconds) = disconnect.properties.session_expiry_interval() {
            let seconds = seconds.min(self.node.config.limits.session_expiry_seconds_max);
            // A session that was to end with its connection cannot be kept after all.
            if session.expiry_seconds == 0 && seconds != 0 {
                let text = "the Session Expiry Interval was 0 in CONNECT and cannot be raised";
                return self.break_off(id, ReasonCode::ProtocolError, text, now, effects);
            }
            session.expiry_seconds = seconds;
        }
        // Only the normal reason discards the Will [MQTT5-3.1.2-10] [MQTT5-3.14.4-3].
        let fate =
            if disconnect.reason == ReasonCode::Success { WillFate::Discard } else { WillFate::Publish };
        let cause = match disconnect.reason {
            ReasonCode::Success | ReasonCode::DisconnectWithWill => CloseCause::Disconnected,
            reason => CloseCause::Error(reason),
        };
        self.close(id, cause, effects);
        self.connection_ended(id, fate, now, effects);
    }

    /// AUTH: no authentication method was agreed on, so there is nothing to go on with
    /// `[MQTT5-4.12.0-6]` `[MQTT5-4.12.0-7]` `[MQTT5-4.12.1-2]`.
    pub(super) fn authenticate(
        &mut self,
        id: SessionId,
        _: &Auth<Borrowed<'_>>,
        now: Timestamp,
        effects: &mut Effects,
    ) {
        let text = "no Authentication Method was agreed on";
        self.break_off(id, ReasonCode::ProtocolError, text, now, effects);
    }

    /// The network connection is gone without a word.
    pub(super) fn network_lost(&mut self, connection: ConnectionId, now: Timestamp, effects: &mut Effects) {
        let Some(id) = self.sessions.of_connection(connection) else { return };
        self.connection_ended(id, WillFate::Publish, now, effects);
    }

    /// Ends a connection from our side: a v5 client is told why `[MQTT5-4.13.2-1]`, then it is closed
    /// `[MQTT5-3.14.4-2]`.
    pub(super) fn end_connection(
        &mut self,
        id: SessionId,
        reason: ReasonCode,
        text: &str,
        cause: CloseCause,
        now: Timestamp,
        effects: &mut Effects,
    ) {
        self.send_disconnect(id, reason, text, effects);
        self.close(id, cause, effects);
        self.connection_ended(id, WillFate::Publish, now, effects);
    }

    /// Every client is told that the broker goes down. Wills stay unpublished: nobody would be there. Those of
    /// recorded sessions are, once the broker is up again.
    pub(super) fn shut_down(&mut self, now: Timestamp, effects: &mut Effects) {
        for id in self.sessions.connected() {
            let reason = ReasonCode::ServerShuttingDown;
            self.send_disconnect(id, reason, "the broker is shutting down", effects);
            self.close(id, CloseCause::Error(reason), effects);
            self.forget_connection(id);
            self.note_disconnected(id, now);
        }
    }

    /// Records since when a session is without connection, and whether its Will may still be published.
    fn note_disconnected(&mut self, id: SessionId, now: Timestamp) {
        let Some(session) = self.sessions.get(id).filter(|_| id.is_durable()) else { return };
        let (expiry_seconds, keeps_will) = (session.expiry_seconds, session.will.is_some());
        self.recorder.note(&Operation::Disconnected { session: id, at: now, expiry_seconds, keeps_will });
    }

    /// 3.x has no DISCONNECT from the server: the connection just closes. In 5.0 it has a Reason String at
    /// most, no Session Expiry Interval `[MQTT5-3.14.2-2]`.
    fn send_disconnect(&mut self, id: SessionId, reason: ReasonCode, text: &str, effects: &mut Effects) {
        if self.connection_ref(id).is_some_and(|connection| connection.version.has_properties()) {
            let disconnect = |properties| Packet::Disconnect(Disconnect { reason, properties });
            self.send_explained(id, PropertyOwner::Disconnect, text, disconnect, effects);
        }
    }

    fn close(&self, id: SessionId, cause: CloseCause, effects: &mut Effects) {
        if let Some(connection) = self.connection_ref(id) {
            effects.push_other(OtherEffect::Close { connection: connection.id, cause });
        }
    }

    /// A session has no connection any more: its Will and its own end are decided.
    pub(super) fn connection_ended(
        &mut self,
        id: SessionId,
        fate: WillFate,
        now: Timestamp,
        effects: &mut Effects,
    ) {
        self.forget_connection(id);
        let Some(session) = self.sessions.get_mut(id) else { return };
        if fate == WillFate::Discard {
            session.will = None;
        }
        let expiry_seconds = session.expiry_seconds;
        let delay_seconds = session.will.as_ref().map(|will| will.delay_seconds);
        if expiry_seconds == 0 {
            return self.end_session(id, now, effects);
        }
        session.outbound.unload();
        session.disconnected_at = now;
        if expiry_seconds != u32::MAX {
            let ends_at = now.plus_seconds(u64::from(expiry_seconds));
            session.expiry_timer = Some(self.timers.insert(ends_at, Timer::Expiry(id)));
        }
        self.note_disconnected(id, now);
        match delay_seconds {
            None => {}
            Some(0) => self.publish_will(id, now, effects),
            Some(seconds) => {
                let due = now.plus_seconds(u64::from(seconds));
                let timer = self.timers.insert(due, Timer::Will(id));
                if let Some(session) = self.sessions.get_mut(id) {
                    session.will_timer = Some(timer);
                }
            }
        }
        self.release_held(id, effects);
    }

    /// Nobody drains the queue now: those who wait for room in it wait no longer.
    fn release_held(&mut self, id: SessionId, effects: &mut Effects) {
        let Some(session) = self.sessions.get_mut(id) else { return };
        for token in session.outbound.release_all() {
            self.stored(token, effects);
        }
    }

    /// Takes the connection off its session.
    fn forget_connection(&mut self, id: SessionId) {
        let Some(connection) = self.sessions.get_mut(id).and_then(|session| session.connection.take()) else {
            return;
        };
        self.sessions.disconnect(connection.id, id);
        if let Some(timer) = connection.keep_alive_timer {
            self.timers.cancel(timer);
        }
        self.node.subscriptions.set_presence(id, Presence::Offline);
        self.node.connections.fetch_sub(1, Relaxed);
        self.stats.clients_connected.subtract(1);
    }

    /// Publishes a Will, once `[MQTT5-3.1.2-10]` `[MQTT5-3.1.2-14]` `[MQTT5-3.1.2-15]` `[MQTT5-3.1.3-9]`.
    pub(super) fn publish_will(&mut self, id: SessionId, now: Timestamp, effects: &mut Effects) {
        let Some(session) = self.sessions.get_mut(id) else { return };
        if let Some(timer) = session.will_timer.take() {
            self.timers.cancel(timer);
        }
        // [MQTT311-3.1.2-12]
        let Some(will) = session.will.take() else { return };
        let mut outgoing = Outgoing::received(will.message(now));
        // [MQTT311-3.1.2-16] [MQTT311-3.1.2-17]. A Will that cannot be retained is still worth delivering.
        self.publish_of_ourselves(&mut outgoing, now, effects);
        // Behind its record: after a crash in between it comes twice rather than never.
        if id.is_durable() {
            self.recorder.note(&Operation::WillGone { session: id });
        }
    }

    /// Ends a session: Will, subscriptions, what was on its way `[MQTT5-3.1.2-23]` `[MQTT5-4.1.0-2]`.
    pub(super) fn end_session(&mut self, id: SessionId, now: Timestamp, effects: &mut Effects) {
        self.publish_will(id, now, effects);
        self.release_held(id, effects);
        // What it had retained stays: that is the node's [MQTT311-3.1.2-7].
        let Some(mut session) = self.sessions.remove(id) else { return };
        if let Some(timer) = session.expiry_timer.take() {
            self.timers.cancel(timer);
        }
        for (filter, &subscribed) in session.subscriptions.iter() {
            self.remove_from_index(id, filter, subscribed);
        }
        if id.is_durable() {
            self.note_left(&session);
            self.recorder.note_ended(id, &session.client_id);
        }
        self.stats.sessions.subtract(1);
        self.node.sessions.fetch_sub(1, Relaxed);
        let stats = &self.stats;
        stats.queued_messages.subtract(session.outbound.len() as u64);
        stats.queued_bytes.subtract(session.outbound.queue_bytes());
        self.pass_on(id, &mut session.outbound, now, effects);
    }
}
