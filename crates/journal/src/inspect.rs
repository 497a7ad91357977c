//! Owns looking at a journal that nobody has open: everything is read, below the floor too, and every damaged place is
//! told. It changes nothing and repairs nothing.

mod report;
mod walk;

pub use report::Report;

use crate::disk::{Disk, LockMode};
use crate::error::{Damage, OpenError};
use crate::journal::{cannot_lock, list};
use crate::{Position, TornTail};

/// What an inspection comes across, in the order of the log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Entry<'a> {
    /// A segment begins.
    Segment(SegmentEntry<'a>),
    /// A batch begins.
    Batch(BatchEntry),
    /// A record that is intact.
    Record {
        /// Where it is.
        position: Position,
        /// What it says.
        bytes: &'a [u8],
    },
    /// A place whose bytes are not what was once on disk. What can be read behind it follows.
    Damage(Damage),
    /// What a crash left unfinished, at the very end. Nothing in it had been durable.
    TornTail(TornTail),
    /// Bytes at the end of a segment below the floor that belong to no batch: what was given up after an error of the
    /// disk. The segment that would prove it is gone, so a damaged last batch of this one would look the same.
    Void(TornTail),
}

/// What a segment says of itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SegmentEntry<'a> {
    /// The name of its file.
    pub name: &'a str,
    /// Where it begins.
    pub first: Position,
    /// The floor when it was created.
    pub floor: Position,
    /// When it was created, in milliseconds since 1970.
    pub created_unix_ms: u64,
    /// Bytes of the file.
    pub bytes: u64,
}

/// What a batch says of itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BatchEntry {
    /// Where it begins.
    pub position: Position,
    /// When it was written, in milliseconds since 1970.
    pub time_unix_ms: u64,
    /// How many records it has.
    pub records: u32,
    /// Its bytes, with all headers.
    pub bytes: u64,
}

/// Reads everything, and tells what was found and every place that is damaged.
///
/// # Errors
/// If the directory cannot be read, another process has it open, or a newer program wrote it. Damage is no error: it is
/// in the report.
pub fn verify(disk: &dyn Disk) -> Result<Report, OpenError> {
    let mut report = Report::default();
    dump(disk, &mut |entry| report.note(&entry))?;
    Ok(report)
}

/// Reads everything, and shows it to `look`.
///
/// # Errors
/// As [`verify`].
pub fn dump(disk: &dyn Disk, look: &mut dyn FnMut(Entry<'_>)) -> Result<(), OpenError> {
    disk.lock(LockMode::Shared).map_err(|error| cannot_lock(disk, error))?;
    walk::walk(disk, &list(disk)?, look)
}
