//! Owns a second recovery, slow and written for clarity from the description of the format: what the real one must
//! agree with.

use super::{Files, Record};

struct Segment<'a> {
    first: u64,
    floor: u64,
    salt: u64,
    /// Behind the header.
    bytes: &'a [u8],
}

/// What a batch holds, as far as it is sound.
struct Batch {
    records: Vec<Record>,
    /// Behind the last sound record.
    end: usize,
    is_whole: bool,
}

/// The records that are to be replayed; none if it is to be refused.
pub(crate) fn recover(files: &Files) -> Option<Vec<Record>> {
    let segments: Vec<_> =
        files.iter().filter_map(|(name, bytes)| segment(name, bytes)).collect::<Option<_>>()?;
    let Some(last) = segments.last() else { return Some(Vec::new()) };
    let begin = segments.iter().rposition(|segment| segment.first <= last.floor)?;
    let mut records = Vec::new();
    for (index, segment) in segments.iter().enumerate().skip(begin) {
        match segments.get(index + 1) {
            Some(next) => records.extend(segment.closed(next.first)?),
            None => records.extend(segment.last()?),
        }
    }
    records.retain(|(position, _)| *position >= last.floor);
    Some(records)
}

/// None for a file that is no segment, an inner none for one that is damaged.
fn segment<'a>(name: &str, bytes: &'a [u8]) -> Option<Option<Segment<'a>>> {
    let first = u64::from_str_radix(name.strip_suffix(".log")?, 16).ok()?;
    Some(header(first, bytes))
}

fn header(first: u64, bytes: &[u8]) -> Option<Segment<'_>> {
    let (header, rest) = bytes.split_at_checked(64)?;
    let is_ours = &header[..8] == b"DUNLINJ\n" && number(header, 60, 4) == u64::from(crc32c(&header[..60]));
    let segment = Segment { first, floor: number(header, 24, 8), salt: number(header, 40, 8), bytes: rest };
    let is_sound = number(header, 8, 2) == 1 && number(header, 16, 8) == first && segment.floor <= first;
    (is_ours && is_sound).then_some(segment)
}

impl Segment<'_> {
    fn closed(&self, next: u64) -> Option<Vec<Record>> {
        let end = usize::try_from(next - self.first).ok()?;
        let (mut place, mut records) = (0, Vec::new());
        while place < end {
            let batch = self.batch(place, end)?;
            records.extend(batch.records);
            place = batch.is_whole.then_some(batch.end)?;
        }
        Some(records)
    }

    fn last(&self) -> Option<Vec<Record>> {
        let (mut place, mut records) = (0, Vec::new());
        loop {
            let batch = self.batch(place, self.bytes.len())?;
            records.extend(batch.records);
            if batch.is_whole && self.batch_header(batch.end).is_some() {
                place = batch.end;
                continue;
            }
            let follows = (batch.end + 1..self.bytes.len()).any(|place| self.batch_header(place).is_some());
            return (!follows && (place > 0 || batch.is_whole)).then_some(records);
        }
    }

    /// Length and number of records.
    fn batch_header(&self, place: usize) -> Option<(u64, u64)> {
        let header = self.bytes.get(place..place + 40)?;
        let is_sound = number(header, 0, 8) == self.salt
            && number(header, 8, 8) == self.first + place as u64
            && number(header, 16, 8) >= 40
            && number(header, 36, 4) == u64::from(crc32c(&header[..36]));
        is_sound.then(|| (number(header, 16, 8), number(header, 32, 4)))
    }

    fn batch(&self, place: usize, end: usize) -> Option<Batch> {
        let bytes = &self.bytes[..end.min(self.bytes.len())];
        bytes.get(place..place + 40)?;
        let (length, count) = self.batch_header(place)?;
        let batch_end = usize::try_from(length).unwrap_or(usize::MAX).saturating_add(place);
        let limit = batch_end.min(bytes.len());
        let mut batch = Batch { records: Vec::new(), end: place + 40, is_whole: false };
        while let Some(record) = self.record(batch.end, limit) {
            batch.records.push((self.first + batch.end as u64, record.to_vec()));
            batch.end += 8 + record.len();
        }
        batch.is_whole = batch.end == batch_end && batch.records.len() as u64 == count;
        Some(batch)
    }

    fn record(&self, place: usize, limit: usize) -> Option<&[u8]> {
        let header = self.bytes[..limit].get(place..place + 8)?;
        let length = usize::try_from(number(header, 0, 4)).ok()?;
        let bytes = self.bytes[..limit].get(place + 8..place + 8 + length)?;
        let position = self.first + place as u64;
        let mark = position.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 32;
        let checksum = u64::from(crc32c(&[&header[..4], bytes].concat()));
        (number(header, 4, 4) == checksum ^ mark).then_some(bytes)
    }
}

fn number(bytes: &[u8], offset: usize, length: usize) -> u64 {
    bytes[offset..offset + length].iter().rev().fold(0, |number, &byte| number << 8 | u64::from(byte))
}

/// Bit by bit.
pub(crate) fn crc32c(bytes: &[u8]) -> u32 {
    !bytes.iter().fold(!0, |sum, &byte| {
        (0..8).fold(
            sum ^ u32::from(byte),
            |sum, _| if sum & 1 == 1 { sum >> 1 ^ 0x82F6_3B78 } else { sum >> 1 },
        )
    })
}
