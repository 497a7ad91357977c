//! Owns what the tests share: a disk that lies as far as a real one may, numbers that follow from a seed, and opening a
//! journal with all it replays.

pub(crate) mod disk;
pub(crate) mod random;

use journal::{Disk, Journal, OpenError, Opened, Options, Position};

/// A record and where it is.
pub(crate) type Record = (Position, Vec<u8>);

/// The time of tests that do not care.
pub(crate) const NOW: u64 = 1_800_000_000_000;

pub(crate) fn try_open(
    disk: impl Disk + 'static,
    options: Options,
) -> Result<(Journal, Opened, Vec<Record>), OpenError> {
    let mut replayed = Vec::new();
    let (journal, opened) = Journal::open(Box::new(disk), options, NOW, &mut |position, record| {
        replayed.push((position, record.to_vec()));
        Ok(())
    })?;
    Ok((journal, opened, replayed))
}

pub(crate) fn open(disk: impl Disk + 'static, options: Options) -> (Journal, Opened, Vec<Record>) {
    try_open(disk, options).unwrap_or_else(|error| panic!("{error}"))
}

/// A journal on an empty disk.
pub(crate) fn fresh(options: Options) -> (Journal, disk::LyingDisk) {
    let disk = disk::LyingDisk::new(0);
    (open(disk.clone(), options).0, disk)
}

pub(crate) fn read(journal: &Journal, position: Position) -> Vec<u8> {
    let mut record = Vec::new();
    journal.read(position, &mut record).unwrap_or_else(|error| panic!("{error}"));
    record
}
