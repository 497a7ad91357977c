//! Owns what the figures should be, and whether they are. How they came about is not its business.

use std::fmt::Write as _;

use crate::daemon::Storage;
use crate::device;
use crate::parts::{FILL, PUBLISHERS, RESTART, TEN_THOUSAND_SESSIONS, THOUSAND};
use crate::report::Report;
use crate::throughput::{CPU, RATE};

/// CPU of a durable message as a multiple of one in memory.
const CPU_RATIO_MAX: f64 = 1.5;
/// Bytes of memory of a queued message of a session that is away: a reference, and the bookkeeping around it.
const QUEUED_BYTES_MAX: f64 = 40.0;
const RECOVERY_CPU_SECONDS_MAX: f64 = 1.0;
const RESTART_SECONDS_MAX: f64 = 3.0;
/// Messages that one sync of the device carries at the least, so that its rate is no bound.
const MESSAGES_PER_SYNC_MIN: f64 = 10.0;

/// A line for each aim whose figures are there.
pub(crate) fn judged(report: &Report) -> String {
    let mut text = String::new();
    let mut at_most = |what: &str, value: Option<f64>, limit: f64| {
        if let Some(value) = value {
            let verdict = if value <= limit { "met   " } else { "MISSED" };
            // Writing to a string does not fail.
            let _ = writeln!(text, "  {verdict}  {what}: {value:.2}, at most {limit}");
        }
    };
    for case in THOUSAND {
        let cpu = |storage| report.find(PUBLISHERS, case, storage, CPU);
        let ratio = cpu(Storage::Disk).zip(cpu(Storage::Memory)).map(|(disk, memory)| disk / memory);
        at_most(&format!("CPU of a durable message over one in memory, {case}"), ratio, CPU_RATIO_MAX);
    }
    let (part, case, figure) = FILL;
    let queued = report.find(part, case, Storage::Disk, figure);
    at_most("bytes of memory for a message of a session away", queued, QUEUED_BYTES_MAX);
    let (case, listening, cpu) = TEN_THOUSAND_SESSIONS;
    let restart = |figure| report.find(RESTART, case, Storage::Disk, figure);
    at_most("seconds to restart 10000 sessions with 1M messages", restart(listening), RESTART_SECONDS_MAX);
    at_most("CPU seconds to recover 1M references", restart(cpu), RECOVERY_CPU_SECONDS_MAX);
    let syncs = report.find(device::PART, device::SYNCS, Storage::Disk, "syncs/s");
    let rate = report.find(PUBLISHERS, THOUSAND[1], Storage::Disk, RATE);
    if let Some((rate, syncs)) = rate.zip(syncs) {
        let carried = rate / syncs;
        let verdict = if carried >= MESSAGES_PER_SYNC_MIN { "met   " } else { "MISSED" };
        let what = "messages for each sync the device can do";
        let _ = writeln!(text, "  {verdict}  {what}: {carried:.1}, at least {MESSAGES_PER_SYNC_MIN}");
    }
    text
}
