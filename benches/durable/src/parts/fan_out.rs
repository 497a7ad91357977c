//! Owns the figures of messages that many sessions receive. How one of them is measured is not its business.

use crate::bench::Bench;
use crate::error::Error;
use crate::report::Report;
use crate::throughput::Shape;

pub(crate) const PART: &str = "fan-out";

pub(crate) fn measure(bench: &Bench, report: &mut Report) -> Result<(), Error> {
    for (publishers, fan_out) in [(10, 10), (1, 1_000)] {
        let shape = Shape { publishers, window: 16, topics_per_subscriber: 1, fan_out };
        let case = format!("{publishers} publishers, each to {fan_out}");
        bench.interleave(report, PART, &case, |storage| shape.measure(bench, storage))?;
    }
    Ok(())
}
