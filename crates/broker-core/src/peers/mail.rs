//! Owns what a shard has to say to all the others until it is taken: one batch for each. When that is, and what
//! becomes of the batches, is the caller's business.

use super::{AcknowledgementToken, Form, HandedOver, PeerBatch, PeerMessage, Recipient, Recorded};
use crate::{ids::ShardId, message::MessageRef};
use mqtt_codec::packet::PublishRun;

/// One batch for each other shard.
#[derive(Debug, Default)]
pub struct PeerMail {
    #[allow(
        clippy::vec_box,
        reason = "a batch changes hands several times, and is as large as four lines of the cache"
    )]
    batches: Vec<Box<PeerBatch>>,
    /// Of all of them together.
    counted_bytes: usize,
}

impl PeerMail {
    /// Whether nothing was said to anybody since it was taken last.
    #[must_use]
    #[inline]
    pub fn is_empty(&self) -> bool {
        self.counted_bytes == 0
    }

    /// Whether it should be taken at once, not at the end of the turn.
    #[must_use]
    #[inline]
    pub fn is_large(&self) -> bool {
        const LARGE_BYTES_MIN: usize = 256 * 1024;
        self.counted_bytes >= LARGE_BYTES_MIN
    }

    /// The batches that say anything, to be taken, or emptied, now.
    pub fn take(&mut self) -> impl Iterator<Item = (ShardId, &mut Box<PeerBatch>)> {
        self.counted_bytes = 0;
        let batches = (0..).map(ShardId).zip(&mut self.batches);
        batches.filter(|(_, batch)| !batch.is_empty())
    }

    /// Takes everything, each message in a batch of its own: for whoever lets them arrive one by one.
    pub fn take_singly(&mut self) -> Vec<(ShardId, PeerBatch)> {
        let mut letters = Vec::new();
        for (shard, batch) in self.take() {
            letters.extend(batch.iter().map(|message| (shard, PeerBatch::of(message))));
            batch.clear();
        }
        letters
    }

    #[inline]
    pub(crate) fn forward<'t>(
        &mut self,
        shard: ShardId,
        message: &MessageRef<'_>,
        form: Form<'_>,
        held: Option<AcknowledgementToken>,
        recorded: Option<Recorded>,
        targets: impl IntoIterator<Item = Recipient<'t>>,
    ) {
        self.add(shard, |batch| batch.forward(message, form, held, recorded, targets));
    }

    pub(crate) fn forward_run<'t>(
        &mut self,
        shard: ShardId,
        run: PublishRun<'_>,
        class: usize,
        targets: impl IntoIterator<Item = Recipient<'t>>,
    ) {
        self.add(shard, |batch| batch.forward_run(run, class, targets));
    }

    pub(crate) fn hand_over(
        &mut self,
        shard: ShardId,
        messages: Vec<HandedOver>,
        recorded: Option<Recorded>,
    ) {
        self.add(shard, |batch| batch.hand_over(messages, recorded));
    }

    pub(crate) fn tell_stored(&mut self, token: AcknowledgementToken) {
        self.add(token.shard, |batch| batch.push(PeerMessage::Stored(token)));
    }

    pub(crate) fn tell_checkpoint_begun(&mut self, shard: ShardId) {
        self.add(shard, |batch| batch.push(PeerMessage::CheckpointBegun));
    }

    #[inline]
    fn add(&mut self, shard: ShardId, add: impl FnOnce(&mut PeerBatch)) {
        let place = usize::from(shard.0);
        if self.batches.len() <= place {
            self.batches.resize_with(place + 1, Box::default);
        }
        let batch = &mut self.batches[place];
        let before = batch.counted_bytes();
        add(batch);
        self.counted_bytes += batch.counted_bytes() - before;
    }
}
