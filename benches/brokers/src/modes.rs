//! Owns the list of what is measured, and at which figures it is good. How it is measured is in the families below.

pub(crate) mod state;
pub(crate) mod traffic;

use dunlin_load::ProtocolVersion::V5;
use dunlin_load::QoS::{self, AtLeastOnce, AtMostOnce, ExactlyOnce};
use dunlin_load::Topology;

use crate::broker::{Need, Running};
use crate::error::Error;
use crate::figures::Figure;
use crate::modes::traffic::{CPU, Flow, LATENCY};
use crate::scale::Scale;

/// One thing that is measured.
#[derive(Clone, Debug)]
pub(crate) struct Mode {
    /// As the command line names it.
    pub(crate) name: String,
    /// As the report explains it.
    pub(crate) what: String,
    /// What a broker must be able to do for it.
    pub(crate) needs: Vec<Need>,
    /// By the name of the figure.
    pub(crate) aims: Vec<(&'static str, Aim)>,
    pub(crate) work: Work,
}

impl Mode {
    /// Whether its figures are held against those of another, so that both are to be measured at once.
    pub(crate) fn is_compared_with(&self, other: &Self) -> bool {
        traffic::twin_of(&self.name) == Some(other.name.as_str())
    }
}

/// How it is measured.
#[derive(Clone, Debug)]
pub(crate) enum Work {
    Traffic(Flow),
    State(fn(&Running, Scale) -> Result<Vec<Figure>, Error>),
}

/// What a figure of ours should be at most.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Aim {
    AtMost(f64),
    /// So many times the relay's of the same run.
    TimesFloor(f64),
    /// So many times that of our broker with one worker.
    TimesOneWorker(f64),
    /// So many times that of the same mode in MQTT 3.1.1.
    TimesVersion311(f64),
}

/// Messages on their way at once decide how many a read brings, and so the floor: at 10 the relay takes five times as
/// much CPU for a message as at 100. Those that the aims refer to were measured where it made about 0.04 system calls
/// per message at 50 busy pairs: 25 to 50 messages a read.
const WINDOW_AIMED: u32 = 25;
/// What it costs when less can be done at once.
const WINDOW_SMALL: u32 = 10;
/// Enough for whole buffers, and below the Receive Maximum of every broker here. What the modes without an aim have.
const WINDOW_LARGE: u32 = 100;

const ONE_WORKER_RATIO_MAX: f64 = 1.3;
const VERSION_5_RATIO_MAX: f64 = 1.1;

/// All of them, in the order of the report.
pub(crate) fn all() -> Vec<Mode> {
    let mut modes = aimed();
    modes.extend(sizes());
    modes.extend(shapes());
    // Next to each other, as they are measured together.
    let mut modes: Vec<_> = modes.into_iter().flat_map(with_version_5).collect();
    modes.extend(windows());
    modes.extend(state::all());
    modes
}

/// Those that are wished for: by their whole names, or all whose names hold the wish. Without a wish all.
pub(crate) fn chosen(wishes: &[String]) -> Result<Vec<Mode>, Error> {
    let mut modes = all();
    let names: Vec<_> = modes.iter().map(|mode| mode.name.clone()).collect();
    if let Some(wish) = wishes.iter().find(|wish| !names.iter().any(|name| name.contains(wish.as_str()))) {
        return Err(Error::Unknown { what: "mode", name: wish.clone() });
    }
    let holds =
        |wish: &String, name: &str| name == wish || (!names.contains(wish) && name.contains(wish.as_str()));
    modes.retain(|mode| wishes.is_empty() || wishes.iter().any(|wish| holds(wish, &mode.name)));
    Ok(modes)
}

/// Those with an aim.
fn aimed() -> Vec<Mode> {
    let times_floor = |flow, cpu_ratio_max| mode(flow, &[(CPU, Aim::TimesFloor(cpu_ratio_max))]);
    let fast = busy().map(|(topology, qos, cpu_ratio_max)| {
        times_floor(Flow::new(topology, qos, 64, WINDOW_AIMED), cpu_ratio_max)
    });
    let mut at_a_rate = Flow::new(Topology::Pairs(10), AtMostOnce, 64, WINDOW_LARGE);
    at_a_rate.traffic.rate = Some(5_000.0);
    let mut at_a_rate = times_floor(at_a_rate, 1.2);
    at_a_rate.aims.push((LATENCY[0], Aim::TimesFloor(1.05)));
    let others = [
        times_floor(Flow::new(Topology::Pairs(1), AtMostOnce, 64, 1), 1.15),
        times_floor(Flow::new(Topology::Pairs(50), AtLeastOnce, 64, 1), 1.2),
        at_a_rate,
        times_floor(Flow::new(Topology::Pairs(10), AtMostOnce, 16 * 1024, 16), 1.3),
    ];
    fast.into_iter().chain(others).collect()
}

/// Much at once, and how many times the floor's CPU it may cost.
fn busy() -> [(Topology, QoS, f64); 7] {
    [
        (Topology::Pairs(50), AtMostOnce, 2.0),
        (Topology::Pairs(50), AtLeastOnce, 2.3),
        (Topology::Pairs(50), ExactlyOnce, 2.0),
        (topics(5, 50), AtMostOnce, 2.0),
        (topics(1, 100), AtMostOnce, 1.5),
        (topics(1, 100), AtLeastOnce, 2.5),
        (topics(50, 1), AtMostOnce, 1.5),
    ]
}

/// Pairs with messages of other sizes.
fn sizes() -> Vec<Mode> {
    let mut modes = Vec::new();
    for (payload_bytes, window) in [(16, WINDOW_LARGE), (256, WINDOW_LARGE), (4 * 1024, 32), (64 * 1024, 8)] {
        for qos in [AtMostOnce, AtLeastOnce, ExactlyOnce] {
            modes.push(mode(Flow::new(Topology::Pairs(10), qos, payload_bytes, window), &[]));
        }
    }
    modes
}

/// Other shapes.
fn shapes() -> Vec<Mode> {
    let shared = Topology::Shared { publishers: 10, subscribers: 10, name: "bench".to_owned() };
    [
        Flow::new(topics(1, 1_000), AtMostOnce, 64, WINDOW_LARGE),
        Flow::new(topics(100, 1), AtLeastOnce, 64, WINDOW_LARGE),
        Flow::new(shared, AtLeastOnce, 64, WINDOW_LARGE),
    ]
    .map(|flow| mode(flow, &[]))
    .into()
}

/// The busy ones when less or more is under way at once: without an aim of their own.
fn windows() -> Vec<Mode> {
    let mut modes = Vec::new();
    for window in [WINDOW_SMALL, WINDOW_LARGE] {
        modes.extend(busy().map(|(topology, qos, _)| mode(Flow::new(topology, qos, 64, window), &[])));
    }
    modes
}

/// As many topics as the fewer of both: a fan-out for each publisher, or a fan-in.
fn topics(publishers: u32, subscribers: u32) -> Topology {
    Topology::Topics { publishers, subscribers, topics: publishers.min(subscribers) }
}

fn mode(flow: Flow, aims: &[(&'static str, Aim)]) -> Mode {
    let mut aims = aims.to_vec();
    aims.push((CPU, Aim::TimesOneWorker(ONE_WORKER_RATIO_MAX)));
    Mode { name: flow.name(), what: flow.to_string(), needs: flow.needs(), aims, work: Work::Traffic(flow) }
}

/// A mode, and the same in MQTT 5.0: that is held against its twin instead of the floor.
fn with_version_5(mode_311: Mode) -> impl Iterator<Item = Mode> {
    let in_5 = match &mode_311.work {
        Work::Traffic(flow) => {
            let flow = Flow { version: V5, ..flow.clone() };
            Some(mode(flow, &[(CPU, Aim::TimesVersion311(VERSION_5_RATIO_MAX))]))
        }
        Work::State(_) => None,
    };
    [mode_311].into_iter().chain(in_5)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn every_mode_has_a_name_of_its_own() {
        let modes = all();
        let names: BTreeSet<_> = modes.iter().map(|mode| mode.name.clone()).collect();
        assert_eq!(names.len(), modes.len());
    }

    #[test]
    fn a_wish_is_a_name_or_a_part_of_some() {
        let check = |wish: &str, expected: &[&str]| {
            let chosen = chosen(&[wish.to_owned()]).expect("there are such");
            assert_eq!(chosen.iter().map(|mode| mode.name.as_str()).collect::<Vec<_>>(), expected);
        };
        check("filters", &["filters-1M", "filters-10M"]);
        check("filters-1M", &["filters-1M"]);
        check("pairs-50-q1-64B-window-1", &["pairs-50-q1-64B-window-1"]);
        check("rate", &["pairs-10-q0-64B-rate-5000", "pairs-10-q0-64B-rate-5000-v5"]);
        assert_eq!(chosen(&[]).expect("all of them").len(), all().len());
        let error = chosen(&["idle".to_owned(), "idel".to_owned()]).expect_err("there is none");
        assert_eq!(error.to_string(), "there is no mode \"idel\"");
    }

    #[test]
    fn every_mode_in_version_5_is_measured_together_with_its_twin() {
        let modes = all();
        let is_in_5 = |mode: &&Mode| mode.name.ends_with(traffic::VERSION_5);
        let together = modes.chunk_by(|one, next| next.is_compared_with(one));
        let pairs: Vec<_> = together.filter(|modes| modes.len() == 2).collect();
        assert_eq!(pairs.len(), modes.iter().filter(is_in_5).count());
        assert!(pairs.iter().all(|pair| is_in_5(&&pair[1]) && !is_in_5(&&pair[0])));
    }

    #[test]
    fn the_floor_is_an_aim_at_the_window_that_it_was_measured_at() {
        let with_aim: Vec<_> = all()
            .into_iter()
            .filter(|mode| mode.aims.iter().any(|(_, aim)| matches!(aim, Aim::TimesFloor(_))))
            .map(|mode| mode.name)
            .collect();
        let expected = [
            "pairs-50-q0-64B-window-25",
            "pairs-50-q1-64B-window-25",
            "pairs-50-q2-64B-window-25",
            "topics-5-5-50-q0-64B-window-25",
            "topics-1-1-100-q0-64B-window-25",
            "topics-1-1-100-q1-64B-window-25",
            "topics-50-1-1-q0-64B-window-25",
            "pairs-1-q0-64B-window-1",
            "pairs-50-q1-64B-window-1",
            "pairs-10-q0-64B-rate-5000",
            "pairs-10-q0-16384B-window-16",
            "idle",
        ];
        assert_eq!(with_aim, expected);
    }
}
