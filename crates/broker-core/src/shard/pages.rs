//! Owns the delivery of retained messages to new subscriptions, a page at a time between other work. What
//! is retained is `retained`'s business.

use super::{Shard, deliver::Recipient};
use crate::{
    effect::Effects,
    ids::SessionId,
    journal::Operation,
    message::Message,
    outgoing::Outgoing,
    retained::{Page, PageLimits},
    session::{Own, Queued, RetainedDelivery},
    time::Timestamp,
};
use mqtt_codec::QoS;
use std::sync::Arc;

/// Retained messages delivered before other work has its turn.
const PAGE: PageLimits = PageLimits { messages_max: 64, bytes_max: 64 * 1024 };

/// Filters of one SUBSCRIBE whose retained messages are delivered with its SUBACK, if they are few.
const FILTERS_AT_ONCE: usize = 16;

impl Shard {
    /// Puts a session on the list for a page of retained messages, if one could be delivered now.
    pub(super) fn schedule_page(&mut self, id: SessionId) {
        let Some(session) = self.sessions.get_mut(id) else { return };
        if session.is_ready_for_retained() && !session.is_paging {
            session.is_paging = true;
            self.paging.push_back(id);
        }
    }

    /// Delivers the next page of a session that is on the list.
    pub(super) fn next_page(&mut self, id: SessionId, now: Timestamp, effects: &mut Effects) {
        if let Some(session) = self.sessions.get_mut(id) {
            session.is_paging = false;
            self.deliver_page(id, now, effects);
            self.schedule_page(id);
        }
    }

    /// Delivers the retained messages of new subscriptions: at once as long as those of a filter fit one
    /// page, so that few of them come before anything that is published later; the rest in pages.
    pub(super) fn begin_pages(&mut self, id: SessionId, now: Timestamp, effects: &mut Effects) {
        let mut end = Page::Done;
        for _ in 0..FILTERS_AT_ONCE {
            if end == Page::Done && self.sessions.get(id).is_some_and(|session| !session.is_paging) {
                end = self.deliver_page(id, now, effects);
            }
        }
        self.schedule_page(id);
    }

    /// Delivers one page of a session's retained messages. Whether those of its filter were all.
    fn deliver_page(&mut self, id: SessionId, now: Timestamp, effects: &mut Effects) -> Page {
        let Some(session) = self.sessions.get_mut(id) else { return Page::More };
        if !session.is_ready_for_retained() {
            return Page::More;
        }
        let Some((filter, mut delivery)) = session.retained.pop_first() else { return Page::More };
        let limits = match delivery.qos {
            QoS::AtMostOnce => PAGE,
            // What the window has no room for stays where it is: the queue might not have room either.
            QoS::AtLeastOnce | QoS::ExactlyOnce => {
                PageLimits { messages_max: PAGE.messages_max.min(session.window_room()), ..PAGE }
            }
        };
        let mut page = std::mem::take(&mut self.page);
        let end = self.node.retained.page(&filter, &mut delivery.cursor, limits, now, &mut page);
        for message in page.drain(..) {
            self.deliver_retained(id, &delivery, &message, now, effects);
        }
        self.page = page;
        if id.is_durable() {
            let cursor = if end == Page::More { delivery.cursor.resume_key() } else { None };
            let filter = &filter;
            self.recorder.note(&Operation::RetainedProgress { session: id, filter, cursor });
        }
        if end == Page::More
            && let Some(session) = self.sessions.get_mut(id)
        {
            session.retained.insert(filter, delivery);
        }
        end
    }

    /// Delivers one retained message for a new subscription, with RETAIN set `[MQTT5-3.3.1-9]`
    /// `[MQTT311-3.3.1-8]`.
    fn deliver_retained(
        &mut self,
        id: SessionId,
        delivery: &RetainedDelivery,
        message: &Arc<Message>,
        now: Timestamp,
        effects: &mut Effects,
    ) {
        if delivery.no_local && message.publisher == Some(id) {
            return;
        }
        let identifiers = [delivery.identifier];
        let qos = delivery.qos.min(message.qos);
        if id.is_durable() && qos > QoS::AtMostOnce && message.position.is_some() {
            let identifiers = if delivery.identifier == 0 { &[][..] } else { &identifiers };
            let own = Own { qos, retain: true, identifiers, group: None };
            let queued = self.queued_state(&Queued::new(Arc::clone(message), id, own));
            self.recorder.note(&Operation::Queued { session: id, queued });
            self.recorder.refer(message.position, 1);
        }
        let recipient = Recipient {
            session: id,
            qos: delivery.qos,
            // A retained message has RETAIN set: forwarding it as published keeps it.
            retain_as_published: true,
            identifiers: if delivery.identifier == 0 { &[] } else { &identifiers },
            group: None,
        };
        self.deliver(recipient, &mut Outgoing::shared(message), None, now, effects);
    }
}
