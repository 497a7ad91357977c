//! Owns what opening makes of the files it finds: which records are replayed, where the log goes on, and what is
//! damage. It writes nothing: what must be written again is handed on as if it had just been appended.

use super::segments::{Extent, References, Segment, Segments};
use crate::disk::Disk;
use crate::error::{Damage, Flaw, OpenError, ReplayError};
use crate::format::{
    BATCH_HEADER_BYTES, BatchHeader, HEADER_BYTES, Records, SegmentHeader, first_of_name, segment_name,
};
use crate::scan::{Found, Scan, header_of};
use crate::{Position, TornTail};

/// What takes the records of a recovery, in their order.
pub type Replay<'a> = &'a mut dyn FnMut(Position, &[u8]) -> Result<(), ReplayError>;

/// What was found.
#[derive(Debug)]
pub(super) struct Recovered {
    pub floor: u64,
    /// Bytes that the pass which set the floor wrote, rounded up.
    pub pass_bytes: u64,
    /// Where the log goes on.
    pub base: u64,
    /// Where the segment begins that ends there.
    pub last_segment: u64,
    /// The last batch, with room for a header, to be written again.
    pub last: Vec<u8>,
    pub last_records: u32,
    pub segments: Segments,
    pub segments_found: usize,
    pub bytes: u64,
    pub replayed: u64,
    pub torn: Option<TornTail>,
    pub last_batch_unix_ms: u64,
}

/// A segment whose header is sound. It is not kept open: there may be more of them than files may be open.
struct File {
    name: String,
    first: u64,
    bytes: u64,
    header: SegmentHeader,
}

/// The path of a file, for a message.
pub(crate) fn path(disk: &dyn Disk, name: &str) -> String {
    format!("{}/{name}", disk.place())
}

pub(crate) fn disk_error(disk: &dyn Disk, name: &str) -> impl Fn(std::io::Error) -> OpenError {
    let place = path(disk, name);
    move |error| OpenError::Disk { place: place.clone(), error }
}

pub(crate) fn damage(disk: &dyn Disk, name: &str, offset: u64, flaw: Flaw) -> OpenError {
    match flaw {
        Flaw::NewerVersion(version) => OpenError::NewerVersion { file: path(disk, name), version },
        flaw => OpenError::Corrupt(Damage { file: path(disk, name), offset, flaw }),
    }
}

/// The first positions of all segments in the directory, in order.
pub(crate) fn list(disk: &dyn Disk) -> Result<Vec<u64>, OpenError> {
    let names = disk.list().map_err(|error| OpenError::Disk { place: disk.place(), error })?;
    let mut firsts: Vec<u64> = names.iter().filter_map(|name| first_of_name(name)).collect();
    firsts.sort_unstable();
    Ok(firsts)
}

pub(super) fn recover(disk: &dyn Disk, replay: Replay<'_>) -> Result<Recovered, OpenError> {
    let files = headers(disk)?;
    let floor = files.last().map_or(0, |last| last.header.floor);
    let begin = beginning(disk, &files, floor)?;
    let mut recovery = Recovery { disk, replay, floor, found: empty(floor) };
    recovery.found.segments_found = files.len();
    recovery.found.pass_bytes = files.last().map_or(0, |last| u64::from(last.header.pass_kibibytes) << 10);
    for (index, file) in files.iter().enumerate() {
        recovery.found.bytes += file.bytes;
        match files.get(index + 1) {
            Some(next) if index >= begin => recovery.closed(file, next.first)?,
            Some(next) => recovery.below_floor(file, next),
            None => recovery.last(file)?,
        }
    }
    Ok(recovery.found)
}

fn empty(floor: u64) -> Recovered {
    Recovered {
        floor,
        pass_bytes: 0,
        base: 0,
        last_segment: 0,
        last: Vec::new(),
        last_records: 0,
        segments: Segments::default(),
        segments_found: 0,
        bytes: 0,
        replayed: 0,
        torn: None,
        last_batch_unix_ms: 0,
    }
}

fn headers(disk: &dyn Disk) -> Result<Vec<File>, OpenError> {
    let open = |first| {
        let name = segment_name(first);
        let file = disk.open(&name).map_err(disk_error(disk, &name))?;
        let header = header_of(&*file, first).map_err(disk_error(disk, &name))?;
        let header = header.map_err(|flaw| damage(disk, &name, 0, flaw))?;
        let bytes = file.len().map_err(disk_error(disk, &name))?;
        Ok(File { name, first, bytes, header })
    };
    list(disk)?.into_iter().map(open).collect()
}

/// The segment that holds the floor: the first one that is scanned.
fn beginning(disk: &dyn Disk, files: &[File], floor: u64) -> Result<usize, OpenError> {
    let behind = files.partition_point(|file| file.first <= floor);
    match (behind.checked_sub(1), files.first()) {
        (Some(index), _) => Ok(index),
        (None, None) => Ok(0),
        (None, Some(first)) => {
            Err(damage(disk, &segment_name(floor), 0, Flaw::Missing(Position::new(first.first))))
        }
    }
}

struct Recovery<'a, 'b> {
    disk: &'a dyn Disk,
    replay: Replay<'b>,
    floor: u64,
    found: Recovered,
}

impl Recovery<'_, '_> {
    fn scan(&self, file: &File) -> Result<Scan, OpenError> {
        let opened = self.disk.open(&file.name).map_err(disk_error(self.disk, &file.name))?;
        Ok(Scan::new(opened, file.header))
    }

    fn known(&mut self, first: u64, end: u64, extent: Extent) {
        self.found.segments.push(Segment { first, end, extent, references: References::default() });
    }

    /// A segment whose records are read, and checked, when somebody asks for them. Those that followed it may be gone:
    /// then a reader that finds no record has to find out whether the segment had one there.
    fn below_floor(&mut self, file: &File, next: &File) {
        if next.header.before == file.first {
            self.known(file.first, next.first, Extent::Exact);
        } else {
            let end = next.first.min(file.first + (file.bytes - HEADER_BYTES));
            self.known(file.first, end, Extent::AtMost);
        }
    }

    /// A segment that another follows: it ends where that one begins, and everything before is sound. What stands
    /// behind was given up by the process that wrote it, and is not looked at.
    fn closed(&mut self, file: &File, end: u64) -> Result<(), OpenError> {
        let failed = disk_error(self.disk, &file.name);
        let mut scan = self.scan(file)?;
        let mut position = file.first;
        while position < end {
            let sound = match scan.batch(position, end).map_err(&failed)? {
                Found::Batch(header, bytes) | Found::Short(header, bytes) => {
                    self.records(file, &header, bytes)?
                }
                Found::Flaw(flaw) => Sound { end: position, records: 0, flaw: Some(flaw) },
            };
            position = sound.end;
            if let Some(flaw) = sound.flaw {
                let is_end = scan.is_end(position, flaw).map_err(&failed)?;
                let flaw = if is_end { Flaw::Missing(Position::new(end)) } else { flaw };
                return Err(damage(self.disk, &file.name, scan.offset(position), flaw));
            }
        }
        self.known(file.first, end, Extent::Exact);
        Ok(())
    }

    /// The last segment. Its last batch may be torn, except if it is the first: a segment has its name only since
    /// that one is on disk.
    fn last(&mut self, file: &File) -> Result<(), OpenError> {
        let failed = disk_error(self.disk, &file.name);
        let mut scan = self.scan(file)?;
        let end = scan.end().map_err(&failed)?;
        let mut position = file.first;
        let sound = loop {
            let (sound, behind) = match scan.batch(position, end).map_err(&failed)? {
                Found::Batch(header, bytes) => (self.records(file, &header, bytes)?, position + header.bytes),
                Found::Short(header, bytes) => (self.records(file, &header, bytes)?, end),
                Found::Flaw(flaw) => (Sound { end: position, records: 0, flaw: Some(flaw) }, end),
            };
            if sound.flaw.is_some() || !scan.has_batch(behind).map_err(&failed)? {
                break sound;
            }
            position = behind;
        };
        // A valid batch further on says that this place had been synced.
        let is_first = position == file.first && sound.flaw.is_some();
        if is_first || scan.find_batch(sound.end + 1, end).map_err(&failed)?.is_some() {
            let flaw = sound.flaw.unwrap_or(Flaw::BatchHeader);
            return Err(damage(self.disk, &file.name, scan.offset(sound.end), flaw));
        }
        if sound.flaw.is_some() || !scan.is_room(sound.end, end).map_err(&failed)? {
            let offset = scan.offset(sound.end);
            self.found.torn =
                Some(TornTail { file: path(self.disk, &file.name), offset, bytes: end - sound.end });
        }
        if position > file.first {
            self.known(file.first, position, Extent::Exact);
            self.found.last_segment = file.first;
        } else {
            // It will be written once more, under the same name.
            self.found.last_segment = file.header.before;
        }
        self.found.base = position;
        self.keep(&mut scan, position, &sound).map_err(&failed)
    }

    /// The last batch is kept to be written once more. Perhaps it was never synced; and after a sync that failed the
    /// system may show us bytes that are not on the disk.
    fn keep(&mut self, scan: &mut Scan, position: u64, sound: &Sound) -> std::io::Result<()> {
        if sound.records > 0 {
            let (Found::Batch(_, bytes) | Found::Short(_, bytes)) = scan.batch(position, sound.end)? else {
                return Ok(());
            };
            self.found.last = bytes.to_vec();
            self.found.last_records = sound.records;
        }
        Ok(())
    }

    /// Replays the records of a batch up to the first flaw.
    fn records(&mut self, file: &File, header: &BatchHeader, bytes: &[u8]) -> Result<Sound, OpenError> {
        self.found.last_batch_unix_ms = self.found.last_batch_unix_ms.max(header.time_unix_ms);
        let mut records =
            Records::new(&bytes[BATCH_HEADER_BYTES..], header.position + BATCH_HEADER_BYTES as u64);
        let mut count = 0;
        let flaw = loop {
            match records.next() {
                Ok(Some((position, record))) => {
                    count += 1;
                    self.replay(file, Position::new(position), record)?;
                }
                Ok(None) if (bytes.len() as u64) < header.bytes => break Some(Flaw::BatchLength),
                Ok(None) => break (count != header.records).then_some(Flaw::BatchRecords),
                Err(flaw) => break Some(flaw),
            }
        };
        Ok(Sound { end: records.position(), records: count, flaw })
    }

    fn replay(&mut self, file: &File, position: Position, record: &[u8]) -> Result<(), OpenError> {
        if position.get() < self.floor {
            return Ok(());
        }
        self.found.replayed += 1;
        let refused = |reason| OpenError::Refused { file: path(self.disk, &file.name), position, reason };
        (self.replay)(position, record).map_err(refused)
    }
}

/// What of a batch is sound.
struct Sound {
    /// Where it ends, or the first flaw is.
    end: u64,
    records: u32,
    flaw: Option<Flaw>,
}
