//! Owns what the broker's disk does in a test: take everything at once, or when the test says so; and what a
//! crash and a restart make of it.

use super::Broker;
use broker_core::{
    Input, Message, Node, SessionId, Shard, Timestamp,
    journal::{Journal as _, Position, copied, message_of},
};
use std::sync::Arc;

/// When what is appended is durable.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Disk {
    /// At the end of the turn.
    Immediate,
    /// When the test calls [`Broker::sync`].
    Held,
}

/// What a shard wants read.
pub(crate) struct Load {
    pub(super) shard: usize,
    pub(super) session: SessionId,
    pub(super) positions: Vec<Position>,
}

impl Broker {
    /// Everything is durable now.
    pub(crate) fn sync(&mut self) {
        self.announce();
        self.settle();
    }

    /// The end of a shard's turn: its notes are appended, and durable if the disk is quick.
    pub(super) fn end_turn(&mut self, shard: usize) {
        self.flush(shard);
        self.answer_loads();
        while self.disk == Disk::Immediate && self.shards.iter().any(|shard| shard.awaits_durable().is_some())
        {
            self.announce();
        }
    }

    /// Tells the shards what is durable.
    fn announce(&mut self) {
        let Some(journal) = self.journal.clone() else { return };
        let end = journal.end();
        for shard in 0..self.shards.len() {
            self.handle(shard, Input::Durable(end));
            self.flush(shard);
        }
        self.answer_loads();
    }

    fn answer_loads(&mut self) {
        while let Some(Load { shard, session, positions }) = self.loads.pop_front() {
            let journal = self.journal.clone().expect("only what is in a journal is loaded");
            let read =
                |position: Position| -> Option<Arc<Message>> { message_of(&journal.record(position)?) };
            let messages = positions.into_iter().map(|position| (position, read(position))).collect();
            self.handle(shard, Input::Loaded { session, messages });
            self.flush(shard);
        }
    }

    fn flush(&mut self, shard: usize) {
        if self.shards[shard].wants_flush() {
            self.handle(shard, Input::Flush);
        }
    }

    fn handle(&mut self, shard: usize, input: Input<'_>) {
        self.shards[shard].handle(input, self.now, &mut self.effects);
        self.apply();
    }

    /// Has every shard record everything once more; then what is before need not be read again.
    pub(crate) fn checkpoint(&mut self) {
        self.begin_checkpoint();
        self.end_checkpoint();
    }

    /// Tells every shard that a checkpoint begins.
    pub(crate) fn begin_checkpoint(&mut self) {
        let Some(journal) = &self.journal else { return };
        self.next_floor = journal.end();
        self.checkpoints_due = self.shards.len();
        for shard in 0..self.shards.len() {
            self.step(shard, Input::Checkpoint);
        }
    }

    /// Has the shards write what is left of the checkpoint.
    pub(crate) fn end_checkpoint(&mut self) {
        let Some(journal) = self.journal.clone() else { return };
        self.settle();
        assert_eq!(self.checkpoints_due, 0, "{self}");
        self.floor = self.next_floor;
        journal.forget_before(self.floor);
    }

    /// Has everything that is needed of the journal so far copied to its end, and what was before given up.
    pub(crate) fn relocate(&mut self) {
        let journal = self.journal.clone().expect("only a journal has places");
        let end = journal.end();
        for shard in 0..self.shards.len() {
            self.step(shard, Input::Survey { from: Position::new(1), to: end });
        }
        self.settle();
        let mut found = std::mem::take(&mut self.surveyed);
        found.sort();
        found.dedup();
        let copies: Arc<[_]> = found
            .into_iter()
            .map(|former| {
                let mut copy = Vec::new();
                copied(&journal.record(former).unwrap(), &mut copy).unwrap();
                (former, journal.append(&[&copy]))
            })
            .collect();
        for shard in 0..self.shards.len() {
            self.step(shard, Input::Copied(Arc::clone(&copies)));
        }
        self.checkpoint();
        assert!(copies.iter().all(|&(former, _)| journal.record(former).is_none()), "{self}");
    }

    /// The power fails, and the process begins anew after so many seconds, with so many shards. What was appended
    /// and not durable is lost.
    pub(crate) fn crash(&mut self, shards: usize, seconds: u64) {
        let awaited = self.shards.iter().filter_map(Shard::awaits_durable).min();
        let lost = if self.disk == Disk::Held { awaited } else { None };
        self.restart(shards, seconds, lost.unwrap_or(Position::MAX));
        if self.disk == Disk::Immediate {
            self.announce();
        }
        self.settle();
    }

    /// The process is killed and begins anew. The system had taken all that was appended, and has not got it to
    /// the disk, nor will it until the test says so.
    pub(crate) fn kill(&mut self, shards: usize) {
        self.disk = Disk::Held;
        self.restart(shards, 0, Position::MAX);
        self.settle();
    }

    fn restart(&mut self, shards: usize, seconds: u64, lost: Position) {
        let journal = self.journal.clone().expect("only a journal survives a crash");
        journal.crash(lost);
        self.wires.values_mut().for_each(|wire| wire.is_closed = true);
        self.mail.clear();
        self.holds_mail = false;
        self.loads.clear();
        let alive = self.now;
        self.now = Timestamp::from_millis(self.now.as_millis() + seconds * 1_000);
        let recovered = journal.recover(self.floor);
        let config = self.node.config.clone();
        self.node = Node::with_journal(config, shards, 0x5EED, Arc::clone(&journal) as _);
        let parts = self.node.restore(recovered, alive, self.now);
        self.shards = self
            .node
            .shards()
            .zip(parts)
            .map(|(id, part)| Shard::recover(Arc::clone(&self.node), id, 7 + u64::from(id.0), self.now, part))
            .collect();
    }
}
