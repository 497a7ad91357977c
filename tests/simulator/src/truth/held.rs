//! Owns what is in flight to a session by the journal's books and was not sent: it waits for the disk, and whatever
//! comes behind it waits as well, so that the order stays.

use super::{Session, Truth};
use crate::observation::Record;
use broker_core::{ConnectionId, journal::Position};
use mqtt_codec::packet::Publish;

/// A message that the journal was told is in flight.
#[derive(Clone, Copy, Debug)]
pub(super) struct Held {
    packet_id: u16,
    /// The record that says so.
    told: Position,
    /// The record that says that it is done, without having been sent.
    done: Option<Position>,
}

impl Truth {
    /// A record was appended: what it says is in flight and was not sent yet is held. What need not wait was sent before
    /// its record.
    pub(super) fn note_held(&mut self, position: Position, record: &Record) {
        let Record::Operations(words) = record else { return };
        for operation in words.split(';').map(str::trim) {
            if let Some((session, place)) = operation.split_once(" is sent ")
                && let Some((_, packet_id)) = place.split_once(" under ")
                && let (Some(key), Ok(packet_id)) = (self.recorded_session(session), packet_id.parse())
            {
                let session = &mut self.sessions[key];
                if !session.in_flight.contains_key(&packet_id) {
                    session.held.push(Held { packet_id, told: position, done: None });
                }
            } else if let Some(done) = operation.strip_suffix(" for good")
                && let Some((session, packet_id)) = done.split_once(" has ")
                && let (Some(key), Ok(packet_id)) = (self.recorded_session(session), packet_id.parse::<u16>())
            {
                let held = self.sessions[key].held.iter_mut().filter(|it| it.packet_id == packet_id);
                held.for_each(|it| _ = it.done.get_or_insert(position));
            }
        }
    }

    /// A PUBLISH was sent: it is held no more.
    pub(super) fn note_sent(&mut self, connection: ConnectionId, publish: &Publish) {
        let Some(key) = self.connections.get(&connection).map(|connection| connection.session) else {
            return;
        };
        if let Some(packet_id) = publish.delivery.packet_id() {
            self.sessions[key].held.retain(|it| it.packet_id != packet_id.get());
        }
    }

    /// What was recorded behind `cut` is gone.
    pub(super) fn forget_held(&mut self, cut: Position) {
        for session in &mut self.sessions {
            session.held.retain(|it| it.told < cut);
            for held in &mut session.held {
                held.done.take_if(|position| *position >= cut);
            }
        }
    }
}

impl Session {
    /// Whether something waits for the disk that is in flight by the books.
    pub(crate) fn is_held_back(&self) -> bool {
        self.held.iter().any(|it| it.done.is_none())
    }
}
