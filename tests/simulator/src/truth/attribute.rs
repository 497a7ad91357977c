//! Owns finding out what a PUBLISH to a client is: which copy of which message, sent for the first time or
//! again, or nothing that anybody asked for.

use super::{
    Copy, CopyId, InFlight, Progress, PublicationId, Send, SendId, SessionKey, Slot, Told, Truth,
    session::Stream,
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
    First(SendId),
    /// A message in flight, again on a new connection.
    Again(SendId),
    /// A message that is due, but a later one of its stream was sent before it.
    OutOfOrder { after: PublicationId },
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
        let was_restored = self.sessions[connection.session].was_restored;
        match self.sessions[connection.session].in_flight.get_mut(&packet_id.get()) {
            Some(in_flight)
                if in_flight.key == *key
                    && in_flight.qos == publish.delivery.qos()
                    && in_flight.progress == Progress::Published
                    && in_flight.connection != id =>
            {
                in_flight.connection = id;
                connection.sent.insert(packet_id.get(), in_flight.source);
                Attribution::Again(in_flight.source)
            }
            // It was taken into flight before a crash, which came before it was sent or the truth could know; perhaps
            // under an identifier that another crash had freed.
            Some(InFlight { is_doubtful: true, .. }) => self.attribute_first(id, publish, key),
            None if was_restored => self.attribute_first(id, publish, key),
            _ => Attribution::NotInFlight,
        }
    }

    fn attribute_first(&mut self, id: ConnectionId, publish: &Publish, key: &MessageKey) -> Attribution {
        let Some(connection) = self.connections.get(&id) else { return Attribution::Unasked };
        let (session, qos) = (connection.session, publish.delivery.qos());
        let packet_id = publish.delivery.packet_id().map(mqtt_codec::PacketId::get);
        if let Some(in_flight) = packet_id.and_then(|it| self.sessions[session].in_flight.get(&it))
            && !self.counts_as_delivered(session, in_flight)
        {
            let is_same = in_flight.key == *key && in_flight.progress == Progress::Published;
            return match is_same {
                true => Attribution::DupMissing,
                false => Attribution::IdInUse { by: in_flight.key.clone() },
            };
        }
        let told = connection.version.has_properties().then(|| Told::of(publish));
        let (key, retain, at_ms) = (key.clone(), publish.retain, self.now_ms);
        let send = self.sends.len();
        let is_recorded = qos == QoS::ExactlyOnce && self.sessions[session].is_durable;
        let step = if is_recorded { 0 } else { self.step + 1 };
        self.sends.push(Send {
            session,
            key: key.clone(),
            qos,
            retain,
            told,
            at_ms,
            is_again: publish.delivery.dup(),
            step,
            last: None,
            slot: None,
            receipts: 0,
        });
        let attribution = self.find(send);
        if let Attribution::First(source) = attribution {
            let Some(connection) = self.connections.get_mut(&id) else { return attribution };
            let Some(packet_id) = packet_id else {
                self.sent_in_turn.push(source);
                connection.sent_at_most_once.push_back(source);
                return attribution;
            };
            connection.sent.insert(packet_id, source);
            let progress = Progress::Published;
            let (received_step, connection, is_doubtful) = (0, id, false);
            let in_flight = InFlight { key, qos, source, progress, received_step, is_doubtful, connection };
            let session = &mut self.sessions[session];
            if is_recorded {
                for memento in &mut session.mementos {
                    memento.core.in_flight.insert(packet_id, in_flight.clone());
                }
            }
            session.in_flight.insert(packet_id, in_flight);
        }
        attribution
    }

    /// Whether a message in flight was too large for a connection since, so that its identifier is free again
    /// `[MQTT5-3.1.2-25]`; or was perhaps forgotten in a crash.
    fn counts_as_delivered(&self, session: SessionKey, in_flight: &InFlight) -> bool {
        let publication = self.publication_of(in_flight.source);
        in_flight.is_doubtful
            || u64::from(self.sessions[session].packet_bytes_max) < publication.packet_bytes_most()
    }

    /// Which of the copies that are due a sending is.
    fn find(&mut self, send: SendId) -> Attribution {
        let slots = self.slots(&self.sends[send]);
        let copies: Vec<CopyId> = slots
            .iter()
            .filter_map(|slot| match *slot {
                Slot::Ordinary(copy) => Some(copy),
                Slot::Shared(_) | Slot::Retained { .. } => None,
            })
            .collect();
        // Only what can be nothing else is sure to be part of its stream.
        let publisher = |&copy: &CopyId| self.publications[self.copies[copy].publication].publisher;
        let are_of_one = copies.windows(2).all(|pair| publisher(&pair[0]) == publisher(&pair[1]));
        if copies.len() == slots.len()
            && are_of_one
            && let Some(attribution) = self.find_in_order(send, &copies)
        {
            return attribution;
        }
        match self.place(send, &mut Vec::new()) {
            true => Attribution::First(send),
            false if slots.iter().any(|slot| matches!(slot, Slot::Shared(_))) => Attribution::SharedTwice,
            false => self.explain(send),
        }
    }

    /// The first of copies that are alike which was not sent and does not come too late. None if all were sent.
    fn find_in_order(&mut self, send: SendId, copies: &[CopyId]) -> Option<Attribution> {
        let mut unsent = copies.iter().copied().filter(|&copy| self.copies[copy].sent.is_none()).peekable();
        let first = *unsent.peek()?;
        let last_sent = &self.sessions[self.copies[first].session].last_sent;
        let after = |copy: CopyId| {
            let last = last_sent.get(&self.stream(copy)).copied();
            // A publisher that heard no acknowledgement sends a message again at QoS 1: its copies cannot be told from
            // those of the first, and behind a crash neither can their places.
            let is_known = |last: PublicationId| self.restarts == 0 || !self.is_repeated(last);
            last.filter(|&last| last > self.copies[copy].publication && is_known(last))
        };
        let Some(copy) = unsent.find(|&copy| after(copy).is_none()) else {
            return Some(Attribution::OutOfOrder { after: after(first).unwrap_or_default() });
        };
        let stream = self.stream(copy);
        // It may be an earlier one: what was taken for that may have been a copy for a group, told apart by nothing that
        // a client of 3.1 is told.
        let is_surely_sent = |copy: &CopyId| self.copies[*copy].sent.is_some_and(|it| self.is_ordinary(it));
        let earliest = copies.iter().copied().find(|it| !is_surely_sent(it)).unwrap_or(copy);
        let publication = self.copies[earliest].publication;
        self.assign(send, Slot::Ordinary(copy));
        let last = self.sessions[self.copies[copy].session].last_sent.entry(stream).or_insert(publication);
        *last = publication.max(*last);
        Some(Attribution::First(send))
    }

    /// Whether a sending can be nothing but a copy for its session's own subscriptions.
    fn is_ordinary(&self, send: SendId) -> bool {
        self.slots(&self.sends[send]).iter().all(|slot| matches!(slot, Slot::Ordinary(_)))
    }

    /// Why a message is none of those that are due.
    fn explain(&self, send: SendId) -> Attribution {
        let send = &self.sends[send];
        let copies = self.copies_by_key.get(&(send.session, send.key.clone()));
        let mut copies = copies.into_iter().flatten().map(|&copy| &self.copies[copy]).peekable();
        if copies.peek().is_none() {
            return Attribution::Unasked;
        }
        match copies.find(|copy| copy.sent.is_none()) {
            Some(Copy { qos, retain, identifiers, .. }) => Attribution::Altered {
                expected: format!("{qos:?}, retain={retain}, subscription identifiers {identifiers:?}"),
            },
            None => Attribution::Extra,
        }
    }

    pub(super) fn stream(&self, copy: CopyId) -> Stream {
        let copy = &self.copies[copy];
        let publication = &self.publications[copy.publication];
        let publisher = self.sessions[publication.publisher].client_id.clone();
        Stream { publisher, topic: publication.topic.clone(), qos: copy.qos }
    }
}

impl Told {
    fn of(publish: &Publish) -> Self {
        let mut identifiers: Vec<u32> =
            publish.properties.subscription_identifiers().map(Into::into).collect();
        identifiers.sort_unstable();
        Self { identifiers, expiry_seconds: publish.properties.message_expiry_interval().map(u64::from) }
    }
}
