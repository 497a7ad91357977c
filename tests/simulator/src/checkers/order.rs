//! Owns the invariant that messages of one publisher, topic and QoS reach a session in their order, and are
//! sent again in the order they were sent `[MQTT5-4.6.0-1]` `[MQTT5-4.6.0-5]` `[MQTT311-4.6.0-1]`
//! `[MQTT311-4.6.0-6]`.

use super::{Checker, Scene, Verdict, ensure};
use crate::{
    observation::Observation,
    truth::{Attribution, Consequence, Progress, SendId, Sending, Truth},
};
use broker_core::ConnectionId;
use mqtt_codec::{Packet, QoS};
use std::collections::{BTreeMap, BTreeSet};

#[derive(Debug, Default)]
pub(super) struct Order {
    /// The last message sent again on each connection.
    again: BTreeMap<ConnectionId, SendId>,
    /// Messages that were in flight since before a crash and seen only after it: their place is not known.
    late: BTreeSet<SendId>,
}

impl Checker for Order {
    fn name(&self) -> &'static str {
        "order"
    }

    fn observe(&mut self, scene: &Scene<'_>) -> Verdict {
        let (
            Observation::Sent { connection, packet: Packet::Publish(publish), .. },
            Consequence::Sending(sending),
        ) = (*scene.observation, scene.consequence)
        else {
            return Ok(());
        };
        match sending.attribution {
            Attribution::OutOfOrder { after } => {
                let after = &scene.truth.publications[after].key;
                Err(format!("{} was sent to #{} after {after}", sending.key, connection.0))
            }
            Attribution::Again(send) if self.late.contains(&send) => Ok(()),
            Attribution::Again(send) => {
                let former = self.again.insert(connection, send);
                ensure(former.is_none_or(|former| former < send), || {
                    format!("{} was sent again to #{} behind a later one", sending.key, connection.0)
                })
            }
            Attribution::First(send) => {
                if publish.delivery.dup() {
                    self.late.insert(send);
                }
                check_overtaking(scene.truth, connection, sending, publish.delivery.qos())
            }
            _ => Ok(()),
        }
    }
}

/// A new message must not overtake one of its stream that is still to be sent again, unless it was too
/// large for a connection in between and counts as delivered.
fn check_overtaking(truth: &Truth, connection: ConnectionId, sending: &Sending, qos: QoS) -> Verdict {
    let Some(session) = truth.session_of(connection) else { return Ok(()) };
    let Attribution::First(source) = sending.attribution else { return Ok(()) };
    let publication = truth.publication_of(source);
    let packet_bytes_max = u64::from(session.packet_bytes_max);
    let left = session
        .in_flight
        .values()
        .filter(|it| {
            !it.is_doubtful
                && it.progress == Progress::Published
                && it.connection != connection
                && it.qos == qos
        })
        .map(|it| truth.publication_of(it.source))
        .filter(|it| it.packet_bytes_most() <= packet_bytes_max)
        .find(|it| it.publisher == publication.publisher && it.topic == publication.topic);
    match left {
        None => Ok(()),
        Some(left) => Err(format!("{} overtakes {}, which is to be sent again", sending.key, left.key)),
    }
}
