//! Owns the removal of what has expired in queues that nobody comes for, so that it takes no memory and keeps no
//! file of the journal. What expires while it is sent, `send` sees.

use super::{Shard, Timer};
use crate::{effect::Effects, ids::SessionId, time::Timestamp};

/// How long what has expired may lie in a queue: looking more often would cost more than it gives back.
const LIES_MS_MAX: u64 = 10_000;

/// Messages removed at once.
const REMOVED_AT_ONCE: usize = 4_096;

impl Shard {
    /// Has a timer look after a session's queue, if something in it expires before the timer that does.
    #[inline]
    pub(super) fn watch_expiry(&mut self, id: SessionId, now: Timestamp) {
        let Some(session) = self.sessions.get_mut(id) else { return };
        let next_expiry = session.outbound.next_expiry();
        if next_expiry < session.outbound.expiry_due {
            self.watch_expiry_at(id, next_expiry.max(now.plus_millis(LIES_MS_MAX)));
        }
    }

    fn watch_expiry_at(&mut self, id: SessionId, due: Timestamp) {
        let Some(session) = self.sessions.get_mut(id) else { return };
        if due < session.outbound.expiry_due {
            session.outbound.expiry_due = due;
            self.timers.insert(due, Timer::QueueExpiry(id));
        }
    }

    /// Removes what has expired `[MQTT5-3.3.2-5]`.
    pub(super) fn expire_queued(&mut self, id: SessionId, now: Timestamp, effects: &mut Effects) {
        let Some(session) = self.sessions.get_mut(id) else { return };
        // An earlier timer was set since this one was, and has set another.
        if session.outbound.expiry_due > now {
            return;
        }
        session.outbound.expiry_due = Timestamp::NEVER;
        let stats = &self.stats;
        let bytes_before = session.outbound.queue_bytes();
        let mut expired = std::mem::take(&mut self.dropped);
        session.outbound.drop_expired(REMOVED_AT_ONCE, now, &mut expired);
        stats.queued_bytes.subtract(bytes_before - session.outbound.queue_bytes());
        stats.publishes_expired.add(expired.len() as u64);
        stats.queued_messages.subtract(expired.len() as u64);
        session.report_load();
        let is_more = expired.len() == REMOVED_AT_ONCE;
        for queued in expired.drain(..) {
            self.drop_recorded(id, queued.position(), queued.mark());
        }
        self.dropped = expired;
        if is_more {
            self.watch_expiry_at(id, now);
        } else {
            self.watch_expiry(id, now);
        }
        // A client that is there may have waited for what was asked for and is not needed any more.
        self.send_waiting(id, now, effects);
    }
}
