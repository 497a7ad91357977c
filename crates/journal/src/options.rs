//! Owns the settings of a journal. Where its files are is the business of the disk.

/// How a journal behaves. The defaults suit a broker on a machine with a few gigabytes to spare.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Options {
    /// Bytes after which a segment ends and the next begins. Default 64 MiB. A batch is never divided, so a segment may
    /// be larger by one batch. Space comes back by whole segments: smaller ones come back sooner, and cost one file
    /// and two more syncs each.
    pub segment_bytes: u64,
    /// Bytes appended since the floor after which [`Journal::wants_checkpoint`](crate::Journal::wants_checkpoint) asks
    /// for a pass, or four times what the last pass itself wrote if that is more. Default 64 MiB. It bounds what a recovery
    /// replays; a lower one makes passes more frequent.
    pub checkpoint_bytes: u64,
    /// Milliseconds without a record after which a pass may pay although `checkpoint_bytes` is far. Default 5,000.
    pub idle_ms: u64,
    /// Bytes that a pass must give back to pay when idle, or as many as the last pass wrote if that is more. Default
    /// 1 MiB. What an idle journal keeps on disk beyond live records is at most about this much and two passes.
    pub idle_gain_bytes: u64,
    /// A random number. It marks the batches of this process, so that nobody can send a payload that a recovery would
    /// take for a batch. Default 0, which is for tests: whoever stores what strangers send draws one.
    pub seed: u64,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            segment_bytes: 64 << 20,
            checkpoint_bytes: 64 << 20,
            idle_ms: 5_000,
            idle_gain_bytes: 1 << 20,
            seed: 0,
        }
    }
}
