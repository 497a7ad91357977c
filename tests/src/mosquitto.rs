//! Owns a running mosquitto of our own: a configuration file, a free port, killed at the end. It is skipped where it
//! is not installed.

use crate::{address::free_address, program::Program, program::until, tools::external};
use std::{
    net::{SocketAddr, TcpStream},
    process::Command,
};
use tempfile::TempDir;

/// A running mosquitto.
#[derive(Debug)]
pub struct Mosquitto {
    _program: Program,
    address: SocketAddr,
    _directory: TempDir,
}

/// Another program may take the port between our looking and mosquitto's binding.
const ATTEMPTS: usize = 5;

impl Mosquitto {
    /// A mosquitto that takes anybody, with these lines in its configuration, if it is installed.
    ///
    /// # Panics
    /// If it is installed and does not start.
    #[must_use]
    pub fn start(configuration: &str) -> Option<Self> {
        Self::start_with(&format!("allow_anonymous true\n{configuration}"))
    }

    /// A mosquitto with this configuration besides its listener, if it is installed.
    ///
    /// # Panics
    /// If it is installed and does not start.
    #[must_use]
    pub fn start_with(configuration: &str) -> Option<Self> {
        let program = external("mosquitto")?;
        for _ in 0..ATTEMPTS {
            let directory = tempfile::tempdir().expect("a temporary directory");
            let address = free_address();
            let file = directory.path().join("mosquitto.conf");
            // Started as root it would give up its rights, and those to our directory.
            let listener = format!("user root\nlistener {} 127.0.0.1\n", address.port());
            std::fs::write(&file, listener + configuration).expect("a writable directory");
            let mut command = Command::new(&program);
            let mut program = Program::start(command.arg("-c").arg(&file).current_dir(directory.path()));
            let runs = until("mosquitto listening or ending", || match program.status() {
                Some(_) => Some(false),
                None => TcpStream::connect(address).is_ok().then_some(true),
            });
            if runs {
                return Some(Self { _program: program, address, _directory: directory });
            }
        }
        panic!("mosquitto ends at once {ATTEMPTS} times");
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
}
