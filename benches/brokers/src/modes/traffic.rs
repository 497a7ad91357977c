//! Owns the measurement of messages that flow: so many publishers and receivers, as fast as their windows allow or
//! at a rate.

use std::fmt;
use std::time::{Duration, Instant};

use dunlin_load::{Lifetime, Load, Process, ProtocolVersion, QoS, Recording, Target, Topology, Traffic};

use crate::broker::Running;
use crate::error::Error;
use crate::figures::{Figures, count};

/// Who publishes what to whom, in which version.
#[derive(Clone, Debug)]
pub(crate) struct Flow {
    pub(crate) version: ProtocolVersion,
    pub(crate) traffic: Traffic,
}

/// Before anything is measured.
const WARM_UP: Duration = Duration::from_millis(500);
const PATIENCE: Duration = Duration::from_secs(20);

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
        let mut name = format!("{topology}-q{}-{payload_bytes}B", qos.bits());
        if *window == 1 {
            name += "-window-1";
        }
        if let Some(rate) = rate {
            name += &format!("-rate-{rate:.0}");
        }
        if self.version == ProtocolVersion::V5 {
            name += "-v5";
        }
        name
    }

    /// Measures a broker that has just been started.
    pub(crate) fn measure(&self, running: &Running, duration: Duration) -> Result<Figures, Error> {
        let target = Target { version: self.version, ..Target::new(running.address) };
        let mut load = Load::new(target)?;
        self.traffic.open(&mut load)?;
        load.start();
        load.run(WARM_UP)?;

        let (broker, own) = (Process::of(running.process()), Process::current());
        let begin = Instant::now();
        let (broker_before, own_before) = (broker.usage()?, own.usage()?);
        let delivered = load.tally().delivered;
        load.record(Recording::On);
        load.run(duration)?;
        load.record(Recording::Off);
        let (broker, own) = (broker.usage()?.since(broker_before), own.usage()?.since(own_before));
        let elapsed = begin.elapsed();
        let messages = count(load.tally().delivered - delivered);

        load.stop();
        let loss = load.drain(PATIENCE)?;
        let tally = load.tally();
        let latency = |quantile| count(tally.delivery.value_at_quantile(quantile)) / 1e3;
        let per_message = |time: Duration| time.as_secs_f64() * 1e6 / messages;
        let figures = Figures {
            rate: messages / elapsed.as_secs_f64(),
            cpu_us: per_message(broker.cpu),
            load_cpu_us: per_message(own.cpu),
            switches: count(broker.voluntary_switches + broker.involuntary_switches) / messages,
            latency_us: [latency(0.5), latency(0.99), latency(0.999)],
            resident_mib: count(broker.resident_bytes) / 1024.0 / 1024.0,
            lost: loss.undelivered + loss.unacknowledged,
            reordered: tally.reordered,
            duplicated: tally.duplicated,
        };
        load.disconnect()?;
        Ok(figures)
    }
}

impl fmt::Display for Flow {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.traffic.topology {
            Topology::Pairs(1) => write!(f, "one pair")?,
            Topology::Pairs(pairs) => write!(f, "{pairs} pairs")?,
            Topology::Topics { publishers: 1, subscribers, .. } => write!(f, "fan-out 1:{subscribers}")?,
            Topology::Topics { publishers, subscribers: 1, .. } => write!(f, "fan-in {publishers}:1")?,
            Topology::Topics { publishers, subscribers, .. } => {
                write!(f, "{publishers} fan-outs 1:{}", subscribers / publishers)?;
            }
            Topology::FanOut { publishers, subscribers } => {
                write!(f, "{publishers} publishers, {subscribers} subscribers by a wildcard")?;
            }
            Topology::Shared { publishers, subscribers, .. } => {
                write!(f, "{publishers} publishers to a shared subscription of {subscribers}")?;
            }
        }
        write!(f, ", QoS {}, {} B", self.traffic.qos.bits(), self.traffic.payload_bytes)?;
        match self.traffic.rate {
            Some(rate) => write!(f, ", {rate:.0} messages/s in all")?,
            None => write!(f, ", window {}", self.traffic.window)?,
        }
        let version = if self.version == ProtocolVersion::V5 { "5.0" } else { "3.1.1" };
        write!(f, ", MQTT {version}")
    }
}
