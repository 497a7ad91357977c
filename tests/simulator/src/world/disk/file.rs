//! Owns the bytes of one file of the lying disk: what the system shows, what is on the platter, and which sectors
//! differ. Names of files are `disk`'s business.

use super::SECTOR_BYTES;
use crate::random::Random;
use std::collections::BTreeSet;

/// The bytes of one file.
#[derive(Debug, Default)]
pub(super) struct Contents {
    /// As a process reads them.
    shown: Vec<u8>,
    /// As they are after a power loss at the least.
    durable: Vec<u8>,
    /// Sectors that the next sync will write.
    dirty: BTreeSet<usize>,
    /// Sectors that a failed sync has dropped: they are shown and will never be written.
    dropped: BTreeSet<usize>,
}

impl Contents {
    pub(super) fn len(&self) -> usize {
        self.shown.len()
    }

    pub(super) fn read(&self, offset: usize, buffer: &mut [u8]) -> usize {
        let rest = self.shown.get(offset..).unwrap_or(&[]);
        let count = rest.len().min(buffer.len());
        buffer[..count].copy_from_slice(&rest[..count]);
        count
    }

    pub(super) fn write(&mut self, offset: usize, bytes: &[u8]) {
        if bytes.is_empty() {
            return;
        }
        let end = offset + bytes.len();
        if self.shown.len() < end {
            self.shown.resize(end, 0);
        }
        self.shown[offset..end].copy_from_slice(bytes);
        for sector in offset / SECTOR_BYTES..=(end - 1) / SECTOR_BYTES {
            self.dirty.insert(sector);
            self.dropped.remove(&sector);
        }
    }

    pub(super) fn sync(&mut self) {
        for sector in std::mem::take(&mut self.dirty) {
            self.store(sector, usize::MAX);
        }
    }

    /// A sync that fails has written some sectors, and drops others for good or keeps them for the next.
    pub(super) fn fail_sync(&mut self, random: &mut Random) {
        for sector in std::mem::take(&mut self.dirty) {
            match random.index(3) {
                0 => self.store(sector, usize::MAX),
                1 => _ = self.dirty.insert(sector),
                _ => _ = self.dropped.insert(sector),
            }
        }
    }

    /// Each sector that was not synced is new, old or, where the file grew, torn.
    pub(super) fn lose_power(&mut self, random: &mut Random) {
        // Whole files go or stay more often than chance alone would have it.
        let percent = *random.pick(&[0, 50, 90, 100]);
        for sector in std::mem::take(&mut self.dirty) {
            if random.chance(percent) {
                self.store(sector, usize::MAX);
            } else if random.chance(20) {
                self.store(sector, random.index(SECTOR_BYTES));
            }
        }
        self.dropped.clear();
        self.shown.clone_from(&self.durable);
    }

    /// Puts the first bytes of a sector on the platter.
    fn store(&mut self, sector: usize, bytes: usize) {
        let from = sector * SECTOR_BYTES;
        let until = self.shown.len().min(from + bytes.min(SECTOR_BYTES));
        if self.durable.len() < until {
            self.durable.resize(until, 0);
        }
        self.durable[from..until].copy_from_slice(&self.shown[from..until]);
    }
}
