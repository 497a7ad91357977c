//! Owns the messages this worker has for the others until they are posted, one batch for each. What a
//! full mailbox means for this worker's clients is decided by the worker.

use std::sync::Arc;

use broker_core::{PeerMessage, ShardId};

use super::mailbox::Mailbox;

/// Bytes of all batches that are posted at once, not at the end of the turn.
const BATCH_BYTES_MAX: usize = 256 * 1024;

/// Messages for the other workers.
#[derive(Debug)]
pub(super) struct Outgoing {
    own: ShardId,
    mailboxes: Arc<[Mailbox]>,
    batches: Vec<Vec<PeerMessage>>,
    /// Bytes of all batches.
    bytes: usize,
    /// Workers whose mailboxes were full when something was posted to them last.
    full: Vec<ShardId>,
}

impl Outgoing {
    pub(super) fn new(own: ShardId, mailboxes: Arc<[Mailbox]>) -> Self {
        let batches = mailboxes.iter().map(|_| Vec::new()).collect();
        Self { own, mailboxes, batches, bytes: 0, full: Vec::new() }
    }

    /// This worker's own mailbox.
    pub(super) fn own_mailbox(&self) -> &Mailbox {
        self.mailbox(self.own)
    }

    /// Keeps a message for another worker until [`post`](Self::post).
    pub(super) fn push(&mut self, shard: ShardId, message: PeerMessage) {
        self.bytes += message.bytes();
        self.batches[usize::from(shard.0)].push(message);
    }

    /// Whether something waits to be posted.
    pub(super) fn is_waiting(&self) -> bool {
        self.bytes > 0
    }

    /// Whether so much waits that it should be posted at once.
    pub(super) fn is_large(&self) -> bool {
        self.bytes > BATCH_BYTES_MAX
    }

    /// Posts everything and tells how many deliveries were dropped.
    pub(super) fn post(&mut self) -> u64 {
        let mut dropped = 0;
        self.bytes = 0;
        for (mailbox, (shard, batch)) in self.mailboxes.iter().zip((0..).map(ShardId).zip(&mut self.batches))
        {
            if batch.is_empty() {
                continue;
            }
            let posted = mailbox.post(self.own, batch);
            dropped += posted.dropped;
            if posted.is_full && !self.full.contains(&shard) {
                self.full.push(shard);
            }
        }
        dropped
    }

    /// Whether some worker cannot keep up, so that this one should read no more from its clients.
    pub(super) fn is_held_back(&self) -> bool {
        !self.full.is_empty()
    }

    /// Looks at the full mailboxes again.
    pub(super) fn look_for_room(&mut self) {
        let mailboxes = &self.mailboxes;
        self.full.retain(|shard| !mailboxes[usize::from(shard.0)].has_room());
    }

    /// Tells workers that held back for the sake of this one that there is room again.
    pub(super) fn release(&self, held_back: &mut Vec<ShardId>) {
        for shard in held_back.drain(..) {
            self.mailbox(shard).nudge();
        }
    }

    fn mailbox(&self, shard: ShardId) -> &Mailbox {
        &self.mailboxes[usize::from(shard.0)]
    }
}
