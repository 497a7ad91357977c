//! Owns a delivered message as the commands print it. How it arrived is the client's affair.

use dunlin_client::Delivery;
use jiff::Timestamp;
use mqtt_codec::{PacketId, PropertiesRef, QoS};

/// One message, borrowed from wherever it arrived.
#[derive(Clone, Debug)]
pub(crate) struct Delivered<'a> {
    /// The Topic Name, with any alias resolved.
    pub(crate) topic: &'a str,
    /// The Application Message.
    pub(crate) payload: &'a [u8],
    /// The QoS it was delivered with.
    pub(crate) qos: QoS,
    /// The RETAIN flag as delivered.
    pub(crate) retain: bool,
    /// The Packet Identifier; QoS 0 has none.
    pub(crate) packet_id: Option<PacketId>,
    /// The PUBLISH properties; none before MQTT 5.
    pub(crate) properties: PropertiesRef<'a>,
    /// When it arrived.
    pub(crate) received_at: Timestamp,
}

impl<'a> Delivered<'a> {
    /// What a delivery says that arrived just now.
    pub(crate) fn now(delivery: &'a Delivery) -> Self {
        let message = &delivery.message;
        Self {
            topic: message.topic.as_str(),
            payload: &message.payload,
            qos: message.qos,
            retain: message.retain,
            packet_id: delivery.packet_id,
            properties: message.properties.borrow(),
            received_at: Timestamp::now(),
        }
    }
}
