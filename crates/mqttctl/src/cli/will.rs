//! Owns the options of the Will Message. When the server publishes it is the server's affair.

use super::values;
use clap::Args;
use mqtt_codec::{QoS, TopicName};
use std::ffi::OsString;

/// The message that the server publishes should this client vanish.
#[derive(Clone, Debug, Default, PartialEq, Eq, Args)]
#[command(next_help_heading = "Will")]
pub(crate) struct WillArguments {
    /// Publish a message to this topic if the connection is lost
    #[arg(long, value_name = "TOPIC", allow_hyphen_values = true, value_parser = values::topic_name)]
    pub(crate) will_topic: Option<TopicName>,
    /// The payload of that message [default: empty]
    #[arg(long, value_name = "PAYLOAD", allow_hyphen_values = true, requires = "will_topic")]
    pub(crate) will_payload: Option<OsString>,
    /// The QoS of that message
    #[arg(long, value_name = "QOS", value_parser = values::qos, default_value = "0", requires = "will_topic")]
    pub(crate) will_qos: QoS,
    /// Retain that message
    #[arg(long, requires = "will_topic")]
    pub(crate) will_retain: bool,
}
