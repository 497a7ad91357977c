//! Owns what is decided about a round before it begins: who takes part and does what, and when the broker is
//! killed. All of it follows from one number.

mod cast;

use crate::random::Random;
use mqtt_codec::{ProtocolVersion, QoS, TopicFilter, TopicName};
use std::time::Duration;

/// A round as planned.
#[derive(Clone, Debug)]
pub(crate) struct Plan {
    /// Worker threads of the first process.
    pub(crate) workers: usize,
    pub(crate) kills: Vec<Kill>,
    /// How long the load goes on after the last restart.
    pub(crate) last_load_ms: u64,
    pub(crate) parts: Vec<Part>,
    pub(crate) independents: Vec<IndependentPart>,
    /// The first level of every topic of the round.
    pub(crate) prefix: String,
    /// Settings of the broker, as `--set` takes them.
    pub(crate) settings: Vec<String>,
}

/// One kill and the restart behind it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Kill {
    pub(crate) moment: Moment,
    pub(crate) downtime_ms: u64,
    /// Worker threads of the next process.
    pub(crate) workers: usize,
    /// Whether the retained messages are looked at right after the restart.
    pub(crate) probe: bool,
}

/// When a broker is killed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Moment {
    /// While everybody is busy, so long after the load began or the broker listened.
    UnderLoad { after_us: u64 },
    /// While everybody connects and subscribes, so long after the broker listened.
    SettingUp { after_us: u64 },
    /// When everything is acknowledged and nothing is on its way.
    Idle,
    /// Right after a restart, when the clients are coming back.
    Returning { after_us: u64 },
    /// While it recovers: so long after it was started, whatever it has said by then.
    Recovering { after_us: u64 },
}

/// What one of our own clients does.
#[derive(Clone, Debug)]
pub(crate) struct Part {
    pub(crate) name: String,
    pub(crate) version: ProtocolVersion,
    pub(crate) lasting: Lasting,
    /// Told to the broker in 5.0.
    pub(crate) receive_maximum: u16,
    /// Subscribed to before the load begins.
    pub(crate) subscriptions: Vec<Wanted>,
    /// What is done so many milliseconds after the load began, in order.
    pub(crate) agenda: Vec<(u64, Act)>,
    pub(crate) publishing: Option<Publishing>,
    pub(crate) manner: Manner,
    pub(crate) will: Option<WillPart>,
    pub(crate) comeback: Comeback,
    pub(crate) random: Random,
}

/// How long a session outlives its connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Lasting {
    /// Not at all: Clean Session, or a Session Expiry Interval of 0.
    Not,
    /// So many seconds; a 3.1.1 client cannot tell and has it for ever.
    Seconds(u32),
}

/// One thing a client does once.
#[derive(Clone, Debug)]
pub(crate) enum Act {
    Leave,
    Return,
    Subscribe(Wanted),
    /// Of the first subscription.
    Unsubscribe,
    /// Leaves, and connects again without keeping a session.
    EndSession,
}

/// A subscription to be made.
#[derive(Clone, Debug)]
pub(crate) struct Wanted {
    pub(crate) filter: TopicFilter,
    pub(crate) qos: QoS,
    /// 5.0 alone.
    pub(crate) identifier: Option<u32>,
    /// 5.0 alone.
    pub(crate) no_local: bool,
    /// 5.0 alone; retained messages are then not sent for the subscription.
    pub(crate) retain_as_published: bool,
}

/// What a client publishes.
#[derive(Clone, Debug)]
pub(crate) struct Publishing {
    pub(crate) topics: Vec<TopicPart>,
    /// Publications in flight.
    pub(crate) window: u16,
    pub(crate) interval_us: u64,
    pub(crate) messages_max: usize,
}

/// A topic that one client publishes to.
#[derive(Clone, Debug)]
pub(crate) struct TopicPart {
    pub(crate) topic: TopicName,
    pub(crate) qos: QoS,
    pub(crate) kind: TopicKind,
}

/// What kind of messages a topic has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum TopicKind {
    Plain,
    /// Retained ones, some of QoS 0, some that clear it.
    Kept,
    /// With a Message Expiry Interval of so many seconds.
    Expiring(u32),
}

/// How a client answers what it receives.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Manner {
    Prompt,
    /// So long after each message.
    Slow {
        delay_us: u64,
    },
    /// It answers so often on each connection, and then no more until the load is over.
    Withholding {
        answers: u32,
    },
}

/// The will of a client.
#[derive(Clone, Debug)]
pub(crate) struct WillPart {
    pub(crate) topic: TopicName,
    pub(crate) delay_seconds: u32,
}

/// When a client comes back after a crash.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Comeback {
    AfterMs(u64),
    WhenTheLoadIsOver,
    Never,
}

/// What a client of other people does.
#[derive(Clone, Debug)]
pub(crate) struct IndependentPart {
    pub(crate) name: String,
    pub(crate) version: ProtocolVersion,
    pub(crate) task: IndependentTask,
}

/// Publishing or subscribing.
#[derive(Clone, Debug)]
pub(crate) enum IndependentTask {
    Publish {
        topic: TopicName,
        qos: QoS,
        messages_max: usize,
        interval: Duration,
    },
    /// At QoS 1, because it forgets the identifiers of QoS 2 when its connection is lost.
    Subscribe {
        filter: TopicFilter,
    },
}

impl Plan {
    /// The plan of a round. `kills` overrides how often it kills.
    pub(crate) fn draw(round: u64, random: &mut Random, load: Duration, kills: Option<usize>) -> Self {
        let prefix = format!("r{round}");
        let load_ms = u64::try_from(load.as_millis()).unwrap_or(u64::MAX);
        let count = kills.unwrap_or_else(|| random.pick(&[1, 1, 2, 2, 3, 4]));
        let share_us = load_ms * 1000 / (count as u64 + 1);
        let workers = random.count(1, 3);
        let kills = (0..count).map(|number| Kill::draw(number, share_us, random)).collect();
        let (parts, independents) = cast::draw(&prefix, load_ms, random);
        let settings = settings(random);
        Self { workers, kills, last_load_ms: share_us / 1000, parts, independents, prefix, settings }
    }
}

/// Half of the rounds have the smallest files and checkpoints there are, so that many begin and end under load.
fn settings(random: &mut Random) -> Vec<String> {
    let strategy = random.pick(&["round_robin", "least_in_flight", "sticky_topic", "sticky_publisher"]);
    let mut settings = vec![format!("share_strategy={strategy}")];
    if random.chance(50) {
        settings.extend(["segment", "checkpoint"].map(|what| format!("journal.{what}_bytes=1 MiB")));
    }
    settings
}

impl Kill {
    fn draw(number: usize, share_us: u64, random: &mut Random) -> Self {
        let under_load = Moment::UnderLoad { after_us: random.between(1000, share_us * 3 / 2) };
        let after_us = random.between(0, 25_000);
        let moment = match random.between(0, 9) {
            0 => Moment::Idle,
            1 if number == 0 => Moment::SettingUp { after_us },
            1 | 2 if number > 0 => Moment::Returning { after_us },
            3 | 4 if number > 0 => Moment::Recovering { after_us },
            _ => under_load,
        };
        let downtime_ms = if random.chance(15) { random.between(800, 1500) } else { random.between(0, 80) };
        Self { moment, downtime_ms, workers: random.count(1, 3), probe: random.chance(30) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plan(seed: u64) -> Plan {
        Plan::draw(1, &mut Random::new(seed), Duration::from_secs(2), None)
    }

    #[test]
    fn a_plan_follows_from_its_seed() {
        assert_eq!(format!("{:?}", plan(5)), format!("{:?}", plan(5)));
        assert_ne!(format!("{:?}", plan(5)), format!("{:?}", plan(6)));
    }

    #[test]
    fn a_hundred_plans_hold_every_kind_of_kill_and_every_count_of_workers() {
        let kills: Vec<Kill> = (0..100).flat_map(|seed| plan(seed).kills).collect();
        let has = |is: fn(Moment) -> bool| kills.iter().any(|kill| is(kill.moment));
        assert!(has(|moment| matches!(moment, Moment::UnderLoad { .. })));
        assert!(has(|moment| matches!(moment, Moment::SettingUp { .. })));
        assert!(has(|moment| matches!(moment, Moment::Idle)));
        assert!(has(|moment| matches!(moment, Moment::Returning { .. })));
        assert!(has(|moment| matches!(moment, Moment::Recovering { .. })));
        assert!((1..=3).all(|workers| kills.iter().any(|kill| kill.workers == workers)));
    }

    #[test]
    fn both_versions_and_clients_of_other_people_take_part() {
        let plans: Vec<Plan> = (0..20).map(plan).collect();
        for version in [ProtocolVersion::V311, ProtocolVersion::V5] {
            assert!(plans.iter().all(|plan| plan.parts.iter().any(|part| part.version == version)));
            let speaks = |plan: &Plan| plan.independents.iter().any(|part| part.version == version);
            assert!(plans.iter().any(speaks), "{version}");
        }
    }
}
