//! Owns what happens because time has passed. The pages of retained messages that have their turn then are
//! `pages`' business.

use super::{Shard, Timer};
use crate::{
    config::Durability,
    effect::Effects,
    ids::{ConnectionId, SessionId},
    journal::Position,
    message::MessageRef,
    outgoing::Outgoing,
    time::Timestamp,
};
use mqtt_codec::{QoS, ReasonCode, TopicNameRef};

/// How often expired retained messages are looked for.
pub(super) const SWEEP_INTERVAL_MS: u64 = 1_000;

/// Expired retained messages removed at once.
const SWEEP_MESSAGES_MAX: usize = 1_000;

/// Sessions that get a page in one tick.
const PAGES_PER_TICK: usize = 16;

impl Shard {
    /// Does what is due.
    pub(super) fn tick(&mut self, now: Timestamp, effects: &mut Effects) {
        let mut fired = std::mem::take(&mut self.fired);
        self.timers.advance(now, &mut fired);
        for timer in fired.drain(..) {
            match timer {
                Timer::KeepAlive(id, connection) => self.look_for_silence(id, connection, now, effects),
                Timer::Will(id) => self.publish_will(id, now, effects),
                Timer::Expiry(id) => {
                    self.stats.sessions_expired.add(1);
                    self.end_session(id, now, effects);
                }
                Timer::QueueExpiry(id) => self.expire_queued(id, now, effects),
                Timer::Sys => self.publish_sys(now, effects),
                Timer::Sweep => self.sweep(now),
            }
        }
        self.fired = fired;
        self.write_slice(effects);
        self.survey_slice(effects);
        // One page each at the most: whether it filled the outbox is heard before the next.
        for _ in 0..self.paging.len().min(PAGES_PER_TICK) {
            let Some(id) = self.paging.pop_front() else { break };
            self.next_page(id, now, effects);
        }
    }

    /// A client that was silent for one and a half times its Keep Alive is gone `[MQTT5-3.1.2-22]`
    /// `[MQTT311-3.1.2-24]`.
    fn look_for_silence(
        &mut self,
        id: SessionId,
        connection_id: ConnectionId,
        now: Timestamp,
        effects: &mut Effects,
    ) {
        let Some(connection) =
            self.sessions.get_mut(id).and_then(|session| session.connection.as_deref_mut())
        else {
            return;
        };
        if connection.id != connection_id {
            return;
        }
        connection.keep_alive_timer = None;
        match connection.silent_at() {
            None => {}
            Some(at) if at > now => {
                let timer = Timer::KeepAlive(id, connection_id);
                connection.keep_alive_timer = Some(self.timers.insert(at, timer));
            }
            Some(_) => {
                let text = "nothing was received for one and a half times the Keep Alive";
                self.break_off(id, ReasonCode::KeepAliveTimeout, text, now, effects);
            }
        }
    }

    fn sweep(&mut self, now: Timestamp) {
        let mut expired = Vec::new();
        self.node.retained.expire(now, SWEEP_MESSAGES_MAX, &mut expired);
        // That they have expired another process will see for itself.
        for message in expired {
            self.recorder.release(message.position);
        }
        self.timers.insert(now.plus_millis(SWEEP_INTERVAL_MS), Timer::Sweep);
    }

    /// Publishes the `$SYS` tree: retained, so that whoever subscribes later sees it at once.
    fn publish_sys(&mut self, now: Timestamp, effects: &mut Effects) {
        let interval_ms = u64::from(self.node.config.sys.interval_ms);
        self.timers.insert(now.plus_millis(interval_ms), Timer::Sys);
        let Some(sys) = &mut self.sys else { return };
        for (topic, value) in sys.report(&self.node, now) {
            let Ok(topic) = TopicNameRef::new(&topic) else { continue };
            let message = MessageRef {
                topic,
                properties: &[],
                payload: value.as_bytes(),
                qos: QoS::AtMostOnce,
                retain: self.node.config.capabilities.retain_available,
                expires_at: Timestamp::NEVER,
                publisher: None,
                // The next process makes figures of its own.
                durability: Durability::Memory,
                position: Position::NONE,
            };
            let mut outgoing = Outgoing::received(message);
            self.publish_of_ourselves(&mut outgoing, now, effects);
        }
    }
}
