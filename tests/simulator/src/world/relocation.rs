//! Owns giving back a segment that is still needed: every shard says what it needs there, that is copied, and the next
//! checkpoint goes over to the copies. It does what the daemon does, at random times and for any segment.

use super::{World, process::Survey};
use crate::{observation::Observation, schedule::Event};
use broker_core::{
    Input, ShardId,
    journal::{Journal, Position, copied},
};
use journal::ReadError;
use std::sync::Arc;

impl World {
    /// Asks every shard what it needs of a segment. None is asked if there is no such segment.
    pub(super) fn begin_survey(&mut self) -> Option<()> {
        let storage = self.storage()?;
        let segments = storage.journal.segments();
        // The last one is being written.
        let needed: Vec<_> = segments.windows(2).filter(|pair| pair[0].references > 0).collect();
        let pair = needed.get(self.random.index(needed.len().max(1)))?;
        let (from, to) = (Position::new(pair[0].first.get()), Position::new(pair[1].first.get()));
        let process = self.process.as_mut().filter(|it| it.checkpoint.is_none() && it.survey.is_none())?;
        process.survey = Some(Survey { awaited: process.shards.len(), found: Vec::new() });
        let shards: Vec<ShardId> = process.node.shards().collect();
        for shard in shards {
            let delay_ms = self.random.between(0_u64, 20);
            self.schedule.after(delay_ms, Event::Survey(shard, from, to));
        }
        Some(())
    }

    pub(super) fn survey(&mut self, shard: ShardId, from: Position, to: Position) {
        self.observe(&Observation::Loaded { shard });
        self.step(shard, Input::Survey { from, to });
    }

    /// A shard has said what it needs.
    pub(super) fn surveyed(&mut self, found: Vec<Position>) {
        let Some(survey) = self.process.as_mut().and_then(|it| it.survey.as_mut()) else { return };
        survey.found.extend(found);
        survey.awaited -= 1;
        if survey.awaited == 0 {
            self.schedule.after(0, Event::Relocate);
        }
    }

    /// Copies what is needed, tells every shard, and begins a checkpoint.
    pub(super) fn relocate(&mut self) {
        let Some(storage) = self.storage() else { return };
        let Some(Survey { mut found, .. }) = self.process.as_mut().and_then(|it| it.survey.take()) else {
            return;
        };
        found.sort_unstable();
        found.dedup();
        found.retain(|position| position.is_some());
        let mut copies = Vec::new();
        for position in found {
            let mut copy = Vec::new();
            let record = match storage.read(position) {
                Ok(record) => record,
                // Nobody has needed it since, and its segment went.
                Err(ReadError::Missing(_)) => continue,
                Err(error) => {
                    return self.judge.fail("restart", format!("what is needed cannot be read: {error}"));
                }
            };
            copied(&record, &mut copy).expect("what is needed is a message");
            copies.push((position, storage.append(&[&copy])));
        }
        self.note_appended(ShardId(0));
        let copies: Arc<[_]> = copies.into();
        let shards: Vec<ShardId> = self.process.iter().flat_map(|process| process.node.shards()).collect();
        for shard in shards {
            self.schedule.after(0, Event::Copied(shard, Arc::clone(&copies)));
        }
        self.schedule.after(0, Event::CheckpointNow);
    }

    pub(super) fn copied(&mut self, shard: ShardId, copies: Arc<[(Position, Position)]>) {
        self.observe(&Observation::Loaded { shard });
        self.step(shard, Input::Copied(copies));
    }
}
