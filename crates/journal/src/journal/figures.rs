//! Owns the plain figures that the journal hands out. How they come about is for those who count.

use crate::Position;

/// What was found when a journal was opened.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Opened {
    /// How many segments.
    pub segments: usize,
    /// Their bytes.
    pub bytes: u64,
    /// Where the replay began.
    pub floor: Position,
    /// How many records were replayed.
    pub records: u64,
    /// A write that a crash had interrupted: what was valid of it was replayed, the rest is void.
    pub torn_tail: Option<TornTail>,
    /// When the process that wrote here last showed a sign of life, in milliseconds since 1970; 0 if none ever did.
    pub last_alive_unix_ms: u64,
}

/// The end of a segment that a crash left unfinished. Nothing in it had been durable.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TornTail {
    /// The path of the file.
    pub file: String,
    /// Where it begins in the file, in bytes.
    pub offset: u64,
    /// How long it is: 0 if the file ends behind a record, and the batch does not.
    pub bytes: u64,
}

/// What a commit wrote.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Committed {
    /// How many records.
    pub records: u64,
    /// Bytes with all headers but a segment's; 0 if nothing was pending.
    pub bytes: u64,
    /// How many batches, each with one sync.
    pub batches: u32,
}

/// A segment, for figures.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SegmentInfo {
    /// Where it begins.
    pub first: Position,
    /// Bytes that hold records.
    pub bytes: u64,
    /// References to records in it.
    pub references: u64,
}
