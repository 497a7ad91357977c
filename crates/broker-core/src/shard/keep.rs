//! Owns where a message is kept before anybody gets it: in the journal, if it is retained or for sessions that
//! are recorded, and in the retained store. Delivering it is `route`'s business.

use super::Shard;
use crate::{
    config::Durability,
    ids::{GroupId, SessionId, ShardId, listed},
    journal::{MessageHead, Operation, Position, Target, put_target, retained_cleared_record},
    message::Message,
    outgoing::Outgoing,
    recorder::Recorder,
    retained::MadeWay,
    subscriptions::{Matches, Subscriber},
    time::Timestamp,
};
use mqtt_codec::{QoS, packet::PacketId};
use std::sync::Arc;

/// A member that a group has chosen.
#[derive(Clone, Copy, Debug)]
pub(super) struct Member {
    pub(super) group: GroupId,
    pub(super) subscriber: Subscriber,
}

impl Member {
    /// The shard that has its session.
    pub(super) fn shard(&self) -> ShardId {
        self.subscriber.session.shard()
    }
}

/// A QoS 2 PUBLISH of a recorded session: with its record it counts as received.
pub(super) type Receipt = (SessionId, PacketId);

/// What is done about a message that cannot be kept as it should be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Shortage {
    /// Nothing is kept and nobody gets it: its publisher is told.
    Refuse,
    /// Its publisher can only be told success. Not having it on disk would make that a lie: nothing is kept and
    /// nobody gets it. Not retaining it is lived with.
    Disconnect,
    /// Nobody is told anything: those who are there get it.
    Deliver,
}

/// Whether the journal has it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kept {
    /// It was appended: what is said about it waits for the disk.
    Recorded,
    /// It was not: nobody who is recorded gets it, and it is not retained.
    InMemory,
}

/// Why a message is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum NotKept {
    /// The retained store is at a limit.
    RetainedFull,
    /// The journal's disk is full or failing.
    DiskFailing,
}

impl Shard {
    /// Keeps a message for those who will get it: one record for all of them, so that after a crash either
    /// all have it, and its QoS 2 identifier is known, or none.
    #[inline(always)]
    pub(super) fn keep(
        &mut self,
        outgoing: &mut Outgoing<'_>,
        matches: &Matches,
        receipt: Option<Receipt>,
        shortage: Shortage,
        now: Timestamp,
    ) -> Result<Kept, NotKept> {
        let message = &outgoing.message;
        let may_be_recorded = message.qos > QoS::AtMostOnce && self.recorder.journal().is_some();
        if message.retain || may_be_recorded || receipt.is_some() {
            return self.keep_or_record(outgoing, matches, receipt, shortage, now);
        }
        Ok(Kept::InMemory)
    }

    #[inline(never)]
    fn keep_or_record(
        &mut self,
        outgoing: &mut Outgoing<'_>,
        matches: &Matches,
        receipt: Option<Receipt>,
        shortage: Shortage,
        now: Timestamp,
    ) -> Result<Kept, NotKept> {
        let message = outgoing.message;
        let is_durable = message.durability == Durability::Disk && self.recorder.journal().is_some();
        let references = if is_durable { self.put_targets(outgoing, matches) } else { 0 };
        let is_retained = message.retain && !message.payload.is_empty();
        let needs_disk = references > 0 || receipt.is_some() || is_durable && message.retain;
        if needs_disk && shortage != Shortage::Deliver && self.recorder.is_failing() {
            return Err(NotKept::DiskFailing);
        }
        let is_kept = match (message.retain, is_retained) {
            (true, true) => self.retain(outgoing, receipt, references, is_durable, now),
            (true, false) => {
                self.clear_retained(outgoing);
                Ok(())
            }
            (false, _) => Ok(()),
        };
        if is_kept.is_err() && shortage == Shortage::Refuse {
            return Err(NotKept::RetainedFull);
        }
        if !outgoing.message.position.is_some() && references > 0 {
            outgoing.message.position = record(&mut self.recorder, outgoing, receipt, None, references);
        }
        if outgoing.message.position.is_some() {
            return Ok(Kept::Recorded);
        }
        if let Some((session, packet_id)) = receipt {
            self.recorder.note(&Operation::InboundReceived { session, packet_id });
        }
        let is_noted = receipt.is_some() || is_durable && message.retain;
        Ok(if is_noted { Kept::Recorded } else { Kept::InMemory })
    }

    /// Lists those for whom the message is recorded. How many they are.
    fn put_targets(&mut self, outgoing: &Outgoing<'_>, matches: &Matches) -> u32 {
        let message = outgoing.message;
        self.recorder.targets.clear();
        if message.qos == QoS::AtMostOnce {
            return 0;
        }
        let targets = &mut self.recorder.targets;
        let mut references = 0;
        for target in
            matches.targets().iter().filter(|it| it.session.is_durable() && it.qos > QoS::AtMostOnce)
        {
            references += 1;
            let target = Target {
                session: target.session,
                qos: target.qos.min(message.qos),
                retain: message.retain && target.retain_as_published,
                identifiers: matches.identifiers(target),
                group: None,
            };
            put_target(targets, &target);
        }
        for Member { group, subscriber } in &self.members {
            if !subscriber.session.is_durable() || subscriber.qos == QoS::AtMostOnce {
                continue;
            }
            references += 1;
            let filter = self.node.subscriptions.group_filter(*group);
            let target = Target {
                session: subscriber.session,
                qos: subscriber.qos.min(message.qos),
                retain: message.retain && subscriber.retain_as_published,
                identifiers: listed(&subscriber.identifier),
                group: filter.as_deref(),
            };
            put_target(targets, &target);
        }
        references
    }

    /// Keeps the message as the topic's last one, and records it under the store's lock, so that the journal
    /// and the store agree which was the last `[MQTT5-3.3.1-5]` `[MQTT5-3.3.1-8]` `[MQTT311-3.3.1-5]`
    /// `[MQTT311-3.3.1-7]` `[MQTT311-3.3.1-12]`.
    fn retain(
        &mut self,
        outgoing: &mut Outgoing<'_>,
        receipt: Option<Receipt>,
        references: u32,
        is_durable: bool,
        now: Timestamp,
    ) -> Result<(), NotKept> {
        let Self { node, recorder, sessions, .. } = self;
        let topic = outgoing.message.topic.text();
        let made_way = node.retained.set_with(topic, outgoing.message.len(), now, || {
            if is_durable {
                let client_id =
                    outgoing.message.publisher.and_then(|id| sessions.get(id)).map(|it| &*it.client_id);
                let retained_by = Some(client_id.unwrap_or(""));
                // One for the store.
                outgoing.message.position = record(recorder, outgoing, receipt, retained_by, references + 1);
            }
            outgoing.share()
        });
        let Ok(MadeWay { former, expired }) = made_way else { return Err(NotKept::RetainedFull) };
        let was_recorded = former.as_ref().is_some_and(|former| former.position.is_some());
        if was_recorded && !is_durable {
            // The rule for the topic has changed since: the former one must not come back.
            record_cleared(&mut self.recorder, topic);
        }
        for message in former.iter().chain(&expired) {
            self.recorder.release(message.position);
        }
        Ok(())
    }

    /// Removes the topic's retained message `[MQTT5-3.3.1-6]` `[MQTT5-3.3.1-7]` `[MQTT311-3.3.1-10]`
    /// `[MQTT311-3.3.1-11]`.
    fn clear_retained(&mut self, outgoing: &Outgoing<'_>) {
        let topic = outgoing.message.topic.text();
        let recorder = &mut self.recorder;
        self.node.retained.clear_with(topic, |former: &Arc<Message>| {
            if former.position.is_some() {
                record_cleared(recorder, topic);
                recorder.release(former.position);
            }
        });
    }
}

/// Appends that a topic has no retained message any more.
fn record_cleared(recorder: &mut Recorder, topic: &str) {
    let mut record = std::mem::take(&mut recorder.record);
    record.clear();
    retained_cleared_record(topic, &mut record);
    recorder.append(&[&record]);
    recorder.record = record;
}

/// A payload up to this size is copied to the rest of its record before that is appended: one piece is summed up and
/// appended in half the time of five. A larger one is copied once.
const COPIED_BYTES_MAX: usize = 2048;

/// Appends the message with the targets that were listed.
fn record(
    recorder: &mut Recorder,
    outgoing: &Outgoing<'_>,
    receipt: Option<Receipt>,
    retained_by: Option<&str>,
    references: u32,
) -> Position {
    let message = outgoing.message.reborrow();
    let (mut record, targets) = (std::mem::take(&mut recorder.record), std::mem::take(&mut recorder.targets));
    record.clear();
    MessageHead { writer: recorder.shard(), message, retained_by, receipt }.encode(&mut record);
    record.extend_from_slice(message.topic.text().as_bytes());
    record.extend_from_slice(message.properties);
    let position = if message.payload.len() <= COPIED_BYTES_MAX {
        record.extend_from_slice(message.payload);
        record.extend_from_slice(&targets);
        recorder.append_referred(&[&record], references)
    } else {
        recorder.append_referred(&[&record, message.payload, &targets], references)
    };
    (recorder.record, recorder.targets) = (record, targets);
    position
}
