//! Owns how rumqttd is run.

use std::net::SocketAddr;
use std::path::Path;
use std::process::Command;

use crate::broker::{Broker, Conditions, Need, configuration};
use crate::error::Error;

/// The broker of the rumqtt project.
#[derive(Debug)]
pub(crate) struct Rumqttd;

/// More than any other mode has.
const CONNECTIONS_MIN: u64 = 2_000;

impl Broker for Rumqttd {
    fn name(&self) -> &'static str {
        "rumqttd"
    }

    fn can(&self, need: Need) -> bool {
        match need {
            Need::Mqtt311 | Need::QoS2 | Need::PacketIds => true,
            // Its runtime has as many threads as the machine has cores; its router has one.
            Need::Mqtt5 | Need::Sessions | Need::SharedSubscriptions | Need::Workers => false,
        }
    }

    /// It takes no 0; this is longer than any measurement.
    fn keep_alive_seconds(&self) -> u16 {
        u16::MAX
    }

    fn tell(
        &self,
        command: &mut Command,
        conditions: Conditions,
        address: SocketAddr,
        folder: &Path,
    ) -> Result<(), Error> {
        // It makes room for all of them at once: not many more than are needed.
        let connections_max = conditions.connections + CONNECTIONS_MIN;
        let text = format!(
            r#"id = 0
[router]
id = 0
max_connections = {connections_max}
max_outgoing_packet_count = 1000
max_segment_size = 104857600
max_segment_count = 10

[v4.1]
name = "v4-1"
listen = "{address}"
next_connection_delay_ms = 0
    [v4.1.connections]
    connection_timeout_ms = 60000
    max_payload_size = 1048576
    max_inflight_count = 1000
    dynamic_filters = true
"#
        );
        command.arg("-q").arg("-c").arg(configuration(folder, "rumqttd.toml", &text)?);
        Ok(())
    }
}
