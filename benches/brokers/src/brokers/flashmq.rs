//! Owns how FlashMQ is run.

use std::fs;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::broker::{Broker, Conditions, Need, installed, version_of};
use crate::error::Error;

/// FlashMQ.
#[derive(Debug)]
pub(crate) struct FlashMq;

impl Broker for FlashMq {
    fn name(&self) -> &'static str {
        "flashmq"
    }

    fn program(&self) -> Option<PathBuf> {
        installed("flashmq")
    }

    fn version(&self) -> String {
        version_of(self.program(), "--version")
    }

    fn can(&self, need: Need) -> bool {
        match need {
            Need::Mqtt311
            | Need::Mqtt5
            | Need::QoS2
            | Need::PacketIds
            | Need::Sessions
            | Need::SharedSubscriptions
            | Need::Workers => true,
        }
    }

    fn command(&self, conditions: Conditions, address: SocketAddr, folder: &Path) -> Result<Command, Error> {
        let configuration = folder.join("flashmq.conf");
        let text = format!(
            "thread_count {}\nallow_anonymous true\nlog_level error\nmax_qos_msg_pending_per_client 65535\n\
             max_qos_bytes_pending_per_client 1000000000\n\
             listen {{\n  protocol mqtt\n  inet_protocol ip4\n  inet4_bind_address {}\n  port {}\n}}\n",
            conditions.workers,
            address.ip(),
            address.port(),
        );
        fs::write(&configuration, text).map_err(Error::machine("write a configuration"))?;
        let mut command = Command::new(self.program().unwrap_or_else(|| "flashmq".into()));
        command.arg("--config-file").arg(configuration);
        Ok(command)
    }
}
