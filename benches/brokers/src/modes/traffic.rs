//! Owns the measurement of messages that flow: so many publishers and receivers, first as fast as their windows
//! allow, then at a rate that every broker bears. Latencies are those at the rate: at its limit a broker's latency
//! is the length of the queue that its windows allow.

mod describe;
mod phase;

use std::time::Duration;

use dunlin_load::{Lifetime, Load, ProtocolVersion, QoS, Target, Topology, Traffic};

use crate::broker::{Need, Running};
use crate::error::Error;
use crate::figures::{Figure, Measured};
use phase::Phase;

/// Who publishes what to whom, in which version.
#[derive(Clone, Debug)]
pub(crate) struct Flow {
    pub(crate) version: ProtocolVersion,
    pub(crate) traffic: Traffic,
}

/// Of the broker, user and system, for a delivered message, in microseconds.
pub(crate) const CPU: &str = "CPU us";
/// From when a message was due to its delivery: half of them, 99 %, 99.9 %.
pub(crate) const LATENCY: [&str; 3] = ["p50 us", "p99 us", "p99.9 us"];
/// What the name of a mode in MQTT 5.0 ends with.
pub(crate) const VERSION_5: &str = "-v5";

/// The name of the mode in MQTT 3.1.1 that a mode in 5.0 is held against, by the name of that.
pub(crate) fn twin_of(name: &str) -> Option<&str> {
    name.strip_suffix(VERSION_5)
}

/// Deliveries per second in the phase at a rate: a fifth of what the slowest broker bears in the slowest mode.
const PACED_DELIVERIES: f64 = 5_000.0;
/// Bytes of payload delivered per second then: large messages come more rarely.
const PACED_BYTES: f64 = 32_768_000.0;
/// What a publisher can be sure to get through one by one, with a broker that answers within a millisecond.
const PACED_ONE_BY_ONE: f64 = 1_000.0;

impl Flow {
    pub(crate) fn new(topology: Topology, qos: QoS, payload_bytes: usize, window: u32) -> Self {
        let traffic = Traffic {
            topology,
            topic_prefix: "bench/traffic".to_owned(),
            qos,
            payload_bytes,
            window,
            rate: None,
            messages: None,
            retain: false,
            lifetime: Lifetime::Connection,
        };
        Self { version: ProtocolVersion::V311, traffic }
    }

    /// What a broker must be able to do for it.
    pub(crate) fn needs(&self) -> Vec<Need> {
        let Traffic { topology, qos, .. } = &self.traffic;
        let mut needs = vec![match self.version {
            ProtocolVersion::V31 | ProtocolVersion::V311 => Need::Mqtt311,
            ProtocolVersion::V5 => Need::Mqtt5,
        }];
        if *qos == QoS::ExactlyOnce {
            needs.push(Need::QoS2);
        }
        match topology {
            Topology::Topics { publishers, subscribers, .. }
                if publishers > subscribers && *qos > QoS::AtMostOnce =>
            {
                needs.push(Need::PacketIds);
            }
            Topology::FanOut { .. } => needs.push(Need::Sessions),
            Topology::Shared { .. } => needs.push(Need::SharedSubscriptions),
            Topology::Pairs(_) | Topology::Topics { .. } => {}
        }
        needs
    }

    /// Messages published per second by all publishers together in the phase at a rate.
    pub(crate) fn rate(&self) -> f64 {
        let Traffic { topology, payload_bytes, window, rate, .. } = &self.traffic;
        if let Some(rate) = rate {
            return *rate;
        }
        let payload_bytes = u32::try_from(*payload_bytes).unwrap_or(u32::MAX);
        let deliveries = PACED_DELIVERIES.min(PACED_BYTES / f64::from(payload_bytes));
        let published = deliveries / f64::from(topology.copies());
        match window {
            1 => published.min(PACED_ONE_BY_ONE * f64::from(topology.publishers())),
            _ => published,
        }
    }

    /// The same at its rate only.
    pub(crate) fn paced(&self) -> Self {
        let traffic = Traffic { rate: Some(self.rate()), ..self.traffic.clone() };
        Self { traffic, ..*self }
    }

    /// Its clients, connected and subscribed, with nothing published yet.
    pub(crate) fn open(&self, running: &Running) -> Result<Load, Error> {
        let mut load = Load::new(Target { version: self.version, ..running.target() })?;
        self.traffic.open(&mut load)?;
        Ok(load)
    }

    /// Measures a broker that has just been started. A mode that has a rate anyway has one phase.
    pub(crate) fn measure(&self, running: &Running, duration: Duration) -> Result<Measured, Error> {
        let first = Phase::measure(self, running, duration)?;
        let mut figures = vec![
            Figure::high("messages/s", first.deliveries_per_second()),
            Figure::low(CPU, first.cpu_us(first.broker)),
            Figure::noted("switches", first.switches()),
            Figure::low("MiB", first.resident_mib()),
            Figure::noted("load CPU us", first.cpu_us(first.own)),
        ];
        let mut faults = first.faults;
        if self.traffic.rate.is_some() {
            // As much as was published: nothing to be good at.
            figures[0] = Figure::noted("messages/s", first.deliveries_per_second());
            figures.extend(first.latency());
        } else {
            let paced = Phase::measure(&self.paced(), running, duration)?;
            figures.extend(paced.latency());
            figures.push(Figure::low("CPU us at the rate", paced.cpu_us(paced.broker)));
            faults = faults.and(paced.faults);
        }
        Ok(Measured { figures, faults })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_rate_is_the_same_for_all_and_less_where_messages_are_large_or_one_by_one() {
        let check = |topology: Topology, payload_bytes, window, rate: f64| {
            let flow = Flow::new(topology, QoS::AtMostOnce, payload_bytes, window);
            assert_eq!(flow.rate().to_bits(), rate.to_bits(), "{flow}");
            assert_eq!(flow.paced().rate().to_bits(), rate.to_bits(), "{flow}");
        };
        check(Topology::Pairs(50), 64, 25, 5_000.0);
        check(Topology::Pairs(10), 64 * 1024, 8, 500.0);
        check(Topology::Pairs(10), 16 * 1024, 16, 2_000.0);
        check(Topology::Pairs(1), 64, 1, 1_000.0);
        check(Topology::Pairs(50), 64, 1, 5_000.0);
        check(Topology::Topics { publishers: 5, subscribers: 50, topics: 5 }, 64, 100, 500.0);
        check(Topology::Topics { publishers: 1, subscribers: 1_000, topics: 1 }, 64, 100, 5.0);
        check(Topology::Topics { publishers: 50, subscribers: 1, topics: 1 }, 64, 100, 5_000.0);
    }
}
