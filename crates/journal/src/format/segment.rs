//! Owns the name and the header of a segment file. The batches behind it are another file's.

use super::{FORMAT_VERSION, SEGMENT_HEADER_BYTES, u32_at, u64_at};
use crate::Position;
use crate::error::Flaw;

const MAGIC: [u8; 8] = *b"DUNLINJ\n";
const CHECKSUM_AT: usize = SEGMENT_HEADER_BYTES - 4;

/// What a segment says of itself. Magic, version and checksum stand in the same place in every version of the format,
/// so that an older program can tell a newer file from a damaged one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct SegmentHeader {
    /// Position of the first byte behind the header.
    pub first: u64,
    /// Where a recovery begins.
    pub floor: u64,
    pub created_unix_ms: u64,
    /// Marks the batches of this segment.
    pub salt: u64,
    /// Where the segment begins that ends where this one begins; 0 also if there is none. By this a file that is
    /// followed at once can be told from one behind which others have been removed, and whose end nobody knows.
    pub before: u64,
    /// What the pass that set the floor has written, rounded up: what the next one will cost, about.
    pub pass_kibibytes: u32,
}

impl SegmentHeader {
    pub(crate) fn encode(&self) -> [u8; SEGMENT_HEADER_BYTES] {
        let mut bytes = [0; SEGMENT_HEADER_BYTES];
        bytes[..8].copy_from_slice(&MAGIC);
        bytes[8..10].copy_from_slice(&FORMAT_VERSION.to_le_bytes());
        bytes[16..24].copy_from_slice(&self.first.to_le_bytes());
        bytes[24..32].copy_from_slice(&self.floor.to_le_bytes());
        bytes[32..40].copy_from_slice(&self.created_unix_ms.to_le_bytes());
        bytes[40..48].copy_from_slice(&self.salt.to_le_bytes());
        bytes[48..56].copy_from_slice(&self.before.to_le_bytes());
        bytes[56..60].copy_from_slice(&self.pass_kibibytes.to_le_bytes());
        let checksum = crc32c::crc32c(&bytes[..CHECKSUM_AT]);
        bytes[CHECKSUM_AT..].copy_from_slice(&checksum.to_le_bytes());
        bytes
    }

    pub(crate) fn decode(bytes: &[u8]) -> Result<Self, Flaw> {
        if bytes.len() < SEGMENT_HEADER_BYTES {
            return Err(Flaw::SegmentHeaderShort);
        }
        if bytes[..8] != MAGIC {
            return Err(Flaw::SegmentMagic);
        }
        if crc32c::crc32c(&bytes[..CHECKSUM_AT]) != u32_at(bytes, CHECKSUM_AT) {
            return Err(Flaw::SegmentHeaderChecksum);
        }
        let version = u16::from_le_bytes([bytes[8], bytes[9]]);
        match version {
            0 => return Err(Flaw::SegmentMagic),
            FORMAT_VERSION => {}
            newer => return Err(Flaw::NewerVersion(newer)),
        }
        Ok(Self {
            first: u64_at(bytes, 16),
            floor: u64_at(bytes, 24),
            created_unix_ms: u64_at(bytes, 32),
            salt: u64_at(bytes, 40),
            before: u64_at(bytes, 48),
            pass_kibibytes: u32_at(bytes, 56),
        })
    }
}

/// The file name of the segment that begins at `first`.
pub(crate) fn segment_name(first: u64) -> String {
    format!("{first:016x}.log")
}

/// Where the segment with this file name begins; none if the name is not a segment's. No journal ever gets into the
/// second half of all positions, so that what is computed from a name cannot overflow.
pub(crate) fn first_of_name(name: &str) -> Option<u64> {
    let first = u64::from_str_radix(name.strip_suffix(".log")?, 16).ok()?;
    (segment_name(first) == name && first <= Position::MAX.get() / 2).then_some(first)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_that_of_a_position_or_of_no_segment() {
        let most = Position::MAX.get() / 2;
        for first in [0, 1, 0x0400_0000, most] {
            assert_eq!(first_of_name(&segment_name(first)), Some(first));
        }
        let long = segment_name(most + 1);
        for name in
            ["0.log", "000000000400000G.log", "000000000400000a", "000000000400000A.log", "lock", &long]
        {
            assert_eq!(first_of_name(name), None, "{name}");
        }
    }

    #[test]
    fn a_header_comes_back_as_it_was() {
        let header = SegmentHeader {
            first: 1 << 40,
            floor: 1 << 39,
            created_unix_ms: 1 << 38,
            salt: u64::MAX,
            before: 1 << 37,
            pass_kibibytes: 1 << 31,
        };
        assert_eq!(SegmentHeader::decode(&header.encode()), Ok(header));
    }
}
