//! Owns the way of records to the disk: turns, commits, what shards hear of them, reading back, checkpoints. It does
//! what the daemon's writer and reader do, without threads.

use super::{
    Weather, World,
    disk::Health,
    process::{Checkpoint, CommitState, Process, Turn, TurnPhase},
    shard_index,
    storage::{Storage, place},
};
use crate::{observation::Observation, plant::Plant, schedule::Event, settings::StorageSettings};
use broker_core::{
    Input, SessionId, ShardId,
    journal::{Journal, Position, message_of},
};
use std::sync::Arc;

/// Milliseconds between two signs of life.
pub(super) const LIVE_MS: u64 = 1_000;

/// Changes of the disk within which the power fails, if it fails in the middle of a commit.
const FUSE_MAX: u32 = 12;

impl World {
    pub(super) fn storage(&self) -> Option<Arc<Storage>> {
        self.process.as_ref()?.storage.clone()
    }

    pub(super) fn storage_settings(&self) -> StorageSettings {
        self.settings.storage.expect("there is a disk")
    }

    /// Tells of the records that were just appended.
    pub(super) fn note_appended(&mut self, shard: ShardId) {
        let Some(storage) = self.storage() else { return };
        for (position, record) in storage.take_appended() {
            self.observe(&Observation::Recorded { shard, position, record: &record });
        }
    }

    /// A shard puts what it has done since the last time into the journal; then its mail may leave.
    pub(super) fn end_turn(&mut self, shard: ShardId) {
        let Some(storage) = self.storage() else { return };
        let Some(process) = self.process.as_mut().filter(|it| it.turns.len() > shard_index(shard)) else {
            return;
        };
        if process.turn(shard).phase != TurnPhase::Open {
            return;
        }
        process.turn(shard).phase = TurnPhase::Ending;
        if process.shards[shard_index(shard)].wants_flush() {
            self.observe(&Observation::TurnEnds { shard });
            self.step(shard, Input::Flush);
        }
        self.observe(&Observation::Flushed { shard, last: storage.last() });
        let Some(process) = &mut self.process else { return };
        let Turn { mail, .. } = std::mem::take(process.turn(shard));
        for (to, letter) in mail {
            self.put_into_mailbox(shard, to, letter);
        }
        if self.planted.strikes(Plant::EarlyDurable) {
            self.schedule.after(0, Event::Durable(shard, storage.end()));
        }
        self.schedule_commit();
        self.tell_what_it_awaits(shard, &storage);
    }

    /// What was on disk before the shard began to wait for it nobody else tells.
    fn tell_what_it_awaits(&mut self, shard: ShardId, storage: &Storage) {
        let Some(process) = &self.process else { return };
        let awaited = process.shards[shard_index(shard)].awaits_durable();
        if awaited.is_some_and(|awaited| awaited <= storage.durable()) {
            self.schedule.after(0, Event::Durable(shard, storage.durable()));
        }
    }

    fn schedule_commit(&mut self) {
        let Some(storage) = self.storage() else { return };
        let Some(process) = &mut self.process else { return };
        if process.commit == CommitState::Scheduled || storage.journal.durable() >= storage.journal.end() {
            return;
        }
        process.commit = CommitState::Scheduled;
        let delay_ms = self.random.between(0, self.storage_settings().commit_ms_max);
        self.schedule.after(delay_ms, Event::Commit);
    }

    /// The writer commits what there is. After a failure it tries again.
    pub(super) fn commit(&mut self) {
        let Some(storage) = self.storage() else { return };
        if let Some(process) = &mut self.process {
            process.commit = CommitState::Idle;
        }
        let was_failing = storage.journal.is_failing();
        let is_committed = storage.journal.commit(self.schedule.now_ms()).is_ok();
        if storage.journal.is_failing() != was_failing {
            self.observe(&Observation::Failing { is_failing: !was_failing });
        }
        if self.power_has_failed() {
            return;
        }
        if is_committed {
            self.announce(&storage);
            self.end_checkpoint(&storage);
            self.reclaim(&storage);
            self.schedule_commit();
        } else if let Some(process) = &mut self.process {
            process.commit = CommitState::Scheduled;
            let delay_ms = self.random.between(20_u64, 1_000);
            self.schedule.after(delay_ms, Event::Commit);
        }
    }

    /// Every shard hears what is on disk, each at its own time.
    fn announce(&mut self, storage: &Storage) {
        let durable = storage.durable();
        self.observe(&Observation::Committed { durable });
        let shards: Vec<ShardId> = self.process.iter().flat_map(|process| process.node.shards()).collect();
        for shard in shards {
            let delay_ms = self.random.between(0, self.storage_settings().commit_ms_max);
            self.schedule.after(delay_ms, Event::Durable(shard, durable));
        }
    }

    pub(super) fn tell_durable(&mut self, shard: ShardId, position: Position) {
        self.observe(&Observation::ToldDurable { shard });
        self.step(shard, Input::Durable(position));
    }

    pub(super) fn schedule_load(&mut self, shard: ShardId, session: SessionId, positions: Vec<Position>) {
        let delay_ms = self.random.between(0, self.storage_settings().load_ms_max);
        self.schedule.after(delay_ms, Event::Load(shard, session, positions));
    }

    /// The reader has what a shard asked for.
    pub(super) fn load(&mut self, shard: ShardId, session: SessionId, positions: Vec<Position>) {
        let Some(storage) = self.storage() else { return };
        let read = |position| (position, storage.read(position).ok().as_deref().and_then(message_of));
        let messages = positions.into_iter().map(read).collect();
        self.observe(&Observation::Loaded { shard });
        self.step(shard, Input::Loaded { session, messages });
    }

    /// A checkpoint begins, unless one is under way.
    pub(super) fn begin_checkpoint(&mut self) {
        if self.weather == Weather::Rough {
            let pause_ms = self.random.between(1, self.storage_settings().checkpoint_ms * 2);
            self.schedule.after(pause_ms, Event::Checkpoint);
        }
        if !self.random.chance(50) || self.begin_survey().is_none() {
            self.checkpoint();
        }
    }

    pub(super) fn checkpoint(&mut self) {
        let Some(storage) = self.storage() else { return };
        let is_free = |it: &&mut Process| it.checkpoint.is_none() && it.survey.is_none();
        let Some(process) = self.process.as_mut().filter(is_free) else { return };
        // Taken before the first shard hears of it.
        let floor = Position::new(storage.journal.begin_checkpoint().get());
        let writing = process.shards.len();
        process.checkpoint = Some(Checkpoint { floor, writing, end: Position::NONE });
        let shards: Vec<ShardId> = process.node.shards().collect();
        for shard in shards {
            let delay_ms = self.random.between(0_u64, 20);
            self.schedule.after(delay_ms, Event::CheckpointOf(shard));
        }
    }

    pub(super) fn checkpoint_shard(&mut self, shard: ShardId) {
        self.observe(&Observation::Loaded { shard });
        self.step(shard, Input::Checkpoint);
    }

    /// A shard has done its part of a checkpoint.
    pub(super) fn checkpoint_written(&mut self) {
        let Some(storage) = self.storage() else { return };
        let Some(checkpoint) = self.process.as_mut().and_then(|it| it.checkpoint.as_mut()) else { return };
        checkpoint.writing -= 1;
        checkpoint.end = storage.end();
        // It may all be on disk by now.
        self.end_checkpoint(&storage);
    }

    /// What a checkpoint says is on disk: the journal need not begin before it.
    fn end_checkpoint(&mut self, storage: &Storage) {
        let Some(process) = &mut self.process else { return };
        let is_over = |it: &mut Checkpoint| it.writing == 0 && it.end <= storage.durable();
        if let Some(checkpoint) = process.checkpoint.take_if(is_over) {
            storage.journal.set_floor(place(checkpoint.floor));
            if self.planted.strikes(Plant::EarlyDeletion) {
                storage.disk.lose_first_segment();
            }
        }
    }

    /// Segments that nobody needs go, sometimes.
    fn reclaim(&mut self, storage: &Storage) {
        if self.planted.is(Plant::KeepSegments) || self.weather == Weather::Rough && self.random.chance(60) {
            return;
        }
        // What cannot be removed now can be later.
        let _ = storage.journal.reclaim(self.schedule.now_ms());
        self.power_has_failed();
    }

    /// The process notes that it is alive.
    pub(super) fn live(&mut self) {
        self.schedule.after(LIVE_MS, Event::Live);
        let now_ms = self.schedule.now_ms();
        if let Some(storage) = self.storage() {
            // Nothing depends on it but how long a restart takes the broker to have been away.
            let _ = storage.journal.touch_alive(now_ms);
        }
    }

    /// The disk begins to fail, in one way, for a while.
    pub(super) fn disk_fails(&mut self) {
        let (Some(disk), Some(pause_ms)) = (&self.disk, self.storage_settings().fault_ms) else { return };
        if self.weather == Weather::Fair {
            return;
        }
        let (_, used) = disk.usage();
        let room = self.random.index(4_000);
        let health = *self.random.pick(&[Health::Full(used + room), Health::FailsWrites, Health::FailsSyncs]);
        disk.set_health(health);
        let duration_ms = self.random.between(100_u64, 3_000);
        self.schedule.after(duration_ms, Event::DiskRecovers);
        let pause_ms = duration_ms + self.random.between(1, pause_ms * 2);
        self.schedule.after(pause_ms, Event::DiskFails);
    }

    pub(super) fn disk_recovers(&mut self) {
        if let Some(disk) = &self.disk {
            disk.set_health(Health::Good);
        }
    }

    /// Has the power fail in the middle of one of the changes that come next.
    pub(super) fn light_fuse(&mut self) {
        let changes = self.random.between(0, FUSE_MAX);
        if let Some(disk) = &self.disk {
            disk.light_fuse(changes);
        }
    }

    /// Everything is recorded once more and what nobody needs is removed, so that what is left can be judged.
    pub(crate) fn tidy_up(&mut self) {
        self.checkpoint();
    }

    /// Tells how much is on disk when all is done.
    pub(crate) fn measure(&mut self) {
        let Some(storage) = self.storage() else { return };
        let now_ms = self.schedule.now_ms();
        // The floor moves with a commit, and segments go with the one after it.
        for _ in 0..3 {
            let _ = storage.journal.commit(now_ms);
            self.reclaim(&storage);
        }
        let (files, bytes) = storage.disk.usage();
        self.observe(&Observation::Stored { files, bytes });
    }
}
