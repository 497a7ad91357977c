#![doc = include_str!("../README.md")]

mod disk;
mod error;
mod format;
mod inspect;
mod journal;
mod options;
mod position;
mod scan;

pub use disk::{BLOCK_BYTES, Directory, Disk, DiskFile, LockError, LockMode};
pub use error::{CommitError, Damage, Failure, Flaw, OpenError, Operation, ReadError, ReplayError};
pub use format::{FORMAT_VERSION, RECORD_BYTES_MAX};
pub use inspect::{BatchEntry, Entry, Report, SegmentEntry, dump, verify};
pub use journal::{Committed, Journal, Opened, Reader, Reclaimed, Replay, SegmentInfo, TornTail};
pub use options::Options;
pub use position::Position;
