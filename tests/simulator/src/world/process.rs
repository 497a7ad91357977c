//! Owns what a broker has in memory: it ends with the process. What survives it is the disk's.

use super::{mailboxes::Mailboxes, shard_index, storage::Storage};
use broker_core::{Node, PeerBatch, Shard, ShardId, journal::Position};
use std::sync::Arc;

/// A running broker.
#[derive(Debug)]
pub(super) struct Process {
    pub(super) node: Arc<Node>,
    pub(super) shards: Vec<Shard>,
    /// Each shard's next tick, so that an earlier one takes its place.
    pub(super) ticks: Vec<Option<Tick>>,
    /// What each shard has done since it last told the journal.
    pub(super) turns: Vec<Turn>,
    pub(super) mailboxes: Mailboxes,
    pub(super) storage: Option<Arc<Storage>>,
    /// The checkpoint that is under way.
    pub(super) checkpoint: Option<Checkpoint>,
    /// The survey that is being made.
    pub(super) survey: Option<Survey>,
    /// Whether what is appended will be committed without anybody asking.
    pub(super) commit: CommitState,
}

/// When a shard asked to be told the time, and when it will be.
#[derive(Clone, Copy, Debug)]
pub(super) struct Tick {
    pub(super) deadline_ms: u64,
    pub(super) at_ms: u64,
}

/// Steps of one shard that go to the journal together. What they sent to other shards leaves only then.
#[derive(Debug, Default)]
pub(super) struct Turn {
    pub(super) phase: TurnPhase,
    /// One message each.
    pub(super) mail: Vec<(ShardId, PeerBatch)>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum TurnPhase {
    /// Nothing has happened.
    #[default]
    Over,
    /// Something has.
    Open,
    /// The shard is being asked to tell the journal.
    Ending,
}

/// A checkpoint that is under way.
#[derive(Clone, Copy, Debug)]
pub(super) struct Checkpoint {
    /// Where it began.
    pub(super) floor: Position,
    /// Shards that are still writing.
    pub(super) writing: usize,
    /// What must be on disk; not known while somebody is writing.
    pub(super) end: Position,
}

/// What the shards need of a segment, as far as they have said.
#[derive(Debug)]
pub(super) struct Survey {
    /// Shards that have not said.
    pub(super) awaited: usize,
    pub(super) found: Vec<Position>,
}

/// Whether the next commit is due.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum CommitState {
    Idle,
    Scheduled,
}

impl Process {
    pub(super) fn new(node: Arc<Node>, shards: Vec<Shard>, storage: Option<Arc<Storage>>) -> Self {
        Self {
            ticks: vec![None; shards.len()],
            turns: shards.iter().map(|_| Turn::default()).collect(),
            mailboxes: Mailboxes::default(),
            checkpoint: None,
            survey: None,
            commit: CommitState::Idle,
            node,
            shards,
            storage,
        }
    }

    pub(super) fn turn(&mut self, shard: ShardId) -> &mut Turn {
        &mut self.turns[shard_index(shard)]
    }
}
