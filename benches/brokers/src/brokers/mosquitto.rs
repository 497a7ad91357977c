//! Owns how mosquitto is run. It has one thread.

use std::net::SocketAddr;
use std::path::Path;
use std::process::Command;

use crate::broker::{Broker, Conditions, Need, configuration, version_of};
use crate::error::Error;

/// Eclipse Mosquitto.
#[derive(Debug)]
pub(crate) struct Mosquitto;

impl Broker for Mosquitto {
    fn name(&self) -> &'static str {
        "mosquitto"
    }

    fn version(&self) -> String {
        version_of(self.program(), "-h")
    }

    fn can(&self, need: Need) -> bool {
        match need {
            Need::Mqtt311
            | Need::Mqtt5
            | Need::QoS2
            | Need::PacketIds
            | Need::Sessions
            | Need::SharedSubscriptions => true,
            Need::Workers => false,
        }
    }

    fn tell(
        &self,
        command: &mut Command,
        _: Conditions,
        address: SocketAddr,
        folder: &Path,
    ) -> Result<(), Error> {
        // Without the limits on what waits it would drop most of a load that others hold back.
        let text = format!(
            "listener {} {}\nallow_anonymous true\npersistence false\nset_tcp_nodelay true\n\
             max_inflight_messages 1000\nmax_queued_messages 0\nsys_interval 0\nlog_type error\n",
            address.port(),
            address.ip(),
        );
        command.arg("-c").arg(configuration(folder, "mosquitto.conf", &text)?);
        Ok(())
    }
}
