//! Owns what is on its way from shard to shard: in order for each pair, late, never lost.

use super::World;
use crate::{
    observation::{Mail, Observation},
    plant::Plant,
    schedule::Event,
};
use broker_core::{Input, PeerMessage, ShardId};
use std::{
    collections::{BTreeMap, VecDeque},
    sync::Arc,
};

/// A mailbox for each pair of shards.
#[derive(Debug, Default)]
pub(super) struct Mailboxes(BTreeMap<(ShardId, ShardId), Mailbox>);

#[derive(Debug, Default)]
struct Mailbox {
    messages: VecDeque<PeerMessage>,
    /// When the last message is read.
    last_at_ms: u64,
}

impl World {
    /// A shard forwards something.
    pub(super) fn post(&mut self, from: ShardId, to: ShardId, message: PeerMessage) {
        let mail = Mail::of(&message);
        self.observe(&Observation::Forwarded { from, to, mail: &mail });
        let mut message = message;
        if let PeerMessage::Deliver { held, .. } = &mut message
            && held.is_some()
            && self.planted.strikes(Plant::EarlyStored)
            && let Some(token) = held.take()
        {
            self.put(to, from, PeerMessage::Stored(token));
        }
        match mail {
            Mail::Message(_) if self.planted.strikes(Plant::DropForward) => return,
            Mail::SharedMessage(_) if self.planted.strikes(Plant::RepeatShared) => {
                if let PeerMessage::Deliver { message, targets, .. } = &message {
                    let (message, targets) = (Arc::clone(message), targets.clone());
                    self.put(from, to, PeerMessage::Deliver { message, targets, held: None, recorded: None });
                }
            }
            Mail::Message(_)
            | Mail::SharedMessage(_)
            | Mail::HandedOver
            | Mail::Stored
            | Mail::CheckpointBegun => {}
        }
        self.put(from, to, message);
    }

    /// Where there is a journal, mail leaves when the shard's turn has ended.
    fn put(&mut self, from: ShardId, to: ShardId, message: PeerMessage) {
        match &mut self.process {
            Some(process) if process.storage.is_some() => process.turn(from).mail.push((to, message)),
            Some(_) => self.put_into_mailbox(from, to, message),
            None => {}
        }
    }

    pub(super) fn put_into_mailbox(&mut self, from: ShardId, to: ShardId, message: PeerMessage) {
        let delay_ms = self.random.between(0, self.settings.network.mailbox_ms_max);
        let Some(process) = &mut self.process else { return };
        let mailbox = process.mailboxes.0.entry((from, to)).or_default();
        mailbox.last_at_ms = mailbox.last_at_ms.max(self.schedule.now_ms() + delay_ms);
        mailbox.messages.push_back(message);
        self.schedule.at(mailbox.last_at_ms, Event::Mailbox(from, to));
    }

    /// A shard reads the oldest message of a mailbox.
    pub(super) fn read_mailbox(&mut self, from: ShardId, to: ShardId) {
        let Some(process) = &mut self.process else { return };
        let Some(mailbox) = process.mailboxes.0.get_mut(&(from, to)) else { return };
        if mailbox.messages.len() > 1 && self.planted.strikes(Plant::ReorderMailbox) {
            mailbox.messages.swap(0, 1);
        }
        let Some(message) = mailbox.messages.pop_front() else { return };
        let mail = Mail::of(&message);
        self.observe(&Observation::Arrived { from, to, mail: &mail });
        self.step(to, Input::Peer(message));
    }
}
