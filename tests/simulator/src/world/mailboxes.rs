//! Owns what is on its way from shard to shard: in order for each pair, late, never lost.

use super::World;
use crate::{
    observation::{Mail, Observation, Place},
    plant::Plant,
    schedule::Event,
};
use broker_core::{Forwarded, Input, PeerBatch, PeerMessage, ShardId};
use std::collections::{BTreeMap, VecDeque};

/// A mailbox for each pair of shards.
#[derive(Debug, Default)]
pub(super) struct Mailboxes(BTreeMap<(ShardId, ShardId), Mailbox>);

#[derive(Debug, Default)]
struct Mailbox {
    /// One message each.
    letters: VecDeque<PeerBatch>,
    /// When the last message is read.
    last_at_ms: u64,
}

impl World {
    /// A shard forwards something.
    pub(super) fn post(&mut self, from: ShardId, to: ShardId, letter: &PeerBatch) {
        for message in letter {
            self.post_message(from, to, message);
        }
    }

    fn post_message(&mut self, from: ShardId, to: ShardId, mut message: PeerMessage<'_>) {
        let mail = Mail::all_of(message);
        for mail in &mail {
            self.observe(&Observation::Forwarded { from, to, mail });
        }
        if let PeerMessage::Deliver(Forwarded { held, .. }) = &mut message
            && held.is_some()
            && self.planted.strikes(Plant::EarlyStored)
            && let Some(token) = held.take()
        {
            self.put(to, from, PeerBatch::of(PeerMessage::Stored(token)));
        }
        match mail[0] {
            Mail::Message(_) if self.planted.strikes(Plant::DropForward) => return,
            Mail::SharedMessage(_) if self.planted.strikes(Plant::RepeatShared) => {
                if let PeerMessage::Deliver(forwarded) = message {
                    let again = Forwarded { held: None, recorded: None, ..forwarded };
                    self.put(from, to, PeerBatch::of(PeerMessage::Deliver(again)));
                }
            }
            Mail::Message(_)
            | Mail::SharedMessage(_)
            | Mail::HandedOver
            | Mail::Stored
            | Mail::CheckpointBegun => {}
        }
        self.put(from, to, PeerBatch::of(message));
    }

    /// Where there is a journal, mail leaves when the shard's turn has ended.
    fn put(&mut self, from: ShardId, to: ShardId, letter: PeerBatch) {
        match &mut self.process {
            Some(process) if process.storage.is_some() => process.turn(from).mail.push((to, letter)),
            Some(_) => self.put_into_mailbox(from, to, letter),
            None => {}
        }
    }

    pub(super) fn put_into_mailbox(&mut self, from: ShardId, to: ShardId, letter: PeerBatch) {
        let delay_ms = self.random.between(0, self.settings.network.mailbox_ms_max);
        let Some(process) = &mut self.process else { return };
        let mailbox = process.mailboxes.0.entry((from, to)).or_default();
        mailbox.last_at_ms = mailbox.last_at_ms.max(self.schedule.now_ms() + delay_ms);
        mailbox.letters.push_back(letter);
        self.schedule.at(mailbox.last_at_ms, Event::Mailbox(from, to));
    }

    /// A shard reads the oldest message of a mailbox.
    pub(super) fn read_mailbox(&mut self, from: ShardId, to: ShardId) {
        let Some(process) = &mut self.process else { return };
        let Some(mailbox) = process.mailboxes.0.get_mut(&(from, to)) else { return };
        if mailbox.letters.len() > 1 && self.planted.strikes(Plant::ReorderMailbox) {
            mailbox.letters.swap(0, 1);
        }
        let Some(letter) = mailbox.letters.pop_front() else { return };
        for message in &letter {
            for (mail, place) in Mail::all_of(message).iter().zip(Place::all()) {
                self.observe(&Observation::Arrived { from, to, mail, place });
            }
            self.step(to, Input::Peer(message));
        }
    }
}
