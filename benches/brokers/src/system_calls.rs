//! Owns the counting of a broker's system calls, with strace: a run of its own, as who is traced is many times slower.
//! Which traffic flows meanwhile is the mode's business.

use std::collections::BTreeMap;
use std::fs;
use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use crate::broker::{Running, installed};
use crate::error::Error;
use crate::figures::{Figure, Measured, count};
use crate::modes::traffic::Flow;

/// The tracer, if it is installed.
pub(crate) fn tracer() -> Option<PathBuf> {
    installed("strace")
}

const PATIENCE: Duration = Duration::from_secs(60);

/// What system calls are for, by their names.
const KINDS: [(&str, &[&str]); 4] = [
    ("wait", &["epoll_wait", "epoll_pwait", "epoll_pwait2", "poll", "ppoll", "select", "pselect6"]),
    ("read", &["read", "readv", "recvfrom", "recvmsg", "recvmmsg"]),
    ("write", &["write", "writev", "sendto", "sendmsg", "sendmmsg"]),
    ("futex", &["futex"]),
];

/// Counts what a broker calls for each delivered message of the traffic. The broker is ended: that has the tracer say
/// what it has counted.
pub(crate) fn measure(
    tracer: &Path,
    flow: &Flow,
    mut running: Running,
    duration: Duration,
) -> Result<Measured, Error> {
    let mut load = flow.open(&running)?;
    let output = running.folder().join("system-calls");
    let mut tracing = Tracing::attach(tracer, running.process(), &output)?;
    load.start();
    load.run(duration)?;
    load.stop();
    // So every message is counted that called for anything.
    load.drain(PATIENCE)?;
    let delivered = count(load.tally().delivered);
    running.kill();
    tracing.end()?;
    let text = fs::read_to_string(&output).map_err(Error::machine("read what strace has counted"))?;
    Ok(Measured { figures: figures(&Summary::of(&text), delivered), ..Measured::default() })
}

/// A tracer at work; dropped, it is gone and the traced go on.
#[derive(Debug)]
struct Tracing(Child);

impl Tracing {
    /// Comes back when all threads are traced.
    fn attach(tracer: &Path, process: u32, output: &Path) -> Result<Self, Error> {
        let mut command = Command::new(tracer);
        command.args(["-f", "-c", "-p", &process.to_string(), "-o"]).arg(output).stderr(Stdio::piped());
        let mut tracing = Self(command.spawn().map_err(Error::machine("start strace"))?);
        let mut said = String::new();
        if let Some(errors) = tracing.0.stderr.take() {
            let mut errors = BufReader::new(errors);
            errors.read_line(&mut said).map_err(Error::machine("hear of strace"))?;
            // It says more of threads that come and go, and must not find nobody to say it to.
            std::thread::spawn(move || std::io::copy(&mut errors, &mut std::io::sink()));
        }
        if said.contains("attached") { Ok(tracing) } else { Err(Error::Broker(said.trim().to_owned())) }
    }

    /// Waits until it has seen the end of the traced.
    fn end(&mut self) -> Result<(), Error> {
        self.0.wait().map(drop).map_err(Error::machine("wait for strace"))
    }
}

impl Drop for Tracing {
    fn drop(&mut self) {
        // It may have ended.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// What strace has counted.
#[derive(Debug, Default, PartialEq, Eq)]
struct Summary {
    calls: BTreeMap<String, u64>,
    /// Calls that came back with an error, such as that there is nothing to read.
    failed: u64,
}

impl Summary {
    /// Reads the table: share, seconds, microseconds per call, calls, errors if there were some, name.
    fn of(text: &str) -> Self {
        let mut summary = Self::default();
        for line in text.lines() {
            let words: Vec<_> = line.split_whitespace().collect();
            let (calls, errors, name) = match words[..] {
                [_, _, _, calls, name] => (calls, "0", name),
                [_, _, _, calls, errors, name] => (calls, errors, name),
                _ => continue,
            };
            if let (Ok(calls), Ok(errors)) = (calls.parse::<u64>(), errors.parse::<u64>())
                && name != "total"
            {
                *summary.calls.entry(name.to_owned()).or_default() += calls;
                summary.failed += errors;
            }
        }
        summary
    }
}

fn figures(summary: &Summary, delivered: f64) -> Vec<Figure> {
    let each = |calls: u64| count(calls) / delivered;
    let all: u64 = summary.calls.values().sum();
    let of = |names: &[&str]| names.iter().filter_map(|&name| summary.calls.get(name)).sum::<u64>();
    let mut figures: Vec<_> =
        KINDS.iter().map(|(kind, names)| Figure::noted(kind, each(of(names)))).collect();
    let known: u64 = KINDS.iter().map(|(_, names)| of(names)).sum();
    figures.push(Figure::noted("other", each(all - known)));
    figures.push(Figure::noted("all", each(all)));
    figures.push(Figure::noted("of these in vain", each(summary.failed)));
    figures
}

#[cfg(test)]
mod tests {
    use super::*;

    const SUMMARY: &str = "\
% time     seconds  usecs/call     calls    errors syscall
------ ----------- ----------- --------- --------- ----------------
 66.67    0.000200          20       100           epoll_wait
 20.00    0.000060           1       400       150 recvfrom
 10.00    0.000030           3       200           writev
  3.33    0.000010           1        10           clock_nanosleep
------ ----------- ----------- --------- --------- ----------------
100.00    0.000300           6       710       150 total
";

    #[test]
    fn calls_are_told_by_what_they_are_for() {
        let summary = Summary::of(SUMMARY);
        assert_eq!(summary.calls.len(), 4);
        let figures = figures(&summary, 1_000.0);
        let told: Vec<_> = figures.iter().map(|it| format!("{} {}", it.name, it.value)).collect();
        let expected = [
            "wait 0.1",
            "read 0.4",
            "write 0.2",
            "futex 0",
            "other 0.01",
            "all 0.71",
            "of these in vain 0.15",
        ];
        assert_eq!(told, expected);
    }

    #[test]
    fn what_is_no_table_counts_nothing() {
        assert_eq!(Summary::of("strace: detached\n\n"), Summary::default());
    }
}
