//! Owns what a tick leaves in the journal before its turn is over: a shard that writes a part of a checkpoint first
//! tells the journal of all that it has done, and a crash may come between that and the end of the turn.

use super::{
    SessionKey, Truth,
    durable::{Core, Memento},
};
use crate::observation::Record;
use broker_core::{ConnectionId, ShardId, journal::Position};

/// What is in the journal of a tick once it writes a part of a checkpoint.
#[derive(Debug, Default)]
pub(super) struct AtTick {
    /// Whether the step is a tick.
    is_tick: bool,
    /// The sessions that something has happened to which the journal was not told, before anything is sent in the tick.
    sessions: Vec<(SessionKey, Core)>,
    /// The last record of small changes in this step.
    told: Option<Position>,
}

impl Truth {
    /// What was due has happened, and nothing was sent.
    pub(super) fn note_ticked(&mut self, shard: ShardId) {
        let is_touched = |key: &SessionKey| {
            let session = &self.sessions[*key];
            session.shard == shard && session.is_touched && session.is_durable
        };
        let touched = (0..self.sessions.len()).filter(is_touched);
        self.at_tick.sessions = touched.map(|key| (key, self.core(key))).collect();
        self.at_tick.is_tick = true;
    }

    /// A connection was closed: in a tick for its silence, which is part of what was due.
    pub(super) fn note_closed(&mut self, connection: ConnectionId) {
        let Some(key) = self.connections.get(&connection).map(|connection| connection.session) else {
            return;
        };
        if self.at_tick.is_tick && self.sessions[key].is_durable {
            let core = self.core(key);
            self.at_tick.sessions.retain(|(other, _)| *other != key);
            self.at_tick.sessions.push((key, core));
        }
    }

    /// A record was appended. With the first of a checkpoint in a tick, all that had happened before is there.
    pub(super) fn note_slice(&mut self, position: Position, record: &Record) {
        match record {
            Record::Operations(_) => self.at_tick.told = Some(position),
            Record::Other(words) if words.starts_with("checkpoint of") => {
                let AtTick { sessions, told, .. } = std::mem::take(&mut self.at_tick);
                let (last, step) = (told.unwrap_or(position), self.step);
                for (key, core) in sessions {
                    self.sessions[key].mementos.push(Memento { last, step, core });
                }
            }
            Record::Message(_) | Record::Cleared(_) | Record::Other(_) => {}
        }
    }
}
