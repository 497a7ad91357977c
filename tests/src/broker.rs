//! Owns a running mqttd: started on a free port in an empty directory, killed at the end, its log shown when a test
//! fails. What it does is for the tests to say.

use crate::{
    program::{Finished, Program},
    tools::binary,
    wire::Wire,
};
use mqtt_codec::ProtocolVersion;
use std::{net::SocketAddr, process::Command, thread};
use tempfile::TempDir;

/// Settings as `--set` takes them.
pub type Settings<'a> = &'a [(&'a str, &'a str)];

/// A running mqttd.
#[derive(Debug)]
pub struct Broker {
    program: Option<Program>,
    address: SocketAddr,
    _directory: TempDir,
}

impl Broker {
    /// A broker with the defaults and one worker.
    ///
    /// # Panics
    /// If it does not start.
    #[must_use]
    pub fn start() -> Self {
        Self::with(1, &[])
    }

    /// A broker with so many workers and these settings.
    ///
    /// # Panics
    /// If it does not start.
    #[must_use]
    pub fn with(workers: usize, settings: Settings<'_>) -> Self {
        let directory = tempfile::tempdir().expect("a temporary directory");
        let mut command = Command::new(binary("mqttd"));
        command.current_dir(directory.path());
        command.args(["--listen", "127.0.0.1:0", "--workers", &workers.to_string()]);
        for (key, value) in settings {
            command.args(["--set", &format!("{key}={value}")]);
        }
        let mut program = Program::start(&mut command);
        let line = program.line();
        let address = line.strip_prefix("mqttd listening on ").and_then(|address| address.parse().ok());
        let address = address.unwrap_or_else(|| panic!("mqttd does not say where it listens: {line:?}"));
        Self { program: Some(program), address, _directory: directory }
    }

    /// Where it listens.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The port it listens on, as command lines take it.
    #[must_use]
    pub fn port(&self) -> String {
        self.address.port().to_string()
    }

    /// The process.
    ///
    /// # Panics
    /// If it has ended.
    #[must_use]
    pub fn program(&self) -> &Program {
        self.program.as_ref().expect("the broker runs")
    }

    /// A peer whose CONNECT is still to be sent.
    ///
    /// # Panics
    /// If the broker does not accept the connection.
    #[must_use]
    pub fn open(&self, version: ProtocolVersion) -> Wire {
        Wire::open(self.address, version)
    }

    /// A peer that is connected with a session of its own, which ends with the connection.
    ///
    /// # Panics
    /// If the broker refuses.
    #[must_use]
    pub fn connect(&self, version: ProtocolVersion, client_id: &str) -> Wire {
        let mut wire = self.open(version);
        let connack = wire.connect(&format!("10 # vv 02 0000 () '{client_id}'"));
        assert!(!connack.session_present && !connack.reason.is_error(), "{connack:?}");
        wire
    }

    /// Awaits the end of a broker that was told to end.
    ///
    /// # Panics
    /// If it does not come in time.
    #[must_use]
    pub fn finish(mut self) -> Finished {
        self.program.take().expect("the broker runs").finish()
    }
}

impl Drop for Broker {
    fn drop(&mut self) {
        let Some(mut program) = self.program.take() else { return };
        if thread::panicking() {
            return;
        }
        let errors = program.errors();
        assert!(!errors.contains("panicked at"), "the broker panicked:\n{errors}");
        if let Some(status) = program.status() {
            panic!("the broker ended by itself ({status}):\n{errors}");
        }
    }
}
