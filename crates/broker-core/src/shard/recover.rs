//! Owns how a shard begins with the sessions that an earlier process left in the journal, whichever of its
//! shards had them. Making their state of the records is `journal::recovery`'s business.

use super::{Shard, Timer};
use crate::{
    ids::{SessionId, ShardId},
    journal::{
        ConnectionState, Operation, QueuedState, Recovered, RetainedState, SessionState, SubscriptionState,
        epoch_record,
    },
    message::MessageRef,
    node::Node,
    retained::RetainedCursor,
    retaining::Begun,
    session::{Lifetime, Own, PendingWill, Queued, RetainedDelivery, Subscribed},
    subscriptions::{Presence, Subscriber},
    time::Timestamp,
};
use hashbrown::HashMap;
use mqtt_codec::flow::InFlight;
use rustc_hash::FxBuildHasher;
use std::sync::{Arc, atomic::Ordering::Relaxed};

/// What one shard begins with. Opaque: made by [`Node::restore`] for [`Shard::recover`].
#[derive(Debug)]
pub struct RecoveredShard {
    sessions: Vec<SessionState>,
    alive: Timestamp,
}

impl Node {
    /// Takes over what the journal holds of an earlier process: what is retained and who is in which group at once,
    /// the sessions in parts for each shard, in the order of [`Node::shards`]. Counts the references of all of it, and records that a
    /// process begins. To be called once, before the first shard is made.
    ///
    /// `alive` is when the earlier process was last known to live: connections that it had then were lost
    /// then, and Session Expiry Intervals and Will Delay Intervals count from it.
    pub fn restore(&self, recovered: Recovered, alive: Timestamp, now: Timestamp) -> Vec<RecoveredShard> {
        let count = self.shards().count();
        let mut shards: Vec<_> =
            (0..count).map(|_| RecoveredShard { sessions: Vec::new(), alive: alive.min(now) }).collect();
        let Some(journal) = &self.journal else { return shards };
        for position in recovered.references() {
            journal.refer(position, 1);
        }
        let mut epoch = Vec::new();
        epoch_record(u16::try_from(count).expect("at most 4095 shards"), now, &mut epoch);
        journal.append(&[&epoch]);
        let mut keys: HashMap<Box<str>, SessionId, FxBuildHasher> = HashMap::default();
        let retained: Vec<_> = recovered.retained().cloned().collect();
        for session in recovered.into_sessions() {
            let shard = self.shard_of(&session.client_id);
            let sessions = &mut shards[usize::from(shard.0)].sessions;
            let key = recovered_key(shard, sessions.len());
            for subscription in &session.subscriptions {
                self.continue_membership(key, subscription);
            }
            keys.insert(session.client_id.clone(), key);
            sessions.push(session);
        }
        for former in retained {
            // Its publisher does not get it by a subscription of No Local.
            let publisher = keys.get(&former.client_id).copied();
            let message = MessageRef { publisher, ..former.message.borrow() }.share();
            let position = message.position;
            let topic = former.message.topic();
            if message.is_expired(now) || self.retained.set(topic.text(), message, now).is_err() {
                // A limit that was lowered since.
                journal.release(&[position]);
            }
        }
        shards
    }

    /// A session is a member of its groups before any shard goes on with a queue: there may be messages in it of a
    /// group that its own session has left, and that only others keep alive.
    fn continue_membership(&self, session: SessionId, state: &SubscriptionState) {
        if let (Some(share_name), matched) = subscribed(state).parts(&state.filter) {
            self.subscriptions.subscribe_shared(share_name, matched, subscriber(session, state));
            self.subscriptions.set_presence(session, Presence::Offline);
        }
    }
}

fn subscribed(state: &SubscriptionState) -> Subscribed {
    let SubscriptionState { options, identifier, share_name_bytes, .. } = *state;
    Subscribed::new(options, identifier, share_name_bytes)
}

fn subscriber(session: SessionId, state: &SubscriptionState) -> Subscriber {
    let SubscriptionState { options, identifier, .. } = *state;
    Subscriber {
        session,
        qos: options.maximum_qos,
        no_local: options.no_local,
        retain_as_published: options.retain_as_published,
        identifier,
    }
}

/// The key that a recovered session gets: the table is filled in order.
fn recovered_key(shard: ShardId, place: usize) -> SessionId {
    let place = u32::try_from(place).expect("sessions_max is far below 2^28");
    SessionId::new(shard, place, place).durable()
}

impl Shard {
    /// A shard that goes on with the sessions of an earlier process. What was due meanwhile, an end or a Will, is
    /// done with the first tick.
    #[must_use]
    pub fn recover(
        node: Arc<Node>,
        id: ShardId,
        seed: u64,
        now: Timestamp,
        recovered: RecoveredShard,
    ) -> Self {
        /// Sessions whose new keys are recorded at once.
        const BOUND_AT_ONCE: usize = 1_000;
        let mut shard = Self::new(node, id, seed, now);
        let RecoveredShard { sessions, alive } = recovered;
        for (place, state) in sessions.into_iter().enumerate() {
            let key = shard.sessions.insert(&state.client_id, Lifetime::Recorded);
            assert_eq!(key, recovered_key(id, place), "retained messages name their publisher by it");
            shard.recorder.note(&Operation::Bound { session: key, client_id: &state.client_id });
            shard.continue_session(key, state, alive, now);
            if place % BOUND_AT_ONCE == BOUND_AT_ONCE - 1 {
                shard.recorder.append_notes();
            }
        }
        shard.recorder.append_notes();
        shard.recorder.await_recovered();
        shard
    }

    fn continue_session(&mut self, id: SessionId, state: SessionState, alive: Timestamp, now: Timestamp) {
        self.node.sessions.fetch_add(1, Relaxed);
        self.stats.sessions.add(1);
        let expiry_seconds = state.expiry_seconds;
        let disconnected_at = match state.connection {
            ConnectionState::DisconnectedSince(at) => at,
            ConnectionState::Connected => {
                let keeps_will = state.will.is_some();
                let lost = Operation::Disconnected { session: id, at: alive, expiry_seconds, keeps_will };
                self.recorder.note(&lost);
                alive
            }
        };
        for subscription in state.subscriptions {
            self.continue_subscription(id, subscription);
        }
        let will = state.will.as_ref().and_then(|will| PendingWill::restored(will, id)).map(Box::new);
        let groups = GroupNames { node: &self.node };
        let Some(session) = self.sessions.get_mut(id) else { return };
        session.disconnected_at = disconnected_at;
        session.expiry_seconds = expiry_seconds;
        for packet_id in state.unreleased {
            session.receiver.restore(packet_id);
        }
        for in_flight in state.in_flight {
            session.outbound.restore_in_flight(InFlight {
                packet_id: in_flight.packet_id,
                qos: in_flight.qos,
                step: in_flight.step,
                message: in_flight.queued.map(|queued| groups.queued(&queued)),
            });
        }
        session.outbound.reserve(state.queue.len());
        for queued in &state.queue {
            session.outbound.restore(groups.queued(queued));
        }
        if expiry_seconds != u32::MAX {
            let ends_at = disconnected_at.plus_seconds(u64::from(expiry_seconds)).max(now);
            session.expiry_timer = Some(self.timers.insert(ends_at, Timer::Expiry(id)));
        }
        if let Some(will) = will {
            let due = disconnected_at.plus_seconds(u64::from(will.delay_seconds)).max(now);
            session.will = Some(will);
            session.will_timer = Some(self.timers.insert(due, Timer::Will(id)));
        }
        session.report_load();
        let stats = &self.stats;
        stats.queued_messages.add(session.outbound.len() as u64);
        stats.queued_bytes.add(session.outbound.queue_bytes());
        self.watch_expiry(id, now);
    }

    fn continue_subscription(&mut self, id: SessionId, state: SubscriptionState) {
        let Some(session) = self.sessions.get_mut(id) else { return };
        let subscribed = subscribed(&state);
        match subscribed.parts(&state.filter) {
            (Some(_), _) => session.load = self.node.subscriptions.load_gauge(id),
            (None, matched) => {
                self.node.subscriptions.subscribe(matched, subscriber(id, &state));
            }
        }
        let SubscriptionState { filter, options, identifier, retained, .. } = state;
        let cursor = match retained {
            RetainedState::Nothing => None,
            RetainedState::FromStart => Some(RetainedCursor::default()),
            RetainedState::From(key) => Some(RetainedCursor::resumed(key)),
        };
        if let Some(cursor) = cursor {
            let (qos, no_local) = (options.maximum_qos, options.no_local);
            let delivery = RetainedDelivery { cursor, qos, no_local, identifier, awaited: Begun::default() };
            session.retained.insert(filter.clone(), delivery);
        }
        session.subscriptions.insert(&filter, subscribed);
    }
}

/// Finds the groups of shared subscriptions by their filters.
struct GroupNames<'a> {
    node: &'a Node,
}

impl GroupNames<'_> {
    fn queued(&self, state: &QueuedState) -> Queued {
        let group = state.group().and_then(|filter| {
            let (share_name, filter) = filter.strip_prefix("$share/")?.split_once('/')?;
            self.node.subscriptions.group(share_name, filter)
        });
        let own = Own { qos: state.qos, retain: state.retain, identifiers: state.identifiers(), group };
        Queued::stored(state.position, state.bytes, state.expires_at, own)
    }
}
