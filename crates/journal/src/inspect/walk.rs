//! Owns the way through all segments, around what is damaged. What is found it only shows.

use super::{BatchEntry, Entry, SegmentEntry};
use crate::disk::Disk;
use crate::error::{Damage, Flaw, OpenError};
use crate::format::{BATCH_HEADER_BYTES, BatchHeader, HEADER_BYTES, Records, SegmentHeader, segment_name};
use crate::journal::{disk_error, path};
use crate::scan::{Found, Scan, header_of};
use crate::{Position, TornTail};

type Look<'a> = &'a mut dyn FnMut(Entry<'_>);

struct File {
    name: String,
    first: u64,
    header: Result<SegmentHeader, Flaw>,
}

/// What follows a segment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Next {
    /// The one that begins where it ends: everything up to there must be sound.
    Adjoining(u64),
    /// Below the floor the adjoining one is gone, and this is a later one.
    Later(u64),
    /// It is the last.
    Nothing,
}

impl Next {
    /// Whether the end of the segment may be what nobody ever relied on.
    fn is_open(self) -> bool {
        match self {
            Self::Nothing | Self::Later(_) => true,
            Self::Adjoining(_) => false,
        }
    }
}

pub(super) fn walk(disk: &dyn Disk, firsts: &[u64], look: Look<'_>) -> Result<(), OpenError> {
    let files = firsts.iter().map(|&first| open(disk, first)).collect::<Result<Vec<_>, _>>()?;
    let floor = files.iter().rev().find_map(|file| file.header.ok()).map_or(0, |header| header.floor);
    if let Some(first) = files.first().filter(|file| file.first > floor) {
        let flaw = Flaw::Missing(Position::new(first.first));
        look(Entry::Damage(Damage { file: path(disk, &segment_name(floor)), offset: 0, flaw }));
    }
    for (index, file) in files.iter().enumerate() {
        let next = files.get(index + 1).map_or(Next::Nothing, |next| {
            let is_adjoining = next.header.is_ok_and(|header| header.before == file.first);
            if next.first > floor || is_adjoining {
                Next::Adjoining(next.first)
            } else {
                Next::Later(next.first)
            }
        });
        let mut walk = Walk { disk, name: &file.name, next, look: &mut *look };
        match file.header {
            Ok(header) => walk.segment(file, header).map_err(disk_error(disk, &file.name))?,
            Err(Flaw::NewerVersion(version)) => {
                return Err(OpenError::NewerVersion { file: path(disk, &file.name), version });
            }
            Err(flaw) => walk.damage(0, flaw),
        }
    }
    Ok(())
}

fn open(disk: &dyn Disk, first: u64) -> Result<File, OpenError> {
    let name = segment_name(first);
    let file = disk.open(&name).map_err(disk_error(disk, &name))?;
    let header = header_of(&*file, first).map_err(disk_error(disk, &name))?;
    Ok(File { name, first, header })
}

struct Walk<'a> {
    disk: &'a dyn Disk,
    name: &'a str,
    next: Next,
    look: Look<'a>,
}

impl Walk<'_> {
    fn segment(&mut self, file: &File, header: SegmentHeader) -> std::io::Result<()> {
        let mut scan = Scan::new(self.disk.open(&file.name)?, header);
        let file_end = scan.end()?;
        (self.look)(Entry::Segment(SegmentEntry {
            name: self.name,
            first: Position::new(header.first),
            floor: Position::new(header.floor),
            created_unix_ms: header.created_unix_ms,
            bytes: HEADER_BYTES + (file_end - header.first),
        }));
        let end = match self.next {
            Next::Adjoining(next) => next,
            Next::Later(next) => file_end.min(next),
            Next::Nothing => file_end,
        };
        let mut position = header.first;
        loop {
            let place = match scan.batch(position, end)? {
                Found::Batch(batch, bytes) => self.batch(&batch, bytes),
                Found::Short(batch, bytes) => Place { behind: None, ..self.batch(&batch, bytes) },
                Found::Flaw(flaw) => Place { flaw: Some((position, flaw)), behind: None },
            };
            position = match place.flaw {
                None => place.behind.unwrap_or(end),
                Some((flawed, flaw)) => {
                    // What a later batch or segment follows had been synced, and so had the first batch of any segment.
                    let later = scan.find_batch(flawed + 1, end)?;
                    if later.is_none() && position > header.first && self.next.is_open() {
                        return self.open_end(&mut scan, position, flawed, end);
                    }
                    let is_end = scan.is_end(flawed, flaw)?;
                    self.damage(scan.offset(flawed), self.told(flaw, is_end));
                    self.rest(&mut scan, position, flawed, end)?;
                    place.behind.or(later).unwrap_or(end)
                }
            };
            if position >= end {
                return Ok(());
            }
        }
    }

    /// Nothing proves that the end of this segment was ever on disk: it is shown as what it may be.
    fn open_end(&mut self, scan: &mut Scan, position: u64, flawed: u64, end: u64) -> std::io::Result<()> {
        if flawed > position || !scan.is_room(flawed, end)? {
            let file = path(self.disk, self.name);
            let tail = TornTail { file, offset: scan.offset(flawed), bytes: end - flawed };
            (self.look)(if self.next == Next::Nothing { Entry::TornTail(tail) } else { Entry::Void(tail) });
        }
        Ok(())
    }

    /// Where the file ends too soon, what is missing says more than how that shows.
    fn told(&self, flaw: Flaw, is_end: bool) -> Flaw {
        match self.next {
            Next::Adjoining(next) if is_end => Flaw::Missing(Position::new(next)),
            Next::Adjoining(_) | Next::Later(_) | Next::Nothing => flaw,
        }
    }

    /// Shows a batch up to its first flaw.
    fn batch(&mut self, header: &BatchHeader, bytes: &[u8]) -> Place {
        (self.look)(Entry::Batch(BatchEntry {
            position: Position::new(header.position),
            time_unix_ms: header.time_unix_ms,
            records: header.records,
            bytes: header.bytes,
        }));
        let mut records =
            Records::new(&bytes[BATCH_HEADER_BYTES..], header.position + BATCH_HEADER_BYTES as u64);
        let count = self.records(&mut records);
        let flaw = match count {
            Err(flaw) => Some(flaw),
            Ok(_) if (bytes.len() as u64) < header.bytes => Some(Flaw::BatchLength),
            Ok(count) => (count != header.records).then_some(Flaw::BatchRecords),
        };
        let behind = Some(header.position.saturating_add(header.bytes));
        Place { flaw: flaw.map(|flaw| (records.position(), flaw)), behind }
    }

    /// Shows what can be read behind a flaw, up to the end of the batch, and every further flaw.
    fn rest(&mut self, scan: &mut Scan, position: u64, flawed: u64, end: u64) -> std::io::Result<()> {
        let first = scan.header.first;
        let Found::Batch(_, bytes) = scan.batch(position, end)? else { return Ok(()) };
        let passed = usize::try_from(flawed - position).unwrap_or(usize::MAX);
        let mut records = Records::new(bytes.get(passed..).unwrap_or_default(), flawed);
        while records.pass_damaged() {
            match self.records(&mut records) {
                Ok(_) => return Ok(()),
                Err(flaw) => self.damage(HEADER_BYTES + (records.position() - first), flaw),
            }
        }
        Ok(())
    }

    /// Shows records up to the end or a flaw, and counts them.
    fn records(&mut self, records: &mut Records<'_>) -> Result<u32, Flaw> {
        let mut count = 0;
        while let Some((position, bytes)) = records.next()? {
            (self.look)(Entry::Record { position: Position::new(position), bytes });
            count += 1;
        }
        Ok(count)
    }

    fn damage(&mut self, offset: u64, flaw: Flaw) {
        (self.look)(Entry::Damage(Damage { file: path(self.disk, self.name), offset, flaw }));
    }
}

/// What was found at a place where a batch should be.
struct Place {
    /// The first flaw of it, and where.
    flaw: Option<(u64, Flaw)>,
    /// Where the batch ends, if its header says so.
    behind: Option<u64>,
}
