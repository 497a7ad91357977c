//! Owns the figures of one to a thousand publishers, each with a subscriber of its own, and of a thousand
//! with few. How one of them is measured is not its business.

use crate::bench::Bench;
use crate::error::Error;
use crate::report::Report;
use crate::throughput::Shape;

pub(crate) const PART: &str = "publishers";

/// The cases that have an aim.
pub(crate) const THOUSAND: [&str; 2] = ["1000 to 1000, window 1", "1000 to 1000, window 16"];

pub(crate) fn measure(bench: &Bench, report: &mut Report) -> Result<(), Error> {
    for (publishers, topics_per_subscriber) in [(1, 1), (10, 1), (1_000, 1), (1_000, 100)] {
        for window in [1, 16] {
            let shape = Shape { publishers, window, topics_per_subscriber, fan_out: 1 };
            let subscribers = publishers / topics_per_subscriber;
            let case = format!("{publishers} to {subscribers}, window {window}");
            bench.interleave(report, PART, &case, |storage| shape.measure(bench, storage))?;
        }
    }
    Ok(())
}
