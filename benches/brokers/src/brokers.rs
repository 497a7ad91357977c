//! Owns the list of the brokers that are compared. A new one is a file below and a line here.

mod flashmq;
mod mosquitto;
mod mqttd;
mod nats;
mod relay;
mod rumqttd;

use std::path::PathBuf;

use crate::broker::Broker;

/// What all others are measured against.
pub(crate) const FLOOR: &str = relay::NAME;
/// Ours.
pub(crate) const OURS: &str = mqttd::NAME;

/// All of them, the floor first and ours next; `relay` and `mqttd` are programs of this workspace.
pub(crate) fn all(relay: PathBuf, mqttd: PathBuf) -> Vec<Box<dyn Broker>> {
    vec![
        Box::new(relay::Relay { program: relay }),
        Box::new(mqttd::Mqttd { program: mqttd }),
        Box::new(mosquitto::Mosquitto),
        Box::new(rumqttd::Rumqttd),
        Box::new(nats::Nats),
        Box::new(flashmq::FlashMq),
    ]
}
