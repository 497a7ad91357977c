//! Owns what was recorded for sessions that are not there: they have not yet begun, as far as the log was read, or
//! they have ended. What becomes of a session that is there is `session`'s business.
//!
//! # Messages of groups that were on their way
//! A shard records a message for the member that a group has chosen, and that member may end before the message
//! arrives at its shard, which then finds another. If the process died in between, nobody did: so it is done here.
//! Whether it was done is told by Dropped: the member's shard notes it of every message of a group that it hands on
//! or gives up, in the same record. What a shard had taken in when the session ended it had noted then.

use super::Sessions;
use crate::{
    ids::{SessionId, ShardId, listed},
    journal::{
        Position,
        recovery::session::Session,
        state::{QueuedRest, QueuedState, is_by_group},
    },
};
use mqtt_codec::{QoS, packet::PacketId};
use std::collections::{BTreeMap, VecDeque};

/// What is known of a session that has not yet begun, or began before the floor and was not yet in a slice; or of
/// one that has ended, what was on its way to it.
#[derive(Debug, Default)]
pub(super) struct Early {
    pub(super) queue: VecDeque<QueuedState>,
    pub(super) unreleased: Vec<PacketId>,
}

impl Sessions {
    /// A session has ended, and what other shards had recorded for it by a group and its own knew nothing of stays.
    pub(super) fn leave_behind(&mut self, id: SessionId, shard: ShardId, former: Option<Session>) {
        let epoch = self.epoch;
        // What a slice told of, or an earlier process, the shard knew; its own messages as well.
        let is_left = |queued: &QueuedState| {
            let is_of_another =
                queued.writer != shard && queued.recorded.is_some() && queued.recorded > epoch;
            is_of_another && queued.group().is_some()
        };
        if let Some(early) = self.early.get_mut(&id) {
            early.queue.retain(is_left);
        }
        let mut left = former.into_iter().flat_map(Session::into_queue).filter(is_left).peekable();
        if left.peek().is_some() {
            self.early.entry(id).or_default().queue.extend(left);
        }
    }

    /// A message for a session that is not there was sent all the same, or handed on: the session has ended, or it
    /// began before the floor and its slice is still to come.
    pub(super) fn forget_left(&mut self, id: SessionId, position: Position, mark: u32) {
        if !is_by_group(mark) {
            return;
        }
        let Some(early) = self.early.get_mut(&id) else { return };
        let is_it = |queued: &QueuedState| queued.position == position && queued.mark() == mark;
        if let Some(index) = early.queue.iter().position(is_it) {
            early.queue.remove(index);
        }
    }

    /// Has other members get what was on its way to members that have ended: those with the fewest messages. It
    /// is the same with each replay, so no record need tell.
    pub(super) fn give_left(&mut self) {
        let early = std::mem::take(&mut self.early).into_values();
        let mut left: Vec<_> =
            early.flat_map(|early| early.queue).filter(|queued| queued.group().is_some()).collect();
        left.sort_by_key(|queued| (queued.position, queued.recorded, queued.mark()));
        let mut members: BTreeMap<Box<str>, Vec<usize>> = BTreeMap::new();
        for queued in left {
            let Some(group) = queued.group().map(Box::<str>::from) else { continue };
            let members = members.entry(group.clone()).or_insert_with_key(|group| self.members(group));
            let Some(&member) = members.iter().min_by_key(|&&member| self.all[member].queue_len()) else {
                continue;
            };
            let member = &mut self.all[member];
            let Some(subscription) = member.subscription(&group) else { continue };
            let identifiers = listed(&subscription.identifier).into();
            let rest = QueuedRest { identifiers, group: Some(group) };
            let queued = QueuedState {
                qos: queued.qos.min(subscription.options.maximum_qos),
                // Whether it was published with RETAIN is seen when it is sent.
                retain: subscription.options.retain_as_published,
                rest: Some(Box::new(rest)),
                ..queued
            };
            member.enqueue(queued);
        }
    }

    /// Who is in a group and gets more than QoS 0, which nobody gets who is away, in the order of the clients' names.
    fn members(&self, group: &str) -> Vec<usize> {
        let all = self.by_client_id.values().copied();
        let takes = |&index: &usize| {
            let subscription = self.all[index].subscription(group);
            subscription.is_some_and(|it| it.options.maximum_qos > QoS::AtMostOnce)
        };
        all.filter(takes).collect()
    }
}
