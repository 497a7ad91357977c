//! Owns the delivery of retained messages to new subscriptions, a page at a time between other work. What
//! is retained is `retained`'s business.

use super::Shard;
use crate::{
    effect::Effects,
    held::Holding,
    ids::{SessionId, listed},
    journal::Operation,
    message::Message,
    outgoing::Outgoing,
    peers::Recipient,
    retained::{Page, PageLimits},
    session::{Own, Queued, RetainedDelivery},
    time::Timestamp,
};
use mqtt_codec::QoS;
use std::sync::Arc;

/// Retained messages delivered before other work has its turn.
const PAGE: PageLimits = PageLimits { messages_max: 64, bytes_max: 64 * 1024 };

/// What may be done for a session before other work has its turn.
#[derive(Clone, Copy, Debug)]
struct Budget {
    /// Searches of the store: one finds what a filter without wildcards matches.
    searches: usize,
    /// Bytes of messages; the page that passes them is the last.
    bytes: usize,
}

/// With the SUBACK: few messages come before anything that is published later.
const AT_SUBACK: Budget = Budget { searches: 1_024, bytes: 16 * 64 * 1024 };
/// In a tick, in which other sessions have theirs.
const IN_A_TICK: Budget = Budget { searches: 64, bytes: 64 * 1024 };
/// A filter with wildcards may look at many topics, even if it matches few.
const SEARCHES_OF_WILDCARD: usize = 64;

impl Shard {
    /// Puts a session on the list for a page of retained messages, if one could be delivered now.
    pub(super) fn schedule_page(&mut self, id: SessionId) {
        let Some(session) = self.sessions.get_mut(id) else { return };
        if session.is_ready_for_retained() && !session.is_paging {
            session.is_paging = true;
            self.paging.push_back(id);
        }
    }

    /// Delivers what is next for a session that is on the list.
    pub(super) fn next_page(&mut self, id: SessionId, now: Timestamp, effects: &mut Effects) {
        if let Some(session) = self.sessions.get_mut(id) {
            session.is_paging = false;
            self.deliver_pages(id, IN_A_TICK, now, effects);
        }
    }

    /// Delivers the retained messages of new subscriptions: at once as long as those of a filter fit one
    /// page, so that few of them come before anything that is published later; the rest in pages.
    pub(super) fn begin_pages(&mut self, id: SessionId, now: Timestamp, effects: &mut Effects) {
        self.deliver_pages(id, AT_SUBACK, now, effects);
    }

    fn deliver_pages(&mut self, id: SessionId, budget: Budget, now: Timestamp, effects: &mut Effects) {
        let (mut searches, mut bytes) = (0, 0);
        while searches < budget.searches
            && bytes < budget.bytes
            && let Some(session) = self.sessions.get(id)
            && !session.is_paging
            && let Some(filter) = session.retained.keys().next()
        {
            searches += if has_wildcard(filter) { SEARCHES_OF_WILDCARD } else { 1 };
            let (end, delivered) = self.deliver_page(id, now, effects);
            bytes += delivered;
            if end == Page::More {
                break;
            }
        }
        self.schedule_page(id);
    }

    /// Delivers one page of a session's retained messages. Whether those of its filter were all, and how many
    /// bytes it was.
    fn deliver_page(&mut self, id: SessionId, now: Timestamp, effects: &mut Effects) -> (Page, usize) {
        const NOTHING: (Page, usize) = (Page::More, 0);
        let Some(session) = self.sessions.get_mut(id) else { return NOTHING };
        if !session.is_ready_for_retained() {
            return NOTHING;
        }
        let Some((filter, mut delivery)) = session.retained.pop_first() else { return NOTHING };
        if !self.node.retaining.have_ended(&mut delivery.awaited) {
            session.retained.insert(filter, delivery);
            return NOTHING;
        }
        let limits = match delivery.qos {
            QoS::AtMostOnce => PAGE,
            // What the window has no room for stays where it is: the queue might not have room either.
            QoS::AtLeastOnce | QoS::ExactlyOnce => {
                PageLimits { messages_max: PAGE.messages_max.min(session.window_room()), ..PAGE }
            }
        };
        let mut page = std::mem::take(&mut self.page);
        let end = self.node.retained.page(&filter, &mut delivery.cursor, limits, now, &mut page);
        let bytes = page.iter().map(|message| message.len()).sum();
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
        (end, bytes)
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
        let identifiers = listed(&delivery.identifier);
        let qos = delivery.qos.min(message.qos);
        if id.is_durable() && qos > QoS::AtMostOnce && message.position.is_some() {
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
            identifiers,
            group: None,
        };
        self.deliver(recipient, &mut Outgoing::shared(message), &mut Holding::Nothing, now, effects);
    }
}

fn has_wildcard(filter: &str) -> bool {
    filter.bytes().any(|byte| matches!(byte, b'+' | b'#'))
}
