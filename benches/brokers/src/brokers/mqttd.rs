//! Owns how our broker is run.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::broker::{Backlog, Broker, Conditions, Need};
use crate::error::Error;

pub(crate) const NAME: &str = "mqttd";

/// The broker of this workspace.
#[derive(Debug)]
pub(crate) struct Mqttd {
    pub(crate) program: PathBuf,
}

/// So that nothing of a load is turned away.
const SETTINGS: [&str; 4] = [
    // As the others run; what durability costs has a measurement of its own.
    "storage=memory",
    "limits.retained_messages_max=20000000",
    "limits.subscriptions_per_session_max=1000000",
    "sys.interval_ms=0",
];

/// So that all that a mode sends may wait. By default a publisher's acknowledgement waits where a queue is full, so that
/// nothing is lost and what is published is delivered soon: with a gigabyte of backlog, a figure for each delivered
/// message would be mostly of those that were not.
const EVERYTHING: [&str; 2] = ["limits.queue_messages_max=20000000", "limits.queue_bytes_max=16GiB"];

/// What it takes unless it is told.
const CONNECTIONS_MIN: u64 = 1_000_000;

impl Broker for Mqttd {
    fn name(&self) -> &'static str {
        NAME
    }

    fn program(&self) -> Option<PathBuf> {
        Some(self.program.clone())
    }

    fn can(&self, _: Need) -> bool {
        true
    }

    fn tell(
        &self,
        command: &mut Command,
        conditions: Conditions,
        address: SocketAddr,
        folder: &Path,
    ) -> Result<(), Error> {
        command.args(["--listen", &address.to_string(), "--data-dir"]).arg(folder.join("data"));
        let told = [
            format!("workers={}", conditions.workers),
            format!("limits.connections_max={}", conditions.connections.max(CONNECTIONS_MIN)),
        ];
        let backlog: &[&str] = match conditions.backlog {
            Backlog::Lossless => &[],
            Backlog::Everything => &EVERYTHING,
        };
        for setting in told.iter().map(String::as_str).chain(SETTINGS).chain(backlog.iter().copied()) {
            command.args(["--set", setting]);
        }
        Ok(())
    }
}
