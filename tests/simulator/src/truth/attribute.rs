//! Owns finding out what a PUBLISH to a client is: which copy of which message, sent for the first time or
//! again, or nothing that anybody asked for.

use super::{
    Copy, CopyId, InFlight, Progress, PublicationId, SessionKey, Source, Truth, session::Stream,
};
use crate::observation::MessageKey;
use broker_core::ConnectionId;
use mqtt_codec::{QoS, packet::Publish};

/// A PUBLISH to a client.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Sending {
    /// Which message.
    pub key: MessageKey,
    /// Its topic, the alias resolved; empty if it cannot be.
    pub topic: String,
    /// What it is.
    pub attribution: Attribution,
}

/// What a PUBLISH to a client is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Attribution {
    /// A message that is due, for the first time.
    First(Source),
    /// A message in flight, again on a new connection.
    Again { source: Source, first_sent: usize },
    /// A message that is due, but a later one of its stream was sent before it.
    OutOfOrder { source: Source, after: PublicationId },
    /// A first delivery under the identifier of a message in flight.
    IdInUse { by: MessageKey },
    /// The message in flight under its identifier, without DUP.
    DupMissing,
    /// DUP is set, but this is not in flight, or was sent on this very connection.
    NotInFlight,
    /// The message is due, but not like this.
    Altered { expected: String },
    /// Another member of the group has it.
    SharedTwice,
    /// Every copy that is due was sent.
    Extra,
    /// The session did not subscribe to it.
    Unasked,
    /// An alias stands for its topic that was never defined.
    UnknownAlias,
}

/// What a PUBLISH says about itself.
pub(super) struct Seen<'a> {
    pub(super) session: SessionKey,
    pub(super) key: &'a MessageKey,
    pub(super) qos: QoS,
    pub(super) retain: bool,
    /// Sorted; none where the version has none.
    pub(super) identifiers: Option<Vec<u32>>,
}

impl Truth {
    pub(super) fn attribute(&mut self, id: ConnectionId, publish: &Publish) -> Sending {
        let Some(topic) = self.resolve_outbound(id, publish) else {
            let key = MessageKey::of("", &publish.payload);
            return Sending { key, topic: String::new(), attribution: Attribution::UnknownAlias };
        };
        let key = MessageKey::of(&topic, &publish.payload);
        let attribution = if publish.delivery.dup() {
            self.attribute_again(id, publish, &key)
        } else {
            self.attribute_first(id, publish, &key)
        };
        Sending { key, topic, attribution }
    }

    fn resolve_outbound(&mut self, id: ConnectionId, publish: &Publish) -> Option<String> {
        let aliases = &mut self.connections.get_mut(&id)?.outbound_aliases;
        match (&publish.topic, publish.properties.topic_alias()) {
            (Some(topic), alias) => {
                let topic = topic.as_str().to_owned();
                if let Some(alias) = alias {
                    aliases.insert(alias.get(), topic.clone());
                }
                Some(topic)
            }
            (None, alias) => aliases.get(&alias?.get()).cloned(),
        }
    }

    fn attribute_again(&mut self, id: ConnectionId, publish: &Publish, key: &MessageKey) -> Attribution {
        let (Some(connection), Some(packet_id)) =
            (self.connections.get_mut(&id), publish.delivery.packet_id())
        else {
            return Attribution::NotInFlight;
        };
        let in_flight = self.sessions[connection.session].in_flight.get_mut(&packet_id.get());
        match in_flight {
            Some(in_flight)
                if in_flight.key == *key
                    && in_flight.qos == publish.delivery.qos()
                    && in_flight.progress == Progress::Published
                    && in_flight.connection != id =>
            {
                in_flight.connection = id;
                connection.sent.insert(packet_id.get(), in_flight.source);
                Attribution::Again { source: in_flight.source, first_sent: in_flight.first_sent }
            }
            _ => Attribution::NotInFlight,
        }
    }

    fn attribute_first(&mut self, id: ConnectionId, publish: &Publish, key: &MessageKey) -> Attribution {
        let Some(connection) = self.connections.get(&id) else { return Attribution::Unasked };
        let (session, qos) = (connection.session, publish.delivery.qos());
        let packet_id = publish.delivery.packet_id().map(mqtt_codec::PacketId::get);
        if let Some(in_flight) = packet_id.and_then(|it| self.sessions[session].in_flight.get(&it)) {
            let is_same = in_flight.key == *key && in_flight.progress == Progress::Published;
            return match is_same {
                true => Attribution::DupMissing,
                false => Attribution::IdInUse { by: in_flight.key.clone() },
            };
        }
        let identifiers = connection.version.has_properties().then(|| {
            let mut all: Vec<u32> =
                publish.properties.subscription_identifiers().map(Into::into).collect();
            all.sort_unstable();
            all
        });
        let seen = Seen { session, key, qos, retain: publish.retain, identifiers };
        let attribution = self.find(&seen);
        if let Attribution::First(source) = attribution {
            let Some(connection) = self.connections.get_mut(&id) else { return attribution };
            let Some(packet_id) = packet_id else {
                connection.sent_at_most_once.push_back((key.clone(), source));
                return attribution;
            };
            connection.sent.insert(packet_id, source);
            self.first_sends += 1;
            let (progress, first_sent) = (Progress::Published, self.first_sends);
            let in_flight = InFlight { key: key.clone(), qos, source, progress, connection: id, first_sent };
            self.sessions[session].in_flight.insert(packet_id, in_flight);
        }
        attribution
    }

    /// Which of the messages that are due this is. Where several are alike it does not matter which.
    fn find(&mut self, seen: &Seen<'_>) -> Attribution {
        let ordinary = self.find_ordinary(seen);
        if let Some(found @ Attribution::First(_)) = ordinary {
            return found;
        }
        let shared = self.find_shared(seen);
        if let Some(found @ Attribution::First(_)) = shared {
            return found;
        }
        if let Some(found) = self.find_retained(seen) {
            return found;
        }
        ordinary.or(shared).unwrap_or_else(|| self.explain(seen))
    }

    fn find_ordinary(&mut self, seen: &Seen<'_>) -> Option<Attribution> {
        let is_it = |copy: &Copy| {
            copy.qos == seen.qos
                && copy.retain == seen.retain
                && seen.identifiers.as_ref().is_none_or(|identifiers| *identifiers == copy.identifiers)
        };
        let session = &self.sessions[seen.session];
        let alike: Vec<CopyId> = session
            .waiting
            .iter()
            .copied()
            .filter(|&copy| self.publications[self.copies[copy].publication].key == *seen.key)
            .filter(|&copy| is_it(&self.copies[copy]))
            .collect();
        let first = *alike.first()?;
        let after = |copy: CopyId| {
            let last = session.last_sent.get(&self.stream(copy)).copied();
            last.filter(|&last| last > self.copies[copy].publication)
        };
        // As a retained message it would be no part of the stream, and nobody can tell the two apart.
        let is_ambiguous = seen.retain && self.retained_for(seen).is_some();
        let Some(found) = alike.into_iter().find(|&copy| is_ambiguous || after(copy).is_none()) else {
            let after = after(first).unwrap_or_default();
            return Some(Attribution::OutOfOrder { source: Source::Ordinary(first), after });
        };
        let stream = self.stream(found);
        let publication = self.copies[found].publication;
        self.copies[found].is_sent = true;
        let session = &mut self.sessions[seen.session];
        session.waiting.retain(|&waiting| waiting != found);
        if !is_ambiguous {
            session.last_sent.insert(stream, publication);
        }
        Some(Attribution::First(Source::Ordinary(found)))
    }

    fn find_retained(&mut self, seen: &Seen<'_>) -> Option<Attribution> {
        let (delivery, publication) = self.retained_for(seen)?;
        let session = seen.session;
        self.sessions[session].retained[delivery].sent.insert(publication);
        Some(Attribution::First(Source::Retained { session, delivery, publication }))
    }

    fn retained_for(&self, seen: &Seen<'_>) -> Option<(usize, PublicationId)> {
        if !seen.retain {
            return None;
        }
        let identifiers = seen.identifiers.as_deref();
        let publications = self.publications_by_key.get(seen.key)?;
        let deliveries = self.sessions[seen.session].retained.iter().enumerate();
        let fitting = deliveries.filter_map(|(number, delivery)| {
            let fits = |id: &&PublicationId| {
                self.is_retained_for(seen.session, delivery, **id, seen.qos, identifiers)
            };
            publications.iter().find(fits).map(|&id| (number, id, delivery))
        });
        // Where several are alike, one that must come rather than one that may.
        let found = fitting.max_by_key(|(_, id, delivery)| !delivery.is_over && delivery.expected.contains(id));
        found.map(|(number, id, _)| (number, id))
    }

    /// Why a message is none of those that are due.
    fn explain(&self, seen: &Seen<'_>) -> Attribution {
        let is_of_key = |copy: &&Copy| self.publications[copy.publication].key == *seen.key;
        let waiting = self.sessions[seen.session].waiting.iter().map(|&copy| &self.copies[copy]);
        if let Some(Copy { qos, retain, identifiers, .. }) = waiting.into_iter().find(is_of_key) {
            let expected = format!("{qos:?}, retain={retain}, subscription identifiers {identifiers:?}");
            return Attribution::Altered { expected };
        }
        let mut own = self.copies.iter().filter(|copy| copy.session == seen.session);
        if own.any(|copy| is_of_key(&copy)) { Attribution::Extra } else { Attribution::Unasked }
    }

    pub(super) fn stream(&self, copy: CopyId) -> Stream {
        let copy = &self.copies[copy];
        let publication = &self.publications[copy.publication];
        let publisher = self.sessions[publication.publisher].client_id.clone();
        Stream { publisher, topic: publication.topic.clone(), qos: copy.qos }
    }
}
