//! Owns what a seed decides about a run before it begins: the broker's configuration, how many shards and
//! clients there are, how bad the network is. What clients do with it is the scenario's business.

use crate::{random::Random, scenario::Mix};
use broker_core::config::{
    Capabilities, Config, Durability, DurabilityRule, Limits, QueuePolicy, ShareStrategy, Sys,
};
use mqtt_codec::TopicFilter;

/// What holds for one run.
#[derive(Clone, Debug)]
pub(crate) struct Settings {
    /// The number that everything follows from.
    pub seed: u64,
    /// The broker's configuration.
    pub config: Config,
    /// Shards of the node.
    pub shards: usize,
    /// Clients, the auditor at the end not counted.
    pub clients: usize,
    /// Milliseconds during which clients act.
    pub duration_ms: u64,
    /// What clients do, and how often.
    pub mix: Mix,
    /// What the network does to them.
    pub network: NetworkSettings,
    /// What the disk does to the broker, if it has one.
    pub storage: Option<StorageSettings>,
    /// How many of a hundred publications at QoS 1 and 2 of 5.0 ask where they are once they are acknowledged.
    pub asks_percent: u32,
    /// How many plain messages come with others that differ in their payloads only.
    pub bursts_percent: u32,
}

/// How slow and unreliable everything between clients and shards is.
#[derive(Clone, Copy, Debug)]
pub(crate) struct NetworkSettings {
    /// Milliseconds that bytes take at most.
    pub delay_ms_max: u64,
    /// How many of a hundred writes arrive in pieces.
    pub split_percent: u32,
    /// Milliseconds that a message stays in a mailbox at most.
    pub mailbox_ms_max: u64,
    /// Milliseconds by which a tick is late at most.
    pub lateness_ms_max: u64,
    /// Milliseconds that a client takes at most until it acknowledges.
    pub reply_ms_max: u64,
    /// How many of a hundred connections are read slowly.
    pub slow_percent: u32,
}

/// How slow and unreliable the disk and the power are, and how the journal is set up.
#[derive(Clone, Copy, Debug)]
pub(crate) struct StorageSettings {
    /// Bytes of a segment.
    pub segment_bytes: u64,
    /// Bytes between two checkpoints at the least, should the journal ask for one.
    pub checkpoint_bytes: u64,
    /// Milliseconds between two checkpoints at random, on average.
    pub checkpoint_ms: u64,
    /// Milliseconds that a commit takes at most.
    pub commit_ms_max: u64,
    /// Milliseconds that a read takes at most.
    pub load_ms_max: u64,
    /// Milliseconds between two faults of the disk, on average; none for a disk without.
    pub fault_ms: Option<u64>,
    /// Milliseconds between two ends of the broker, on average; none if it lives on.
    pub life_ms: Option<u64>,
    /// Milliseconds that it stays down at most.
    pub down_ms_max: u64,
}

impl Settings {
    /// The settings of a seed.
    #[must_use]
    pub(crate) fn of_seed(seed: u64) -> Self {
        let mut random = Random::new(seed);
        let mix = Mix::draw(&mut random);
        let config = config(&mut random.fork(), &mix);
        let network = NetworkSettings::draw(&mut random.fork());
        let storage = StorageSettings::draw(&mut random.fork());
        // A stream of its own: it came later than the others, and no seed was to become another run.
        let mut promises = Random::new(seed ^ 0x5052_4F4D_4953_4553);
        let durability = rules(&mut promises);
        let asks_percent = if promises.chance(25) { 30 } else { 0 };
        let bursts_percent = if promises.chance(50) { 40 } else { 0 };
        Self {
            seed,
            config: Config { durability, ..config },
            asks_percent,
            bursts_percent,
            shards: random.between(1_u16, 4).into(),
            clients: random.between(2_u16, 8).into(),
            duration_ms: random.between(4_000_u64, 20_000),
            mix,
            network,
            storage,
        }
    }
}

impl Settings {
    /// What kind of run it is, in a line.
    #[must_use]
    pub(crate) fn summary(&self) -> String {
        let Self { config, shards, clients, mix, storage, .. } = self;
        let (name, policy) = (mix.name, config.queue_policy);
        let storage = match storage {
            None => "in memory",
            Some(StorageSettings { life_ms: None, .. }) => "on disk",
            Some(StorageSettings { life_ms: Some(_), .. }) => "on disk with restarts",
        };
        let rules = if config.durability.is_empty() { "" } else { ", less for some topics" };
        format!(
            "`{name}` with {clients} clients and {shards} shards, {policy:?}, {:?}, {storage}{rules}",
            config.share_strategy
        )
    }
}

impl NetworkSettings {
    fn draw(random: &mut Random) -> Self {
        Self {
            delay_ms_max: *random.pick(&[0, 3, 20, 100]),
            split_percent: *random.pick(&[0, 10, 60]),
            mailbox_ms_max: *random.pick(&[0, 2, 20, 300, 1_500]),
            lateness_ms_max: *random.pick(&[0, 10, 100]),
            reply_ms_max: *random.pick(&[0, 5, 60, 400]),
            slow_percent: *random.pick(&[0, 0, 15, 40]),
        }
    }
}

impl StorageSettings {
    /// Most runs have a disk, and most of those end now and then.
    fn draw(random: &mut Random) -> Option<Self> {
        let is_durable = random.chance(70);
        let storage = Self {
            segment_bytes: *random.pick(&[4 << 10, 16 << 10, 64 << 10]),
            checkpoint_bytes: *random.pick(&[4 << 10, 32 << 10]),
            checkpoint_ms: *random.pick(&[300, 1_000, 4_000]),
            commit_ms_max: *random.pick(&[0, 2, 10, 50]),
            load_ms_max: *random.pick(&[0, 5, 40]),
            fault_ms: *random.pick(&[None, None, Some(3_000)]),
            life_ms: *random.pick(&[None, Some(1_000), Some(3_000), Some(6_000)]),
            down_ms_max: *random.pick(&[100, 3_000, 9_000]),
        };
        is_durable.then_some(storage)
    }
}

/// In some runs less than the disk is promised for some topics.
fn rules(random: &mut Random) -> Vec<DurabilityRule> {
    const MEMORY: [&str; 6] = ["a/b", "b/#", "many/#", "a/+", "$own/a", "#"];
    const NONE: [&str; 5] = ["a/c", "b/b", "+", "$own/+", "many/+"];
    if !random.chance(25) {
        return Vec::new();
    }
    let rule = |filter: &str, durability| {
        let filter = TopicFilter::owned(filter).expect("the filters are legal");
        DurabilityRule { filter, durability }
    };
    let mut rules = vec![
        rule(random.pick::<&str>(&MEMORY), Durability::Memory),
        rule(random.pick::<&str>(&NONE), Durability::None),
    ];
    // Where they overlap the first holds.
    if random.chance(50) {
        rules.reverse();
    }
    rules
}

fn config(random: &mut Random, mix: &Mix) -> Config {
    let roomy = Limits::default();
    let is_tight = random.chance(mix.tight_queue_percent);
    let limits = Limits {
        queue_messages_max: if is_tight { random.between(1_u32, 12) } else { roomy.queue_messages_max },
        queue_bytes_max: if is_tight && random.chance(50) {
            random.between(60_u64, 3_000)
        } else {
            roomy.queue_bytes_max
        },
        inflight_max: *random.pick(&[1, 2, 5, 20, 1_024]),
        receive_maximum: *random.pick(&[1, 2, 5, 20, 1_024]),
        topic_alias_maximum: *random.pick(&[0, 1, 3, 64]),
        topic_alias_outbound_max: *random.pick(&[0, 1, 3, 64]),
        outbox_bytes_max: *random.pick(&[200, 1_000, 4_000, roomy.outbox_bytes_max]),
        keep_alive_seconds_max: *random.pick(&[1, 3, u16::MAX, u16::MAX]),
        session_expiry_seconds_max: *random.pick(&[2, 5, u32::MAX, u32::MAX]),
        ..roomy
    };
    let queue_policy =
        *random.pick(&[QueuePolicy::DropOldest, QueuePolicy::DropNewest, QueuePolicy::HoldPublisher]);
    let share_strategy = *random.pick(&[
        ShareStrategy::RoundRobin,
        ShareStrategy::LeastInFlight,
        ShareStrategy::StickyTopic,
        ShareStrategy::StickyPublisher,
    ]);
    // The broker's own figures have no publisher that could be judged by.
    let sys = Sys { interval_ms: 0 };
    Config {
        limits,
        capabilities: Capabilities::default(),
        queue_policy,
        share_strategy,
        sys,
        ..Config::default()
    }
}
