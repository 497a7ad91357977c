//! Owns how a flow is named on the command line, and told to people.

use std::fmt;

use dunlin_load::{ProtocolVersion, Topology, Traffic};

use super::{Flow, VERSION_5};

impl Flow {
    /// Unique among the modes.
    pub(crate) fn name(&self) -> String {
        let Traffic { topology, qos, payload_bytes, window, rate, .. } = &self.traffic;
        let topology = match topology {
            Topology::Pairs(pairs) => format!("pairs-{pairs}"),
            Topology::Topics { publishers, subscribers, topics } => {
                format!("topics-{publishers}-{topics}-{subscribers}")
            }
            Topology::FanOut { publishers, subscribers } => format!("wildcard-{publishers}-{subscribers}"),
            Topology::Shared { publishers, subscribers, .. } => format!("shared-{publishers}-{subscribers}"),
        };
        let pace = match rate {
            Some(rate) => format!("rate-{rate:.0}"),
            None => format!("window-{window}"),
        };
        let version = if self.version == ProtocolVersion::V5 { VERSION_5 } else { "" };
        format!("{topology}-q{}-{payload_bytes}B-{pace}{version}", qos.bits())
    }
}

impl fmt::Display for Flow {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.told_traffic())?;
        if self.traffic.rate.is_none() {
            write!(f, "; latency at {:.0} messages published per second", self.rate())?;
        }
        Ok(())
    }
}

impl Flow {
    /// All of it but where its latencies come from.
    pub(crate) fn told_traffic(&self) -> String {
        let version = if self.version == ProtocolVersion::V5 { "5.0" } else { "3.1.1" };
        let Traffic { qos, payload_bytes, window, rate, .. } = &self.traffic;
        let pace = match rate {
            Some(rate) => format!("at {rate:.0} messages published per second"),
            None => format!("window {window}"),
        };
        format!("{}, QoS {}, {payload_bytes} B, MQTT {version}, {pace}", self.told_topology(), qos.bits())
    }

    fn told_topology(&self) -> String {
        match &self.traffic.topology {
            Topology::Pairs(1) => "one pair".to_owned(),
            Topology::Pairs(pairs) => format!("{pairs} pairs"),
            Topology::Topics { publishers: 1, subscribers, .. } => format!("fan-out 1:{subscribers}"),
            Topology::Topics { publishers, subscribers: 1, .. } => format!("fan-in {publishers}:1"),
            Topology::Topics { publishers, subscribers, .. } => {
                format!("{publishers} fan-outs 1:{}", subscribers / publishers)
            }
            Topology::FanOut { publishers, subscribers } => {
                format!("{publishers} publishers, {subscribers} subscribers by a wildcard")
            }
            Topology::Shared { publishers, subscribers, .. } => {
                format!("{publishers} publishers to a shared subscription of {subscribers}")
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use dunlin_load::QoS;

    use super::*;

    #[test]
    fn a_flow_has_a_name_and_a_description() {
        let check = |flow: &Flow, name: &str, description: &str| {
            assert_eq!(flow.name(), name);
            assert_eq!(flow.to_string(), description);
        };
        let pairs = Flow::new(Topology::Pairs(50), QoS::AtMostOnce, 64, 25);
        check(
            &pairs,
            "pairs-50-q0-64B-window-25",
            "50 pairs, QoS 0, 64 B, MQTT 3.1.1, window 25; latency at 5000 messages published per second",
        );
        check(
            &Flow { version: ProtocolVersion::V5, ..pairs.paced() },
            "pairs-50-q0-64B-rate-5000-v5",
            "50 pairs, QoS 0, 64 B, MQTT 5.0, at 5000 messages published per second",
        );
        let topics = Topology::Topics { publishers: 5, subscribers: 50, topics: 5 };
        check(
            &Flow::new(topics, QoS::AtLeastOnce, 64, 100),
            "topics-5-5-50-q1-64B-window-100",
            "5 fan-outs 1:10, QoS 1, 64 B, MQTT 3.1.1, window 100; latency at 500 messages published per second",
        );
    }
}
