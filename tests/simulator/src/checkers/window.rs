//! Owns the invariant that a client is never sent more QoS 1 and 2 messages at once than its Receive Maximum
//! and the broker's own window allow, on any connection `[MQTT5-3.3.4-9]`.

use super::{Checker, Scene, Verdict, ensure};
use crate::observation::Observation;
use broker_core::ConnectionId;
use mqtt_codec::{Packet, PacketType};
use std::collections::{BTreeMap, BTreeSet};

#[derive(Debug, Default)]
pub(super) struct Window {
    /// What each connection was sent and has not fully acknowledged.
    open: BTreeMap<ConnectionId, BTreeSet<u16>>,
}

impl Checker for Window {
    fn name(&self) -> &'static str {
        "window"
    }

    fn observe(&mut self, scene: &Scene<'_>) -> Verdict {
        match *scene.observation {
            Observation::Sent { connection, packet: Packet::Publish(publish), .. } => {
                let Some(packet_id) = publish.delivery.packet_id() else { return Ok(()) };
                let open = self.open.entry(connection).or_default();
                open.insert(packet_id.get());
                let maximum = scene.truth.connections.get(&connection).map_or(0, |it| it.receive_maximum);
                ensure(open.len() <= usize::from(maximum), || {
                    format!("#{} takes {maximum} messages at once and has {}", connection.0, open.len())
                })
            }
            Observation::Received { connection, packet, .. } => {
                if let Some(packet_id) = completed(packet) {
                    self.open.entry(connection).or_default().remove(&packet_id);
                }
                Ok(())
            }
            Observation::Lost { connection } | Observation::Closed { connection, .. } => {
                self.open.remove(&connection);
                Ok(())
            }
            Observation::Died => {
                self.open.clear();
                Ok(())
            }
            _ => Ok(()),
        }
    }
}

/// The identifier that an acknowledgement frees.
fn completed(packet: &Packet) -> Option<u16> {
    let (Packet::PubAck(ack) | Packet::PubComp(ack) | Packet::PubRec(ack)) = packet else { return None };
    let is_over = packet.packet_type() != PacketType::PubRec || ack.reason.is_error();
    is_over.then_some(ack.packet_id.get())
}
