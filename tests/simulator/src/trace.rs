//! Owns the record of a run: a line for each event, the last lines for a report, and one number that tells
//! whether two runs were the same. How an event reads is in `trace/describe.rs`.

mod describe;

pub(crate) use describe::describe;

use std::{collections::VecDeque, fmt};

/// How much of a run is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Detail {
    /// The last lines, for a report.
    Recent,
    /// Every line, for a person who reads along.
    Everything,
}

/// Lines shown with a failure.
const RECENT_LINES: usize = 80;

/// What happened in a run.
#[derive(Debug)]
pub(crate) struct Trace {
    detail: Detail,
    lines: VecDeque<String>,
    fingerprint: u64,
}

impl Trace {
    /// Nothing happened yet.
    #[must_use]
    pub(crate) fn new(detail: Detail) -> Self {
        Self { detail, lines: VecDeque::new(), fingerprint: 0xCBF2_9CE4_8422_2325 }
    }

    /// Adds a line.
    pub(crate) fn line(&mut self, now_ms: u64, text: impl fmt::Display) {
        let line = format!("{:>4}.{:03} {text}", now_ms / 1000, now_ms % 1000);
        self.bytes(line.as_bytes());
        if self.detail == Detail::Recent && self.lines.len() == RECENT_LINES {
            self.lines.pop_front();
        }
        self.lines.push_back(line);
    }

    /// Adds bytes that went over a wire, to the fingerprint alone (FNV-1a).
    pub(crate) fn bytes(&mut self, bytes: &[u8]) {
        for &byte in bytes {
            self.fingerprint = (self.fingerprint ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01B3);
        }
    }

    /// A number over every line and every byte so far.
    #[must_use]
    pub(crate) fn fingerprint(&self) -> u64 {
        self.fingerprint
    }

    /// The last lines, oldest first.
    #[must_use]
    pub(crate) fn recent(&self) -> Vec<String> {
        self.lines.iter().rev().take(RECENT_LINES).rev().cloned().collect()
    }

    /// The lines that were kept, oldest first.
    #[must_use]
    pub(crate) fn into_lines(self) -> Vec<String> {
        self.lines.into()
    }
}
