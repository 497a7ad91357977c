//! Owns looking at the retained messages: a new client subscribes and takes what it is given. What it should be
//! given is `verify`'s business.

use crate::{
    connection::{Connection, Ear, Heard},
    history::Probe,
    payload,
    stage::Stage,
};
use mqtt_codec::{
    Packet, PacketId, Properties, ProtocolVersion, QoS, ReasonCode,
    packet::{Ack, Connect, Delivery, RetainHandling, Subscribe, Subscription, SubscriptionOptions},
    topic::TopicFilterRef,
};
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::mpsc::sync_channel,
    time::{Duration, Instant},
};

/// Silence after which nothing more is expected, once all that must come has come: retained messages come in
/// pages, each with the next tick of the broker.
const SILENCE: Duration = Duration::from_millis(60);
const WAITING_MAX: usize = 10_000;

/// Subscribes to `filter` with a new client and takes the retained messages: at least those of the topics that are
/// `needed`, if they come in time.
pub(crate) fn look(
    stage: &mut Stage,
    filter: &str,
    needed: &BTreeSet<String>,
    patience: Duration,
) -> Result<(), String> {
    let address = stage.broker.address.ok_or("the broker is down")?;
    let (heard, inbox) = sync_channel(WAITING_MAX);
    let peer = stage.history.peers.len();
    let version = ProtocolVersion::V311;
    let ear = Ear { peer, connection: 1, version, clock: stage.clock, heard };
    let failed = |error: std::io::Error| format!("the probe of retained messages: {error}");
    let mut connection = Connection::open(address, ear).map_err(failed)?;
    connection.send(&Packet::Connect(connect(stage.broker.process))).map_err(failed)?;
    let started_at = stage.clock.now();
    connection.send(&subscribe(filter)).map_err(failed)?;

    let deadline = Instant::now() + patience;
    let mut found = BTreeMap::new();
    let mut is_subscribed = false;
    loop {
        let is_complete = is_subscribed && needed.iter().all(|topic| found.contains_key(topic));
        let left = deadline.saturating_duration_since(Instant::now());
        let packet = match inbox.recv_timeout(if is_complete { left.min(SILENCE) } else { left }) {
            Ok(Heard::Packet { packet, .. }) => *packet,
            Ok(Heard::Closed { .. } | Heard::Independent { .. }) => {
                return Err("the probe of retained messages was cut off".to_owned());
            }
            Err(_) => break,
        };
        if let Packet::SubAck(_) = packet {
            is_subscribed = true;
        }
        if let Packet::Publish(publish) = packet {
            if let Delivery::AtLeastOnce { packet_id, .. } = publish.delivery {
                connection.send(&Packet::PubAck(Ack::new(packet_id, ReasonCode::Success))).map_err(failed)?;
            }
            let topic = publish.topic.map(|topic| topic.as_str().to_owned());
            let publication = payload::publication(&publish.payload);
            if let (true, Some(topic), Some(publication)) = (publish.retain, topic, publication) {
                found.insert(topic, publication);
            }
        }
    }
    connection.close();
    if !is_subscribed {
        return Err("the probe of retained messages was not answered".to_owned());
    }
    stage.history.probes.push(Probe { started_at, ended_at: stage.clock.now(), found });
    Ok(())
}

fn connect(process: u32) -> Connect {
    Connect {
        version: ProtocolVersion::V311,
        clean_start: true,
        keep_alive_seconds: 0,
        client_id: format!("probe-{process}").into(),
        will: None,
        user_name: None,
        password: None,
        properties: Properties::NONE,
    }
}

fn subscribe(filter: &str) -> Packet {
    let filter = TopicFilterRef::new(filter).expect("a legal filter");
    let options = SubscriptionOptions {
        retain_handling: RetainHandling::Send,
        ..SubscriptionOptions::qos(QoS::AtLeastOnce)
    };
    let packet = Subscribe::new(PacketId::FIRST, Properties::NONE, [Subscription { filter, options }]);
    Packet::Subscribe(packet.expect("one legal filter"))
}
