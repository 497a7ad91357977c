//! Owns everything that moves in a run: shards, mailboxes, connections, clients, the disk, and one event at a time.
//! What must hold of it is the judge's business.

mod acting;
mod broker;
mod commits;
mod disk;
mod link;
mod mailboxes;
mod network;
mod power;
mod process;
mod relocation;
mod storage;

use crate::{
    client::{Client, Output},
    judge::Judge,
    observation::Observation,
    plant::{Plant, Planted},
    random::Random,
    scenario::Scenario,
    schedule::{Event, Schedule},
    settings::Settings,
};
use broker_core::{ConnectionId, Effects, Shard, ShardId};
use disk::LyingDisk;
use link::Link;
use process::Process;
use std::rc::Rc;

/// The whole of a run.
#[derive(Debug)]
pub(crate) struct World {
    settings: Rc<Settings>,
    /// Time, and what is to happen.
    pub schedule: Schedule,
    /// Who looks on.
    pub judge: Judge,
    random: Random,
    scenario: Scenario,
    planted: Planted,
    /// None while the broker is down.
    process: Option<Process>,
    /// None if the broker has none.
    disk: Option<LyingDisk>,
    links: Vec<Link>,
    clients: Vec<Client>,
    weather: Weather,
    // Kept from step to step.
    effects: Effects,
}

/// Whether the network is what the settings make it, or good, as at the end of a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Weather {
    Rough,
    Fair,
}

impl World {
    /// A broker that nobody has connected to, and clients that are about to.
    #[must_use]
    pub(crate) fn new(settings: Rc<Settings>, planted: Planted, judge: Judge) -> Self {
        let mut random = Random::new(settings.seed ^ 0x0057_4F52_4C44);
        let disk = settings.storage.map(|_| LyingDisk::new(random.fork()));
        if let Some(disk) = disk.as_ref().filter(|_| planted.is(Plant::UnsyncedDisk)) {
            disk.lie_about_syncs();
        }
        let clients = (0..settings.clients).map(|index| Client::new(format!("c{index}"))).collect();
        let mut world = Self {
            scenario: Scenario::new(&settings, random.fork()),
            random,
            schedule: Schedule::new(),
            judge,
            planted,
            links: Vec::new(),
            clients,
            weather: Weather::Rough,
            effects: Effects::new(),
            process: None,
            disk,
            settings,
        };
        world.start(world.settings.shards);
        for client in 0..world.clients.len() {
            world.schedule_action(client);
        }
        world.schedule_fate();
        world
    }

    /// Lets the next thing happen.
    pub(crate) fn advance(&mut self) {
        let Some(event) = self.schedule.next() else { return };
        match event {
            Event::Act(client) => self.act(client),
            Event::Ping(client, connection) => self.ping(client, connection),
            Event::Thaw(connection) => self.thaw(connection),
            Event::Reply(connection, packet) => self.reply(connection, *packet),
            Event::ToBroker(connection, bytes) => self.arrive_at_broker(connection, &bytes),
            Event::ToClient(connection, bytes) => self.arrive_at_client(connection, &bytes),
            Event::BrokerLoses(connection) => self.broker_loses(connection),
            Event::ClientLoses(connection) => self.client_loses(connection),
            Event::Flush(connection) => self.flush(connection),
            Event::Mailbox(from, to) => self.read_mailbox(from, to),
            Event::Tick(shard) => self.tick(shard),
            Event::EndTurn(shard) => self.end_turn(shard),
            Event::Commit => self.commit(),
            Event::Durable(shard, position) => self.tell_durable(shard, position),
            Event::Load(shard, session, positions) => self.load(shard, session, positions),
            Event::Checkpoint => self.begin_checkpoint(),
            Event::CheckpointNow => self.checkpoint(),
            Event::CheckpointOf(shard) => self.checkpoint_shard(shard),
            Event::Survey(shard, from, to) => self.survey(shard, from, to),
            Event::Relocate => self.relocate(),
            Event::Copied(shard, copies) => self.copied(shard, copies),
            Event::Live => self.live(),
            Event::DiskFails => self.disk_fails(),
            Event::DiskRecovers => self.disk_recovers(),
            Event::Die => self.die(),
            Event::Restart => self.restart(),
        }
    }

    /// Whether nothing is on its way: not between clients and shards, not in a shard, not to the disk.
    #[must_use]
    pub(crate) fn is_quiet(&self) -> bool {
        let has_pages = |shard: &Shard| shard.next_deadline().is_some_and(|at| at <= self.schedule.now());
        !self.schedule.has_work() && self.process.as_ref().is_some_and(|it| !it.shards.iter().any(has_pages))
    }

    fn observe(&mut self, observation: &Observation<'_>) {
        self.judge.observe(self.schedule.now_ms(), observation);
    }

    fn link(&mut self, connection: ConnectionId) -> &mut Link {
        &mut self.links[link_index(connection)]
    }

    /// Carries out what a client wants done.
    fn carry_out_for_client(&mut self, connection: ConnectionId, output: Output) {
        let Output { packets, replies, delivered, complaint } = output;
        for delivered in &delivered {
            self.observe(&Observation::Delivered { connection, delivered });
        }
        if let Some(text) = &complaint {
            self.observe(&Observation::Complained { connection, text });
        }
        self.write_to_broker(connection, &packets);
        for packet in replies {
            let at_ms = self.reply_time_ms(connection);
            self.schedule.at(at_ms, Event::Reply(connection, Box::new(packet)));
        }
    }
}

fn link_index(connection: ConnectionId) -> usize {
    usize::try_from(connection.0).unwrap_or(usize::MAX)
}

fn shard_index(shard: ShardId) -> usize {
    usize::from(shard.0)
}
