//! Owns the retained messages, and which of them are due to whom for having subscribed.

use super::{Publication, PublicationId, Send, SendId, Session, SessionKey, Subscription, Truth, filter};
use crate::observation::Record;
use broker_core::journal::Position;
use std::collections::BTreeMap;

/// What a new subscription is to get of what is retained.
#[derive(Debug)]
pub(crate) struct RetainedDelivery {
    pub filter: String,
    /// The subscription's, and those it was given while some of it was still to come: either may hold.
    pub options: Vec<Subscription>,
    /// What was retained at that moment.
    pub expected: Vec<PublicationId>,
    /// What was sent.
    pub sent: BTreeMap<PublicationId, SendId>,
    /// Whether the subscription is gone or was made anew.
    pub is_over: bool,
    /// Whether the session's queue was so full that something may have been dropped.
    pub was_pressed: bool,
    /// The steps that it began and ended in.
    pub(super) made_step: u64,
    pub(super) over_step: Option<u64>,
    /// Publications before it.
    pub(super) since: PublicationId,
    /// Publications before its subscription was acknowledged, which is when it begins.
    pub(super) until: Option<PublicationId>,
    /// Of a session that is recorded: the record that says that all of it has been delivered, and the publications
    /// before.
    pub(super) finished: Option<(Position, PublicationId)>,
}

impl RetainedDelivery {
    /// What is still to come.
    pub(super) fn unsent(&self) -> impl Iterator<Item = PublicationId> {
        let rest = if self.is_over { &[][..] } else { &self.expected };
        rest.iter().copied().filter(|publication| !self.sent.contains_key(publication))
    }
}

impl Truth {
    /// A publication takes its topic's place among what is retained, or clears it `[MQTT5-3.3.1-5]`
    /// `[MQTT5-3.3.1-6]` `[MQTT311-3.3.1-5]` `[MQTT311-3.3.1-10]`.
    pub(super) fn retain(&mut self, id: PublicationId, publication: &Publication) {
        if !publication.retain {
            return;
        }
        let former = if publication.payload.is_empty() {
            self.retained.remove(&publication.topic)
        } else {
            self.retained.insert(publication.topic.clone(), id)
        };
        if let Some(former) = former {
            self.publications[former].retained_until = Some(id);
        }
    }

    /// What is retained at this moment and has not expired, by topic.
    pub(crate) fn live_retained(&self) -> impl Iterator<Item = (&str, PublicationId)> {
        self.retained
            .iter()
            .filter(|&(_, &id)| !self.publications[id].is_expired(self.now_ms))
            .map(|(topic, &id)| (topic.as_str(), id))
    }

    /// Whether a delivery to a session brings something, or did: what was retained when it subscribed, or by the time
    /// when that was acknowledged. It may bring later messages, too, if it is interrupted: by a connection that ends or
    /// has no room, or by a crash that takes back how far it had come. What it brings to a session that is recorded may
    /// have to wait for the disk and is not seen until then, so there the journal says when it is over.
    pub(crate) fn may_bring(&self, session: &Session, delivery: &RetainedDelivery) -> bool {
        let until = match session.is_durable {
            true => delivery.finished.map(|(_, until)| until),
            false => delivery.until,
        };
        let until = until.unwrap_or(self.publications.len());
        let is_new = |it: &Publication| it.retain && filter::matches(&delivery.filter, &it.topic);
        !delivery.is_over
            && (!delivery.expected.is_empty() || self.publications[delivery.since..until].iter().any(is_new))
    }

    /// A session is to get what is retained for a filter `[MQTT5-3.3.1-9]` `[MQTT311-3.3.1-6]`.
    pub(super) fn deliver_retained(&mut self, key: SessionKey, filter: &str, options: Subscription) {
        let expected = self
            .live_retained()
            .filter(|(topic, _)| filter::matches(filter, topic))
            .filter(|&(_, id)| !(options.no_local && self.publications[id].publisher == key))
            .map(|(_, id)| id)
            .collect();
        self.end_retained(key, filter);
        self.sessions[key].retained.push(RetainedDelivery {
            filter: filter.to_owned(),
            options: vec![options],
            expected,
            sent: BTreeMap::new(),
            is_over: false,
            was_pressed: false,
            made_step: self.step,
            over_step: None,
            since: self.publications.len(),
            until: None,
            finished: None,
        });
        self.note_pressure(key);
    }

    /// A subscription has new options and asks for no retained messages: what is still to come may come as the
    /// new ones have it.
    pub(super) fn change_retained(&mut self, key: SessionKey, filter: &str, options: Subscription) {
        let pending = self.sessions[key].retained.iter_mut().filter(|it| it.filter == filter && !it.is_over);
        pending.for_each(|delivery| delivery.options.push(options));
    }

    /// Retained messages of a filter are no longer due.
    pub(super) fn end_retained(&mut self, key: SessionKey, filter: &str) {
        let step = self.step;
        let deliveries = self.sessions[key].retained.iter_mut();
        for delivery in deliveries.filter(|delivery| delivery.filter == filter && !delivery.is_over) {
            delivery.is_over = true;
            delivery.over_step = Some(step);
        }
    }

    /// A record was appended: it may say that all of what is retained for a filter has been delivered. One that says so
    /// before it says that the filter is subscribed to means an earlier delivery.
    pub(super) fn note_retained(&mut self, position: Position, record: &Record) {
        let Record::Operations(words) = record else { return };
        let until = self.publications.len();
        for operation in words.split(';').map(str::trim) {
            let all = operation.split_once(" has all of what is retained for ");
            let Some((session, rest)) = all.or_else(|| operation.split_once(" subscribes to ")) else {
                continue;
            };
            let filter = rest.split('"').nth(1).unwrap_or_default();
            let Some(key) = self.recorded_session(session) else { continue };
            let deliveries = self.sessions[key].retained.iter_mut();
            for delivery in deliveries.filter(|delivery| delivery.filter == filter && !delivery.is_over) {
                match all {
                    Some(_) => _ = delivery.finished.get_or_insert((position, until)),
                    None => _ = delivery.finished.take_if(|(told, _)| *told == position),
                }
            }
        }
    }

    /// Whether a sending can be one that `delivery` brings.
    pub(super) fn is_retained_for(
        &self,
        send: &Send,
        delivery: &RetainedDelivery,
        id: PublicationId,
    ) -> bool {
        let publication = &self.publications[id];
        let was_there = publication.retained_until.is_none_or(|until| until >= delivery.since);
        let is_asked = |options: &Subscription| {
            send.qos == publication.qos.min(options.qos)
                && send.tells_of(options)
                && !(options.no_local && publication.publisher == send.session)
        };
        publication.retain
            && !publication.payload.is_empty()
            && was_there
            && filter::matches(&delivery.filter, &publication.topic)
            && delivery.options.iter().any(is_asked)
    }
}
