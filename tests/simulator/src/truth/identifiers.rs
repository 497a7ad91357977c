//! Owns the identifiers of QoS 2 messages that were in memory alone: the journal knows that they are used, and not for
//! what. After a crash they are freed by PUBREL, whether or not the message had been sent.

use super::{SessionKey, Truth};
use crate::observation::Record;
use broker_core::{ConnectionId, journal::Position};

/// An identifier that was used for a message which the journal does not have.
#[derive(Clone, Copy, Debug)]
pub(super) struct Unnamed {
    packet_id: u16,
    /// The record that says so.
    used: Position,
    /// The record that says that it is free again.
    freed: Option<Position>,
}

impl Truth {
    /// A record was appended: it may say that a message which the journal does not have is sent, or that it is done.
    pub(super) fn note_identifiers(&mut self, position: Position, record: &Record) {
        let Record::Operations(words) = record else { return };
        for operation in words.split(';').map(str::trim) {
            if let Some((session, packet_id)) = operation.split_once(" is sent Position(0x0) under ")
                && let (Some(key), Ok(packet_id)) = (self.recorded_session(session), packet_id.parse())
            {
                let unnamed = Unnamed { packet_id, used: position, freed: None };
                self.sessions[key].unnamed.push(unnamed);
            } else if let Some(done) = operation.strip_suffix(" for good")
                && let Some((session, packet_id)) = done.split_once(" has ")
                && let (Some(key), Ok(packet_id)) = (self.recorded_session(session), packet_id.parse::<u16>())
            {
                let used = self.sessions[key].unnamed.iter_mut().filter(|it| it.packet_id == packet_id);
                used.for_each(|it| _ = it.freed.get_or_insert(position));
            }
        }
    }

    /// What was recorded behind `cut` is gone.
    pub(super) fn forget_identifiers(&mut self, cut: Position) {
        for session in &mut self.sessions {
            session.unnamed.retain(|it| it.used < cut);
            for unnamed in &mut session.unnamed {
                unnamed.freed.take_if(|position| *position >= cut);
            }
        }
    }

    /// Whether a crash may have left an identifier in use and not for what: PUBREL frees it on both ends.
    pub(crate) fn may_be_freed(&self, connection: ConnectionId, packet_id: u16) -> bool {
        let is_used = |it: &Unnamed| it.packet_id == packet_id && it.freed.is_none();
        let session = self.session_of(connection);
        session.is_some_and(|session| session.was_restored && session.unnamed.iter().any(is_used))
    }

    /// Whose session is recorded under a name.
    pub(super) fn recorded_session(&self, name: &str) -> Option<SessionKey> {
        self.current.get(self.recorded_names.get(name)?).copied()
    }
}
