//! Owns how the relay is run.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::broker::{Broker, Conditions, Need};
use crate::error::Error;

pub(crate) const NAME: &str = "relay";

/// The floor.
#[derive(Debug)]
pub(crate) struct Relay {
    pub(crate) program: PathBuf,
}

impl Broker for Relay {
    fn name(&self) -> &'static str {
        NAME
    }

    fn program(&self) -> Option<PathBuf> {
        Some(self.program.clone())
    }

    fn version(&self) -> String {
        "forwards frames, one thread".to_owned()
    }

    fn can(&self, need: Need) -> bool {
        match need {
            Need::Mqtt311 | Need::Mqtt5 | Need::QoS2 => true,
            Need::PacketIds | Need::Sessions | Need::SharedSubscriptions | Need::Workers => false,
        }
    }

    fn tell(&self, command: &mut Command, _: Conditions, address: SocketAddr, _: &Path) -> Result<(), Error> {
        command.arg(address.to_string());
        Ok(())
    }
}
