//! Owns what was published, and to whom each message is due at that moment.

use super::{Copy, CopyId, Excuse, SessionKey, SharedCopy, Truth, Will, filter, told};
use crate::observation::MessageKey;
use broker_core::{ConnectionId, ShardId, config::Durability, journal::Position};
use bytes::Bytes;
use mqtt_codec::{
    Properties, Property, QoS,
    packet::{Delivery, Publish},
};
use std::collections::BTreeSet;

/// A place in [`Truth::publications`].
pub(crate) type PublicationId = usize;

/// A message that the broker accepted.
#[derive(Debug)]
pub(crate) struct Publication {
    pub key: MessageKey,
    pub publisher: SessionKey,
    pub topic: String,
    pub payload: Bytes,
    /// The properties to be forwarded.
    pub properties: Bytes,
    pub qos: QoS,
    pub retain: bool,
    pub expires_at_ms: Option<u64>,
    /// What is promised for its topic.
    pub rule: Durability,
    /// Whether its publisher asked where it is.
    pub asks: bool,
    /// Where it may be when it is acknowledged.
    pub reachable: BTreeSet<Durability>,
    /// Whether anybody had subscribed.
    pub has_reached: bool,
    /// Shards of subscribers that it has not arrived at.
    pub pending: BTreeSet<ShardId>,
    /// Whether its publisher got the acknowledgement.
    pub(super) is_promised: bool,
    /// Whether it was refused, or lost in a crash.
    pub is_undone: bool,
    /// Whether of all it did a crash has left that its topic has no retained message.
    pub(super) has_cleared: bool,
    /// The identifier that it is known by at QoS 2.
    pub(super) receipt: Option<u16>,
    /// The step it was published in.
    pub(super) step: u64,
    /// Its record, and that of what it cleared.
    pub(super) position: Option<Position>,
    pub(super) cleared: Option<Position>,
    /// When another took its place among the retained messages, as a number of publications; none if it is
    /// there still or never was.
    pub(super) retained_until: Option<PublicationId>,
}

/// A message that is about to be published.
#[derive(Debug)]
pub(super) struct Published {
    topic: String,
    payload: Bytes,
    qos: QoS,
    retain: bool,
    expiry_seconds: Option<u32>,
    properties: Bytes,
    receipt: Option<u16>,
    asks: bool,
}

impl From<Will> for Published {
    fn from(will: Will) -> Self {
        let Will { topic, payload, qos, retain, expiry_seconds, properties, .. } = will;
        Self { topic, payload, qos, retain, expiry_seconds, properties, receipt: None, asks: false }
    }
}

impl Publication {
    /// More bytes than its PUBLISH can have, whatever the receiver's version and subscriptions.
    #[must_use]
    pub(crate) fn packet_bytes_most(&self) -> u64 {
        const EVERYTHING_ELSE: usize = 120;
        (self.topic.len() + self.payload.len() + self.properties.len() + EVERYTHING_ELSE) as u64
    }

    /// Whether it need not be delivered any more.
    #[must_use]
    pub(crate) fn is_expired(&self, now_ms: u64) -> bool {
        self.expires_at_ms.is_some_and(|at_ms| at_ms <= now_ms)
    }

    /// Whether it must not be delivered any more. At the very millisecond either is right.
    #[must_use]
    pub(crate) fn is_past(&self, now_ms: u64) -> bool {
        self.expires_at_ms.is_some_and(|at_ms| at_ms < now_ms)
    }

    /// What a sending says of the time left: to the nearest second, and at least one while there is any.
    #[must_use]
    pub(crate) fn seconds_left(&self, now_ms: u64) -> Option<u64> {
        let left_ms = self.expires_at_ms?.saturating_sub(now_ms);
        Some(((left_ms + 500) / 1000).max(left_ms.min(1)))
    }
}

impl Truth {
    /// A PUBLISH: new, unless it is one of QoS 2 that was received before `[MQTT5-4.3.3-10]`.
    pub(super) fn published(&mut self, id: ConnectionId, publish: &Publish) {
        let Some(connection) = self.connections.get_mut(&id) else { return };
        let alias = publish.properties.topic_alias();
        let topic = match (&publish.topic, alias) {
            (Some(topic), None) => topic.as_str().to_owned(),
            (Some(topic), Some(alias)) => {
                connection.inbound_aliases.insert(alias.get(), topic.as_str().to_owned());
                topic.as_str().to_owned()
            }
            (None, alias) => {
                let known = alias.and_then(|alias| connection.inbound_aliases.get(&alias.get()));
                known.expect("a simulated client uses an alias it defined").clone()
            }
        };
        let session = connection.session;
        if let Delivery::ExactlyOnce { packet_id, .. } = publish.delivery
            && !self.sessions[session].unreleased.insert(packet_id.get())
        {
            return;
        }
        let id = self.publications.len();
        if let Some(packet_id) = publish.delivery.packet_id() {
            connection.published.insert(packet_id.get(), id);
        }
        let receipt = match publish.delivery {
            Delivery::ExactlyOnce { packet_id, .. } => Some(packet_id.get()),
            Delivery::AtMostOnce | Delivery::AtLeastOnce { .. } => None,
        };
        if let Some(packet_id) = receipt {
            self.sessions[session].receipts.insert(packet_id, id);
        }
        let published = Published {
            topic,
            payload: publish.payload.clone(),
            qos: publish.delivery.qos(),
            retain: publish.retain,
            expiry_seconds: publish.properties.message_expiry_interval(),
            properties: forwarded(&publish.properties),
            receipt,
            asks: told::asks(&publish.properties),
        };
        self.publish_message(session, published);
    }

    /// A message becomes due to everyone who has subscribed at this moment.
    pub(super) fn publish_message(&mut self, publisher: SessionKey, published: Published) {
        let Published { topic, payload, qos, retain, expiry_seconds, properties, receipt, asks } = published;
        let rule = self.rule_of(&topic);
        let id = self.publications.len();
        let key = MessageKey::of(&topic, &payload);
        let publication = Publication {
            key: key.clone(),
            publisher,
            topic,
            payload,
            properties,
            qos,
            retain,
            expires_at_ms: expiry_seconds.map(|seconds| self.now_ms + u64::from(seconds) * 1000),
            rule,
            asks,
            reachable: BTreeSet::new(),
            has_reached: false,
            pending: BTreeSet::new(),
            is_promised: false,
            is_undone: false,
            has_cleared: false,
            receipt,
            step: self.step,
            position: None,
            cleared: None,
            retained_until: None,
        };
        self.retain(id, &publication);
        self.publications.push(publication);
        self.publications_by_key.entry(key).or_default().push(id);
        self.copy_to_subscribers(id);
        self.copy_to_groups(id);
        self.publications[id].reachable = self.reachable(id);
    }

    /// One copy for each session, however many of its filters match, with the highest QoS and all
    /// Subscription Identifiers `[MQTT5-3.3.4-2]` `[MQTT5-3.3.4-4]` `[MQTT311-3.3.5-1]`.
    fn copy_to_subscribers(&mut self, id: PublicationId) {
        let origin = self.sessions[self.publications[id].publisher].shard;
        for session in 0..self.sessions.len() {
            let publication = &self.publications[id];
            let mut matching = self.sessions[session]
                .subscriptions
                .iter()
                .filter(|(filter, _)| filter::matches(filter, &publication.topic))
                // [MQTT5-3.8.3-3]
                .filter(|(_, options)| !(options.no_local && publication.publisher == session))
                .map(|(_, options)| *options)
                .peekable();
            if matching.peek().is_none() {
                continue;
            }
            let copy = Copy::new(id, session, publication, matching);
            let shard = self.sessions[session].shard;
            let is_missed = shard == origin && copy.is_missed_by(&self.sessions[session], publication.rule);
            self.publications[id].has_reached = true;
            let copy_id = self.add_copy(copy);
            if is_missed {
                self.miss(copy_id);
            } else if shard == origin {
                self.due_now.push(copy_id);
            } else {
                self.publications[id].pending.insert(shard);
                self.forwards_due_now.insert((id, shard));
            }
        }
    }

    /// One copy for each group, whoever of its members gets it `[MQTT5-4.8.2-4]`.
    fn copy_to_groups(&mut self, id: PublicationId) {
        let topic = self.publications[id].topic.clone();
        let matching: Vec<_> = self
            .groups
            .iter()
            .filter(|((_, filter), group)| !group.members.is_empty() && filter::matches(filter, &topic))
            .map(|(key, group)| (key.clone(), group.members.keys().copied().collect::<Vec<_>>()))
            .collect();
        for (key, members) in matching {
            self.publications[id].has_reached = true;
            let mut copy = SharedCopy::new(id, key.clone());
            let is_away = |member: &SessionKey| self.sessions[*member].connection.is_none();
            if self.publications[id].rule == Durability::None && members.iter().any(is_away) {
                copy.excuse = Some(Excuse::NotThere);
            }
            let copy_id = self.shared_copies.len();
            self.shared_copies.push(copy);
            self.shared_by_key.entry(self.publications[id].key.clone()).or_default().push(copy_id);
            self.groups.entry(key).or_default().outstanding.push(copy_id);
            for member in members {
                self.note_pressure(member);
            }
        }
    }

    /// A message forwarded by one shard has reached another, that of its receivers.
    pub(super) fn arrived(&mut self, from: ShardId, shard: ShardId, key: &MessageKey) {
        let candidates = self.publications_by_key.get(key).into_iter().flatten().copied();
        let (publications, sessions) = (&mut self.publications, &self.sessions);
        let mut of_that_shard = candidates.filter(|&id| sessions[publications[id].publisher].shard == from);
        let Some(id) = of_that_shard.find(|&id| publications[id].pending.contains(&shard)) else { return };
        drop(of_that_shard);
        publications[id].pending.remove(&shard);
        let here = self.copies.iter().enumerate().rev().take_while(|(_, copy)| copy.publication >= id);
        let due =
            here.filter(|(_, copy)| copy.publication == id && self.sessions[copy.session].shard == shard);
        let rule = self.publications[id].rule;
        let (missed, due): (Vec<_>, Vec<_>) =
            due.partition(|(_, copy)| copy.is_missed_by(&self.sessions[copy.session], rule));
        let missed: Vec<CopyId> = missed.into_iter().map(|(copy, _)| copy).collect();
        self.due_now.extend(due.into_iter().map(|(copy, _)| copy));
        for copy in missed {
            self.miss(copy);
        }
    }
}

/// The properties that subscribers get unaltered and in order `[MQTT5-3.3.2-15]` to `[MQTT5-3.3.2-20]`.
#[must_use]
pub(crate) fn forwarded(properties: &Properties) -> Bytes {
    let mut raw = Vec::new();
    for property in properties {
        match property {
            Property::PayloadFormatIndicator(_)
            | Property::ContentType(_)
            | Property::ResponseTopic(_)
            | Property::CorrelationData(_)
            | Property::UserProperty(..) => property.encode(&mut raw).expect("it was decoded"),
            _ => {}
        }
    }
    Bytes::from(raw)
}
