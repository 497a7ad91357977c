//! Owns the list of what is measured, and at which ratio to the floor it is good. How it is measured is in the
//! families below.

pub(crate) mod state;
pub(crate) mod traffic;

use dunlin_load::ProtocolVersion::{self, V5, V311};
use dunlin_load::QoS::{AtLeastOnce, AtMostOnce, ExactlyOnce};
use dunlin_load::{Topology, Traffic};

use crate::broker::Need;
use crate::modes::traffic::Flow;

/// One thing that is measured.
#[derive(Clone, Debug)]
pub(crate) struct Mode {
    /// As the command line names it.
    pub(crate) name: String,
    /// As the report explains it.
    pub(crate) what: String,
    pub(crate) flow: Flow,
    /// Aims, in the terms of the floor of the same run.
    pub(crate) cpu_ratio_max: Option<f64>,
    pub(crate) latency_ratio_max: Option<f64>,
}

/// Messages on their way at once where nothing else is said: enough for whole buffers, and below the Receive
/// Maximum of every broker here.
const WINDOW: u32 = 100;

/// All of them, in the order of the report.
pub(crate) fn all() -> Vec<Mode> {
    let mut modes = aimed();
    modes.extend(sizes());
    modes.extend(shapes());
    let in_5: Vec<_> = modes.iter().map(in_version_5).collect();
    modes.extend(in_5);
    modes
}

/// Those with an aim.
fn aimed() -> Vec<Mode> {
    let fast = |topology, qos| Flow::new(topology, qos, 64, WINDOW);
    let one_by_one = |topology, qos| Flow::new(topology, qos, 64, 1);
    let mut paced = fast(Topology::Pairs(10), AtMostOnce);
    paced.traffic.rate = Some(5_000.0);
    [
        (fast(Topology::Pairs(50), AtMostOnce), Some(2.0), None),
        (fast(Topology::Pairs(50), AtLeastOnce), Some(2.3), None),
        (fast(Topology::Pairs(50), ExactlyOnce), Some(2.0), None),
        (fast(topics(5, 50), AtMostOnce), Some(2.0), None),
        (fast(topics(1, 100), AtMostOnce), Some(1.5), None),
        (fast(topics(1, 100), AtLeastOnce), Some(2.5), None),
        (fast(topics(50, 1), AtMostOnce), Some(1.5), None),
        (one_by_one(Topology::Pairs(1), AtMostOnce), Some(1.15), None),
        (one_by_one(Topology::Pairs(50), AtLeastOnce), Some(1.2), None),
        (paced, Some(1.2), Some(1.05)),
        (Flow::new(Topology::Pairs(10), AtMostOnce, 16 * 1024, 16), Some(1.3), None),
    ]
    .map(|(flow, cpu_ratio_max, latency_ratio_max)| Mode { cpu_ratio_max, latency_ratio_max, ..mode(flow) })
    .into()
}

/// Pairs with messages of other sizes.
fn sizes() -> Vec<Mode> {
    let mut modes = Vec::new();
    for (payload_bytes, window) in [(16, WINDOW), (256, WINDOW), (4 * 1024, 32), (64 * 1024, 8)] {
        for qos in [AtMostOnce, AtLeastOnce, ExactlyOnce] {
            modes.push(mode(Flow::new(Topology::Pairs(10), qos, payload_bytes, window)));
        }
    }
    modes
}

/// Other shapes.
fn shapes() -> Vec<Mode> {
    let shared = Topology::Shared { publishers: 10, subscribers: 10, name: "bench".to_owned() };
    [
        Flow::new(topics(1, 1_000), AtMostOnce, 64, WINDOW),
        Flow::new(topics(100, 1), AtLeastOnce, 64, WINDOW),
        Flow::new(shared, AtLeastOnce, 64, WINDOW),
    ]
    .map(mode)
    .into()
}

/// As many topics as the fewer of both: a fan-out for each publisher, or a fan-in.
fn topics(publishers: u32, subscribers: u32) -> Topology {
    Topology::Topics { publishers, subscribers, topics: publishers.min(subscribers) }
}

fn mode(flow: Flow) -> Mode {
    Mode { name: flow.name(), what: flow.to_string(), flow, cpu_ratio_max: None, latency_ratio_max: None }
}

/// The same in MQTT 5.0, without an aim of its own: it is held against its twin.
fn in_version_5(mode_311: &Mode) -> Mode {
    mode(Flow { version: V5, ..mode_311.flow.clone() })
}

impl Mode {
    /// What a broker must be able to do for it.
    pub(crate) fn needs(&self) -> Vec<Need> {
        let Traffic { topology, qos, .. } = &self.flow.traffic;
        let mut needs = vec![match self.flow.version {
            ProtocolVersion::V31 | V311 => Need::Mqtt311,
            V5 => Need::Mqtt5,
        }];
        if *qos == ExactlyOnce {
            needs.push(Need::QoS2);
        }
        match topology {
            Topology::Topics { publishers, subscribers, .. }
                if publishers > subscribers && *qos > AtMostOnce =>
            {
                needs.push(Need::PacketIds);
            }
            Topology::FanOut { .. } => needs.push(Need::Sessions),
            Topology::Shared { .. } => needs.push(Need::SharedSubscriptions),
            Topology::Pairs(_) | Topology::Topics { .. } => {}
        }
        needs
    }
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
}
