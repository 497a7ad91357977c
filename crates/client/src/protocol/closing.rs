//! Owns the ways a connection ends: a server that breaks the protocol, deadlines, and a caller that leaves.

use super::{Effect, Effects, Phase, Protocol, Tickets, keep_alive::Due};
use crate::{
    error::{ConnectionError, DisconnectError, ServerViolation},
    options::is_client_disconnect,
    request::Disconnect,
};
use mqtt_codec::{
    EncodeError, MAXIMUM_PACKET_BYTES, Packet, Properties, PropertiesRef, PropertyOwner, ProtocolVersion,
    ReasonCode, Violation, packet,
};
use std::time::Instant;

/// A caller leaves once everything is acknowledged, or at the deadline.
pub(super) struct Draining {
    /// None if it lies beyond what the clock can express.
    pub(super) deadline: Option<Instant>,
    packet: packet::Disconnect,
}

impl<T: Tickets> Protocol<T> {
    /// Whether what a caller wants to leave with makes a legal DISCONNECT.
    pub(crate) fn check_disconnect(&self, disconnect: &Disconnect) -> Result<(), DisconnectError> {
        if !self.options.version.has_properties() {
            return Ok(());
        }
        // [MQTT5-3.14.2-1]
        if !is_client_disconnect(disconnect.reason) {
            return Err(DisconnectError::Encode(EncodeError::Violation(Violation::ReasonCodeUnknown)));
        }
        if let Err(violation) =
            PropertiesRef::from_raw(PropertyOwner::Disconnect, disconnect.properties.raw())
        {
            return Err(DisconnectError::Encode(EncodeError::Violation(violation)));
        }
        // A session that was to end with the connection cannot be kept after all: a Protocol Error.
        let expiry = disconnect.properties.session_expiry_interval().unwrap_or(0);
        if self.options.session_expiry_interval == 0 && expiry > 0 {
            return Err(DisconnectError::SessionExpiry);
        }
        Ok(())
    }

    /// A caller leaves.
    pub(super) fn drain(&mut self, disconnect: Disconnect, now: Instant) {
        let timeout = disconnect.drain_timeout.unwrap_or(self.options.drain_timeout);
        let packet = packet::Disconnect { reason: disconnect.reason, properties: disconnect.properties };
        self.draining = Some(Draining { deadline: now.checked_add(timeout), packet });
    }

    /// Does what is due at `now`.
    pub(super) fn check_deadlines(&mut self, now: Instant, effects: &mut Effects<T>) {
        match self.phase {
            Phase::Connecting { deadline, .. } if deadline <= now => {
                self.close(ConnectionError::ConnectTimeout, effects);
            }
            Phase::Connected => self.check_server(now, effects),
            Phase::Connecting { .. } | Phase::Offline | Phase::Closing => {}
        }
        self.check_drained(now, effects);
    }

    fn check_server(&mut self, now: Instant, effects: &mut Effects<T>) {
        if self.acknowledgement_deadline().is_some_and(|deadline| deadline <= now) {
            return self.close(ConnectionError::AcknowledgementTimeout, effects);
        }
        match self.keep_alive.check(now) {
            Due::Nothing => {}
            // [MQTT5-3.1.2-20] [MQTT311-3.1.2-23]
            Due::Ping => effects.send(&Packet::PingReq, self.options.version),
            Due::Dead => self.close(ConnectionError::KeepAliveTimeout, effects),
        }
    }

    /// When the server has been silent about what it owes for too long.
    pub(super) fn acknowledgement_deadline(&self) -> Option<Instant> {
        let is_counting = self.phase == Phase::Connected && self.is_owed();
        let timeout = self.options.acknowledgement_timeout.filter(|_| is_counting)?;
        self.progress_at?.checked_add(timeout)
    }

    /// Whether the server owes an acknowledgement.
    pub(super) fn is_owed(&self) -> bool {
        self.outbound.is_owed() || self.subscribing.is_owed()
    }

    fn check_drained(&mut self, now: Instant, effects: &mut Effects<T>) {
        let Some(Draining { deadline, packet }) = &self.draining else { return };
        let undelivered = self.outbound.len();
        let is_drained = undelivered == 0 && self.subscribing.is_empty();
        let is_over = deadline.is_some_and(|deadline| deadline <= now);
        if self.phase == Phase::Closing || !(is_drained || is_over) {
            return;
        }
        if self.phase != Phase::Offline {
            let disconnect = Packet::Disconnect(packet.clone());
            let version = self.options.version;
            // After DISCONNECT nothing is sent [MQTT5-3.14.4-1] [MQTT311-3.14.4-2]. Too large for the server, it is
            // left out; closing says enough.
            let _ = effects.try_send(self.packet_bytes_max(), |output| disconnect.encode(version, output));
        }
        // The connection is closed [MQTT311-3.14.4-1].
        self.phase = Phase::Closing;
        effects.push(Effect::Finished { undelivered });
    }

    /// The server has broken the protocol: it is told, where the version can and the connection is
    /// closed `[MQTT5-4.13.2-1]` `[MQTT311-4.8.0-1]`.
    pub(super) fn violated(&mut self, violation: ServerViolation, effects: &mut Effects<T>) {
        if self.options.version.has_properties() && self.phase != Phase::Closing {
            let reason = Some(violation.reason()).filter(|&reason| is_client_disconnect(reason));
            let reason = reason.unwrap_or(ReasonCode::ProtocolError);
            let disconnect = packet::Disconnect { reason, properties: Properties::NONE };
            effects.send(&Packet::Disconnect(disconnect), self.options.version);
        }
        self.close(ConnectionError::ServerViolation(violation), effects);
    }

    /// Nothing more is said or heard on this connection.
    pub(super) fn close(&mut self, error: ConnectionError, effects: &mut Effects<T>) {
        if self.phase != Phase::Closing {
            self.phase = Phase::Closing;
            effects.push(Effect::Close(error));
        }
    }

    /// The transport connection is gone.
    pub(super) fn lost(&mut self) {
        self.phase = Phase::Offline;
    }

    pub(crate) fn version(&self) -> ProtocolVersion {
        self.options.version
    }

    /// Publications that are not acknowledged.
    pub(crate) fn undelivered(&self) -> usize {
        self.outbound.len()
    }

    /// Bytes the largest packet may have that is accepted.
    pub(crate) fn inbound_packet_bytes_max(&self) -> u32 {
        self.options.maximum_packet_size.get().min(MAXIMUM_PACKET_BYTES)
    }
}
