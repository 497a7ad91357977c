//! Owns one stretch of traffic with connections of its own, and what was seen of it. What it is worth is said by
//! its mode.

use std::time::{Duration, Instant};

use dunlin_load::{Process, Recording, Usage};

use super::{Flow, LATENCY};
use crate::broker::Running;
use crate::error::Error;
use crate::figures::{Faults, Figure, count};

/// What was seen.
#[derive(Debug)]
pub(super) struct Phase {
    elapsed: Duration,
    delivered: f64,
    pub(super) broker: Usage,
    /// The load's.
    pub(super) own: Usage,
    latency_us: [f64; 3],
    pub(super) faults: Faults,
}

/// Before anything is measured.
const WARM_UP: Duration = Duration::from_millis(500);
const PATIENCE: Duration = Duration::from_secs(20);
/// A broker that delivers less than this part of what was due has not kept the rate.
const KEPT_MIN: f64 = 0.95;

impl Phase {
    pub(super) fn measure(flow: &Flow, running: &Running, duration: Duration) -> Result<Self, Error> {
        let mut load = flow.open(running)?;
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
        let delivered = count(load.tally().delivered - delivered);

        load.stop();
        let loss = load.drain(PATIENCE)?;
        let tally = load.tally();
        let latency = |quantile| count(tally.delivery.value_at_quantile(quantile)) / 1e3;
        let is_behind = flow.traffic.rate.is_some_and(|rate| {
            delivered < KEPT_MIN * rate * f64::from(flow.traffic.topology.copies()) * elapsed.as_secs_f64()
        });
        let phase = Self {
            elapsed,
            delivered,
            broker,
            own,
            latency_us: [latency(0.5), latency(0.99), latency(0.999)],
            faults: Faults {
                lost: loss.undelivered + loss.unacknowledged,
                reordered: tally.reordered,
                duplicated: tally.duplicated,
                behind: is_behind.into(),
            },
        };
        load.disconnect()?;
        Ok(phase)
    }

    pub(super) fn deliveries_per_second(&self) -> f64 {
        self.delivered / self.elapsed.as_secs_f64()
    }

    pub(super) fn cpu_us(&self, used: Usage) -> f64 {
        used.cpu.as_secs_f64() * 1e6 / self.delivered
    }

    /// How often a thread of the broker was taken off its core, or went, for a delivered message.
    pub(super) fn switches(&self) -> f64 {
        count(self.broker.voluntary_switches + self.broker.involuntary_switches) / self.delivered
    }

    pub(super) fn resident_mib(&self) -> f64 {
        count(self.broker.resident_bytes) / 1024.0 / 1024.0
    }

    pub(super) fn latency(&self) -> impl Iterator<Item = Figure> {
        LATENCY.into_iter().zip(self.latency_us).map(|(name, value)| Figure::low(name, value))
    }
}
