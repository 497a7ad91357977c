//! What the engine asks of durable storage, and the records it keeps there. Files, batches and the disk
//! are the business of whoever implements [`Journal`].

mod describe;
mod operation;
mod record;
mod recovery;
mod state;
mod wire;

pub use crate::shard::RecoveredShard;
pub use describe::describe;
pub use record::{copied, is_of_checkpoint, message_of};
pub use recovery::{InvalidRecord, Recovered, Recovery};

pub(crate) use operation::{Operation, Operations};
pub(crate) use record::{
    MessageHead, RetainedSlice, SliceHead, Target, epoch_record, put_target, retained_cleared_record,
};
pub(crate) use state::{
    ConnectionState, InFlightState, QUEUE_PART_MAX, QueuedRest, QueuedState, RetainedState, SessionPlace,
    SessionState, SubscriptionState, WillRef, WillState, mark_of,
};

use core::fmt;

/// A place in the journal: a later record has a higher one. Opaque but for its order.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Position(u64);

impl Position {
    /// Before every record: that of what is in no journal.
    pub const NONE: Self = Self(0);

    /// The highest place there may be: two bits are kept for what goes with a reference.
    pub const MAX: Self = Self((1 << 60) - 1);

    /// The place with this number.
    ///
    /// # Panics
    /// If it is above [`Position::MAX`], which at a gigabyte a second takes 36 years.
    #[must_use]
    pub const fn new(number: u64) -> Self {
        assert!(number <= Self::MAX.0, "the journal is full");
        Self(number)
    }

    /// Its number.
    #[must_use]
    pub const fn get(self) -> u64 {
        self.0
    }

    /// Whether it is that of a record.
    #[must_use]
    pub const fn is_some(self) -> bool {
        self.0 != 0
    }
}

impl fmt::Debug for Position {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Position({:#x})", self.0)
    }
}

/// Durable storage as the engine sees it: one log for all shards of a node. Nothing here waits for a disk:
/// what is appended is durable once [`Input::Durable`](crate::Input::Durable) says so.
pub trait Journal: fmt::Debug + Send + Sync {
    /// Appends one record, given in parts, and tells where it is. Records are kept in the order of these
    /// calls, whichever shard makes them; after a crash a prefix of them is there.
    fn append(&self, parts: &[&[u8]]) -> Position;

    /// The same with so many references to it, see [`Journal::refer`].
    fn append_referred(&self, parts: &[&[u8]], references: u32) -> Position {
        let position = self.append(parts);
        self.refer(position, references);
        position
    }

    /// Where the next record will be: what is durable up to there is all that was appended.
    fn end(&self) -> Position;

    /// So many references more to a record: it stays readable.
    fn refer(&self, position: Position, count: u32);

    /// One reference fewer to each of these records. Without any, and once a checkpoint has passed it, a
    /// record may go.
    fn release(&self, positions: &[Position]);

    /// Whether the disk is full or failing: what is appended waits in memory until it recovers, and what
    /// would have to be durable is refused.
    fn is_failing(&self) -> bool;
}
