//! Owns the sum of an inspection, as a person reads it. The places it counts are found by the walk.

use std::fmt;

use super::Entry;
use crate::error::Damage;
use crate::{Position, TornTail};

/// What an inspection found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Report {
    /// How many segments with a readable header.
    pub segments: usize,
    /// Their bytes.
    pub bytes: u64,
    /// Where a recovery would begin.
    pub floor: Position,
    /// How many batches.
    pub batches: u64,
    /// How many intact records.
    pub records: u64,
    /// When the last batch was written, in milliseconds since 1970; 0 without any.
    pub last_batch_unix_ms: u64,
    /// Every damaged place. A journal with any at or behind the floor is not opened.
    pub damages: Vec<Damage>,
    /// What a crash left unfinished; the next opening cuts it.
    pub torn_tail: Option<TornTail>,
    /// Bytes at the ends of segments below the floor that belong to no batch.
    pub void: Vec<TornTail>,
}

impl Report {
    /// Whether nothing is damaged. A torn tail is what a crash leaves, and no damage.
    #[must_use]
    pub fn is_sound(&self) -> bool {
        self.damages.is_empty()
    }

    pub(super) fn note(&mut self, entry: &Entry<'_>) {
        match entry {
            Entry::Segment(segment) => {
                self.segments += 1;
                self.bytes += segment.bytes;
                self.floor = segment.floor;
            }
            Entry::Batch(batch) => {
                self.batches += 1;
                self.last_batch_unix_ms = self.last_batch_unix_ms.max(batch.time_unix_ms);
            }
            Entry::Record { .. } => self.records += 1,
            Entry::Damage(damage) => self.damages.push(damage.clone()),
            Entry::TornTail(tail) => self.torn_tail = Some(tail.clone()),
            Entry::Void(void) => self.void.push(void.clone()),
        }
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "segments  {}, {} bytes", self.segments, self.bytes)?;
        writeln!(f, "batches   {}", self.batches)?;
        writeln!(f, "records   {}", self.records)?;
        writeln!(f, "floor     {}", self.floor)?;
        for TornTail { file, offset, bytes } in &self.void {
            writeln!(
                f,
                "void      {file}, offset {offset}: {bytes} bytes that a failed write left; nothing refers to them"
            )?;
        }
        if let Some(TornTail { file, offset, bytes }) = &self.torn_tail {
            writeln!(
                f,
                "torn tail {file}, offset {offset}: {bytes} bytes that a crash interrupted; none was durable"
            )?;
        }
        for damage in &self.damages {
            writeln!(f, "damage    {damage}")?;
        }
        match self.damages.len() {
            0 => write!(f, "sound"),
            1 => write!(f, "damaged in 1 place"),
            places => write!(f, "damaged in {places} places"),
        }
    }
}
