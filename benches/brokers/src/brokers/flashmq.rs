//! Owns how FlashMQ is run.

use std::net::SocketAddr;
use std::path::Path;
use std::process::Command;

use crate::broker::{Broker, Conditions, Need, configuration};
use crate::error::Error;

/// FlashMQ.
#[derive(Debug)]
pub(crate) struct FlashMq;

impl Broker for FlashMq {
    fn name(&self) -> &'static str {
        "flashmq"
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

    fn tell(
        &self,
        command: &mut Command,
        conditions: Conditions,
        address: SocketAddr,
        folder: &Path,
    ) -> Result<(), Error> {
        let text = format!(
            "thread_count {}\nallow_anonymous true\nlog_level error\nmax_qos_msg_pending_per_client 65535\n\
             max_qos_bytes_pending_per_client 1000000000\n\
             listen {{\n  protocol mqtt\n  inet_protocol ip4\n  inet4_bind_address {}\n  port {}\n}}\n",
            conditions.workers,
            address.ip(),
            address.port(),
        );
        command.arg("--config-file").arg(configuration(folder, "flashmq.conf", &text)?);
        Ok(())
    }
}
