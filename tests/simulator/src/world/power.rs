//! Owns the ends of the broker and its beginnings: power losses, kills, shutdowns, and recovery, in whatever order.

use super::{Weather, World, commits::LIVE_MS, link::End, process::Process, storage::Storage};
use crate::{observation::Observation, plant::Replay, schedule::Event};
use broker_core::{
    ConnectionId, Input, Node, Shard, ShardId, Timestamp,
    journal::{Position, Recovered, Recovery},
};
use journal::ReadError;
use std::sync::Arc;

/// How the broker ends.
#[derive(Clone, Copy, Debug)]
enum Death {
    /// The power fails now.
    PowerLoss,
    /// The power fails in the middle of what is written next.
    PowerLossInCommit,
    /// The process is killed; the system lives on.
    Kill,
    /// The operator ends it, and it has the time to write everything down.
    Shutdown,
}

/// A journal that was read, and what it said.
struct Read {
    storage: Arc<Storage>,
    recovered: Recovered,
    cut: Position,
    died_ms: u64,
}

impl World {
    /// Decides when the disk and the broker fail for the first time.
    pub(super) fn schedule_fate(&mut self) {
        let Some(storage) = self.settings.storage else { return };
        self.schedule.after(LIVE_MS, Event::Live);
        self.schedule.after(storage.checkpoint_ms, Event::Checkpoint);
        if let Some(fault_ms) = storage.fault_ms {
            let pause_ms = self.random.between(1, fault_ms * 2);
            self.schedule.after(pause_ms, Event::DiskFails);
        }
        self.schedule_death();
    }

    fn schedule_death(&mut self) {
        if let Some(life_ms) = self.settings.storage.and_then(|storage| storage.life_ms) {
            let pause_ms = self.random.between(1, life_ms * 2);
            self.schedule.after(pause_ms, Event::Die);
        }
    }

    /// The broker ends, in one way or another.
    pub(super) fn die(&mut self) {
        if self.weather == Weather::Fair || self.process.is_none() {
            return;
        }
        let ways =
            [(4, Death::PowerLoss), (4, Death::PowerLossInCommit), (2, Death::Kill), (2, Death::Shutdown)];
        match self.random.weighted(&ways) {
            Death::PowerLoss => self.lose_power(),
            Death::PowerLossInCommit => self.light_fuse(),
            Death::Kill => self.end_process(),
            Death::Shutdown => self.shut_down(),
        }
    }

    /// Every client is told, everything is written down.
    fn shut_down(&mut self) {
        let shards: Vec<_> = self.process.iter().flat_map(|process| process.node.shards()).collect();
        for shard in shards {
            self.end_turn(shard);
            self.observe(&Observation::ShutDown { shard });
            self.step(shard, Input::Shutdown);
            self.end_turn(shard);
        }
        // A disk that fails now loses what nobody was promised.
        if let Some(storage) = self.storage() {
            let _ = storage.journal.commit(self.schedule.now_ms());
        }
        if !self.power_has_failed() {
            self.end_process();
        }
    }

    /// Whether the power failed in what was just written. If so, the broker is gone.
    pub(super) fn power_has_failed(&mut self) -> bool {
        let has_failed = self.disk.as_ref().is_some_and(|disk| !disk.has_power());
        if has_failed {
            self.lose_power();
        }
        has_failed
    }

    fn lose_power(&mut self) {
        self.forget_process();
        if let Some(disk) = &self.disk {
            disk.lose_power();
        }
    }

    fn end_process(&mut self) {
        self.forget_process();
        if let Some(disk) = &self.disk {
            disk.end_process();
        }
    }

    /// The memory of the broker is gone, and every connection with it.
    fn forget_process(&mut self) {
        self.observe(&Observation::Died);
        self.process = None;
        self.schedule.cancel(Event::is_of_broker);
        for index in 0..self.links.len() {
            let connection = ConnectionId(index as u64);
            let link = self.link(connection);
            link.broker_end = End::Closed;
            if link.client_end == End::Open {
                let delay_ms = self.random.between(0_u64, 200);
                self.schedule.after(delay_ms, Event::ClientLoses(connection));
            }
        }
        let down_ms = self.random.between(0, self.storage_settings().down_ms_max);
        self.schedule.after(down_ms, Event::Restart);
    }

    /// The broker starts again, with as many shards as somebody has configured this time.
    pub(super) fn restart(&mut self) {
        let shards = self.random.between(1_u16, 4).into();
        // The power may fail again while the broker recovers.
        if self.weather == Weather::Rough && self.random.chance(15) {
            self.light_fuse();
        }
        self.planted.note_restart();
        self.start(shards);
        self.schedule_death();
    }

    /// A process begins, with what there is on disk.
    pub(super) fn start(&mut self, shards: usize) {
        let (config, seed) = (self.planted.config(&self.settings), self.random.next());
        let now = self.schedule.now();
        let Some(disk) = self.disk.clone() else {
            let node = Node::new(config, shards, seed);
            let shards =
                node.shards().map(|id| Shard::new(Arc::clone(&node), id, self.random.next(), now)).collect();
            return self.begin(Process::new(node, shards, None));
        };
        let Some(read) = self.recover() else { return };
        let Read { storage, recovered, cut, died_ms } = read;
        let node = Node::with_journal(config, shards, seed, Arc::clone(&storage) as _);
        let recovered = node.restore(recovered, Timestamp::from_millis(died_ms), now);
        self.observe(&Observation::Restarted { cut, died_ms, node: &node });
        let shards = node.shards().zip(recovered);
        let recover =
            |(id, recovered)| Shard::recover(Arc::clone(&node), id, self.random.next(), now, recovered);
        let shards: Vec<Shard> = shards.map(recover).collect();
        drop(disk);
        self.begin(Process::new(node, shards, Some(storage)));
    }

    fn begin(&mut self, process: Process) {
        let shards: Vec<_> = process.node.shards().collect();
        self.process = Some(process);
        self.note_appended(ShardId(0));
        for (index, shard) in shards.into_iter().enumerate() {
            self.schedule_tick(index);
            self.open_turn(shard);
        }
    }

    /// Reads the journal as the daemon does when it starts. None if the power fails over it, or the journal cannot be
    /// read.
    fn recover(&mut self) -> Option<Read> {
        let (disk, now_ms) = (self.disk.clone()?, self.schedule.now_ms());
        let settings = self.storage_settings();
        let options = journal::Options {
            segment_bytes: settings.segment_bytes,
            checkpoint_bytes: settings.checkpoint_bytes,
            idle_ms: 500,
            idle_gain_bytes: settings.checkpoint_bytes,
            seed: self.random.next(),
        };
        let (mut recovery, mut last) = (Recovery::new(), Position::NONE);
        let mut plant = Replay::new(&mut self.planted);
        let opened =
            journal::Journal::open(Box::new(disk.mount()), options, now_ms, &mut |position, record| {
                last = Position::new(position.get());
                let position = Position::new(position.get());
                match plant.alter(record) {
                    None => Ok(()),
                    Some(record) => recovery.replay(position, &record).map_err(journal::ReplayError::new),
                }
            });
        if self.power_has_failed() {
            return None;
        }
        let (journal, opened) = match opened {
            Ok(opened) => opened,
            Err(error) => return self.cannot_restart(&error.to_string()),
        };
        let storage = Storage::new(disk, journal, last);
        let cut = broker_core::journal::Journal::end(&*storage);
        let mut recovered = recovery.finish();
        for position in recovered.unread().to_vec() {
            let record = match storage.read(position) {
                Ok(record) => record,
                // It was replaced, or has expired, since the checkpoint that names it.
                Err(ReadError::Missing(_)) => continue,
                Err(error) => return self.cannot_restart(&error.to_string()),
            };
            if let Err(error) = recovered.supply(position, &record) {
                return self.cannot_restart(&error.to_string());
            }
        }
        Some(Read { storage, recovered, cut, died_ms: opened.last_alive_unix_ms })
    }

    fn cannot_restart<T>(&mut self, reason: &str) -> Option<T> {
        self.judge.fail("restart", format!("the broker cannot be started again: {reason}"));
        None
    }
}
