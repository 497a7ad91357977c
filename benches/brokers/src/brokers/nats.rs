//! Owns how nats-server is run: with JetStream, without which it serves no MQTT. It serves 3.1.1 only.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::broker::{Broker, Conditions, Need, configuration, installed};
use crate::error::Error;

/// The NATS server.
#[derive(Debug)]
pub(crate) struct Nats;

/// What it takes unless it is told.
const CONNECTIONS_MIN: u64 = 65_536;

impl Broker for Nats {
    fn name(&self) -> &'static str {
        "nats"
    }

    fn program(&self) -> Option<PathBuf> {
        installed("nats-server")
    }

    fn can(&self, need: Need) -> bool {
        match need {
            Need::Mqtt311 | Need::PacketIds | Need::Workers => true,
            // QoS 2 came with a later version than Debian has.
            Need::QoS2 | Need::Mqtt5 | Need::Sessions | Need::SharedSubscriptions => false,
        }
    }

    fn tell(
        &self,
        command: &mut Command,
        conditions: Conditions,
        address: SocketAddr,
        folder: &Path,
    ) -> Result<(), Error> {
        let text = format!(
            "server_name: bench\nhost: 127.0.0.1\nport: -1\nmax_connections: {}\njetstream {{ store_dir: {:?} }}\n\
             mqtt {{ host: {:?}, port: {}, max_ack_pending: 65535 }}\n",
            conditions.connections.max(CONNECTIONS_MIN),
            folder.join("store"),
            address.ip().to_string(),
            address.port(),
        );
        command
            .arg("-c")
            .arg(configuration(folder, "nats.conf", &text)?)
            .env("GOMAXPROCS", conditions.workers.to_string());
        Ok(())
    }
}
